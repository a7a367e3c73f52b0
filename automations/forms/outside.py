"""Webhooks, mail templates and the letterhead, as people fill them in."""

from django import forms
from django.core.exceptions import ValidationError

from accounts.verbs import Stale
from automations.letters import LONGEST, LONGEST_SUBJECT
from automations.models import Inlet, Letterhead, MailTemplate, Webhook
from automations.models.inlet import FINDS
from automations.models.inlet import LONGEST as LONGEST_CALL
from automations.models.notification import KINDS, ways_of
from automations.models.template import LONGEST_DELAY
from automations.payloads import told_events
from boards.models import Trigger

CARDS_TO_CHOOSE = 20
OFTEN = ("card.created", "card.moved", "card.updated", "card.archived")  # chosen for a new webhook


def _clock():
    return forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class Blamed(forms.Form):
    """A form that takes a verb's refusal to the fields it is about."""

    mark_optional = True
    is_stale = False  # somebody else was quicker

    def goes_through(self, deed, *row, **more) -> bool:
        """Do something with what is filled in; answer whether it was done, keep what it returned as `made`.

        Whatever is refused, here or by the verb, stands in the form then.
        """
        if not self.is_valid():
            return False
        try:
            self.made = deed(*row, **self.cleaned_data, **more)
        except ValidationError as error:
            self.is_stale = isinstance(error, Stale)
            self.blame(error)
            return False
        return True

    def blame(self, error: ValidationError) -> None:
        """Put a refusal at its fields, or above them all."""
        if not hasattr(error, "error_dict"):
            return self.add_error(None, error)
        for name, errors in error.error_dict.items():
            self.add_error(name if name in self.fields else None, errors)
        return None


class WebhookForm(Blamed):
    """Where to, what about, and in whose words."""

    name = forms.CharField(
        max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Web shop"})
    )
    url = forms.CharField(
        label="Address",
        max_length=2000,
        widget=forms.URLInput(attrs={"autocomplete": "off", "placeholder": "https://shop.example/hooks/phasewise"}),
    )
    format = forms.ChoiceField(
        choices=Webhook.FORMATS,
        initial=Webhook.PHASEWISE,
        help_text="Card webhooks know card_created, card_updated and card_deleted; a move is an update.",
    )
    events = forms.MultipleChoiceField(
        label="Tell it when",
        initial=OFTEN,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one."},
    )

    def __init__(self, *args, webhook=None, **kwargs):
        if webhook:
            kwargs["initial"] = {name: getattr(webhook, name) for name in Webhook.FIELDS}
        super().__init__(*args, **kwargs)
        self.fields["events"].choices = [(kind.name, kind.label) for kind in told_events()]


class TemplateForm(Blamed):
    """A letter with places to fill in."""

    name = forms.CharField(
        max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Order delayed"})
    )
    key = forms.CharField(
        max_length=60,
        required=False,
        help_text="By this rules call it. Left empty, it is made of the name.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    subject = forms.CharField(max_length=LONGEST_SUBJECT)
    body = forms.CharField(
        label="Text", max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 12}), help_text="Markdown works."
    )
    minutes = forms.IntegerField(
        label="Minutes before it leaves",
        min_value=0,
        max_value=LONGEST_DELAY,
        initial=10,
        help_text="As long, it can be stopped, and moving the card back takes it back.",
    )
    revision = forms.IntegerField(required=False, min_value=1, max_value=2**31 - 1, widget=forms.HiddenInput())

    def __init__(self, *args, template=None, **kwargs):
        if template:
            kwargs["initial"] = {name: getattr(template, name) for name in (*MailTemplate.FIELDS, "revision")}
        super().__init__(*args, **kwargs)
        if template:
            self.fields["key"].required = True
            self.fields["key"].help_text = "By this rules call it; rules that use the old one would find nothing."
        else:
            del self.fields["revision"]

    def see(self, template) -> None:
        """Take notice of what somebody else saved: saved again, what is typed here takes its place."""
        self.data = self.data.copy()
        self.data["revision"] = template.revision
        self.add_error(None, "Look at theirs in another window, or save again to keep yours.")


class LetterheadForm(Blamed):
    """How mails are signed."""

    sender = forms.CharField(label="Sender's name", max_length=80, required=False)
    reply_to = forms.EmailField(label="Answers go to", max_length=254, required=False)
    footer = forms.CharField(
        label="At the end of each mail", max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args, letterhead, **kwargs):
        super().__init__(*args, initial={name: getattr(letterhead, name) for name in Letterhead.FIELDS}, **kwargs)


class InletForm(Blamed):
    """What a program reports, and where its JSON names the card."""

    name = forms.CharField(
        max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Payments"})
    )
    trigger = forms.ModelChoiceField(None, label="Reports", empty_label=None)
    path = forms.CharField(
        label="The card is named at",
        max_length=200,
        help_text="Names with dots between them, as in data.order.number",
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "data.order.number"}),
    )
    find = forms.ChoiceField(label="What stands there", choices=FINDS)
    only_path = forms.CharField(
        label="Only when what stands at",
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "type"}),
    )
    only_value = forms.CharField(
        label="is",
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "payment.succeeded"}),
    )

    def __init__(self, *args, business, inlet=None, **kwargs):
        if inlet:
            kwargs["initial"] = {name: getattr(inlet, name) for name in Inlet.FIELDS}
        super().__init__(*args, **kwargs)
        self.fields["trigger"].queryset = Trigger.objects.filter(business=business)


class SampleForm(Blamed):
    """A call to try an inlet with."""

    body = forms.CharField(
        label="JSON",
        max_length=LONGEST_CALL,
        widget=forms.Textarea(attrs={"rows": 8, "class": "mono", "spellcheck": "false"}),
    )


class PreferenceForm(Blamed):
    """How somebody wants to be told."""

    quiet_from = forms.TimeField(label="No mails from", required=False, widget=_clock())
    quiet_until = forms.TimeField(label="until", required=False, widget=_clock())
    digest_at = forms.TimeField(label="The day's mail comes at", widget=_clock())

    def __init__(self, *args, preference, **kwargs):
        initial = {name: getattr(preference, name) for name in ("quiet_from", "quiet_until", "digest_at")}
        initial |= {f"way_{kind}": preference.way(kind) for kind, _ in KINDS}
        super().__init__(*args, initial=initial, **kwargs)
        for kind, label in KINDS:
            self.fields[f"way_{kind}"] = forms.ChoiceField(label=label, choices=ways_of(kind))
        self.order_fields([f"way_{kind}" for kind, _ in KINDS])

    def answers(self) -> dict:
        """Return what Preference.update wants to know."""
        asked = {name: self.cleaned_data[name] for name in ("quiet_from", "quiet_until", "digest_at")}
        return asked | {"ways": {kind: self.cleaned_data[f"way_{kind}"] for kind, _ in KINDS}}


class CardChoice(forms.Form):
    """A card to try something with, of those touched last."""

    card = forms.ModelChoiceField(None, label="With card", to_field_name="number", empty_label=None)

    def __init__(self, *args, business, **kwargs):
        super().__init__(*args, **kwargs)
        field = self.fields["card"]
        field.queryset = business.cards.on_board().select_related("phase__status", "workflow", "contact", "business")
        field.iterator = _Newest
        field.label_from_instance = lambda card: (
            f"{card.number} {card.name}" + (f" ({card.contact.name})" if card.contact else "")
        )

    @property
    def chosen(self):
        """Return the card that was chosen, else the one touched last; None where there is no card."""
        if self.is_bound and self.is_valid():
            return self.cleaned_data["card"]
        return self.fields["card"].queryset.order_by("-updated_at").first()


class _Newest(forms.models.ModelChoiceIterator):
    """The cards touched last, and no others: a select of thousands helps nobody."""

    def __init__(self, field):
        super().__init__(field)
        self.queryset = self.queryset.order_by("-updated_at")[:CARDS_TO_CHOOSE]

    def __len__(self):
        return len(self.queryset)
