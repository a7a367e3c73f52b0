"""What moves through a workflow."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import connection, models
from django.utils import timezone

from accounts.actor import Actor
from accounts.events import record
from accounts.models import Business, Event, Membership
from accounts.policy import require
from accounts.statements import Blank, Prepared, insert, stored, update
from accounts.verbs import Again, Stale, own_external_id, refusal, refuse_unknown, verb
from boards.models.closing import Closing
from boards.models.label import CardLabel, Label
from boards.models.phase import Phase
from boards.models.workflow import Workflow
from boards.ordering import BOTTOM, LONGEST_RANK, TOP, Column, Place, RankField, write_anew
from boards.user_actions import Signal, UserAction, offered
from contacts.models import Contact

LARGEST_VALUE = 10**14  # minor units; a thousand billion in most currencies
MOST_AT_ONCE = 200  # cards made by one paste

PLACING = ("card.moved", "card.reordered", "card.archived", "card.restored")  # events that say where a card is
# … and the others of those that raise its revision: a comment, say, stands beside what a program or a page changes.
CHANGING = ("card.updated", "card.fields_filled", "card.assigned", "card.label_added", "card.label_removed")


class CardQuerySet(models.QuerySet):
    """Reads cards."""

    def on_board(self):
        """Return those that are not archived."""
        return self.filter(archived_at=None)

    def for_board(self):
        """Return cards with what a board shows of them, but for what `Card.dress` adds."""
        return self.on_board().select_related("contact").only(*Card.ON_BOARD, "contact__name").order_by("rank")

    def first_of_each(self, phases, most: int):
        """Return those up to the place behind the first `most` of each phase; the phases are of one workflow.

        Each column's end is looked up through the index, so what lies behind it is never read.
        """
        if not phases:
            return self.none()
        in_column = self.filter(phase=models.OuterRef("pk")).order_by("rank")
        ends = dict(
            Phase.objects.filter(workflow=phases[0].workflow_id)
            .annotate(end=models.Subquery(in_column.values("rank")[most : most + 1]))
            .values_list("pk", "end")
        )
        shown = models.Q()
        for phase in phases:
            end = ends.get(phase.pk)
            shown |= models.Q(phase_id=phase.pk, rank__lte=end) if end else models.Q(phase_id=phase.pk)
        return self.filter(shown)

    def open(self):
        """Return those still on their way: on the board of a live workflow, before its win."""
        return self.on_board().filter(workflow__archived_at=None, phase__section=Phase.PATH)

    def for_list(self):
        """Return cards with what a line about them shows."""
        people = models.Prefetch("assignments", Assignment.objects.select_related("member__user"))
        return self.select_related("contact", "phase", "workflow").prefetch_related(people)

    def for_panel(self):
        """Return cards with everything their panel shows."""
        return self.select_related(
            "contact", "phase", "workflow", "archived_by", "order__type", "order_step"
        ).prefetch_related(
            "labels", "items", "closings", "workflow__fields", "assignments__member__user", "contact__addresses"
        )


class Card(models.Model):
    """A piece of work: it stands in exactly one phase, at a place no other card has.

    Its verbs return the event they recorded, or None when there was no news.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="cards")
    workflow = models.ForeignKey(Workflow, models.RESTRICT, related_name="cards")
    phase = models.ForeignKey(Phase, models.RESTRICT, related_name="cards")
    rank = RankField(max_length=400, editable=False)
    number = models.PositiveIntegerField(editable=False)
    name = models.CharField(max_length=300)
    description = models.TextField(max_length=20_000, blank=True, validators=[MaxLengthValidator(20_000)])
    contact = models.ForeignKey(Contact, models.SET_NULL, null=True, blank=True, related_name="cards")
    due_date = models.DateField(null=True, blank=True)
    due_time = models.TimeField(null=True, blank=True, help_text="On the clock of the business.")
    value = models.BigIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(LARGEST_VALUE)],
        help_text="In minor units of the business's currency: 195000 is €1,950.",
    )
    source = models.CharField(max_length=100, blank=True)
    external_id = models.CharField(max_length=200, blank=True, default="")
    custom = models.JSONField(
        default=dict, blank=True, editable=False, help_text="Values of custom fields, by their id."
    )
    order = models.ForeignKey(
        "boards.Order", models.SET_NULL, null=True, blank=True, related_name="cards", editable=False
    )
    search = models.TextField(default="", editable=False)  # the name and source, folded for searching
    labels = models.ManyToManyField(Label, through=CardLabel, related_name="cards")
    # Counted by the verbs, so that a board need not.
    comment_count = models.PositiveIntegerField(default=0, editable=False)
    file_count = models.PositiveIntegerField(default=0, editable=False)
    item_count = models.PositiveIntegerField(default=0, editable=False)
    done_count = models.PositiveIntegerField(default=0, editable=False)
    major = models.PositiveSmallIntegerField("design it runs under", default=0, editable=False)
    revision = models.PositiveIntegerField(default=1, editable=False)
    held_revision = models.PositiveIntegerField("revision at which it could not move on", null=True, editable=False)
    placed_revision = models.PositiveIntegerField("revision of its last move", default=1, editable=False)
    entered_at = models.DateTimeField("in its phase since", default=timezone.now, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    archived_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )

    objects = CardQuerySet.as_manager()

    came_from = None  # the phase that `move` took it from

    FIELDS = ("name", "description", "contact", "due_date", "due_time", "value", "source", "external_id")
    ON_BOARD = (
        "business_id workflow_id phase_id rank number name due_date due_time value comment_count file_count item_count "
        "done_count revision entered_at archived_at contact_id"
    ).split()

    MARKED = ("revision", "comment_count", "file_count", "item_count", "done_count")

    class Meta:
        ordering = ["rank"]
        constraints = [
            models.UniqueConstraint(fields=["phase", "rank"], name="one_card_a_place"),
            models.UniqueConstraint(fields=["business", "number"], name="card_number_once"),
            models.UniqueConstraint(
                fields=["business", "external_id"], condition=~models.Q(external_id=""), name="card_external_once"
            ),
        ]
        indexes = [
            models.Index(fields=["phase", "rank"], condition=models.Q(archived_at=None), name="card_on_board"),
            models.Index(fields=["phase", "entered_at"], condition=models.Q(archived_at=None), name="card_entered"),
            models.Index(fields=["business", "due_date"], condition=models.Q(archived_at=None), name="card_due"),
            models.Index(
                fields=["workflow", "archived_at"], condition=models.Q(archived_at__isnull=False), name="card_archive"
            ),
        ]

    def __str__(self):
        return self.name

    # Making -------------------------------------------------------------------------------------------

    @classmethod
    @verb("card.create")
    def create(cls, phase, *, place: Place = BOTTOM, labels=(), assignees=(), custom=None, by: Actor, **fields):
        """Make a card in a phase. labels: Labels of the workflow; assignees: Memberships of the business.

        custom: what stands in the fields of its workflow, by Field.
        Raises ValidationError for bad fields, an archived workflow, and what `move` refuses: a full phase, missing
        facts, and the workflow's limits of active cards.
        """
        refuse_unknown(fields, cls.FIELDS)
        phases = Phase.lock(phase.workflow_id, phase.pk)
        if phase.pk not in phases:
            raise Phase.DoesNotExist
        phase = phases[phase.pk]
        phase.workflow.refuse_archived()
        phase.refuse_when_full()
        phase.refuse_later(phase.workflow.major)
        card = cls(
            business_id=phase.business_id,
            workflow=phase.workflow,
            phase=phase,
            created_by_id=by.user_id,
            major=phase.workflow.major,
            number=Business.objects.take_number(phase.business_id, "last_card"),
            **fields,
        )
        card._check()
        if custom:
            card.custom = {
                str(field.pk): value for field, value in card._read_fields(custom).items() if value is not None
            }
        if phase.is_on_path:
            card.refuse_over_limits(phases.values())
        card.rank = card._rank_in(phase, place)
        with own_external_id(card):
            insert(card)
        phase.tally(1, card.value or 0)
        for label in labels:
            card._wear(label)
        Assignment.objects.bulk_create([Assignment(card=card, member=member) for member in card._own(assignees)])
        card._refuse_lacking(phase)
        event = card.record("card.created", by, phase=phase.as_told(), source=card.source)
        card._equip(phase, by=by.because_of(event))
        return card

    @classmethod
    @verb("card.create")
    def create_many(cls, phase, names, *, place: Place = BOTTOM, by: Actor):
        """Make a card of each line, all or none, in the order of the lines; blank lines are skipped."""
        names = [name.strip() for name in names if name.strip()]
        if not names:
            raise refusal("name", "Give the card a name.", "required")
        if len(names) > MOST_AT_ONCE:
            raise refusal(
                "name", f"That is {len(names)} lines; at most {MOST_AT_ONCE} cards can be added at once.", "too_many"
            )
        cards = []
        for name in names:
            cards.append(cls.create(phase, name=name, place=place, by=by))
            place = Place(after=cards[-1].pk)
        return cards

    # Moving -------------------------------------------------------------------------------------------

    @verb("card.move")
    def move(
        self,
        to: Phase,
        place: Place = TOP,
        *,
        revision: int | None = None,
        facts: dict | None = None,
        closing: dict | None = None,
        by: Actor,
    ):
        """Put the card in a phase of its workflow, at a place.

        revision: the one the person saw; a card that was moved or archived since is left alone and Stale is raised.
        facts: what the phase asks for, filled in on the way (FIELDS, "assignees", "custom"), all or nothing.
        closing: why it ends, for a Cancelled phase (see Closing.read).
        Raises ValidationError for an archived card or workflow, a phase of another workflow (code other_workflow), a
        full phase (wip_limit), missing facts (missing_facts, with `params["missing"]`), a missing closing (closing),
        and back to the path for a workflow's limits (max_active_cards, contact_attached).
        """
        self._refuse_elsewhere(to)
        phases = self._lock(to.pk)
        if to.pk not in phases:
            raise Stale(f"The phase was deleted a moment ago. {self.name} stayed where it was.")
        here, to = phases[self.phase_id], phases[to.pk]
        self._refuse_if_moved_since(revision)
        self._refuse_archived()
        rank = self._rank_in(to, place)
        old_rank = self.rank
        if here.pk == to.pk:
            if not self._passes_anyone(rank):
                return
            self._stand(to, rank)
            return self.record("card.reordered", by, after=to.as_told(), rank=old_rank)
        to.refuse_when_full()
        to.refuse_later(self.major)
        filled = self._fill_in(facts, by) if facts else []
        self._refuse_lacking(to)
        if to.is_on_path and not here.is_on_path:
            self.refuse_over_limits(phases.values())
        before, after = here.as_told(), to.as_told()
        if to.is_cancelled and not here.is_cancelled:
            ending = Closing.read(self, **(closing or {"reason": None}), by=by)
            ending.save(force_insert=True)
            after["closing"] = ending.as_told()
        here.tally(-1, -(self.value or 0))
        to.tally(1, self.value or 0)
        self._stand(to, rank)
        if here.is_cancelled and (ended := self._reopen(by)):
            before["closing"] = ended.as_told()
        self.came_from = here
        event = self.record("card.moved", by, before=before, after=after, rank=old_rank, filled=filled)
        self._equip(to, by=by.because_of(event))
        return event

    def stand_in(self, to: Phase, place: Place, *, by: Actor) -> None:
        """Move with a phase that goes away: recorded like any move, but no refusal can hold it back.

        The caller holds the locks of both phases and of the card.
        """
        here, old_rank = self.phase, self.rank
        if not self.archived_at:
            to.tally(1, self.value or 0)
        self._stand(to, self._rank_in(to, place))
        self._reopen(by)
        self.record("card.moved", by, before=here.as_told(), after=to.as_told(), rank=old_rank, filled=[])

    # Changing -----------------------------------------------------------------------------------------

    @verb("card.update")
    def update(self, *, was: dict | None = None, revision: int | None = None, by: Actor, **changes):
        """Change what is given of FIELDS and nothing else.

        was: what the person saw in those fields; where somebody else wrote meanwhile, Stale is raised with both texts.
        revision: the whole card must be as seen, else Stale. Raises ValidationError for bad fields.
        """
        refuse_unknown(changes, self.FIELDS)
        here = self._lock()[self.phase_id]
        if revision is not None and revision != self.revision:
            raise Stale(self._news())
        self._refuse_archived()
        before = {key: getattr(self, key) for key in changes}
        self._refuse_overwriting(was or {}, before, changes)
        for key, value in changes.items():
            setattr(self, key, value.strip() if isinstance(value, str) else value)
        self._check()
        changed = [key for key in changes if getattr(self, key) != before[key]]
        if not changed:
            return
        if "contact" in changed and here.is_on_path:
            self._refuse_second_of_contact()
        if "value" in changed:
            here.tally(0, (self.value or 0) - (before["value"] or 0))
        with own_external_id(self):
            self._touch(*changed, "search")
        return self.record(
            "card.updated",
            by,
            changed=[key.replace("_", " ") for key in changed],
            before={key: _told(before[key]) for key in changed},
            after={key: _told(getattr(self, key)) for key in changed},
        )

    def follow(self, contact: Contact, *, by: Actor) -> None:
        """Be about the contact that its own became part of: recorded like any change, but no refusal can hold it back.

        The caller holds the lock of the card.
        """
        before, self.contact = _told(self.contact), contact
        self._touch("contact")
        after = {"contact": _told(contact)}
        self.record("card.updated", by, changed=["contact"], before={"contact": before}, after=after)

    @verb("card.update")
    def fill_fields(self, values: dict, *, by: Actor):
        """Fill in custom fields: {Field or its id: value}, None empties one. Raises ValidationError in words."""
        self._lock()
        self._refuse_archived()
        before, after, custom = {}, {}, dict(self.custom)
        for field, value in self._read_fields(values).items():
            before[field.name], after[field.name] = field.show(custom.get(str(field.pk))), field.show(value)
            custom[str(field.pk)] = value
        changed = [name for name, value in before.items() if after[name] != value]
        if not changed:
            return
        old, self.custom = self.custom, {pk: value for pk, value in custom.items() if value is not None}
        self._touch("custom")
        return self.record(
            "card.fields_filled",
            by,
            changed=changed,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
            was={pk: old.get(pk) for pk in custom if old.get(pk) != self.custom.get(pk)},
        )

    @verb("card.report")
    def report(self, trigger, *, by: Actor):
        """Say that something happened to the card; what follows from it is for the rules. Returns the event.

        Raises ValidationError for an archived card or a trigger of another business.
        """
        self.lock_row()
        if trigger.business_id != self.business_id:
            raise refusal("trigger", "This trigger does not exist.", "trigger")
        phase = {"id": str(self.phase_id), "name": self.phase.name}
        return self.record("card.reported", by, trigger=trigger.key, label=trigger.name, phase=phase)

    @verb("card.signal")
    def signal(self, name: str, attributes: dict | None = None, *, by: Actor):
        """Send the card an event of its design; what follows from it is for the rules. Returns the event.

        attributes: what it tells, by name; one that is called like a custom field of the workflow fills it in.
        Raises ValidationError for an archived card, and in words for what makes no event.
        """
        self._lock()
        event = self.read_signal(name, attributes, by=by)
        if event.fills:
            self.fill_fields(event.fills, by=by)
        told = {"event": event.name, "attributes": event.attributes, "said": event.said}
        return self.record("card.signalled", by, phase=self.phase.as_told(), **told)

    def read_signal(self, name: str, attributes: dict | None = None, *, by: Actor) -> Signal:
        """Return an event as it would be sent, or raise what `signal` raises; the caller has locked the card."""
        self._refuse_archived()
        signal = Signal.read(name, attributes or {}, self.user_actions, self.workflow.fields.all())
        if signal.fills:
            require(by, "card.update")
        return signal

    @verb("card.hold_back")
    def hold_back(self, to: Phase, why: str, *, by: Actor):
        """Note, once for the card as it stands, that it could not move on by itself, and why."""
        self.lock_row()
        if self.held_revision == self.revision:
            return
        self.held_revision = self.revision
        self.save(update_fields=["held_revision"])
        return self.record("card.held_back", by, phase=to.as_told(), why=why)

    @verb("card.assign")
    def assign(self, members, *, was=None, by: Actor):
        """Make these members, and no others, responsible.

        was: whom the person saw responsible; whoever somebody else added or took off meanwhile stays so.
        """
        self._lock()
        self._refuse_archived()
        members = self._own(members)
        before = [row.member for row in self.assignments.select_related("member__user")]
        if was is not None:
            seen = {member.pk for member in was}
            gone = seen - {member.pk for member in before}
            members = [member for member in members if member.pk not in gone]
            members += [member for member in before if member.pk not in seen and member not in members]
        if {m.pk for m in before} == {m.pk for m in members}:
            return
        self.assignments.exclude(member__in=members).delete()
        new = [m for m in members if m.pk not in {b.pk for b in before}]
        Assignment.objects.bulk_create([Assignment(card=self, member=member) for member in new])
        self._touch()
        return self.record(
            "card.assigned",
            by,
            names=[str(member) for member in members],
            before=[str(member.pk) for member in before],
            after=[str(member.pk) for member in members],
        )

    @verb("card.add_label")
    def add_label(self, label: Label, *, by: Actor):
        """Put a label of the workflow on; doing it again is no news."""
        self._lock()
        self._refuse_archived()
        if self._wear(label):
            self._touch()
            return self.record("card.label_added", by, label={"id": str(label.pk), "name": label.name})

    @verb("card.remove_label")
    def remove_label(self, label: Label, *, by: Actor):
        """Take a label off; doing it again is no news."""
        self._lock()
        self._refuse_archived()
        taken, _ = self.card_labels.filter(label=label).delete()
        if taken:
            self._touch()
            return self.record("card.label_removed", by, label={"id": str(label.pk), "name": label.name})

    # Archiving ----------------------------------------------------------------------------------------

    @verb("card.archive")
    def archive(self, *, revision: int | None = None, by: Actor):
        """Take the card off the board; it keeps its place. Doing it again is no news."""
        here = self._lock()[self.phase_id]
        if self.archived_at:
            return
        self._refuse_if_moved_since(revision)
        self.archived_at, self.archived_by_id = timezone.now(), by.user_id
        here.tally(-1, -(self.value or 0))
        self.placed_revision = self.revision + 1
        self._touch("archived_at", "archived_by", "placed_revision")
        return self.record("card.archived", by, phase=here.as_told())

    @verb("card.restore")
    def restore(self, to: Phase | None = None, place: Place | None = None, *, by: Actor):
        """Put an archived card back: where it was, or into another phase of its workflow."""
        if to:
            self._refuse_elsewhere(to)
        phases = self._lock(to.pk if to else None)
        if not self.archived_at:
            return
        if to and to.pk not in phases:
            raise Stale(f"The phase was deleted a moment ago. {self.name} stayed in the archive.")
        to = phases[to.pk if to else self.phase_id]
        to.workflow.refuse_archived()
        if to.is_on_path:
            self.refuse_over_limits(phases.values())
        if to.pk != self.phase_id:
            self._refuse_lacking(to)
            if to.is_cancelled and not self.phase.is_cancelled:
                raise ValidationError("Restore it to the path first, then say why it ends.", code="closing")
        if to.pk != self.phase_id or place:
            self.rank = self._rank_in(to, place or TOP)
            if to.pk != self.phase_id:
                self.phase, self.entered_at = to, timezone.now()
        to.refuse_when_full()
        to.refuse_later(self.major)
        self.archived_at = self.archived_by = None
        to.tally(1, self.value or 0)
        self.placed_revision = self.revision + 1
        self._touch("archived_at", "archived_by", "phase", "rank", "entered_at", "placed_revision")
        self._reopen(by)
        return self.record("card.restored", by, phase=to.as_told())

    @verb("card.delete")
    def delete_for_good(self, *, by: Actor):
        """Delete an archived card with its comments, checklist and files; raises ValidationError when it is not archived."""
        self._lock()
        if not self.archived_at:
            raise ValidationError("Archive the card first, then delete it from the archive.", code="not_archived")
        self.record("card.deleted", by)
        self.delete()
        self.business.contents.forget_unused()

    # Asking -------------------------------------------------------------------------------------------

    @property
    def is_won(self) -> bool:
        """Answer whether the card stands in the win phase."""
        return self.phase.section == Phase.WIN

    @property
    def next_phase(self) -> Phase | None:
        """Return the phase that follows on the path, the win phase at its end; None when there is none."""
        if self.phase.section != Phase.PATH:
            return None
        mine = models.Q(last_major=None) | models.Q(last_major__gte=self.major)
        path = Phase.objects.filter(mine, first_major__lte=self.major, section__lte=Phase.WIN)
        later = path.filter(workflow_id=self.workflow_id).order_by("section", "position")
        return later.filter(models.Q(section=Phase.WIN) | models.Q(position__gt=self.phase.position)).first()

    @property
    def design(self):
        """Return the newest definition of the major version it runs under; None while its workflow has none."""
        return self.workflow.definitions.filter(major=self.major).first() if self.major else None

    @property
    def user_actions(self) -> list[UserAction]:
        """Return the buttons that its design puts on it where it stands."""
        design = self.design
        return offered(design.document, design.steps.get(str(self.phase_id), "")) if design else []

    @property
    def days_here(self) -> int:
        """Return for how many whole days it has stood in its phase."""
        return (timezone.now() - self.entered_at) // timedelta(days=1)

    @property
    def is_stale(self) -> bool:
        """Answer whether it stands in its phase for longer than the phase finds healthy; only progress counts."""
        days = self.phase.stale_days
        return days is not None and timezone.now() - self.entered_at >= timedelta(days=days)

    @property
    def closing(self):
        """Return why it ended badly, or None while it is open."""
        return next((closing for closing in self.closings.all() if closing.reopened_at is None), None)

    @property
    def mark(self) -> str:
        """Return what differs whenever its tile does, so that a page can tell whether it shows the card as it is."""
        return ".".join(str(getattr(self, name)) for name in self.MARKED)

    @property
    def due_state(self) -> str:
        """Return "late", "soon" (today or tomorrow), "later" or "" on the clock that is active."""
        if self.due_date is None:
            return ""
        now = timezone.localtime()
        days = (self.due_date - now.date()).days
        if days < 0 or (days == 0 and self.due_time and self.due_time < now.time()):
            return "late"
        return "soon" if days <= 1 else "later"

    @staticmethod
    def dress(cards: list["Card"]) -> list["Card"]:
        """Give the cards of a board their labels (.worn) and who is responsible (.team), in two queries.

        Plain dicts by plain SQL: as rows, with a manager for each card, they would cost a board more than the rest of
        its page, and the answer to a move more than the move.
        """
        known = {stored(card.pk): card for card in cards}
        for card in cards:
            card.worn, card.team = [], []
        if not cards:
            return cards
        blanks = ", ".join(["%s"] * len(known))
        with connection.cursor() as cursor:
            cursor.execute(LABELS_WORN.format(blanks), list(known))
            for card, name, tint in cursor.fetchall():
                known[card].worn.append({"name": name, "tint": tint})
            cursor.execute(PEOPLE_ASSIGNED.format(blanks), list(known))
            for card, user, name, email in cursor.fetchall():
                known[card].team.append({"id": user, "name": name or email, "email": email})
        return cards

    def record(self, name: str, by: Actor, /, **details):
        """Record an event about this card, with what all of them carry."""
        return record(name, self, by, workflow=str(self.workflow_id), number=self.number, **details)

    def lock_row(self) -> None:
        """Lock this card alone and read it anew; for what does not touch its phase's tally."""
        self._read_locked()
        self._refuse_archived()

    def refuse_unless_at(self, revision: int | None, *phases: Phase) -> None:
        """Lock the card and raise Stale unless this is its revision (None: any); for a verb in the same transaction.

        phases: those that the verb will lock, for all are locked in one order.
        """
        if revision is None:
            return
        self._lock(*(phase.pk for phase in phases))
        if revision != self.revision:
            raise Stale(self._news())

    # Under the lock -----------------------------------------------------------------------------------

    def _lock(self, to=None) -> dict:
        """Lock the card's phase and that of the id `to`, then the card, and read it anew; return the phases by id.

        Raises Again when the card left its phase in between, Stale when it was deleted.
        """
        phases = Phase.lock(self.workflow_id, self.phase_id, to)
        held = self.phase_id
        self._read_locked()
        if self.phase_id != held and self.phase_id not in phases:
            raise Again
        self.phase = phases[self.phase_id]
        self.workflow = self.phase.workflow
        return phases

    def _read_locked(self) -> None:
        """Lock the card and become what it is now; what was read along with it before is forgotten."""
        now = TO_LOCK.first(pk=self.pk)
        if now is None:
            raise Stale("This card was deleted a moment ago.")
        vars(self).update(vars(now), _prefetched_objects_cache={})

    def _fill_in(self, facts: dict, by: Actor) -> list[int]:
        """Take what a phase asks for, through the verbs that change it; return the sequences of their events."""
        facts = dict(facts)
        assignees, custom = facts.pop("assignees", None), facts.pop("custom", None)
        events = [
            self.update(**facts, by=by) if facts else None,
            self.fill_fields(custom, by=by) if custom else None,
            self.assign(assignees, by=by) if assignees is not None else None,
        ]
        return [event.sequence for event in events if event]

    def _refuse_lacking(self, phase: Phase) -> None:
        """Raise ValidationError when the card lacks what a phase asks for."""
        missing = phase.missing_of(self) if phase.required else []
        words = phase.name_facts(missing) if missing else []
        if words:
            params = {"phase": phase.name, "words": ", ".join(words), "missing": missing}
            raise ValidationError("%(phase)s asks for %(words)s.", code="missing_facts", params=params)

    def _equip(self, phase: Phase, *, by: Actor) -> None:
        """Give the card what its new phase hands out: somebody responsible, and a checklist."""
        if phase.default_assignee_id and not self.assignments.exists():
            self.assign([phase.default_assignee], by=by)
        if phase.checklist_lines:
            has = set(self.items.values_list("text", flat=True))
            for line in phase.checklist_lines:
                if line not in has:
                    self.items.model.add(self, line, by=by)

    def _rank_in(self, phase: Phase, place: Place) -> str:
        column = Column(phase.pk, but=self.pk)
        rank = place.rank_in(column)
        # The very place a card had means nothing any more once the column is written anew.
        if len(rank) > LONGEST_RANK and place.rank is None:
            write_anew(Card.objects.filter(phase=phase))
            if phase.pk == self.phase_id and not self._state.adding:
                self.refresh_from_db(fields=["rank"])
            rank = place.rank_in(column)
        return rank

    def _passes_anyone(self, rank: str) -> bool:
        return Column(self.phase_id, but=self.pk).stands_between(*sorted((rank, self.rank)))

    def _stand(self, to: Phase, rank: str) -> None:
        now = timezone.now()
        if to.pk != self.phase_id:
            self.phase, self.entered_at = to, now
        if to.first_major > self.major:  # whoever goes where only the new design goes has joined it
            self.major = to.workflow.major
        self.rank, self.updated_at = rank, now
        self.revision += 1
        self.placed_revision = self.revision
        update(self, "phase", "rank", "entered_at", "updated_at", "revision", "placed_revision", "major")

    def _reopen(self, by: Actor) -> Closing | None:
        """End the closing of a card that is back where work goes on, however it came there; return it."""
        ended = None if self.phase.is_cancelled else self.closings.filter(reopened_at=None).first()
        if ended:
            ended.reopened_at, ended.reopened_by_id = timezone.now(), by.user_id
            ended.save(update_fields=["reopened_at", "reopened_by"])
        return ended

    def _touch(self, *fields) -> None:
        self.revision += 1
        self.updated_at = timezone.now()
        update(self, *fields, "revision", "updated_at")

    def _read_fields(self, values: dict) -> dict:
        """Return values of custom fields, by Field or its id, as they are stored, by Field."""
        fields = {str(field.pk): field for field in self.workflow.fields.all()}
        read = {}
        for key, value in values.items():
            field = fields.get(str(getattr(key, "pk", key)))
            if field is None:
                raise refusal("custom", "This field does not exist.", "field")
            read[field] = field.read(value)
        return read

    def _wear(self, label: Label) -> bool:
        if label.workflow_id != self.workflow_id:
            raise ValidationError("That label belongs to another workflow.", code="other_workflow")
        return CardLabel.objects.get_or_create(card=self, label=label)[1]

    def _own(self, members) -> list[Membership]:
        members = list(members)
        if any(member.business_id != self.business_id for member in members):
            raise ValidationError("Only members of the business can be assigned.", code="not_a_member")
        return members

    def _check(self) -> None:
        """Raise ValidationError, field by field, for what the domain does not allow."""
        self.name = self.name.strip()
        if self.contact_id and self.contact.business_id != self.business_id:
            raise refusal("contact", "This contact does not exist.", "contact")
        if self.due_time and not self.due_date:
            raise refusal("due_time", "Choose a day as well.", "due_time")
        self.search = f"{self.name} {self.source}".casefold()
        skip = ["business", "workflow", "phase", "rank", "contact", "created_by", "archived_by", "number"]
        self.clean_fields(exclude=skip)

    def _refuse_elsewhere(self, to: Phase) -> None:
        if to.workflow_id != self.workflow_id:
            raise ValidationError("That phase belongs to another workflow.", code="other_workflow")

    def refuse_over_limits(self, phases) -> None:
        """Raise ValidationError when the path takes no further card, or none of this contact.

        phases: those that are locked; where the workflow has a limit, all of them.
        """
        most = self.workflow.most_active_cards
        if most is not None and sum(phase.card_count for phase in phases if phase.is_on_path) >= most:
            raise ValidationError(
                f"{self.workflow.name} holds at most {most} active card{'s' if most > 1 else ''}, and so many are there.",
                code="max_active_cards",
            )
        self._refuse_second_of_contact()

    def _refuse_second_of_contact(self) -> None:
        if not self.workflow.one_card_per_contact or not self.contact_id:
            return
        here = self.workflow.cards.on_board().filter(contact_id=self.contact_id, phase__section=Phase.PATH)
        twin = here.exclude(pk=self.pk).first()
        if twin:
            said = f"{self.contact.name} has an active card in {self.workflow.name} already: {twin.name}."
            raise refusal("contact", said, "contact_attached")

    def _refuse_archived(self) -> None:
        if self.archived_at:
            raise ValidationError(f"{self.name} is archived. Restore it first.", code="archived")
        self.workflow.refuse_archived()

    def _refuse_if_moved_since(self, revision: int | None) -> None:
        if revision is not None and revision < self.placed_revision:
            raise Stale(self._news(*PLACING))

    def _refuse_overwriting(self, was: dict, now: dict, mine: dict) -> None:
        for key, seen in was.items():
            if key in now and now[key] != seen and now[key] != mine[key]:
                who = self._last_event("card.updated")
                theirs = _told(now[key]) or "nothing"
                raise Stale(
                    f"{who.actor_name if who else 'Somebody'} changed the {key.replace('_', ' ')} to “{theirs}” "
                    "while you were writing. Yours is kept below: save again to put it in place of theirs."
                )

    def _last_event(self, *names):
        return Event.objects.about(self).filter(name__in=names).first() if names else Event.objects.about(self).first()

    def _news(self, *names) -> str:
        """Return who did what to this card last, of these events or of all that change it, in words, for a refusal."""
        last = self._last_event(*(names or PLACING + CHANGING))
        who = last.actor_name if last else "Somebody"
        if last and last.name not in PLACING:
            return f"{who} changed it a moment ago."
        if self.archived_at:
            return f"{who} archived it a moment ago."
        if last and last.name == "card.reordered":
            return f"{who} moved it within {self.phase.name} a moment ago."
        return f"{who} moved it to {self.phase.name} a moment ago."


class Assignment(models.Model):
    """A member responsible for a card; ends with the membership."""

    card = models.ForeignKey(Card, models.CASCADE, related_name="assignments")
    member = models.ForeignKey(Membership, models.CASCADE, related_name="assignments")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["card", "member"], name="assigned_once")]

    def __str__(self):
        return f"{self.member} on {self.card}"


LABELS_WORN = """
    SELECT worn.card_id, label.name, label.tint FROM boards_cardlabel worn JOIN boards_label label ON label.id = label_id
    WHERE worn.card_id IN ({}) ORDER BY lower(label.name), label.id
"""
PEOPLE_ASSIGNED = """
    SELECT assigned.card_id, person.id, person.name, person.email FROM boards_assignment assigned
    JOIN accounts_membership member ON member.id = member_id JOIN accounts_user person ON person.id = user_id
    WHERE assigned.card_id IN ({}) ORDER BY assigned.id
"""
TO_LOCK = Prepared(lambda: Card.objects.filter(pk=Blank("pk")).select_for_update(of=("self",)))


def _told(value):
    """Return a field's value as the ledger keeps it."""
    if isinstance(value, Contact):
        return {"id": str(value.pk), "name": value.name}
    if value is None or isinstance(value, (str, int)):
        return value
    return value.isoformat()
