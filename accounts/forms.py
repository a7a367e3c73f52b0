"""What people type about themselves, their business and its members."""

from copy import copy
from datetime import timedelta
from itertools import groupby
from urllib.parse import urlsplit

from allauth.account.adapter import get_adapter
from allauth.account.forms import SignupForm as PersonForm
from allauth.account.utils import get_next_redirect_url, setup_user_email
from allauth.core import context as current
from babel.core import Locale
from babel.numbers import get_currency_name
from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.shortcuts import render
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.html import format_html

from accounts.models import Business, Invitation
from accounts.models.business import ADDRESS, CURRENCIES, zone_choices
from accounts.policy import ROLE_SAYS, ROLES, SCOPES, STAFF, may_handle
from accounts.verbs import writing

LOCALE = Locale("en")


def zones():
    """Return the time zones by continent, for a <select>."""
    here = [choice for choice in zone_choices() if "/" not in choice[0]]
    there = [choice for choice in zone_choices() if "/" in choice[0]]
    parts = groupby(there, key=lambda choice: choice[0].split("/")[0])
    return [*here, *((part, [(name, said.partition("/")[2]) for name, said in choices]) for part, choices in parts)]


def currencies():
    """Return the currencies with their names, for a <select>."""
    return [(code, f"{code}, {get_currency_name(code, locale=LOCALE)}") for code, _ in CURRENCIES]


class BusinessForm(forms.Form):
    """A business: what it is called, where it lives, what its clocks and prices say."""

    business_name = forms.CharField(label="Name of the business", max_length=120)
    slug = forms.CharField(
        label="Address",
        max_length=50,
        required=False,
        help_text="Small letters, digits and dashes, as in /brightside-joinery/. Left empty, it is made from the name.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}),
    )
    time_zone = forms.ChoiceField(label="Time zone", choices=zones, initial="UTC")
    currency = forms.ChoiceField(label="Currency", choices=currencies, initial="EUR")

    ASKED = ("business_name", "slug", "time_zone", "currency")

    def __init__(self, *args, business=None, **kwargs):
        """Ask about a business to come, or about one that is there."""
        self.business = business
        if business:
            kwargs["initial"] = {name: getattr(business, AS_COLUMN.get(name, name)) for name in self.ASKED}
        super().__init__(*args, **kwargs)
        if business:
            self.fields["slug"].required = True

    def clean_slug(self):
        """Take an address as it was meant, for people type capitals; refuse other signs before the column does, at length."""
        slug = self.cleaned_data["slug"].lower()
        if slug:
            ADDRESS(slug)
        return slug

    def clean(self):
        """Propose an address where none was typed, and ask the business whether it could be so."""
        super().clean()
        if "business_name" in self.fields:
            if not self.cleaned_data.get("slug") and self.cleaned_data.get("business_name") and not self.business:
                self.cleaned_data["slug"] = Business.objects.free_slug(self.cleaned_data["business_name"])
            would_be = copy(self.business) if self.business else Business()
            for field, value in self.answers().items():
                setattr(would_be, field, value)
            try:
                would_be.full_clean(exclude=[AS_COLUMN.get(name, name) for name in self.errors])
            except ValidationError as error:
                self.refuse(error)
        return self.cleaned_data

    def answers(self) -> dict:
        """Return what was typed about the business, by the names of its columns."""
        return {AS_COLUMN.get(name, name): self.cleaned_data[name] for name in self.ASKED if name in self.cleaned_data}

    def refuse(self, error: ValidationError) -> None:
        """Put a verb's refusal at the fields it is about."""
        if not hasattr(error, "error_dict"):
            return self.add_error(None, error)
        for column, errors in error.error_dict.items():
            name = AS_FIELD.get(column, column)
            self.add_error(name if name in self.fields else None, errors)


class SettingsForm(BusinessForm):
    """A business that is there, with what it may have at most."""

    most_workflows = forms.IntegerField(
        label="Workflows at most",
        required=False,
        min_value=1,
        max_value=10_000,
        help_text="Those in the archive are not counted. Left empty, there is no limit.",
    )
    most_phases = forms.IntegerField(
        label="Phases of a workflow at most", min_value=1, max_value=200, help_text="Before its win. From 1 to 200."
    )

    ASKED = (*BusinessForm.ASKED, "most_workflows", "most_phases")


AS_COLUMN = {"business_name": "name"}
AS_FIELD = {"name": "business_name"}


class SignupForm(PersonForm, BusinessForm):
    """A new person: with a business to found, or with an invitation into one that is there."""

    name = forms.CharField(
        label="Your name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True})
    )

    def __init__(self, *args, **kwargs):
        """Ask about a business only those whom nobody invited."""
        super().__init__(*args, **kwargs)
        self.invitation = _invitation_that_led_here()
        self.fields["password1"].help_text = "Ten characters or more. Three or four unrelated words are good."
        self.fields["business_name"].widget.attrs["autocomplete"] = "organization"
        if self.invitation:
            for name in ("business_name", "slug", "time_zone", "currency"):
                del self.fields[name]
            # The link came by mail to this address and to no other.
            self.initial["email"] = self.invitation.email
            self.fields["email"].disabled = True

    def try_save(self, request):
        """Make person and business, or answer with what stands in the way since the form was checked."""
        try:
            return super().try_save(request)
        except ValidationError as error:
            self.refuse(error)
            told = {"form": self, "login_url": reverse("account_login")}
            return None, render(request, "account/signup.html", told, status=422)

    def save(self, request):
        """Make the person with a business or a membership: all of it or nothing."""
        adapter = get_adapter()
        # Hashing the password takes its time: let it, before anybody waits for the lock.
        user = adapter.save_user(request, adapter.new_user(request), self, commit=False)
        with writing(), transaction.atomic():
            user.save()
            if self.invitation:
                self.invitation.accept(user)
                adapter.stash_verified_email(request, user.email)
            else:
                Business.objects.found(user, **self.answers())
            setup_user_email(request, user, [])
        return user


def _invitation_that_led_here() -> Invitation | None:
    """Return the open invitation whose page sent a person here to sign up, read from `next`."""
    to = get_next_redirect_url(current.request) if current.request else None
    try:
        match = resolve(urlsplit(to).path) if to else None
    except Resolver404:
        return None
    if not match or match.url_name != "invitation":
        return None
    invitation = Invitation.by_secret(match.kwargs["secret"])
    return invitation if invitation and invitation.is_open else None


class ProfileForm(forms.Form):
    """What a person is called."""

    name = forms.CharField(label="Your name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))


class InviteForm(forms.Form):
    """Whom to invite, and as what; only the roles that the actor may give are offered."""

    email = forms.EmailField(
        label="Email", widget=forms.EmailInput(attrs={"autocomplete": "off", "placeholder": "name@example.com"})
    )
    role = forms.ChoiceField(label="Role", initial=STAFF)

    def __init__(self, *args, actor, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [
            (role, f"{said}: {ROLE_SAYS[role][0].lower()}{ROLE_SAYS[role][1:]}")
            for role, said in ROLES
            if may_handle(actor, role)
        ]


class TokenForm(forms.Form):
    """A token to make: what it is for, what it may, how long it lives."""

    name = forms.CharField(
        label="Name",
        max_length=80,
        help_text="The program that will use it",
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Web shop"}),
    )
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        widget=forms.CheckboxSelectMultiple,
        choices=[
            (scope, format_html('{} <code class="scope">{}</code>', said, scope)) for scope, said in SCOPES.items()
        ],
        error_messages={"required": "Choose at least one."},
    )
    lifetime = forms.ChoiceField(
        label="Stops working",
        widget=forms.RadioSelect,
        choices=[("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year"), ("0", "Never")],
        initial="90",
    )

    def __init__(self, *args, business, **kwargs):
        self.business = business
        super().__init__(*args, **kwargs)

    def clean_name(self):
        """Refuse the name of a living token: nobody could tell them apart, and a form sent twice makes one."""
        name = self.cleaned_data["name"]
        if any(token.is_live for token in self.business.tokens.filter(name=name)):
            raise ValidationError("There is a token of this name. Choose another name, or revoke that one first.")
        return name

    def answers(self) -> dict:
        """Return what Token.create wants to know."""
        days = int(self.cleaned_data["lifetime"])
        expires_at = timezone.now() + timedelta(days=days) if days else None
        return {"name": self.cleaned_data["name"], "scopes": self.cleaned_data["scopes"], "expires_at": expires_at}
