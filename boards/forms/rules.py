"""The rules of a step: what moves its cards on, how many it holds, what they must have, what they are given."""

from django import forms

from boards.forms.cards import TOO_LONG, Count, Lines
from boards.forms.workflows import PhaseForm
from boards.models import Phase
from boards.models.phase import FACTS, LIMITS

LINE, MOST_LINES = 300, 50


class RulesForm(PhaseForm):
    """A phase with its rules; those that make no sense where work ends are left out there."""

    trigger = forms.ModelChoiceField(
        None, label="Moves on when", required=False, empty_label="Nothing: it is moved by hand"
    )
    wip_limit = Count(label="Card limit", most=9999)
    wip_policy = forms.ChoiceField(label="At the limit", choices=LIMITS)
    stale_days = Count(label="Stale after days", most=3650)
    required = forms.MultipleChoiceField(
        label="A card must have, to come in", required=False, widget=forms.CheckboxSelectMultiple
    )
    default_assignee = forms.ModelChoiceField(
        None, label="Assigned on entering, when nobody is", required=False, empty_label="Nobody"
    )
    checklist_lines = Lines(
        label="Checklist on entering",
        required=False,
        max_length=LINE * MOST_LINES,
        error_messages={"max_length": TOO_LONG},
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="One item on each line; a card that comes in is given them.",
    )
    timeout_hours = Count(label="Moves on by itself after hours", most=87600)
    timeout_to = forms.ModelChoiceField(None, label="To", required=False, empty_label="The next step")

    def __init__(self, *args, phase: Phase, **options):
        """Take the phase whose rules they are."""
        super().__init__(*args, phase=phase, **options)
        business, fields = phase.business, self.fields
        triggers = business.trigger_library
        # A trigger that was retired stays where it is waited for.
        fields["trigger"].queryset = triggers.live() | triggers.filter(pk=phase.trigger_id)
        fields["default_assignee"].queryset = business.memberships.select_related("user").order_by("user__name")
        fields["timeout_to"].queryset = phase.workflow.phases.exclude(pk=phase.pk)
        facts = [(key, words[:1].upper() + words[1:]) for key, words in FACTS.items()]
        fields["required"].choices = facts + [(f"field:{one.pk}", one.name) for one in phase.workflow.fields.all()]
        self.initial["checklist_lines"] = "\n".join(phase.checklist_lines)
        if phase.section != Phase.PATH:
            for name in ("trigger", "stale_days", "timeout_hours", "timeout_to"):
                del fields[name]

    def clean_checklist_lines(self):
        """Return the items of the checklist."""
        lines = [line.strip() for line in self.cleaned_data["checklist_lines"].splitlines() if line.strip()]
        if len(lines) > MOST_LINES:
            raise forms.ValidationError(f"At most {MOST_LINES} items; these are {len(lines)}.")
        if any(len(line) > LINE for line in lines):
            raise forms.ValidationError(f"At most {LINE} characters fit on a line.")
        return lines

    @property
    def is_ruled(self) -> bool:
        """Answer whether any rule is set or was refused, so that they are shown."""
        names = [name for name in self.fields if name not in ("name", "stage", "description")]
        return any(self[name].errors or (name != "wip_policy" and self[name].value()) for name in names)
