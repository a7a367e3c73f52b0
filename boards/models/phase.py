"""A step of a workflow."""

import uuid

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import F
from django.utils import timezone

from accounts.actor import Actor
from accounts.events import record
from accounts.models import Business
from accounts.verbs import Stale, verb
from boards.models.workflow import MOST_PHASES, Workflow
from boards.ordering import BOTTOM

STAGES = [("new", "New"), ("processing", "Processing"), ("completed", "Completed"), ("cancelled", "Cancelled")]


class PhaseQuerySet(models.QuerySet):
    """Reads phases."""

    def lock(self, *ids):
        """Lock these phases in id order, so that two moves cannot wait for each other; return them by id."""
        # No key is changed, so rows that merely point here (a new card, an event) need not wait.
        rows = self.filter(pk__in=ids).order_by("pk").select_for_update(of=("self",), no_key=True)
        return {phase.pk: phase for phase in rows}


class Phase(models.Model):
    """A step of a workflow: the path in order, then the one win phase, then cancelled phases."""

    PATH, WIN, CANCELLED = 0, 1, 2
    SECTIONS = [(PATH, "On the path"), (WIN, "Win"), (CANCELLED, "Cancelled")]

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="phases")
    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="phases")
    name = models.CharField(max_length=80)
    description = models.TextField(max_length=1000, blank=True, validators=[MaxLengthValidator(1000)])
    stage = models.CharField("stage group", max_length=10, choices=STAGES, default="processing")
    section = models.PositiveSmallIntegerField(choices=SECTIONS, default=PATH, editable=False)
    position = models.PositiveSmallIntegerField(default=0, editable=False)
    external_id = models.CharField(max_length=200, blank=True, default="")
    # Kept by the verbs under the phase's lock, so that no page has to count a long column.
    card_count = models.IntegerField("cards", default=0, editable=False)
    value_total = models.BigIntegerField(default=0, editable=False, help_text="In minor units of the currency.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = PhaseQuerySet.as_manager()

    class Meta:
        ordering = ["section", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["workflow"], condition=models.Q(section=1), name="one_win_phase"),
            models.CheckConstraint(condition=models.Q(card_count__gte=0), name="phase_counts_cards"),
            models.UniqueConstraint(
                fields=["business", "external_id"], condition=~models.Q(external_id=""), name="phase_external_once"
            ),
        ]
        indexes = [models.Index(fields=["workflow", "section", "position"], name="phase_in_order")]

    def __str__(self):
        return self.name

    @property
    def is_win(self) -> bool:
        """Answer whether cards in here count as won."""
        return self.section == self.WIN

    def as_told(self) -> dict:
        """Return what the ledger keeps of a phase."""
        return {"id": str(self.pk), "name": self.name, "section": self.section}

    @classmethod
    @verb("phase.create")
    def create(cls, workflow, *, name: str, description="", stage="processing", position: int | None = None, by: Actor):
        """Add a phase to the path, before the win phase or at `position` counted from 0 (beyond the end: the end)."""
        workflow, path = cls._lock_path(workflow.pk)
        workflow.refuse_archived()
        if len(path) >= MOST_PHASES:
            raise ValidationError(f"A workflow holds at most {MOST_PHASES} phases.", code="too_many_phases")
        phase = cls(business_id=workflow.business_id, workflow=workflow, name=name.strip(), stage=stage)
        phase.description = description.strip()
        phase.full_clean(exclude=["business", "workflow"])
        phase.save(force_insert=True)
        path.insert(len(path) if position is None else _index(position, len(path)), phase)
        _number(path)
        record("phase.created", phase, by, workflow=str(workflow.pk), phase=phase.name)
        return phase

    @verb("phase.update")
    def update(self, *, by: Actor, **changes):
        """Change name, description or stage group; the win phase may be renamed like any other."""
        now = Phase.objects.select_for_update().get(pk=self.pk)
        if self.is_win and changes.get("stage", "completed") != "completed":
            raise ValidationError({"stage": "The win phase is always Completed."})
        changes = {key: value.strip() for key, value in changes.items()}
        before = {key: getattr(now, key) for key, value in changes.items() if getattr(now, key) != value}
        if not before:
            return
        for key, value in changes.items():
            setattr(self, key, value)
        self.full_clean(exclude=["business", "workflow"])
        self.save(update_fields=list(changes))
        after = {key: getattr(self, key) for key in before}
        workflow = str(self.workflow_id)
        record("phase.updated", self, by, workflow=workflow, changed=sorted(before), before=before, after=after)

    @verb("phase.move")
    def move(self, position: int, *, by: Actor):
        """Put the phase at a place of the path, counted from 0 without it (beyond the end: the end).

        Raises ValidationError for the win phase, which is always last, and for a negative place.
        """
        if self.section != self.PATH:
            raise ValidationError("The win phase is always last.", code="win_phase")
        _, path = self._lock_path(self.workflow_id)
        me = next((phase for phase in path if phase.pk == self.pk), None)
        if me is None:
            raise Phase.DoesNotExist
        before = path.index(me)
        path.remove(me)
        after = _index(position, len(path))
        if after == before:
            return
        path.insert(after, me)
        _number(path)
        self.position = after
        workflow = str(self.workflow_id)
        record("phase.moved", self, by, workflow=workflow, phase=self.name, before=before + 1, after=after + 1)

    @verb("phase.delete")
    def delete_to(self, to: "Phase | None", *, by: Actor):
        """Delete the phase; its cards, archived ones too, go to the bottom of `to`.

        Raises ValidationError for the win phase, and when there are cards but no destination in this workflow.
        """
        if self.section == self.WIN:
            raise ValidationError("The win phase cannot be deleted.", code="win_phase")
        _, path = self._lock_path(self.workflow_id)
        if self not in path:
            raise Phase.DoesNotExist
        cards = list(self.cards.select_for_update(of=("self",)).order_by("rank"))
        if cards and (to is None or to.pk == self.pk or to.workflow_id != self.workflow_id):
            raise ValidationError(
                f"Choose where the {len(cards)} cards of {self.name} should go.", code="cards_need_phase"
            )
        if cards and not Phase.objects.filter(pk=to.pk).exists():
            raise Stale(f"The phase {to.name} was deleted a moment ago. Nothing was changed.")
        for card in cards:
            card.stand_in(to, BOTTOM, by=by)
        path.remove(self)
        name = to.name if to and cards else ""
        record("phase.deleted", self, by, workflow=str(self.workflow_id), phase=self.name, cards=len(cards), to=name)
        self.delete()
        _number(path)

    @classmethod
    def _lock_path(cls, workflow_id) -> "tuple[Workflow, list[Phase]]":
        """Lock a workflow and all its phases, in the order in which every verb locks; return it and its path."""
        workflow = Workflow.objects.select_for_update(no_key=True).get(pk=workflow_id)
        phases = cls.objects.filter(workflow_id=workflow_id).order_by("pk").select_for_update(of=("self",), no_key=True)
        path = [phase for phase in phases if phase.section == cls.PATH]
        return workflow, sorted(path, key=lambda phase: (phase.position, phase.pk))

    def tally(self, cards: int, value: int) -> None:
        """Count cards and money in or out; the caller holds the phase's lock."""
        if cards or value:
            Phase.objects.filter(pk=self.pk).update(
                card_count=F("card_count") + cards, value_total=F("value_total") + value
            )


def _index(position: int, length: int) -> int:
    if position < 0:
        raise ValidationError({"position": "A position is counted from 0."}, code="position")
    return min(position, length)


def _number(path) -> None:
    """Write the positions of a path; at most sixty short rows."""
    moved = []
    for position, phase in enumerate(path):
        if phase.position != position:
            phase.position = position
            moved.append(phase)
    Phase.objects.bulk_update(moved, ["position"])
