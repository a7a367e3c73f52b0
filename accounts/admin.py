"""The back room of the platform: everything can be seen; what can be changed goes through the verbs, or is refused in words."""

from contextlib import nullcontext

from allauth.account.admin import EmailAddress
from allauth.account.forms import ResetPasswordForm
from allauth.mfa.admin import Authenticator
from django.contrib import admin, messages
from django.contrib.admin import ActionLocation
from django.contrib.admin.models import LogEntry
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Prefetch
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst

from accounts.actor import Actor
from accounts.models import Business, Event, Invitation, Membership, Receipt, Token, Untold, User
from accounts.verbs import writing

admin.site.site_title = admin.site.site_header = "Phasewise administration"
admin.site.index_title = "Everything there is"
# Where everybody changes it, so that the same mails are sent about it.
admin.site.password_change = lambda request, extra_context=None: redirect("account_change_password")


class Found(AutocompleteJsonView):
    """What an autocomplete finds, with what tells equal names apart."""

    def get_queryset(self):
        """Return what was found with all that its name needs."""
        rows = super().get_queryset()
        related = self.model_admin.list_select_related
        return rows.select_related(*related) if related else rows

    def serialize_result(self, obj, to_field_name):
        """Return one line of the list."""
        return super().serialize_result(obj, to_field_name) | {"text": self.model_admin.full_name(obj)}


admin.site.autocomplete_view = lambda request: Found.as_view(admin_site=admin.site)(request)


class SeenAdmin(admin.ModelAdmin):
    """An admin in which rows are looked at: nothing is added, changed or deleted, and the page says why.

    says: the explanation. hides: fields that are never shown. shows: further things to show, as in readonly_fields.
    """

    says = "These rows are kept by Phasewise. They can be looked at here, not changed."
    hides = ()
    shows = ()
    change_list_template = "admin/said_change_list.html"
    show_full_result_count = False
    list_per_page = 50

    def full_name(self, row) -> str:
        """Return the row's name and where it belongs, for lists in which names may be equal."""
        return " · ".join(
            [str(row), *(str(getattr(row, name)) for name in ("workflow", "business") if hasattr(row, name))]
        )

    def has_add_permission(self, request):
        """Answer that nothing is added."""
        return False

    def has_change_permission(self, request, obj=None):
        """Answer that nothing is changed."""
        return False

    def has_delete_permission(self, request, obj=None):
        """Answer that nothing is deleted: what can go has a verb for it, among the actions."""
        return False

    def delete_view(self, request, object_id, extra_context=None):
        """Say why nothing is deleted here, instead of a bare refusal."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        self.message_user(request, f"Nothing was deleted. {self.says}", messages.ERROR)
        return redirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[object_id]))

    def get_fieldsets(self, request, obj=None):
        """Show every field but the hidden ones, under the explanation."""
        kept = [field.name for field in self.opts.concrete_fields if field.name not in self.hides]
        return [(None, {"fields": [*self.shows, *kept], "description": self.says})]

    def get_readonly_fields(self, request, obj=None):
        """Return everything that is shown."""
        return [name for _, options in self.get_fieldsets(request, obj) for name in options["fields"]]


class VerbAdmin(SeenAdmin):
    """An admin whose changes are verbs, told in the ledger as done by an administrator.

    takes: the fields that `change` may be given. needs: what `make` asks for besides; the first names the business.
    """

    says = "Changes made here are those of the app itself: checked by the same rules and told in the ledger as yours."
    takes = ()
    needs = ()

    def make(self, values: dict, by: Actor):
        """Make a row through its verb and return it."""
        raise NotImplementedError

    def change(self, row, values: dict, by: Actor) -> None:
        """Change what is given, through verbs."""
        row.update(**values, by=by)

    def has_add_permission(self, request):
        """Answer whether a verb makes such rows and the administrator may call it."""
        return bool(self.needs) and admin.ModelAdmin.has_add_permission(self, request)

    def has_change_permission(self, request, obj=None):
        """Answer whether a verb changes such rows and the administrator may call it."""
        return bool(self.takes) and self.has_deed_permission(request, obj)

    def has_deed_permission(self, request, obj=None):
        """Answer whether the administrator may call the verbs among the actions."""
        return admin.ModelAdmin.has_change_permission(self, request, obj)

    def get_fieldsets(self, request, obj=None):
        """Show what can be changed, then what Phasewise keeps."""
        taken = list(dict.fromkeys([*(self.needs if obj is None else ()), *self.takes]))
        ((_, shown),) = all_of_it = super().get_fieldsets(request, obj)
        if not taken:
            return all_of_it
        kept = [name for name in shown["fields"] if name not in taken]
        sets = [(None, {"fields": taken, "description": self.says}), ("Kept by Phasewise", {"fields": kept})]
        return sets[:1] if obj is None else sets

    def get_readonly_fields(self, request, obj=None):
        """Return what Phasewise keeps."""
        if obj is None:
            return []
        return [name for name in SeenAdmin.get_readonly_fields(self, request, obj) if name not in self.takes]

    def get_form(self, request, obj=None, change=False, **kwargs):
        """Return the form; when a verb has just refused, the form says so at the field it is about."""
        form = super().get_form(request, obj, change, **kwargs)
        refusal = getattr(request, "refusal", None)
        if refusal is None:
            return form
        return type(form)(form.__name__, (form,), {"clean": lambda form: _say(refusal, form)})

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        """Show or save one row; a verb's refusal rolls everything back and comes back with what was typed."""
        try:
            # Django opens its transaction first; on SQLite the writer's turn must come before it.
            with writing() if request.method == "POST" else nullcontext():
                return super().changeform_view(request, object_id, form_url, extra_context)
        except ValidationError as refusal:
            request.refusal = refusal
        page = super().changeform_view(request, object_id, form_url, extra_context)
        page.status_code = 422
        return page

    def save_model(self, request, obj, form, change):
        """Call the verb with what was changed."""
        sent = form.cleaned_data
        if change:
            row = self.model._default_manager.get(pk=obj.pk)
            values = {name: sent[name] for name in self.takes if name in form.changed_data}
            self.change(row, values, Actor.admin(request.user, row.business_id))
        else:
            by = Actor.admin(request.user, sent[self.needs[0]].business_id)
            row = self.make({name: sent[name] for name in {*self.needs, *self.takes}}, by)
        obj.pk = row.pk
        obj.refresh_from_db()

    def save_related(self, request, form, formsets, change):
        """Save nothing: inlines are for looking, and the verb has written all there is."""

    def construct_change_message(self, request, form, formsets, add=False):
        """Return what the administrators' log keeps: the fields, as no inline was saved."""
        return super().construct_change_message(request, form, [], add)


def deed(method: str, says: str, *, final: bool = False):
    """Return an admin action that calls a verb on each selected row; a final one asks first."""

    @admin.action(
        description=says, permissions=["deed"], location=[ActionLocation.CHANGE_LIST, ActionLocation.CHANGE_FORM]
    )
    def act(self, request, queryset):
        if final and "sure" not in request.POST:
            return _ask(self, request, queryset, says)
        done = 0
        for row in queryset:
            try:
                getattr(row, method)(by=Actor.admin(request.user, row.business_id))
                done += 1
            except ValidationError as refusal:
                self.message_user(request, f"{row}: {' '.join(refusal.messages)}", messages.ERROR)
        if done:
            self.message_user(request, f"{says}: done for {done}.", messages.SUCCESS)
        return None

    act.__name__ = method
    return act


class Seen(admin.TabularInline):
    """Rows shown with the row they belong to, for looking."""

    extra = 0
    can_delete = False
    related = ()

    def get_queryset(self, request):
        """Return the rows with what a line shows of them."""
        rows = super().get_queryset(request)
        return rows.select_related(*self.related) if self.related else rows

    def get_readonly_fields(self, request, obj=None):
        """Return everything that is shown."""
        return self.fields

    def has_add_permission(self, request, obj):
        """Answer that nothing is added."""
        return False

    def has_change_permission(self, request, obj=None):
        """Answer that nothing is changed."""
        return False


class ArchivedFilter(admin.SimpleListFilter):
    """In use, or archived."""

    title = "place"
    parameter_name = "archived"

    def lookups(self, request, model_admin):
        """Return the two places."""
        return [("no", "In use"), ("yes", "Archived")]

    def queryset(self, request, queryset):
        """Narrow to one of them."""
        return queryset if self.value() is None else queryset.filter(archived_at__isnull=self.value() == "no")


def _say(refusal: ValidationError, form) -> None:
    """Put a refusal on a form: at its fields where it names some that are shown, else above."""
    if not hasattr(refusal, "error_dict"):
        return form.add_error(None, refusal)
    for name, errors in refusal.error_dict.items():
        form.add_error(name if name in form.fields else None, errors)
    return None


def _ask(model_admin, request, queryset, says: str) -> TemplateResponse:
    """Return the page that asks whether the administrator is sure; saying yes posts the same again."""
    sent = [(key, value) for key, values in request.POST.lists() for value in values if key != "csrfmiddlewaretoken"]
    context = {**model_admin.admin_site.each_context(request), "title": f"{says}?", "opts": model_admin.opts}
    context |= {"rows": queryset[:100], "count": queryset.count(), "sent": sent, "deed": says}
    return TemplateResponse(request, "admin/sure.html", context)


# The ground floor's rows -------------------------------------------------------------------------------


class MembershipsSeen(Seen):
    """Who belongs here."""

    model = Membership
    fields = ("user", "role", "joined_at")
    related = ("user", "business")


@admin.register(Business)
class BusinessAdmin(VerbAdmin):
    """Businesses; founded by signing up."""

    says = (
        "A business is founded by its owner, in the app. Its settings can be changed here; it is never deleted, because "
        "its cards, contacts and history would go with it."
    )
    takes = Business.FIELDS
    shows = ("people",)
    list_display = ("name", "slug", "people", "currency", "time_zone", "last_card", "last_event", "created_at")
    list_filter = ("currency",)
    search_fields = ("name", "slug", "memberships__user__email")
    ordering = ("name",)
    date_hierarchy = "created_at"
    inlines = (MembershipsSeen,)

    def get_queryset(self, request):
        """Count the people along."""
        return super().get_queryset(request).annotate(_people=Count("memberships"))

    @admin.display(ordering="_people")
    def people(self, business):
        """Return how many people belong to it."""
        return business._people


@admin.register(Membership)
class MembershipAdmin(VerbAdmin):
    """Who belongs to which business, with which role."""

    says = (
        "People join by an invitation. Their role can be changed here, and they can be removed; an owner always stays."
    )
    takes = ("role",)
    list_display = ("user", "business", "role", "joined_at")
    list_filter = ("role",)
    list_select_related = ("user", "business")
    search_fields = ("user__name", "user__email", "business__name", "business__slug")
    date_hierarchy = "joined_at"
    actions = (deed("remove", "Remove from the business", final=True),)

    def change(self, row, values, by):
        """Give another role."""
        row.change_role(values["role"], by=by)


@admin.register(Invitation)
class InvitationAdmin(VerbAdmin):
    """Who was asked to come."""

    says = "People are invited by the members of a business. Invitations can be withdrawn here."
    hides = ("digest",)
    list_display = ("email", "business", "role", "invited_by", "invited_at", "sent_at", "accepted_at", "withdrawn_at")
    list_filter = ("role", ("accepted_at", admin.EmptyFieldListFilter), ("withdrawn_at", admin.EmptyFieldListFilter))
    list_select_related = ("business", "invited_by")
    search_fields = ("email", "business__name", "business__slug")
    date_hierarchy = "invited_at"
    actions = (deed("withdraw", "Withdraw"),)


@admin.register(Token)
class TokenAdmin(VerbAdmin):
    """Programs that may come in."""

    says = "A token is made by a member, who alone sees it, once. Here it can be revoked, which shuts it out at once."
    hides = ("digest",)
    list_display = ("name", "business", "hint", "maker", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_select_related = ("business", "maker")
    search_fields = ("name", "hint", "business__name", "business__slug", "maker__email")
    date_hierarchy = "created_at"
    actions = (deed("revoke", "Revoke"),)


@admin.register(Receipt)
class ReceiptAdmin(SeenAdmin):
    """What programs were answered under their Idempotency-Keys."""

    says = "A program that sends a request again gets the answer kept here. After two days it is forgotten."
    hides = ("answer",)
    list_display = ("key", "token", "part", "created_at")
    list_select_related = ("token",)
    search_fields = ("key", "token__name", "token__business__slug")
    date_hierarchy = "created_at"


@admin.register(Event)
class EventAdmin(SeenAdmin):
    """The ledger."""

    says = "The ledger is written by what happens and never edited."
    shows = ("sentence",)
    list_display = ("sequence", "business", "at", "actor_name", "sentence", "subject_name", "name", "actor_kind")
    list_filter = ("actor_kind", "subject_kind", "name", ("told_at", admin.EmptyFieldListFilter))
    list_select_related = ("business",)
    search_fields = ("subject_name", "actor_name", "name", "business__name", "business__slug")
    date_hierarchy = "at"
    ordering = ("-pk",)


@admin.register(Untold)
class UntoldAdmin(VerbAdmin):
    """Events of which not everybody could be told."""

    says = "Events are told again by themselves for half an hour. What was set aside then can be told again."
    list_display = ("event", "business", "attempts", "due_at", "set_aside_at", "error")
    list_filter = (("set_aside_at", admin.EmptyFieldListFilter),)
    list_select_related = ("business", "event")
    search_fields = ("event__name", "event__subject_name", "business__name", "business__slug")
    actions = (deed("retell", "Tell again", final=True),)


@admin.register(User)
class UserAdmin(admin.ModelAdmin):
    """People. They belong to no business, so there is no ledger to tell: the administrators' log below keeps the changes."""

    says = (
        "People sign up themselves. A name can be put right here and the door closed (“may sign in”), which ends every "
        "session at once. Address and password are the person's own: send them a reset mail from the list. Nobody is "
        "deleted, because the history names them."
    )
    change_list_template = "admin/said_change_list.html"
    list_display = ("email", "name", "businesses", "is_active", "is_staff", "is_superuser", "last_login", "date_joined")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "name", "memberships__business__name")
    date_hierarchy = "date_joined"
    ordering = ("email",)
    filter_horizontal = ("groups", "user_permissions")
    actions = ("mail_reset",)
    show_full_result_count = False
    list_per_page = 50
    STANDING = ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")
    KEPT = ("email", "businesses", "last_login", "date_joined")

    def get_fieldsets(self, request, obj=None):
        """Show all but the password's hash."""
        return [
            (None, {"fields": ("email", "name", "is_active"), "description": self.says}),
            ("As an administrator", {"fields": ("is_staff", "is_superuser", "groups", "user_permissions")}),
            ("Kept by Phasewise", {"fields": ("businesses", "last_login", "date_joined")}),
        ]

    def get_readonly_fields(self, request, obj=None):
        """Let nobody lock themselves out, and nobody but a full administrator make administrators."""
        if obj == request.user:
            return (*self.KEPT, *self.STANDING)
        return self.KEPT if request.user.is_superuser else (*self.KEPT, *self.STANDING[1:])

    def get_queryset(self, request):
        """Fetch the businesses along."""
        theirs = Prefetch("memberships", Membership.objects.select_related("business"))
        return super().get_queryset(request).prefetch_related(theirs)

    @admin.display()
    def businesses(self, user):
        """Return where the person belongs, and as what."""
        return ", ".join(f"{m.business} ({m.role})" for m in user.memberships.all()) or "none"

    def has_add_permission(self, request):
        """Answer that nobody is added."""
        return False

    def has_change_permission(self, request, obj=None):
        """Keep full administrators out of the reach of lesser ones."""
        beyond = obj is not None and obj.is_superuser and not request.user.is_superuser
        return not beyond and super().has_change_permission(request, obj)

    has_delete_permission = SeenAdmin.has_delete_permission
    delete_view = SeenAdmin.delete_view

    @admin.action(description="Send a mail to reset the password", permissions=["change"])
    def mail_reset(self, request, queryset):
        """Send each person who may sign in the same mail as the sign-in page does."""
        for user in queryset.filter(is_active=True):
            form = ResetPasswordForm({"email": user.email})
            if form.is_valid():
                form.save(request)
                self.message_user(request, f"A mail to reset the password is on its way to {user.email}.")


# Rows of those we stand on ------------------------------------------------------------------------------


class SignInAddressAdmin(SeenAdmin):
    """The addresses people sign in with."""

    says = "People change their address themselves and confirm it by mail."
    list_display = ("email", "user", "primary", "verified")
    list_filter = ("primary", "verified")
    list_select_related = ("user",)
    search_fields = ("email", "user__name")


class SecondFactorAdmin(SeenAdmin):
    """Who has a second factor. Somebody who lost theirs is let in by deleting it, once they have proved who they are."""

    says = "The secrets are not shown. Deleting a row switches two-factor sign-in off for somebody who lost theirs."
    hides = ("data",)
    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("user__email", "user__name")
    date_hierarchy = "created_at"
    has_delete_permission = admin.ModelAdmin.has_delete_permission
    delete_view = admin.ModelAdmin.delete_view


class LogEntryAdmin(SeenAdmin):
    """What administrators did in here."""

    says = "What administrators did here; what it meant for a business stands in the ledger too."
    list_display = ("action_time", "user", "what", "object_repr", "__str__")
    list_filter = ("action_flag",)
    list_select_related = ("user", "content_type")
    search_fields = ("object_repr", "change_message", "user__email")
    date_hierarchy = "action_time"

    @admin.display(description="kind of row")
    def what(self, entry):
        """Return what kind of row it was about."""
        return capfirst(entry.content_type.name) if entry.content_type else ""


for model, seen in ((EmailAddress, SignInAddressAdmin), (Authenticator, SecondFactorAdmin)):
    admin.site.unregister(model)
    admin.site.register(model, seen)
admin.site.register(LogEntry, LogEntryAdmin)
