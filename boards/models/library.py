"""The libraries of a business: the statuses its phases are picked from, what can be reported, why work ends badly."""

import uuid

from django.conf import settings
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.text import slugify

from accounts.actor import Actor
from accounts.events import record
from accounts.models import Business
from accounts.verbs import refusal, refuse_unknown, verb, writing

STAGES = [("new", "New"), ("processing", "Processing"), ("completed", "Completed"), ("cancelled", "Cancelled")]
CAUSES = [("customer", "The customer"), ("us", "Us")]


class LibraryQuerySet(models.QuerySet):
    """Reads a library."""

    def live(self):
        """Return what has not been retired."""
        return self.filter(retired_at=None)


class Entry(models.Model):
    """What all libraries share: a business, and retiring instead of deleting, so that no board breaks."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="%(class)s_library")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    retired_at = models.DateTimeField(null=True, blank=True, editable=False)
    retired_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )

    objects = LibraryQuerySet.as_manager()
    noun = ""  # the first word of its verbs and events
    FIELDS = ()  # what its verbs may write

    class Meta:
        abstract = True

    def _add(self, by: Actor):
        """Write a new entry and its event."""
        self.name = self.name.strip()
        self._check()
        self.save(force_insert=True)
        record(f"{self.noun}.created", self, by, entry=str(self))
        return self

    def _change(self, changes: dict, by: Actor):
        """Write what changed and its event; return whether anything did."""
        refuse_unknown(changes, self.FIELDS)
        now = type(self).objects.select_for_update().get(pk=self.pk)
        for key, value in changes.items():
            setattr(self, key, value.strip() if isinstance(value, str) else value)
        before = {key: getattr(now, key) for key in changes if getattr(now, key) != getattr(self, key)}
        if not before:
            return False
        self._check()
        self.save(update_fields=list(changes))
        after = {key: getattr(self, key) for key in before}
        record(f"{self.noun}.updated", self, by, entry=str(self), before=before, after=after)
        return True

    def _retire(self, by: Actor):
        """Offer it no more; what uses it goes on. Doing it again is no news."""
        now = type(self).objects.select_for_update().get(pk=self.pk)
        if now.retired_at:
            return
        self.retired_at, self.retired_by_id = timezone.now(), by.user_id
        self.save(update_fields=["retired_at", "retired_by"])
        record(f"{self.noun}.retired", self, by, entry=str(self))

    def _bring_back(self, by: Actor):
        """Offer it again."""
        now = type(self).objects.select_for_update().get(pk=self.pk)
        if not now.retired_at:
            return
        self.retired_at = self.retired_by = None
        self.save(update_fields=["retired_at", "retired_by"])
        record(f"{self.noun}.restored", self, by, entry=str(self))

    def _check(self):
        self.clean_fields(exclude=["business", "retired_by"])
        self._refuse_twins()

    def _refuse_twins(self):
        twins = type(self).objects.filter(business_id=self.business_id, name__iexact=self.name).exclude(pk=self.pk)
        twin = twins.first()
        if twin:
            gone = " It is retired: bring it back instead." if twin.retired_at else ""
            raise refusal("name", f"The library has “{self.name}” already.{gone}", "exists")


class Status(Entry):
    """A name for a step of work, with its stage group; phases are picked from it."""

    noun = "status"
    FIELDS = ("name", "stage", "tint", "description", "public_name")
    name = models.CharField(max_length=80)
    stage = models.CharField("stage group", max_length=10, choices=STAGES, default="processing")
    tint = models.PositiveSmallIntegerField(
        "colour", default=6, validators=[MinValueValidator(1), MaxValueValidator(8)]
    )
    description = models.TextField(max_length=1000, blank=True, validators=[MaxLengthValidator(1000)])
    public_name = models.CharField("what a customer sees", max_length=80, blank=True)

    class Meta:
        verbose_name_plural = "statuses"
        ordering = [Lower("name"), "id"]
        constraints = [
            models.UniqueConstraint(
                "business", Lower("name"), name="status_once", violation_error_message="The library has it already."
            )
        ]

    def __str__(self):
        return self.name

    @property
    def shown_name(self) -> str:
        """Return the name a customer sees."""
        return self.public_name or self.name

    @classmethod
    @verb("status.create")
    def create(cls, business, *, by: Actor, **fields):
        """Put a status into the library; raises ValidationError for a name that is there."""
        refuse_unknown(fields, cls.FIELDS)
        return cls(business=business, **fields)._add(by)

    @verb("status.update")
    def update(self, *, rename_phases: bool = False, by: Actor, **changes):
        """Change the status; with `rename_phases` the phases that still bear its old name take the new one."""
        old_name = type(self).objects.get(pk=self.pk).name
        if not self._change(changes, by) or not rename_phases or self.name == old_name:
            return
        for phase in self.phases.filter(name=old_name):
            phase.update(name=self.name, by=by)

    @verb("status.retire")
    def retire(self, *, by: Actor):
        """Offer the status no more; phases that use it stay as they are."""
        self._retire(by)

    @verb("status.restore")
    def bring_back(self, *, by: Actor):
        """Offer the status again."""
        self._bring_back(by)


class Trigger(Entry):
    """A thing that can be reported to have happened to a card: by a button, a program, a webhook."""

    noun = "trigger"
    FIELDS = ("name", "description")
    key = models.SlugField(
        max_length=60, editable=False, help_text="Programs report it by this name; it never changes."
    )
    name = models.CharField("label", max_length=80)
    description = models.TextField("what it means", max_length=500, blank=True, validators=[MaxLengthValidator(500)])

    class Meta:
        ordering = [Lower("name"), "id"]
        constraints = [
            models.UniqueConstraint(fields=["business", "key"], name="trigger_key_once"),
            models.UniqueConstraint("business", Lower("name"), name="trigger_once"),
        ]

    def __str__(self):
        return self.name

    @classmethod
    @verb("trigger.create")
    def create(cls, business, *, name: str, key: str = "", description: str = "", by: Actor):
        """Put a trigger into the library; the key is made from the name when none is given."""
        key = slugify(key or name).replace("-", "_")[:60] or uuid.uuid4().hex[:8]
        if cls.objects.filter(business=business, key=key).exists():
            raise refusal("name", f"There is a trigger with the key “{key}” already.", "exists")
        return cls(business=business, name=name.strip(), key=key, description=description.strip())._add(by)

    @verb("trigger.update")
    def update(self, *, by: Actor, **changes):
        """Change label or meaning; the key stays."""
        self._change(changes, by)

    @verb("trigger.retire")
    def retire(self, *, by: Actor):
        """Offer the trigger no more; phases that wait for it go on waiting."""
        self._retire(by)

    @verb("trigger.restore")
    def bring_back(self, *, by: Actor):
        """Offer the trigger again."""
        self._bring_back(by)


class Reason(Entry):
    """Why a piece of work was cancelled, and whose doing it was."""

    noun = "reason"
    FIELDS = ("name", "caused_by")
    name = models.CharField(max_length=120)
    caused_by = models.CharField(max_length=10, choices=CAUSES, default="customer")

    class Meta:
        ordering = ["caused_by", Lower("name"), "id"]
        constraints = [models.UniqueConstraint("business", Lower("name"), name="reason_once")]

    def __str__(self):
        return self.name

    @classmethod
    @verb("reason.create")
    def create(cls, business, *, by: Actor, **fields):
        """Put a closing reason into the library."""
        refuse_unknown(fields, cls.FIELDS)
        return cls(business=business, **fields)._add(by)

    @verb("reason.update")
    def update(self, *, by: Actor, **changes):
        """Change the reason; closings keep the words they were written with."""
        self._change(changes, by)

    @verb("reason.retire")
    def retire(self, *, by: Actor):
        """Offer the reason no more."""
        self._retire(by)

    @verb("reason.restore")
    def bring_back(self, *, by: Actor):
        """Offer the reason again."""
        self._bring_back(by)


# What a new business finds in its libraries --------------------------------------------------------------

STARTING_STATUSES = [
    ("Enquiry received", "new"),
    ("Order created", "new"),
    ("Reservation placed", "new"),
    ("Service requested", "new"),
    ("Subscription renewed", "new"),
    ("Pending pickup", "new"),
    ("Contact made", "processing"),
    ("Pending quotation", "processing"),
    ("Quote sent", "processing"),
    ("Pending confirmation", "processing"),
    ("Awaiting payment", "processing"),
    ("Paid", "processing"),
    ("In production", "processing"),
    ("Quality check", "processing"),
    ("Waiting for parts", "processing"),
    ("Packing", "processing"),
    ("Shipping", "processing"),
    ("Delayed", "processing"),
    ("Lost in transit", "processing"),
    ("Damaged", "processing"),
    ("Ready for pickup", "processing"),
    ("Delivered", "completed"),
    ("Service provided", "completed"),
    ("Reservation fulfilled", "completed"),
    ("Project completed", "completed"),
    ("Won", "completed"),
    ("Payment timeout", "cancelled"),
    ("Cancelled by customer", "cancelled"),
    ("Cancelled by us", "cancelled"),
    ("Refunded", "cancelled"),
    ("Lost", "cancelled"),
]
STAGE_TINTS = {"new": 6, "processing": 2, "completed": 4, "cancelled": 1}

STARTING_TRIGGERS = [
    ("payment_received", "Payment received", "The money, or the part agreed on, has arrived."),
    ("quote_sent", "Quote sent", "The customer has our price in hand."),
    ("quote_accepted", "Quote accepted", "The customer said yes to our price."),
    ("order_confirmed", "Order confirmed", "The customer confirmed the order."),
    ("order_fully_paid", "Order fully paid", "Nothing is owed any more."),
    ("picked_up", "Picked up", "The goods were collected."),
    ("work_finished", "Work finished", "The workshop is done with it."),
    ("packed", "Packed", "It is boxed and labelled."),
    ("delivered", "Delivered", "It has arrived at the customer's."),
    ("customer_confirmed", "Customer confirmed", "The customer confirmed that all is well."),
]

STARTING_REASONS = [
    ("Payment not received in time", "customer"),
    ("Customer asked to cancel", "customer"),
    ("Customer chose somebody else", "customer"),
    ("Customer could not be reached", "customer"),
    ("Returned, refund in full", "customer"),
    ("Returned, refund in part", "customer"),
    ("Out of stock", "us"),
    ("Delivery failed", "us"),
    ("Technical problem", "us"),
    ("We cannot do this work", "us"),
]


def stock(business) -> None:
    """Fill a new business's libraries at one stroke; libraries that hold anything are left alone."""
    with writing(), transaction.atomic():
        Business.objects.select_for_update().get(pk=business.pk)
        if Status.objects.filter(business=business).exists():
            return
        Status.objects.bulk_create(
            Status(business=business, name=name, stage=stage, tint=STAGE_TINTS[stage])
            for name, stage in STARTING_STATUSES
        )
        Trigger.objects.bulk_create(
            Trigger(business=business, key=key, name=name, description=description)
            for key, name, description in STARTING_TRIGGERS
        )
        Reason.objects.bulk_create(
            Reason(business=business, name=name, caused_by=caused_by) for name, caused_by in STARTING_REASONS
        )
        record("library.stocked", business, Actor.system(business), statuses=len(STARTING_STATUSES))
