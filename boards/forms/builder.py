"""What people write in the builder: a step of the draft, where things go, the fields of a workflow."""

from django import forms

from accounts.models import Membership
from boards.forms.cards import TOO_LONG, Count, Line, Lines
from boards.forms.workflows import _description, _name
from boards.models import Draft, Field, Phase
from boards.models.field import KINDS
from boards.models.library import STAGES
from boards.models.phase import FACTS, LIMITS
from boards.models.workflow import TYPES

HOURS, DAYS = "hours", "days"


class AboutForm(forms.Form):
    """What the workflow is called and of which type it is, in the draft."""

    name = Line(label="Workflow name", max_length=120, error_messages={"required": "Give the workflow a name."})
    type = forms.ChoiceField(choices=TYPES)

    def __init__(self, *args, draft: Draft, **options):
        """Take the draft."""
        super().__init__(*args, auto_id="about-%s", initial={k: draft.design[k] for k in ("name", "type")}, **options)


class StepForm(forms.Form):
    """A step of the draft with all that it does; what it points to is sent and kept as an id."""

    name = _name(Phase)
    stage = forms.ChoiceField(label="Stage group", choices=STAGES)
    description = _description(Phase)
    trigger = forms.ChoiceField(label="Auto-progress when", required=False)
    wip_limit = Count(label="Card limit", most=9999)
    wip_policy = forms.ChoiceField(label="At the limit", choices=LIMITS)
    stale_days = Count(label="Warn after", most=3650)
    required = forms.MultipleChoiceField(
        label="A card may come in when it has", required=False, widget=forms.CheckboxSelectMultiple
    )
    default_assignee = forms.ChoiceField(label="Assign it to", required=False)
    checklist_lines = Lines(
        label="Checklist a card receives",
        required=False,
        max_length=15000,
        error_messages={"max_length": TOO_LONG},
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    timeout_hours = Count(label="Moves on by itself after", most=87600)
    timeout_unit = forms.ChoiceField(label="Counted in", choices=[(HOURS, "hours"), (DAYS, "days")])
    timeout_to = forms.ChoiceField(label="And goes to", required=False)

    def __init__(self, *args, draft: Draft, step: dict, **options):
        """Take the draft and its step."""
        super().__init__(*args, initial=_initial(step), auto_id=f"step-{step['id']}-%s", **options)
        business, fields = draft.workflow.business, self.fields
        triggers = business.trigger_library.all()
        live = [(str(one.pk), one.name) for one in triggers if not one.retired_at or str(one.pk) == step["trigger"]]
        fields["trigger"].choices = [("", "Moved by hand"), *live]
        members = Membership.objects.filter(business=business).select_related("user").order_by("user__name")
        fields["default_assignee"].choices = [("", "Nobody"), *((str(one.pk), one.user.name) for one in members)]
        others = [(one["id"], one["name"]) for one in draft.design["steps"] if one["id"] != step["id"]]
        fields["timeout_to"].choices = [("", "The next step"), *others]
        custom = [(f"field:{field.pk}", field.name) for field in draft.workflow.fields.all()]
        fields["required"].choices = [*((key, words.capitalize()) for key, words in FACTS.items()), *custom]
        if step["win"]:
            del fields["stage"]
        if (step["win"] or step["stage"] == "cancelled") and not step["trigger"]:
            del fields["trigger"]  # nothing comes after it

    def clean(self):
        """Count time in hours, the checklist in lines, and nothing as nothing."""
        told = super().clean()
        if told.pop("timeout_unit", HOURS) == DAYS and told.get("timeout_hours"):
            told["timeout_hours"] *= 24
            if told["timeout_hours"] > 87600:
                self.add_error("timeout_hours", "Ten years are the longest a card may stay.")
        for key in ("trigger", "default_assignee", "timeout_to"):
            told[key] = told.get(key) or None
        told["checklist_lines"] = [line for line in told.get("checklist_lines", "").split("\n") if line.strip()]
        return told


class NewStepForm(forms.Form):
    """A step that is made on the fly: its name, and the stage group whose button was pressed."""

    name = _name(Phase)
    stage = forms.ChoiceField(choices=STAGES)


class PlaceForm(forms.Form):
    """Where a step should stand, counted from 0 in its section, and the stage group it was dropped in."""

    phase = forms.UUIDField()
    position = forms.IntegerField(min_value=0, max_value=1000)
    stage = forms.CharField(max_length=10, required=False)


class RemoveForm(forms.Form):
    """Where the cards of a step go when the draft is published."""

    to = forms.ChoiceField(
        label="Where should its cards go?",
        error_messages={
            "required": "Choose where the cards should go.",
            "invalid_choice": "That step is gone. Choose another.",
        },
    )

    def __init__(self, *args, draft: Draft, step: dict, cards: int, **options):
        """Take the draft, the step and how many cards stand in it."""
        super().__init__(*args, **options)
        others = [(one["id"], one["name"]) for one in draft.design["steps"] if one["id"] != step["id"]]
        self.fields["to"].choices = [("", "Choose a step"), *others]
        if not cards:
            del self.fields["to"]


class PublishForm(forms.Form):
    """What is told of a version: a comment, whether a new major one begins, and what running cards do then."""

    comment = Lines(
        label="Comment",
        required=False,
        max_length=2000,
        error_messages={"max_length": TOO_LONG},
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Why it changes, for whoever reads the history.",
    )
    new_major = forms.BooleanField(
        required=False, help_text="For a design that works differently. Otherwise every card simply goes on."
    )
    running = forms.ChoiceField(
        choices=[("move", "go on in the new design"), ("finish", "finish in the old one")],
        initial="move",
        required=False,
        widget=forms.RadioSelect,
    )
    seen = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)

    def __init__(self, *args, draft: Draft, **options):
        """Take what is to be published."""
        super().__init__(*args, auto_id="publish-%s", **options)
        self.major = draft.workflow.major + 1
        running = draft.workflow.cards_on_their_way.count()
        self.fields["new_major"].label = f"New major version ({self.major}.0)"
        on_the_way = "1 card is" if running == 1 else f"{running} cards are"
        self.fields["running"].label = f"{on_the_way} on the way. With a new major version they"
        if self.major == 1:
            del self.fields["new_major"]
        if self.major == 1 or not running:
            del self.fields["running"]

    def told(self) -> dict:
        """Return what Workflow.publish wants to know."""
        sent = self.cleaned_data
        is_new = sent.get("new_major", False)
        told = {"major": self.major if is_new else None, "finish_old": is_new and sent.get("running") == "finish"}
        return told | {"comment": sent.get("comment", ""), "seen": sent.get("seen") or None}


class FieldForm(forms.Form):
    """A custom field; its kind is chosen once."""

    name = _name(Field)
    kind = forms.ChoiceField(choices=KINDS)
    choices = Lines(
        label="Choices",
        required=False,
        max_length=5000,
        error_messages={"max_length": TOO_LONG},
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One a line, for a field of the kind Choice.",
    )

    def __init__(self, *args, field: Field | None = None, **options):
        """Take the field that is changed, or none for a new one."""
        initial = {"name": field.name, "choices": "\n".join(field.choices)} if field else {}
        super().__init__(*args, initial=initial, auto_id=f"field-{field.pk if field else 'new'}-%s", **options)
        if field:
            del self.fields["kind"]
            if field.kind != "choice":
                del self.fields["choices"]

    def clean_choices(self):
        """Return the choices as a list."""
        return self.cleaned_data["choices"].split("\n")


def _initial(step: dict) -> dict:
    """Return a step as its form shows it: whole days as days."""
    hours = step["timeout_hours"] or 0
    days = hours >= 24 and hours % 24 == 0
    return step | {
        "checklist_lines": "\n".join(step["checklist_lines"]),
        "timeout_hours": hours // 24 if days else hours or None,
        "timeout_unit": DAYS if days or not hours else HOURS,
    }
