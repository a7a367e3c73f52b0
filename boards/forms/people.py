"""What starts work for a contact."""

from django import forms

from boards.forms.money import MoneyField
from boards.models import Card


class CardForForm(forms.Form):
    """A new card for a contact, at the start of a workflow."""

    name = forms.CharField(
        label="What is it about?",
        max_length=Card._meta.get_field("name").max_length,
        error_messages={"required": "Give the card a name."},
    )
    workflow = forms.ModelChoiceField(
        queryset=None,
        empty_label=None,
        error_messages={"required": "Choose a workflow.", "invalid_choice": "This workflow does not exist any more."},
    )
    value = MoneyField(required=False)

    def __init__(self, *args, business, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["workflow"].queryset = business.workflows.live()
        self.fields["value"].currency = business.currency
        self.fields["value"].label = f"Value in {business.currency}"

    def make(self, contact, *, by) -> Card:
        """Make the card in the first phase of the workflow; the form must be valid."""
        sent = self.cleaned_data
        phase = sent["workflow"].phases.first()
        return Card.create(phase, name=sent["name"], value=sent["value"], contact=contact, by=by)
