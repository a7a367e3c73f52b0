"""Order types chain workflows; an order runs through them, one card after the other."""

import re
import uuid

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.actor import Actor
from accounts.events import record
from accounts.models import Business, Event
from accounts.verbs import Stale, refusal, refuse_unknown, verb
from boards.models.attachment import Attachment
from boards.models.card import Card
from boards.models.library import Entry, LibraryQuerySet
from boards.models.phase import Phase
from boards.models.workflow import Workflow
from boards.ordering import BOTTOM
from contacts.models import Contact
from contacts.models.contact import folded

MOST_STAGES = 12


class OrderTypeQuerySet(LibraryQuerySet):
    """Reads order types."""

    def for_list(self):
        """Return order types with their chains and how many of their orders are running."""
        running = models.Q(orders__completed_at=None, orders__cancelled_at=None)
        stages = OrderStage.objects.select_related("workflow")
        return self.annotate(running=models.Count("orders", filter=running)).prefetch_related(
            models.Prefetch("stages", stages)
        )


class OrderType(Entry):
    """A kind of order: the workflows that one of its kind runs through, in order."""

    noun = "order_type"
    FIELDS = ("name", "code", "description")
    name = models.CharField(max_length=80)
    code = models.CharField(
        max_length=12,
        validators=[RegexValidator(r"^[A-Z0-9][A-Z0-9_-]*$", "Use capital letters, digits, dashes.")],
        help_text="Stands before the number of its orders: REP gives REP-17.",
    )
    description = models.TextField(max_length=500, blank=True, validators=[MaxLengthValidator(500)])

    objects = OrderTypeQuerySet.as_manager()

    class Meta:
        ordering = [Lower("name"), "id"]
        constraints = [
            models.UniqueConstraint("business", Lower("name"), name="order_type_once"),
            models.UniqueConstraint(fields=["business", "code"], name="order_code_once"),
        ]

    def __str__(self):
        return self.name

    @classmethod
    @verb("order_type.create")
    def create(cls, business, *, name: str, code: str, description="", workflows=(), by: Actor):
        """Make an order type with its chain of workflows."""
        kind = cls(business=business, name=name.strip(), code=code.strip().upper(), description=description.strip())
        kind._add(by)
        kind._chain(list(workflows))
        return kind

    @verb("order_type.update")
    def update(self, *, workflows=None, by: Actor, **changes):
        """Change name, code, description, or the chain; orders that run keep the chain they were opened with."""
        if "code" in changes:
            changes["code"] = changes["code"].strip().upper()
        self._change(changes, by)
        before = [stage.workflow_id for stage in self.stages.all()]
        if workflows is None or before == [workflow.pk for workflow in workflows]:
            return
        names = [stage.workflow.name for stage in self.stages.select_related("workflow")]
        self._chain(list(workflows))
        after = [workflow.name for workflow in workflows]
        record("order_type.chained", self, by, entry=self.name, before=names, after=after)

    @verb("order_type.retire")
    def retire(self, *, by: Actor):
        """Open no more orders of this kind; those that run go on."""
        self._retire(by)

    @verb("order_type.restore")
    def bring_back(self, *, by: Actor):
        """Offer it again."""
        self._bring_back(by)

    def _chain(self, workflows) -> None:
        if len(workflows) > MOST_STAGES:
            raise refusal("workflows", f"A chain holds at most {MOST_STAGES} workflows.", "too_many")
        if len({workflow.pk for workflow in workflows}) < len(workflows):
            raise refusal("workflows", "A workflow can stand in the chain once.", "twice")
        if any(workflow.business_id != self.business_id for workflow in workflows):
            raise refusal("workflows", "This workflow does not exist.", "foreign")
        self.stages.all().delete()
        OrderStage.objects.bulk_create(
            OrderStage(type=self, workflow=workflow, position=i) for i, workflow in enumerate(workflows)
        )

    def _check(self):
        super()._check()
        if OrderType.objects.filter(business_id=self.business_id, code=self.code).exclude(pk=self.pk).exists():
            raise refusal("code", "Another order type has this code.", "exists")


class OrderStage(models.Model):
    """A workflow's place in the chain of an order type."""

    type = models.ForeignKey(OrderType, models.CASCADE, related_name="stages")
    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="order_stages")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["type", "position"], name="order_stage_place")]

    def __str__(self):
        return f"{self.type}: {self.workflow}"

    @property
    def moon(self) -> int:
        """Return how far along the chain it stands, as full as a moon; only a win is full, so none is here."""
        return round(8 * self.position / max(1, len(self.type.stages.all()) - 1))


class OrderQuerySet(models.QuerySet):
    """Reads orders."""

    def running(self):
        """Return those neither done nor cancelled."""
        return self.filter(completed_at=None, cancelled_at=None)

    def completed(self):
        """Return those that came to their end."""
        return self.exclude(completed_at=None)

    def cancelled(self):
        """Return those that were stopped."""
        return self.exclude(cancelled_at=None)

    def matching(self, text: str):
        """Return those whose name, contact or code has every word; REP-17, #17 and 17 are one order."""
        found = self
        for word in text.split()[:10]:
            number = re.fullmatch(r"(?:[\w-]*[-#])?(\d{1,9})", word, re.ASCII)
            cards = Card.objects.filter(order=models.OuterRef("pk"), search__contains=word.casefold())
            asked = models.Q(name__icontains=word) | models.Q(contact__search__contains=folded(word))
            asked |= models.Q(number=int(number[1])) if number else models.Q()
            found = found.filter(asked | models.Exists(cards))
        return found

    def for_list(self):
        """Return orders with what a line about them shows, in a number of queries that does not grow."""
        steps = OrderStep.objects.select_related("workflow", "card__phase")
        return self.select_related("type", "contact").prefetch_related(
            models.Prefetch("steps", steps), "steps__workflow__phases"
        )


class Order(models.Model):
    """One run of an order type, with one contact, one due date and one timeline across its workflows."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="orders")
    type = models.ForeignKey(OrderType, models.RESTRICT, related_name="orders")
    number = models.PositiveIntegerField(editable=False)
    name = models.CharField(max_length=300)
    contact = models.ForeignKey(Contact, models.SET_NULL, null=True, blank=True, related_name="orders")
    due_date = models.DateField(null=True, blank=True)
    opened_at = models.DateTimeField(default=timezone.now, editable=False)
    completed_at = models.DateTimeField(null=True, blank=True, editable=False)
    cancelled_at = models.DateTimeField(null=True, blank=True, editable=False)
    cancelled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["business", "number"], name="order_number_once")]

    def __str__(self):
        return f"{self.code} {self.name}"

    @property
    def code(self) -> str:
        """Return what people call it: REP-17."""
        return f"{self.type.code}-{self.number}"

    @property
    def is_running(self) -> bool:
        """Answer whether it is neither done nor cancelled."""
        return not self.completed_at and not self.cancelled_at

    @property
    def due_state(self) -> str:
        """Return "late", "soon" (today or tomorrow), "later" or "" on the clock that is active."""
        if self.due_date is None or not self.is_running:
            return ""
        days = (self.due_date - timezone.localdate()).days
        return "late" if days < 0 else "soon" if days <= 1 else "later"

    @classmethod
    @verb("order.open")
    def open(
        cls,
        kind: OrderType,
        *,
        name: str,
        contact=None,
        due_date=None,
        start: Workflow | None = None,
        card=None,
        by: Actor,
    ):
        """Open an order: with a new card in the first phase of `start` (the chain's first workflow), or around `card`.

        Starting in the middle marks the steps before as skipped. Raises ValidationError for a retired or empty type, a
        workflow outside the chain, a card that has an order.
        """
        chain = list(kind.stages.select_related("workflow"))
        if kind.retired_at or not chain:
            raise ValidationError(
                f"{kind.name} is retired." if kind.retired_at else f"{kind.name} has no workflows yet.",
                code="order_type",
            )
        wanted = card.workflow_id if card else (start.pk if start else chain[0].workflow_id)
        here = next((stage for stage in chain if stage.workflow_id == wanted), None)
        if here is None:
            raise ValidationError(f"{kind.name} does not run through that workflow.", code="order_stage")
        order = cls(business_id=kind.business_id, type=kind, name=name.strip(), contact=contact, due_date=due_date)
        order._check()
        if card:
            card._lock()
            card.lock_row()
            if card.order_id:
                raise ValidationError(f"{card.name} belongs to an order already.", code="order_card")
        else:
            phase = _first_phase(here.workflow)
            Phase.lock(phase.workflow_id, phase.pk)
        order.number = Business.objects.take_number(kind.business_id, "last_order")
        order.save(force_insert=True)
        OrderStep.objects.bulk_create(
            OrderStep(
                order=order,
                workflow=stage.workflow,
                position=stage.position,
                skipped_at=timezone.now() if stage.position < here.position else None,
            )
            for stage in chain
        )
        step = order.steps.get(position=here.position)
        if card:
            order._take_up(step, card)
        else:
            order._open_card(step, by=by)
        record("order.opened", order, by, order=order.code, kind=kind.name)
        return order

    @verb("order.update")
    def update(self, *, by: Actor, **changes):
        """Change name, contact or the one due date; its open cards follow the due date."""
        refuse_unknown(changes, ("name", "contact", "due_date"))
        now = Order.objects.select_for_update(of=("self",)).get(pk=self.pk)
        if not now.is_running:
            raise ValidationError(f"{self.code} is over, so it stays as it is.", code="order_over")
        before = {key: str(getattr(now, key) or "") for key in changes}
        for key, value in changes.items():
            setattr(self, key, value.strip() if isinstance(value, str) else value)
        after = {key: str(getattr(self, key) or "") for key in changes}
        if before == after:
            return
        self._check()
        self.save(update_fields=list(changes))
        record("order.updated", self, by, order=self.code, before=before, after=after)
        if "due_date" in changes:
            for card in self.cards.open():
                card.update(due_date=self.due_date, due_time=card.due_time if self.due_date else None, by=by)

    def follow(self, contact: Contact, *, by: Actor) -> None:
        """Be about the contact that its own became part of, also when the order is over; its cards follow themselves.

        The caller holds the lock of the order.
        """
        before, self.contact = {"contact": str(self.contact)}, contact
        self.save(update_fields=["contact"])
        record("order.updated", self, by, order=self.code, before=before, after={"contact": str(contact)})

    @verb("order.advance")
    def advance(self, card: Card | None = None, *, by: Actor):
        """Open the next step's card because this one was won; being told twice opens nothing twice.

        Without a card: go on where no step is open, because the card of one was deleted.
        """
        Order.objects.select_for_update(of=("self",)).get(pk=self.pk)
        self.refresh_from_db()
        if card is None:
            steps = list(self.steps.select_related("card"))
            if not self.is_running or any(step.state == "open" for step in steps):
                return None
            return self._go_on(by, carry=next((step.card for step in reversed(steps) if step.card), None))
        step = self.steps.filter(card=card).first()
        if step is None or step.done_at or not self.is_running:
            return None
        step.done_at = timezone.now()
        step.save(update_fields=["done_at"])
        return self._go_on(by, carry=card)

    @verb("order.take_back")
    def take_back(self, card: Card, event: Event, *, by: Actor):
        """Undo what followed from a card's win: its step is open again, and the next step's card leaves its board.

        event: the move to the win. Raises Stale when somebody has worked on that next card since.
        """
        Order.objects.select_for_update(of=("self",)).get(pk=self.pk)
        self.refresh_from_db()
        step = self.steps.filter(card=card).exclude(done_at=None).first()
        if step is None or self.cancelled_at:
            return
        followed = Event.objects.filter(business=self.business_id, root=event.root_id or event.pk)
        made = followed.filter(name="card.created", subject_kind="card").values("subject_id")
        for following in self.cards.filter(pk__in=made).select_related("workflow"):
            if Event.objects.about(following).exclude(pk__in=followed.values("pk")).exists():
                raise Stale(
                    f"{self.code} has gone on: somebody has worked on card {following.number}. Nothing was undone."
                )
            following.archive(by=by)
            self.steps.filter(card=following).update(card=None)
            Card.objects.filter(pk=following.pk).update(order=None)
        step.done_at = None
        step.save(update_fields=["done_at"])
        if self.completed_at:
            self.completed_at = None
            self.save(update_fields=["completed_at"])
        record("order.taken_back", self, by, order=self.code, workflow=step.workflow.name)

    @verb("order.skip")
    def skip(self, step: "OrderStep", *, by: Actor):
        """Leave a step of the chain out; when its card is open, that card is archived and the next step opens."""
        Order.objects.select_for_update(of=("self",)).get(pk=self.pk)
        step.refresh_from_db()
        if step.order_id != self.pk:
            raise ValueError("a step of another order")
        if not self.is_running or step.done_at or step.skipped_at:
            return
        step.skipped_at = timezone.now()
        step.save(update_fields=["skipped_at"])
        record("order.step_skipped", self, by, order=self.code, workflow=step.workflow.name)
        if step.card_id:
            card = step.card
            if not card.archived_at:
                card.archive(by=by)
            self._go_on(by, carry=card)

    @verb("order.cancel")
    def cancel(self, *, by: Actor):
        """Stop the order; its open cards leave their boards. Doing it again is no news."""
        Order.objects.select_for_update(of=("self",)).get(pk=self.pk)
        self.refresh_from_db()
        if not self.is_running:
            return
        for card in self.cards.on_board().exclude(phase__section=Phase.WIN):
            card.archive(by=by)
        self.cancelled_at, self.cancelled_by_id = timezone.now(), by.user_id
        self.save(update_fields=["cancelled_at", "cancelled_by"])
        record("order.cancelled", self, by, order=self.code)

    def _check(self) -> None:
        """Raise ValidationError, field by field, for what the domain does not allow."""
        self.clean_fields(exclude=["business", "type", "number", "contact", "cancelled_by"])
        if self.contact and self.contact.business_id != self.business_id:
            raise refusal("contact", "This contact does not exist.", "foreign")

    def _go_on(self, by: Actor, *, carry: Card | None):
        """Open the next pending step, or complete the order."""
        step = self.steps.filter(done_at=None, skipped_at=None, card=None).first()
        if step:
            card = self._open_card(step, by=by, carry=carry)
            record("order.advanced", self, by, order=self.code, workflow=step.workflow.name, card=card.number)
            return card
        if self.steps.filter(done_at=None, skipped_at=None).exists():
            return None
        self.completed_at = timezone.now()
        self.save(update_fields=["completed_at"])
        record("order.completed", self, by, order=self.code)
        return None

    def _open_card(self, step, *, by: Actor, carry: Card | None = None) -> Card:
        """Make the card of a step in its workflow's first phase, with what the one before it carries."""
        facts = {"contact": self.contact, "due_date": self.due_date}
        if carry:
            facts |= {"contact": carry.contact, "due_date": carry.due_date or self.due_date, "due_time": carry.due_time}
            facts |= {"value": carry.value, "source": carry.source, "description": carry.description}
        card = Card.create(_first_phase(step.workflow), name=self.name, place=BOTTOM, by=by, **facts)
        if carry:
            Attachment.carry(card, carry.attachments.as_kept(), by=by)
        self._take_up(step, card)
        return card

    def _take_up(self, step, card: Card) -> None:
        Card.objects.filter(pk=card.pk).update(order=self)
        card.order = self
        step.card = card
        step.save(update_fields=["card"])


class OrderStep(models.Model):
    """One step of a running order: its workflow, its card when it has begun, and how it ended."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="steps")
    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="order_steps")
    position = models.PositiveSmallIntegerField()
    card = models.OneToOneField(Card, models.SET_NULL, null=True, blank=True, related_name="order_step")
    done_at = models.DateTimeField(null=True, blank=True)
    skipped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["order", "position"], name="order_step_place")]

    def __str__(self):
        return f"{self.order}: {self.workflow}"

    @property
    def state(self) -> str:
        """Return done, skipped, open or pending."""
        if self.done_at:
            return "done"
        if self.skipped_at:
            return "skipped"
        return "open" if self.card_id else "pending"


def _first_phase(workflow) -> Phase:
    return workflow.phases.order_by("section", "position").first()
