"""What is asked of a person at the door of a phase: the facts a card lacks, and why it ends when it ends badly."""

from django import forms
from django.core.exceptions import ValidationError

from boards.forms.money import MoneyField
from boards.models import Card, Field, Phase
from boards.models.closing import REFUNDS
from boards.models.library import CAUSES
from contacts.picking import ContactChoice

FIELD_INPUTS = {
    "text": lambda field: forms.CharField(max_length=500),
    "number": lambda field: forms.CharField(
        max_length=30, widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    ),
    "date": lambda field: forms.DateField(widget=forms.DateInput(attrs={"type": "date"})),
    "choice": lambda field: forms.ChoiceField(choices=[("", "Choose…"), *((one, one) for one in field.choices)]),
    "yes_no": lambda field: forms.ChoiceField(choices=[("", "Choose…"), ("yes", "Yes"), ("no", "No")]),
}


class EnterForm(forms.Form):
    """The questions of one phase to one card: only what is missing, and the closing where work ends."""

    def __init__(self, sent=None, *, card: Card, phase: Phase, business):
        super().__init__(sent, auto_id="enter-%s")
        self.card, self.phase, self.business = card, phase, business
        self.missing = phase.missing_of(card)
        self.own = {field.pk: field for field in phase.workflow.fields.all() if f"field:{field.pk}" in self.missing}
        self._ask_facts()
        self.asks_closing = phase.is_cancelled and not card.phase.is_cancelled
        if self.asks_closing:
            self._ask_closing()

    @property
    def open_lines(self) -> int:
        """Return how many checklist lines are still open, when the phase asks for a complete checklist."""
        return self.card.item_count - self.card.done_count if "checklist" in self.missing else 0

    @property
    def lacks_checklist(self) -> bool:
        """Answer whether the checklist stands in the way, which is filled on the card and not here."""
        return "checklist" in self.missing

    @property
    def asks(self) -> bool:
        """Answer whether there is anything to ask."""
        return bool(self.fields) or self.lacks_checklist

    def facts(self, by) -> dict:
        """Return the answers as Card.move takes them; raises ValidationError at the field that is wrong."""
        self._refuse()
        sent, facts = self.cleaned_data, {}
        for key in ("due_date", "value"):
            if key in self.fields:
                facts[key] = sent[key]
        if "assignee" in self.fields:
            facts["assignees"] = [sent["assignee"]]
        if self.own:
            facts["custom"] = {field: sent[f"field-{pk}"] for pk, field in self.own.items()}
        if "new_contact" in self.fields:
            choice = ContactChoice({"new_contact": sent["new_contact"]}, business=self.business)
            try:
                facts["contact"] = choice.chosen(by=by)
            except ValidationError as error:
                self.add_error("new_contact", error)
                self._refuse()
        return facts

    def closing(self) -> dict | None:
        """Return the closing as Card.move takes it, None where none is asked for."""
        if not self.asks_closing:
            return None
        self._refuse()
        return {key: self.cleaned_data[key] for key in ("reason", "caused_by", "refund", "refund_amount", "note")}

    def _refuse(self):
        if not self.is_valid():
            said = " ".join(error for errors in self.errors.values() for error in errors)
            raise ValidationError(said, code="entering")

    def _ask_facts(self):
        if "contact" in self.missing:
            self.fields["new_contact"] = forms.CharField(
                label="Contact", max_length=200, help_text="A name, an e-mail or a phone; a new one is made."
            )
        if "due_date" in self.missing:
            self.fields["due_date"] = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}))
        if "value" in self.missing:
            self.fields["value"] = MoneyField(
                currency=self.business.currency, label=f"Value in {self.business.currency}"
            )
        if "assignee" in self.missing:
            people = self.business.memberships.select_related("user").order_by("user__name")
            self.fields["assignee"] = forms.ModelChoiceField(people, label="Assigned to", empty_label="Choose…")
        for pk, field in self.own.items():
            self.fields[f"field-{pk}"] = FIELD_INPUTS[field.kind](field)
            self.fields[f"field-{pk}"].label = field.name

    def _ask_closing(self):
        reasons = self.business.reason_library.live()
        self.fields["reason"] = forms.ModelChoiceField(reasons, label="Why does it end?", empty_label="Choose…")
        self.fields["caused_by"] = forms.ChoiceField(
            label="Who caused it?",
            choices=[("", "As the reason says"), *CAUSES],
            required=False,
        )
        self.fields["refund"] = forms.ChoiceField(choices=REFUNDS, required=False, initial="none")
        self.fields["refund_amount"] = MoneyField(
            currency=self.business.currency,
            label=f"Amount given back in {self.business.currency}",
            required=False,
            help_text="Only for a refund in part.",
        )
        self.fields["note"] = forms.CharField(max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def clean_refund(self):
        """Nothing chosen is no refund."""
        return self.cleaned_data["refund"] or "none"

    def clean(self):
        """Ask for the amount of a refund in part; read custom fields as the card keeps them."""
        sent = super().clean()
        if self.asks_closing and sent.get("refund") == "part" and not sent.get("refund_amount"):
            self.add_error("refund_amount", "How much was given back?")
        for pk, field in self.own.items():
            name = f"field-{pk}"
            if name in sent:
                try:
                    sent[name] = Field.read(field, sent[name])
                except ValidationError as error:
                    self.add_error(name, error)
        return sent


class OwnFieldsForm(forms.Form):
    """The fields that a card's workflow adds, all at once; what is left empty is emptied."""

    def __init__(self, sent=None, *, card: Card):
        super().__init__(sent, auto_id="own-%s")
        self.card = card
        self.own = {field.pk: field for field in card.workflow.fields.all()}
        for pk, field in self.own.items():
            asked = FIELD_INPUTS[field.kind](field)
            asked.label, asked.required = field.name, False
            value = card.custom.get(str(pk))
            asked.initial = {True: "yes", False: "no"}.get(value, value) if field.kind == "yes_no" else value
            self.fields[f"field-{pk}"] = asked

    @property
    def shown(self):
        """Give each field's name and value in words."""
        return [(field.name, field.show(self.card.custom.get(str(pk)))) for pk, field in self.own.items()]

    def values(self) -> dict:
        """Return what was filled in, by field; raises ValidationError at the field that is wrong."""
        self.full_clean()
        for pk, field in self.own.items():
            try:
                self.cleaned_data[f"field-{pk}"] = field.read(self.cleaned_data.get(f"field-{pk}"))
            except ValidationError as error:
                self.add_error(f"field-{pk}", error)
        if self.errors:
            raise ValidationError([error for errors in self.errors.values() for error in errors])
        return {field: self.cleaned_data[f"field-{pk}"] for pk, field in self.own.items()}
