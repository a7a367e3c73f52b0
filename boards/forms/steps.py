"""The steps of a workflow that is still being thought up: they live in its page until it is made."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

from django import forms

from accounts.templatetags.house import moon
from boards.forms.cards import TOO_LONG, Line
from boards.models import Status, Trigger
from boards.models.library import STAGES

NEW = "new"  # chosen instead of a status: one that the library does not have yet
BY_HAND = "No trigger: moved by hand"


@dataclass(slots=True)
class Step:
    """A step: a status of the library, or the name and stage group of one that is not there yet, and its trigger."""

    name: str
    stage: str
    status: Status | None = None
    trigger: Trigger | None = None
    moon: int | str = "off"
    is_win: bool = False

    @property
    def value(self) -> str:
        """Return how the page brings the step back."""
        return str(self.status.pk) if self.status else f"{self.stage}:{self.name}"

    @property
    def key(self) -> str:
        """Return what its parts of the page are called."""
        return str(self.status.pk) if self.status else f"new-{crc32(self.name.lower().encode()):x}"

    @property
    def stage_name(self) -> str:
        """Return the name of its stage group."""
        return dict(STAGES)[self.stage]

    @property
    def can_wait(self) -> bool:
        """Answer whether anything can move its cards on."""
        return not self.is_win and self.stage != "cancelled"

    def told(self) -> dict:
        """Return the step as Workflow.create takes it."""
        return {"status": self.status, "name": self.name, "stage": self.stage, "trigger": self.trigger}


class Draft:
    """The steps as they stand in the page, with what they can be made of."""

    def __init__(self, business, asked):
        """Read the steps that a page sent; what is not known any more is left out."""
        self.statuses = list(business.status_library.order_by(*Status._meta.ordering))
        self.triggers = list(business.trigger_library.order_by(*Trigger._meta.ordering))
        self.find = " ".join(asked.get("find", "").replace("\x00", "").split())[:80]
        self.steps: list[Step] = []
        triggers = {str(trigger.pk): trigger for trigger in self.triggers}
        self.most = business.most_phases
        whens = asked.getlist("when") + [""] * self.most
        for value, when in zip(asked.getlist("step")[: self.most], whens, strict=False):
            step = self.read(value)
            if step and not self.has(step):
                step.trigger = triggers.get(when)
                self.steps.append(step)
        self._lay_out()

    def read(self, value: str) -> Step | None:
        """Return the step that a page calls so: the id of a status, or stage:name."""
        stage, _, name = value.replace("\x00", "").partition(":")
        name = name.strip()
        for status in self.statuses:
            if str(status.pk) == value or (name and status.name.lower() == name.lower()):
                return Step(status.name, status.stage, status)
        if name and len(name) <= 80 and stage in dict(STAGES):
            return Step(name, stage)
        return None

    def has(self, step: Step) -> bool:
        """Answer whether a step of this name stands there."""
        return any(step.name.lower() == other.name.lower() for other in self.steps)

    def told(self) -> list[tuple[str, str]]:
        """Return the steps as a page sends them."""
        whens = [("when", str(step.trigger.pk) if step.trigger else "") for step in self.steps]
        return [("step", step.value) for step in self.steps] + whens

    def add(self, step: Step) -> None:
        """Put a step at the end."""
        self.steps.append(step)
        self._lay_out()

    def move(self, at: int, to: int) -> Step | None:
        """Put a step at another place; nothing happens when there is none."""
        if not 0 <= at < len(self.steps):
            return None
        step = self.steps.pop(at)
        self.steps.insert(max(0, to), step)
        self._lay_out()
        return step

    def take_out(self, at: int) -> Step | None:
        """Take a step out; nothing happens when there is none."""
        if not 0 <= at < len(self.steps):
            return None
        step = self.steps.pop(at)
        self._lay_out()
        return step

    @property
    def has_win(self) -> bool:
        """Answer whether a step is the win, so that none has to be added."""
        return any(step.is_win for step in self.steps)

    @property
    def offered(self) -> list[tuple[str, list]]:
        """Return the stage groups with the statuses that are not retired."""
        return [
            (name, [status for status in self.statuses if status.stage == stage and not status.retired_at])
            for stage, name in STAGES
        ]

    @property
    def found(self) -> list[tuple[str, list[Step]]]:
        """Return the stage groups with what was searched, each with whether it is a step already."""
        wanted = self.find.lower()
        groups = [
            (
                name,
                [
                    (status, self.has(Step(status.name, status.stage)))
                    for status in group
                    if wanted in status.name.lower()
                ],
            )
            for name, group in self.offered
        ]
        return [(name, group) for name, group in groups if group]

    @property
    def stages_to_make(self) -> list[tuple[str, str]]:
        """Return the stage groups in which the name that was searched can be made; none when it is there."""
        there = any(status.name.lower() == self.find.lower() for status in self.statuses)
        return [] if there or not self.find else STAGES

    def _lay_out(self) -> None:
        """Say which step is the win and what moon each has."""
        path = [step for step in self.steps if step.stage != "cancelled"]
        for step in self.steps:
            step.is_win, step.moon = False, "off"
        if path and path[-1].stage == "completed":
            path[-1].is_win = True
        count = len(path) + (not self.has_win)
        for index, step in enumerate(path):
            step.moon = moon(index, count)


class StepForm(forms.Form):
    """The step that is to be added: a status, or a new one, and what moves its cards on."""

    status = forms.ChoiceField(label="Add status", required=False)
    name = Line(
        label="Name of the new status",
        required=False,
        max_length=Status._meta.get_field("name").max_length,
        error_messages={"max_length": TOO_LONG},
    )
    stage = forms.ChoiceField(label="Stage group", choices=STAGES, initial="processing", required=False)
    trigger = forms.ChoiceField(label="Auto progress trigger", required=False)

    def __init__(self, *args, draft: Draft, **options):
        """Offer what the library has."""
        super().__init__(*args, prefix="add", auto_id="id_%s", **options)
        self.draft = draft
        self.fields["name"].widget.attrs.pop("maxlength", None)
        offered = [
            (name, [(str(status.pk), status.name) for status in group]) for name, group in draft.offered if group
        ]
        self.fields["status"].choices = [("", "Choose a status"), *offered, (NEW, "Create a new status…")]
        waiting = [(str(trigger.pk), trigger.name) for trigger in draft.triggers if not trigger.retired_at]
        self.fields["trigger"].choices = [("", BY_HAND), *waiting]

    def clean(self):
        """Find the step that is meant; refuse none, a nameless one, and one that stands there already."""
        told = super().clean()
        if self.errors:
            return told
        chosen = told["status"]
        if not chosen:
            raise forms.ValidationError({"status": "Choose a status first."})
        if chosen == NEW and not told["name"]:
            raise forms.ValidationError({"name": "Give the new status a name."})
        step = self.draft.read(f"{told['stage'] or 'processing'}:{told['name']}" if chosen == NEW else chosen)
        if self.draft.has(step):
            raise forms.ValidationError({"name" if chosen == NEW else "status": f"{step.name} is a step already."})
        if len(self.draft.steps) >= self.draft.most:
            raise forms.ValidationError({"status": f"A workflow holds at most {self.draft.most} steps."})
        step.trigger = next((one for one in self.draft.triggers if str(one.pk) == told["trigger"]), None)
        self.step = step
        return told
