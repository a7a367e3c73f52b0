"""What is tried again of what was set aside."""

from django import forms

from automations.health import KINDS


class AgainForm(forms.Form):
    """A kind of what was set aside, and which one of it; without one, all."""

    kind = forms.ChoiceField(choices=[(kind.key, kind.name) for kind in KINDS.values()])
    one = forms.UUIDField(required=False)
