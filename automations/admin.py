"""Rules, what they did, and what leaves the building, in the back room."""

from django.contrib import admin
from django.db.models import Count
from django_ox.models import OxTask

from accounts.admin import SeenAdmin, VerbAdmin, deed
from accounts.models import Untold
from automations.health import absence, in_words, lately, queues
from automations.models import (
    Delivery,
    Inlet,
    Letterhead,
    MailTemplate,
    Notification,
    Preference,
    Received,
    Rule,
    Run,
    Timer,
    Webhook,
    Worker,
)
from automations.models.run import FAILED

BUSINESS = ("business__name", "business__slug")


@admin.register(Rule)
class RuleAdmin(SeenAdmin):
    """What happens by itself."""

    says = "Rules are written, switched and deleted in the app, or through its API."
    list_display = ("name", "business", "workflow", "trigger", "state", "version", "updated_at")
    list_filter = ("state", "trigger")
    list_select_related = ("business", "workflow")
    search_fields = ("name", *BUSINESS)
    date_hierarchy = "created_at"


@admin.register(Run)
class RunAdmin(SeenAdmin):
    """What rules did, and why they did not."""

    says = "Runs are written by the rules themselves. Those that failed are tried again in the app."
    list_display = ("name", "business", "card_name", "state", "reason", "step", "began_at")
    list_filter = ("state",)
    list_select_related = ("business",)
    search_fields = ("name", "card_name", *BUSINESS)
    date_hierarchy = "began_at"


@admin.register(Timer)
class TimerAdmin(SeenAdmin):
    """What was reported for a later time."""

    says = "Timers are set and cancelled by programs, through the API."
    list_display = ("trigger", "business", "card", "external_id", "at", "fired_at", "cancelled_at", "set_aside_at")
    list_filter = ("trigger", ("set_aside_at", admin.EmptyFieldListFilter))
    list_select_related = ("business", "card")
    search_fields = ("trigger", "external_id", *BUSINESS)
    date_hierarchy = "at"


@admin.register(Webhook)
class WebhookAdmin(VerbAdmin):
    """Where businesses want to be told."""

    says = (
        "Webhooks are made by the managers of a business. They can be renamed and switched off here; no secret is kept."
    )
    takes = ("name",)
    list_display = ("name", "business", "url", "format", "created_at", "failing_since", "disabled_at")
    list_filter = ("format", ("disabled_at", admin.EmptyFieldListFilter), ("failing_since", admin.EmptyFieldListFilter))
    list_select_related = ("business",)
    search_fields = ("name", "url", *BUSINESS)
    date_hierarchy = "created_at"
    actions = (
        deed("disable", "Switch off"),
        deed("enable", "Switch on"),
        deed("rotate", "Give a new secret"),
        deed("delete_for_good", "Delete for good", final=True),
    )


@admin.register(Delivery)
class DeliveryAdmin(VerbAdmin):
    """Mails and calls: waiting, sent, given up."""

    says = "What leaves is written by rules and webhooks. It can be stopped, sent now or sent again."
    list_display = (
        "subject",
        "kind",
        "to",
        "business",
        "state",
        "attempts",
        "created_at",
        "due_at",
        "finished_at",
        "error",
    )
    list_filter = ("kind", "state")
    list_select_related = ("business",)
    search_fields = ("to", "subject", "by_name", *BUSINESS)
    date_hierarchy = "created_at"
    actions = (
        deed("stop", "Stop"),
        deed("send_now", "Send now"),
        deed("resend", "Send again", final=True),
    )

    def get_queryset(self, request):
        """Leave out what was sent and answered where only lists are shown."""
        rows = super().get_queryset(request)
        return rows if request.resolver_match.url_name.endswith("_change") else rows.defer("body", "html", "log")


@admin.register(MailTemplate)
class MailTemplateAdmin(VerbAdmin):
    """What businesses write to their customers."""

    takes = ("name", "key", "subject", "body", "minutes")
    needs = ("business",)
    autocomplete_fields = ("business",)
    list_display = ("name", "key", "business", "subject", "minutes", "revision", "updated_at")
    list_select_related = ("business",)
    search_fields = ("name", "key", "subject", *BUSINESS)
    date_hierarchy = "created_at"
    actions = (deed("delete_for_good", "Delete for good", final=True),)

    def make(self, values, by):
        """Make a template."""
        return MailTemplate.create(values.pop("business"), **values, by=by)


@admin.register(Letterhead)
class LetterheadAdmin(VerbAdmin):
    """How businesses sign their mails."""

    takes = ("sender", "reply_to", "footer")
    list_display = ("business", "sender", "reply_to")
    list_select_related = ("business",)
    search_fields = ("sender", "reply_to", *BUSINESS)


@admin.register(Notification)
class NotificationAdmin(SeenAdmin):
    """What members were told."""

    says = "Notifications are written by what happens, for one member each."
    list_display = ("text", "member", "business", "kind", "way", "created_at", "read_at", "mailed_at")
    list_filter = ("kind", "way", ("read_at", admin.EmptyFieldListFilter))
    list_select_related = ("business", "member__user")
    search_fields = ("text", "member__user__email", *BUSINESS)
    date_hierarchy = "created_at"


@admin.register(Preference)
class PreferenceAdmin(SeenAdmin):
    """How members want to be told."""

    says = "Everybody chooses for themselves, in their inbox."
    list_display = ("member", "ways", "quiet_from", "quiet_until", "digest_at")
    list_select_related = ("member__user",)
    search_fields = ("member__user__email", "member__user__name")


@admin.register(Inlet)
class InletAdmin(VerbAdmin):
    """Addresses that programs post to."""

    says = "Addresses for other programs are made by the managers of a business; no address is kept, only its digest."
    hides = ("digest",)
    takes = ("name",)
    list_display = ("name", "business", "trigger", "path", "find", "created_at")
    list_select_related = ("business", "trigger")
    search_fields = ("name", *BUSINESS)
    date_hierarchy = "created_at"
    actions = (deed("rotate", "Give a new address"), deed("delete_for_good", "Delete for good", final=True))


@admin.register(Received)
class ReceivedAdmin(SeenAdmin):
    """What programs posted."""

    says = "Calls that came in, and what became of them; the last ones of each address are kept."
    list_display = ("said", "inlet", "card", "failed", "at")
    list_filter = ("failed",)
    list_select_related = ("inlet", "card")
    search_fields = ("said", "inlet__name", "inlet__business__name")
    date_hierarchy = "at"


@admin.register(Worker)
class WorkerAdmin(SeenAdmin):
    """Who does what happens by itself, and how it goes everywhere."""

    says = "A worker is listed when it was heard of within a day; it signs in by itself, every minute that it sweeps."
    list_display = ("name", "began_at", "seen_at", "silence")
    search_fields = ("name",)
    change_list_template = "admin/health.html"

    def get_queryset(self, request):
        """Return workers with how long each was silent."""
        return super().get_queryset(request).with_silence()

    @admin.display(description="not heard of for")
    def silence(self, row) -> str:
        """Return how long nothing was heard of it."""
        return in_words(row.silence)

    def changelist_view(self, request, extra_context=None):
        """Show how it goes in all businesses together, above the workers."""
        told = {"absence": absence(), "queues": queues(), "lately": lately(), "set_aside": _set_aside()}
        return super().changelist_view(request, told | (extra_context or {}))


def _set_aside() -> list[dict]:
    """Return how much was set aside of each kind, with where it is listed."""
    tasks = OxTask.objects.filter(status__in=(OxTask.Status.FAILED, OxTask.Status.LOST)).order_by()
    counts = dict(tasks.values("status").annotate(count=Count("pk")).values_list("status", "count"))
    listed = "admin:automations_{}_changelist".format
    return [
        {
            "name": "Deliveries given up",
            "count": Delivery.objects.filter(state=Delivery.GIVEN_UP).count(),
            "to": listed("delivery"),
            "query": f"state__exact={Delivery.GIVEN_UP}",
        },
        {
            "name": "Runs that failed",
            "count": Run.objects.filter(state=FAILED).count(),
            "to": listed("run"),
            "query": f"state__exact={FAILED}",
        },
        {
            "name": "Planned reports that could not be made",
            "count": Timer.objects.set_aside().count(),
            "to": listed("timer"),
            "query": "set_aside_at__isempty=0",
        },
        {
            "name": "Events that could not be told",
            "count": Untold.objects.set_aside().count(),
            "to": "admin:accounts_untold_changelist",
            "query": "set_aside_at__isempty=0",
        },
        *(
            {
                "name": f"Tasks: {status.label.lower()}",
                "count": counts.get(status, 0),
                "to": "admin:django_ox_oxtask_changelist",
                "query": f"status__exact={status}",
            }
            for status in (OxTask.Status.FAILED, OxTask.Status.LOST)
        ),
    ]
