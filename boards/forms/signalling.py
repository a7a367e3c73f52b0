"""What a button of a design asks before it sends its event."""

from django import forms
from django.core.exceptions import ValidationError

from boards.forms.entering import FIELD_INPUTS
from boards.models import Card
from boards.user_actions import LONGEST_TEXT, Question, UserAction

SHORT = {"inputmode": "decimal", "autocomplete": "off"}
YES_NO = [("", "Choose…"), ("yes", "Yes"), ("no", "No")]


class AnswerForm(forms.Form):
    """The questions of one button; those that are called like a custom field ask as the field does."""

    def __init__(self, sent=None, *, action: UserAction, card: Card):
        super().__init__(sent, auto_id="answer-%s")
        self.action, self.card = action, card
        self.asked = {f"ask-{place}": one for place, one in enumerate(action.questions)}
        fields = {field.name.casefold(): field for field in card.workflow.fields.all()} if self.asked else {}
        self.own = {name: fields.get(one.name.casefold()) for name, one in self.asked.items()}
        for name, one in self.asked.items():
            self.fields[name] = _input(one, self.own[name])
            self.fields[name].label, self.fields[name].required = one.label, one.is_needed
            self.fields[name].initial = _default(one)

    def answers(self) -> dict:
        """Return what was answered, by the names of the attributes; raises ValidationError with what is wrong."""
        if not self.is_valid():
            raise ValidationError([error for errors in self.errors.values() for error in errors])
        return {one.name: self.cleaned_data[name] for name, one in self.asked.items()}

    def clean(self):
        """Read each answer as its type says, and as the field takes it that it fills in."""
        sent = super().clean()
        for name, one in self.asked.items():
            if name in sent:
                try:
                    sent[name] = one.read(sent[name])
                    if self.own[name]:
                        self.own[name].read(sent[name])
                except ValidationError as error:
                    self.add_error(name, ValidationError(error.messages))
        return sent


def _input(one: Question, field) -> forms.Field:
    if one.choices:
        return forms.ChoiceField(choices=[("", "Choose…"), *((choice, choice) for choice in one.choices)])
    if field:
        return FIELD_INPUTS[field.kind](field)
    if one.kind in ("number", "integer"):
        return forms.CharField(max_length=30, widget=forms.TextInput(attrs=SHORT))
    if one.kind == "yes_no":
        return forms.ChoiceField(choices=YES_NO)
    if one.kind == "date":
        return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}))
    return forms.CharField(max_length=LONGEST_TEXT)


def _default(one: Question):
    if one.kind == "yes_no" and isinstance(one.default, bool):
        return "yes" if one.default else "no"
    return one.default if isinstance(one.default, (str, int, float)) else None
