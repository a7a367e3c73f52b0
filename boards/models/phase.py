"""A step of a workflow."""

import uuid

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import connection, models
from django.utils import timezone

from accounts.actor import Actor
from accounts.events import record
from accounts.models import Business, Membership
from accounts.statements import Blank, Prepared, stored
from accounts.verbs import Stale, own_external_id, refusal, refuse_changed_since, refuse_unknown, verb
from boards.definitions import FACTS
from boards.models.library import STAGES, Status, Trigger
from boards.models.workflow import Workflow
from boards.ordering import BOTTOM

LIMITS = [("soft", "Warn"), ("hard", "Refuse")]


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
    category = models.CharField(max_length=40, blank=True, default="", editable=False)  # as its definition calls it
    section = models.PositiveSmallIntegerField(choices=SECTIONS, default=PATH, editable=False)
    position = models.PositiveSmallIntegerField(default=0, editable=False)
    external_id = models.CharField(max_length=200, blank=True, default="")
    status = models.ForeignKey(Status, models.SET_NULL, null=True, blank=True, related_name="phases")
    # What moves its cards on, how many it holds, when they grow stale, and what they must have to come in.
    trigger = models.ForeignKey(Trigger, models.SET_NULL, null=True, blank=True, related_name="phases")
    wip_limit = models.PositiveSmallIntegerField(
        "card limit", null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(9999)]
    )
    wip_policy = models.CharField("at the limit", max_length=4, choices=LIMITS, default="soft")
    stale_days = models.PositiveSmallIntegerField(
        "stale after days", null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(3650)]
    )
    required = models.JSONField("required facts", default=list, blank=True)
    default_assignee = models.ForeignKey(Membership, models.SET_NULL, null=True, blank=True, related_name="+")
    checklist_lines = models.JSONField("checklist on entering", default=list, blank=True)
    timeout_hours = models.PositiveIntegerField(
        "moves on by itself after hours",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(87600)],
    )
    timeout_to = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    # Of which designs it is part, by their major versions; the last is known once only running cards finish in it.
    first_major = models.PositiveSmallIntegerField(default=0, editable=False)
    last_major = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    revision = models.PositiveIntegerField(default=1, editable=False)
    # Kept by the verbs under the phase's lock, so that no page has to count a long column.
    card_count = models.IntegerField("cards", default=0, editable=False)
    value_total = models.BigIntegerField(default=0, editable=False, help_text="In minor units of the currency.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    SETTINGS = (
        "description stage category status trigger wip_limit wip_policy stale_days required default_assignee checklist_lines "
        "timeout_hours timeout_to external_id"
    ).split()

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

    @staticmethod
    def lock(workflow_id, here, to=None) -> "dict[uuid.UUID, Phase]":
        """Lock one or two phases of a workflow, in id order so that two moves cannot wait for each other.

        Return by id those that are there, with their workflow. Where it limits its active cards, all its phases are
        locked: they are counted together.
        """
        return {phase.pk: phase for phase in TO_LOCK.all(workflow=workflow_id, here=here, to=to or here)}

    @property
    def is_on_path(self) -> bool:
        """Answer whether cards in here are active: on their way, neither won nor cancelled."""
        return self.section == self.PATH

    @property
    def is_win(self) -> bool:
        """Answer whether cards in here count as won."""
        return self.section == self.WIN

    @property
    def is_cancelled(self) -> bool:
        """Answer whether work ends badly in here."""
        return self.section == self.CANCELLED

    @property
    def is_full(self) -> bool:
        """Answer whether the phase holds as many cards as it should."""
        return self.wip_limit is not None and self.card_count >= self.wip_limit

    @property
    def is_over_full(self) -> bool:
        """Answer whether the phase holds more cards than it should."""
        return self.wip_limit is not None and self.card_count > self.wip_limit

    def refuse_when_full(self) -> None:
        """Raise ValidationError when a hard limit is reached; the caller holds the phase's lock."""
        if self.wip_policy == "hard" and self.is_full:
            raise ValidationError(
                f"{self.name} is full: {self.card_count} of {self.wip_limit} cards.", code="wip_limit"
            )

    @property
    def is_leaving(self) -> bool:
        """Answer whether it stands only until the cards of an older design have finished."""
        return self.last_major is not None

    def is_past(self, major: int) -> bool:
        """Answer whether the phase is no part of a design any more, by its major version."""
        return self.last_major is not None and major > self.last_major

    def is_of(self, major: int) -> bool:
        """Answer whether the phase is part of a design, by its major version."""
        return self.first_major <= major and not self.is_past(major)

    def refuse_later(self, major: int) -> None:
        """Raise ValidationError for a card that runs under a design of which the phase is no part any more."""
        if self.is_past(major):
            raise ValidationError(
                f"{self.name} is on its way out: only cards that began before version {self.last_major + 1} finish in it.",
                code="phase_retired",
            )

    def missing_of(self, card) -> list[str]:
        """Return the keys of the facts this phase asks for and the card lacks."""
        has = {
            "contact": lambda: card.contact_id is not None,
            "due_date": lambda: card.due_date is not None,
            "value": lambda: card.value is not None,
            "assignee": lambda: card.assignments.exists(),
            "checklist": lambda: 0 < card.item_count == card.done_count,
        }
        return [
            key
            for key in self.required
            if not (has[key]() if key in has else card.custom.get(key.removeprefix("field:")) is not None)
        ]

    def name_facts(self, keys) -> list[str]:
        """Return facts in words; a field that was deleted is asked for no more."""
        names = {f"field:{field.pk}": field.name for field in self.workflow.fields.all()}
        return [FACTS.get(key) or names[key] for key in keys if key in FACTS or key in names]

    def as_told(self) -> dict:
        """Return what the ledger keeps of a phase."""
        return {"id": str(self.pk), "name": self.name, "section": self.section}

    @classmethod
    @verb("phase.create")
    def create(
        cls, workflow, *, name: str, stage="processing", position: int | None = None, id=None, by: Actor, **settings
    ):
        """Add a phase: to the path before the win phase, or behind it when its stage group is Cancelled.

        position: its place counted from 0 (beyond the end: the end). id: a new one, where it has one already.
        settings: any of SETTINGS.
        Raises ValidationError (max_phases) when there are as many as the business may have.
        """
        workflow, phases = cls._lock_path(workflow.pk)
        workflow.refuse_archived()
        phase = cls(business_id=workflow.business_id, workflow=workflow, name=name.strip(), stage=stage)
        phase.pk, phase.first_major = id or phase.pk, workflow.major
        phase.section = cls.CANCELLED if stage == "cancelled" else cls.PATH
        neighbours = [other for other in phases if other.section == phase.section]
        workflow.refuse_more_phases(len(neighbours) + 1)
        phase._set(settings)
        phase._check()
        with own_external_id(phase):
            phase.save(force_insert=True)
        neighbours.insert(len(neighbours) if position is None else _index(position, len(neighbours)), phase)
        _number(neighbours)
        workflow.note_change()
        record("phase.created", phase, by, workflow=str(workflow.pk), phase=phase.name)
        return phase

    @verb("phase.update")
    def update(self, *, revision: int | None = None, by: Actor, **changes):
        """Change name or any of SETTINGS; the win phase may be renamed like any other."""
        workflow, phases = self._lock_path(self.workflow_id)
        now = next((phase for phase in phases if phase.pk == self.pk), None)
        if now is None:
            raise Phase.DoesNotExist
        refuse_changed_since(now, revision)
        self.section, self.position, self.card_count = now.section, now.position, now.card_count
        told = {key: _told(getattr(now, key)) for key in changes}
        self._set(changes)
        self._change_section(now, phases)
        after = {key: _told(getattr(self, key)) for key in changes}
        changed = sorted(key for key in changes if told[key] != after[key])
        if not changed:
            return
        self.revision = now.revision + 1
        self._check()
        with own_external_id(self):
            self.save(update_fields=[*changed, "section", "position", "revision"])
        workflow.note_change()
        record(
            "phase.updated",
            self,
            by,
            workflow=str(self.workflow_id),
            changed=[key.replace("_", " ") for key in changed],
            before={key: told[key] for key in changed},
            after={key: after[key] for key in changed},
        )

    @verb("phase.move")
    def move(self, position: int, *, revision: int | None = None, by: Actor):
        """Put the phase at a place of the path, counted from 0 without it (beyond the end: the end).

        Raises ValidationError for the win phase, which is always last, and for a negative place.
        """
        if self.section == self.WIN:
            raise ValidationError("The win phase is always last.", code="win_phase")
        design, phases = self._lock_path(self.workflow_id)
        path = [phase for phase in phases if phase.section == self.section]
        me = next((phase for phase in path if phase.pk == self.pk), None)
        if me is None:
            raise Phase.DoesNotExist
        refuse_changed_since(me, revision)
        before = path.index(me)
        path.remove(me)
        after = _index(position, len(path))
        if after == before:
            return
        path.insert(after, me)
        _number(path)
        self.position, self.revision = after, me.revision + 1
        self.save(update_fields=["revision"])
        design.note_change()
        workflow = str(self.workflow_id)
        record("phase.moved", self, by, workflow=workflow, phase=self.name, before=before + 1, after=after + 1)

    @verb("phase.delete")
    def delete_to(self, to: "Phase | None", *, with_cards=False, revision: int | None = None, by: Actor):
        """Delete the phase; its cards, archived ones too, go to the bottom of `to`.

        with_cards: delete them for good instead, which is what deleting means to programs.
        Raises ValidationError for the win phase, and when there are cards but no destination in this workflow, or one
        where each of them would need a closing.
        """
        if self.section == self.WIN:
            raise ValidationError("The win phase cannot be deleted.", code="win_phase")
        workflow, phases = self._lock_path(self.workflow_id)
        path = [phase for phase in phases if phase.section == self.section]
        me = next((phase for phase in path if phase.pk == self.pk), None)
        if me is None:
            raise Phase.DoesNotExist
        refuse_changed_since(me, revision)
        cards = list(self.cards.select_for_update(of=("self",)).order_by("rank"))
        if with_cards:
            for card in cards:
                card.record("card.deleted", by)
            self.cards.all().delete()
            cards = []
        if cards and (to is None or to.pk == self.pk or to.workflow_id != self.workflow_id):
            raise ValidationError(
                f"Choose where the {len(cards)} cards of {self.name} should go.", code="cards_need_phase"
            )
        if cards and to not in phases:
            raise Stale(f"The phase {to.name} was deleted a moment ago. Nothing was changed.")
        to = phases[phases.index(to)] if cards else None
        if cards and to.is_cancelled and not self.is_cancelled:
            raise ValidationError(f"Nobody said why they end: {to.name} takes cards only one by one.", code="closing")
        for card in cards:
            if to.is_on_path and not self.is_on_path and not card.archived_at:
                card.workflow = workflow
                card.refuse_over_limits(phases)
            card.stand_in(to, BOTTOM, by=by)
        path.remove(self)
        workflow.note_change()
        name = to.name if to else ""
        record("phase.deleted", self, by, workflow=str(self.workflow_id), phase=self.name, cards=len(cards), to=name)
        self.delete()
        _number(path)

    @verb("phase.retire")
    def retire(self, *, by: Actor):
        """Let cards that run under an older major version finish here, and no others come in; part of Workflow.publish."""
        self.last_major = self.workflow.major - 1
        self.save(update_fields=["last_major"])
        record("phase.retired", self, by, workflow=str(self.workflow_id), phase=self.name)

    @classmethod
    def let_go(cls) -> int:
        """Delete the retired phases in which no card has still to finish; return how many there were."""
        running = cls.objects.filter(
            cards__archived_at=None, section=cls.PATH, cards__major__lte=models.OuterRef("last_major")
        )
        done = cls.objects.exclude(last_major=None).select_related("workflow__business")
        done = done.exclude(models.Exists(running.filter(workflow=models.OuterRef("workflow"))))
        gone = 0
        for phase in done:
            stays = phase.workflow.phases.filter(last_major=None, section__lte=max(cls.WIN, phase.section))
            before = stays.filter(section=phase.section, position__lt=phase.position).last()
            phase.delete_to(before or stays.first(), by=Actor.system(phase.workflow.business))
            gone += 1
        return gone

    @classmethod
    def _lock_path(cls, workflow_id) -> "tuple[Workflow, list[Phase]]":
        """Lock a workflow and all its phases, in the order in which every verb locks; return both, in their order."""
        workflow = Workflow.objects.select_for_update(no_key=True).get(pk=workflow_id)
        phases = cls.objects.filter(workflow_id=workflow_id).order_by("pk").select_for_update(of=("self",), no_key=True)
        return workflow, sorted(phases, key=lambda phase: (phase.section, phase.position, phase.pk))

    def _check(self) -> None:
        """Raise ValidationError, field by field; what is once in the business the database says when it is written."""
        self.full_clean(exclude=["business", "workflow"], validate_constraints=False)

    def _set(self, changes: dict) -> None:
        """Put settings on, unsaved; raises ValueError for one that is not in SETTINGS, ValidationError for a bad one."""
        refuse_unknown(changes, ("name", *self.SETTINGS))
        for key, value in changes.items():
            setattr(self, key, value.strip() if isinstance(value, str) else value)
        self._check_settings()

    def _change_section(self, now: "Phase", phases) -> None:
        """Follow a changed stage group: Cancelled stands behind the win, all others on the path."""
        if self.is_win:
            if self.stage != "completed":
                raise ValidationError({"stage": "The win phase is always Completed."})
            return
        section = self.CANCELLED if self.stage == "cancelled" else self.PATH
        if section == now.section:
            return
        if now.card_count:
            raise refusal(
                "stage",
                f"{now.name} holds {now.card_count} cards. Move them first: nobody said why they ended.",
                "cards_inside",
            )
        neighbours = sum(phase.section == section for phase in phases)
        self.workflow.refuse_more_phases(neighbours + 1)
        self.section, self.position = section, neighbours

    def _check_settings(self) -> None:
        """Raise ValidationError for settings that point elsewhere or make no sense."""
        for key in ("status", "trigger", "default_assignee"):
            chosen = getattr(self, key)
            if chosen is not None and chosen.business_id != self.business_id:
                raise refusal(key, "This does not exist.", "foreign")
        if self.timeout_to is not None and self.timeout_to.workflow_id != self.workflow_id:
            raise refusal("timeout_to", "That phase belongs to another workflow.", "other_workflow")
        known = set(FACTS) | {f"field:{field.pk}" for field in self.workflow.fields.all()}
        if not isinstance(self.required, list) or not set(self.required) <= known:
            raise refusal("required", "Choose from the list.", "required_facts")
        lines = [str(line).strip()[:300] for line in self.checklist_lines if str(line).strip()]
        self.checklist_lines = list(dict.fromkeys(lines))[:50]

    def tally(self, cards: int, value: int) -> None:
        """Count cards and money in or out; the caller holds the phase's lock."""
        if cards or value:
            self.card_count, self.value_total = self.card_count + cards, self.value_total + value
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE boards_phase SET card_count = card_count + %s, value_total = value_total + %s WHERE id = %s",
                    [cards, value, stored(self.pk)],
                )


IS_LIMITED = models.Q(workflow__one_card_per_contact=True) | models.Q(workflow__most_active_cards__isnull=False)
TO_LOCK = Prepared(
    lambda: (
        Phase.objects.select_related("workflow")
        .filter(models.Q(pk__in=[Blank("here"), Blank("to")]) | IS_LIMITED, workflow=Blank("workflow"))
        .order_by("pk")
        # No key is changed, so rows that merely point here (a new card, an event) need not wait.
        .select_for_update(of=("self",), no_key=True)
    )
)


def _index(position: int, length: int) -> int:
    if position < 0:
        raise refusal("position", "A position is counted from 0.", "position")
    return min(position, length)


def _number(path) -> None:
    """Write the positions of a path; at most sixty short rows."""
    moved = []
    for position, phase in enumerate(path):
        if phase.position != position:
            phase.position = position
            moved.append(phase)
    Phase.objects.bulk_update(moved, ["position"])


def _told(value):
    """Return a setting as the ledger keeps it."""
    return {"id": str(value.pk), "name": str(value)} if isinstance(value, models.Model) else value
