"""A business, who belongs to it, and who is invited."""

import base64
import hashlib
import uuid
import zoneinfo
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from itertools import count

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import IntegrityError, connection, models, transaction
from django.db.models.functions import Lower
from django.urls import get_resolver
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.text import slugify

from accounts.actor import Actor
from accounts.events import record
from accounts.policy import OWNER, RANK, ROLES, VIEWER, may_handle
from accounts.statements import stored
from accounts.tasks import mail_invitation
from accounts.verbs import refuse_unknown, verb, writing

CURRENCIES = [
    (code, code)
    for code in (
        "EUR USD GBP CHF SEK NOK DKK ISK PLN CZK HUF RON BGN TRY UAH ILS AED SAR EGP ZAR NGN KES GHS INR PKR BDT LKR "
        "CNY HKD TWD JPY KRW SGD MYR THB IDR PHP VND AUD NZD CAD MXN BRL ARS CLP COP PEN"
    ).split()
]


@cache
def zone_choices():
    """Return the time zones a business may live in."""
    names = sorted(n for n in zoneinfo.available_timezones() if "/" in n and not n.startswith(("Etc/", "SystemV/")))
    return [(name, name.replace("_", " ")) for name in ["UTC", *names]]


ADDRESS = RegexValidator(r"^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$", "Use small letters, digits and dashes.")


@cache
def reserved_slugs() -> frozenset[str]:
    """Return the first path segments that are taken by pages, so that no business can be called `admin`."""
    routes = (str(pattern.pattern).lstrip("^") for pattern in get_resolver().url_patterns)
    return frozenset(route.split("/")[0].rstrip("$") for route in routes) | {"static", "media", "api", "www"}


def validate_slug_is_free_of_pages(value):
    """Raise ValidationError when a page of ours already lives at this address."""
    if value in reserved_slugs():
        raise ValidationError("This address is used by Phasewise itself. Choose another.", code="reserved")


def validate_zone(value):
    """Raise ValidationError for a time zone that does not exist."""
    if value not in dict(zone_choices()):
        raise ValidationError("This time zone does not exist.", code="zone")


class BusinessManager(models.Manager):
    """Founds businesses and hands out their numbers."""

    def found(self, owner, *, name, slug, time_zone="UTC", currency="EUR"):
        """Make a business with its first owner, in one transaction; raises ValidationError for bad fields."""
        business = Business(name=name, slug=slug, time_zone=time_zone, currency=currency)
        business.full_clean()
        with writing(), transaction.atomic():
            with _slug_taken_meanwhile():
                business._take_place()
            member = Membership.objects.create(business=business, user=owner, role=OWNER)
            record("business.founded", business, Actor.member(member), name=name)
        return business

    def free_slug(self, name: str) -> str:
        """Return an address made from a name that nobody has yet."""
        stem = slugify(name).replace("_", "-")[:44].strip("-") or "workspace"
        taken = reserved_slugs() | set(self.filter(slug__startswith=stem).values_list("slug", flat=True))
        return stem if stem not in taken else next(slug for n in count(2) if (slug := f"{stem}-{n}") not in taken)

    def take_number(self, business_id, counter: str) -> int:
        """Return the next number of a counter of the business; its row stays locked until the commit."""
        column = connection.ops.quote_name(Business._meta.get_field(counter).column)
        table = connection.ops.quote_name(Business._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table} SET {column} = {column} + 1 WHERE id = %s RETURNING {column}",  # noqa: S608
                [stored(business_id)],
            )
            return cursor.fetchone()[0]


class Business(models.Model):
    """A business: everything else belongs to exactly one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(
        "address",
        max_length=50,
        unique=True,
        validators=[
            ADDRESS,
            validate_slug_is_free_of_pages,
        ],
        error_messages={"unique": "This address is taken. Choose another."},
    )
    time_zone = models.CharField(max_length=60, default="UTC", validators=[validate_zone])
    currency = models.CharField(max_length=3, choices=CURRENCIES, default="EUR")
    # What older systems call it by, where an id may be no longer than a few digits.
    number = models.PositiveIntegerField(unique=True, blank=True, editable=False)
    last_event = models.BigIntegerField(default=0, editable=False)
    last_card = models.BigIntegerField(default=0, editable=False)
    last_order = models.BigIntegerField(default=0, editable=False)
    most_workflows = models.PositiveSmallIntegerField(
        "most workflows",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(10_000)],
        help_text="How many workflows there can be, archived ones aside. Left empty, there is no limit.",
    )
    most_phases = models.PositiveSmallIntegerField(
        "most phases",
        default=60,
        validators=[MinValueValidator(1), MaxValueValidator(200)],
        help_text="How many phases a workflow can have before its win phase.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = BusinessManager()

    FIELDS = ("name", "slug", "time_zone", "currency", "most_workflows", "most_phases")

    class Meta:
        verbose_name_plural = "businesses"
        ordering = ["name"]

    def __str__(self):
        return self.name

    @property
    def business_id(self):
        """Return the id verbs compare with the actor's."""
        return self.pk

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """Return the time zone in which the business reads its clocks."""
        return zoneinfo.ZoneInfo(self.time_zone)

    def today(self):
        """Return the date it is in the business's zone."""
        return timezone.localdate(timezone=self.zone)

    def _take_place(self) -> None:
        """Write a new business under the first number that nobody has."""
        while True:
            self.number = (Business.objects.aggregate(last=models.Max("number"))["last"] or 0) + 1
            try:
                with transaction.atomic():
                    return self.save(force_insert=True)
            except IntegrityError:
                if not Business.objects.filter(number=self.number).exists():
                    raise  # it is the address that somebody else has

    @verb("business.update")
    def update(self, *, by: Actor, **fields):
        """Change what is given of FIELDS; raises ValidationError for bad fields."""
        old = Business.objects.select_for_update(no_key=True).get(pk=self.pk)
        refuse_unknown(fields, self.FIELDS)
        fields = {key: value.strip() if isinstance(value, str) else value for key, value in fields.items()}
        before = {key: getattr(old, key) for key, value in fields.items() if getattr(old, key) != value}
        if not before:
            return
        for key, value in fields.items():
            setattr(self, key, value)
        self.full_clean()
        with _slug_taken_meanwhile():
            self.save(update_fields=list(fields))
        after = {key: fields[key] for key in before}
        record("business.updated", self, by, changed=[_words(key) for key in before], before=before, after=after)

    @verb("member.invite")
    def invite(self, email: str, role: str, *, site: str = "", by: Actor):
        """Invite an address, or invite it anew; the mail leaves with the worker. Returns (invitation, secret).

        site: the address under which people reach us, for the link in the mail, unless BASE_URL says it.
        """
        email = email.strip().lower()
        _refuse_above(role, by)
        Business.objects.select_for_update(no_key=True).get(pk=self.pk)  # two who invite the same address take turns
        if self.memberships.filter(user__email__iexact=email).exists():
            raise ValidationError({"email": "This person is already a member."})
        invitation = self.invitations.filter(email=email, accepted_at=None, withdrawn_at=None).first()
        if invitation:
            _refuse_above(invitation.role, by)
        if not invitation and self._invitations_of_a_day() >= Invitation.A_DAY:
            raise ValidationError("That is enough for one day. Invite more people tomorrow.", code="too_many")
        invitation = invitation or Invitation(business=self, email=email)
        invitation.role, invitation.sent_at = role, None
        invitation.invited_by_id, invitation.invited_at = by.user_id, timezone.now()
        invitation.digest = _digest(invitation.secret)
        invitation.full_clean(validate_constraints=False)
        invitation.save()
        mail_invitation.enqueue(str(invitation.pk), settings.BASE_URL or site or "http://localhost:8000")
        record("member.invited", invitation, by, email=email, role=role)
        return invitation, invitation.secret

    def _invitations_of_a_day(self) -> int:
        return self.invitations.filter(invited_at__gt=timezone.now() - timedelta(days=1)).count()


class Membership(models.Model):
    """A person in a business, with a role."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=ROLES, default=VIEWER)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["joined_at"]
        constraints = [models.UniqueConstraint(fields=["business", "user"], name="member_once")]

    def __str__(self):
        return str(self.user)

    @verb("member.change_role")
    def change_role(self, role: str, *, by: Actor):
        """Give another role; raises ValidationError for the last owner or a role above one's own."""
        self._lock()
        if role == self.role:
            return
        _refuse_above(role, by)
        _refuse_above(self.role, by)
        if self.role == OWNER:
            self._keep_an_owner()
        before, self.role = self.role, role
        self.clean_fields(exclude=["business", "user"])
        self.save(update_fields=["role"])
        record("member.role_changed", self, by, name=str(self), before=before, after=role)

    @verb("member.remove")
    def remove(self, *, by: Actor):
        """Take the person out of the business; their next request there finds nothing."""
        self._lock()
        _refuse_above(self.role, by)
        self._end()
        record("member.removed", self, by, name=str(self), role=self.role)
        self.delete()

    @verb("member.leave")
    def leave(self, *, by: Actor):
        """Leave the business oneself; the last owner cannot."""
        if by.user_id != self.user_id:
            raise ValidationError("Only the person can leave.", code="not_self")
        self._lock()
        self._end()
        record("member.left", self, by, role=self.role)
        self.delete()

    def _lock(self):
        """Lock the business, so that two owners cannot demote each other at once, and read the role of now."""
        Business.objects.select_for_update(no_key=True).get(pk=self.business_id)
        self.refresh_from_db(fields=["role"])

    def _end(self):
        if self.role == OWNER:
            self._keep_an_owner()

    def _keep_an_owner(self):
        if not Membership.objects.filter(business_id=self.business_id, role=OWNER).exclude(pk=self.pk).exists():
            raise ValidationError("A business needs an owner. Make somebody else owner first.", code="last_owner")


class Invitation(models.Model):
    """A letter to an address: come into this business with this role. Its secret is kept only as a hash."""

    LIFETIME = timedelta(days=14)
    A_DAY = 100  # new ones of a business: nobody's post office

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=ROLES)
    digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    invited_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-invited_at"]
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                "business",
                condition=models.Q(accepted_at=None, withdrawn_at=None),
                name="invited_once",
            )
        ]

    def __str__(self):
        return self.email

    @classmethod
    def by_secret(cls, secret: str):
        """Return the invitation of a link in whatever state it is, or None when the link is made up."""
        return cls.objects.select_related("business", "invited_by").filter(digest=_digest(secret)).first()

    @property
    def secret(self) -> str:
        """Derive what stands in the link from the server's key: neither this row nor a waiting task gives it away."""
        signature = salted_hmac("accounts.invitation", f"{self.pk} {self.invited_at.isoformat()}", algorithm="sha256")
        return base64.urlsafe_b64encode(signature.digest()).decode().rstrip("=")

    @property
    def expires_at(self):
        """Return when the link stops working."""
        return self.invited_at + self.LIFETIME

    @property
    def is_expired(self) -> bool:
        """Answer whether the link is too old."""
        return self.expires_at <= timezone.now()

    @property
    def is_open(self) -> bool:
        """Answer whether the link still lets somebody in."""
        return not (self.accepted_at or self.withdrawn_at or self.is_expired)

    @property
    def is_overdue(self) -> bool:
        """Answer whether the mail should have left by now and has not."""
        return not self.sent_at and self.invited_at < timezone.now() - timedelta(minutes=5)

    def check_secret(self) -> None:
        """Raise ValueError when the server's key has changed since: the link would open nothing."""
        if _digest(self.secret) != self.digest:
            raise ValueError("SECRET_KEY has changed since; the invitation must be sent again")

    def mark_sent(self) -> None:
        """Note that the mail has left, unless somebody invited anew meanwhile: that letter is still to come."""
        Invitation.objects.filter(pk=self.pk, invited_at=self.invited_at).update(sent_at=timezone.now())

    def accept(self, user) -> Membership:
        """Make the person a member, once; raises ValidationError when the address is somebody else's."""
        with writing(), transaction.atomic():
            Business.objects.select_for_update(no_key=True).get(pk=self.business_id)
            self.refresh_from_db(from_queryset=Invitation.objects.select_for_update())
            member = Membership.objects.filter(business_id=self.business_id, user=user).first()
            if member:
                return member
            if not self.is_open:
                raise ValidationError("This invitation was used or withdrawn, or it is too old.", code="used")
            if user.email.lower() != self.email.lower():
                raise ValidationError(
                    f"This invitation is for {self.email}. Sign in with that address.", code="other_address"
                )
            member = Membership.objects.create(business_id=self.business_id, user=user, role=self.role)
            self.accepted_at = timezone.now()
            self.save(update_fields=["accepted_at"])
            record("member.joined", member, Actor.member(member), role=self.role)
        return member

    @verb("member.invite")
    def withdraw(self, *, by: Actor):
        """Make the link worthless; doing it again is no news."""
        self.refresh_from_db(from_queryset=Invitation.objects.select_for_update())
        if self.accepted_at or self.withdrawn_at:
            return
        _refuse_above(self.role, by)
        self.withdrawn_at = timezone.now()
        self.save(update_fields=["withdrawn_at"])
        record("member.uninvited", self, by, email=self.email)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _words(name: str) -> str:
    return name.replace("_", " ")


def _refuse_above(role: str, by: Actor):
    if role not in RANK:
        raise ValidationError({"role": "This role does not exist."})
    if not may_handle(by, role):
        raise ValidationError("Only an owner may give or take this role.", code="above")


@contextmanager
def _slug_taken_meanwhile():
    """Turn the database's last word on an address into the sentence that the form says."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise ValidationError({"slug": "This address is taken. Choose another."}) from error
