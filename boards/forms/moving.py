"""What a move and a quick add bring with them."""

from django import forms
from django.core.exceptions import ValidationError

from boards.ordering import Place

ENDS = [("top", "top"), ("bottom", "bottom")]


class MoveForm(forms.Form):
    """A position update: intent, never an index."""

    phase = forms.UUIDField(error_messages={"required": "Choose a phase.", "invalid": "That phase does not exist."})
    after = forms.UUIDField(required=False)
    before = forms.UUIDField(required=False)
    end = forms.ChoiceField(choices=ENDS, required=False)
    revision = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1)

    def place(self) -> Place:
        """Return where the card should stand; raises ValidationError in words."""
        if not self.is_valid():
            raise ValidationError([error for errors in self.errors.values() for error in errors])
        sent = self.cleaned_data
        return Place(after=sent["after"], before=sent["before"], end=sent["end"] or "top")


class QuickAddForm(forms.Form):
    """One card a line."""

    name = forms.CharField(max_length=70_000, strip=True, error_messages={"required": "Give the card a name."})
    end = forms.ChoiceField(choices=ENDS, required=False)

    @property
    def at_top(self) -> bool:
        """Answer whether the cards go to the top of the column."""
        return self.cleaned_data.get("end") == "top"

    def lines(self) -> list[str]:
        """Return the names; raises ValidationError in words."""
        if not self.is_valid():
            raise ValidationError([error for errors in self.errors.values() for error in errors])
        return self.cleaned_data["name"].splitlines()
