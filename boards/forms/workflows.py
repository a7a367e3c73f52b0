"""What people write about a workflow: itself, its phases, and where cards go when a phase ends."""

from django import forms

from boards.forms.cards import TOO_LONG, Line, Lines
from boards.models import Phase, Workflow
from boards.models.phase import STAGES
from boards.models.workflow import TYPES
from boards.starters import STARTERS

NO_NAME = "Give the {} a name."


def _name(model, **options) -> Line:
    """Return a field for the name of a model's row, with the model's own limit."""
    limit = model._meta.get_field("name").max_length
    messages = {"required": NO_NAME.format(model._meta.verbose_name), "max_length": TOO_LONG}
    return Line(max_length=limit, error_messages=messages, **options)


def _description(model) -> Lines:
    """Return a field for what a row says about itself."""
    limit = model._meta.get_field("description").max_length
    rows = forms.Textarea(attrs={"rows": 2})
    return Lines(max_length=limit, required=False, error_messages={"max_length": TOO_LONG}, widget=rows)


class WorkflowForm(forms.Form):
    """What a workflow is called and for."""

    name = _name(Workflow, label="Workflow name")
    type = forms.ChoiceField(choices=TYPES)
    description = _description(Workflow)


class LimitsForm(forms.Form):
    """What a workflow holds at most; empty and off, as much as anybody likes."""

    one_card_per_contact = forms.BooleanField(
        label="One active card per contact",
        required=False,
        help_text="Who has a card on its way here gets no second one before that is won, cancelled or archived.",
    )
    most_active_cards = forms.IntegerField(
        label="Active cards at most",
        required=False,
        min_value=1,
        max_value=1_000_000,
        help_text="Cards before the win, in all phases together. Left empty, there is no limit.",
    )


class NewWorkflowForm(WorkflowForm):
    """A workflow to be made, empty or from a starter."""

    starter = forms.ChoiceField(
        choices=[*((starter.key, starter.name) for starter in STARTERS.values()), ("", "Its own steps")],
        widget=forms.RadioSelect,
        required=False,
    )
    type = forms.ChoiceField(label="Workflow type", choices=[("", "Choose a type"), *TYPES], required=False)

    def __init__(self, *args, business, **options):
        """Take the business that gets it."""
        super().__init__(*args, **options)
        self.business = business

    def clean_name(self):
        """Refuse a second workflow of the same name, which is mostly the first one sent twice."""
        name = self.cleaned_data["name"]
        if self.business.workflows.live().filter(name__iexact=name).exists():
            raise forms.ValidationError(f"There is a workflow {name} already. Give this one another name.")
        return name

    @property
    def starter_keys(self) -> list[str]:
        """Return the starters there are."""
        return list(STARTERS)

    def told(self) -> dict:
        """Return what Workflow.create wants to know."""
        sent = self.cleaned_data
        return {
            "name": sent["name"],
            "description": sent["description"],
            "type": sent["type"],
            "template": STARTERS.get(sent["starter"]),
        }


class PhaseForm(forms.Form):
    """A phase; the win phase has no choice of stage."""

    name = _name(Phase)
    stage = forms.ChoiceField(label="Stage group", choices=STAGES[:3], initial="processing")
    description = _description(Phase)

    def __init__(self, *args, phase: Phase | None = None, **options):
        """Take the phase that is changed, or none for a new one."""
        if phase:
            options["initial"] = {name: getattr(phase, name) for name in self.base_fields}
        super().__init__(*args, auto_id=f"phase-{phase.pk if phase else 'new'}-%s", **options)
        if phase and phase.is_win:
            del self.fields["stage"]


class PlaceForm(forms.Form):
    """Where a phase should stand on the path, counted from 0."""

    phase = forms.UUIDField()
    position = forms.IntegerField(min_value=0, max_value=1000)


class EndForm(forms.Form):
    """Where the cards of a phase go when it is deleted."""

    to = forms.ModelChoiceField(
        Phase.objects.none(),
        label="Where should its cards go?",
        empty_label="Choose a phase",
        error_messages={
            "required": "Choose where the cards should go.",
            "invalid_choice": "That phase is gone. Choose another.",
        },
    )

    def __init__(self, *args, phase: Phase, cards: int, **options):
        """Take the phase that ends and how many cards stand in it."""
        super().__init__(*args, **options)
        others = phase.workflow.phases.exclude(pk=phase.pk)
        self.fields["to"].queryset = others if phase.is_cancelled else others.exclude(section=Phase.CANCELLED)
        if not cards:
            del self.fields["to"]


class SureForm(forms.Form):
    """The name of what is to be deleted for good, typed by hand."""

    name = forms.CharField(label="Its name", required=False)

    def __init__(self, *args, wanted: str, **options):
        """Take the name that must be typed."""
        super().__init__(*args, **options)
        self.wanted = wanted

    def clean_name(self):
        """Refuse anything but the very name."""
        if self.cleaned_data["name"].strip() != self.wanted:
            raise forms.ValidationError(f"Type {self.wanted} to delete it for good.")
        return self.cleaned_data["name"]
