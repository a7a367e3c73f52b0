"""Where other programs tell us that something happened to a card: webhooks that come in."""

import base64
import hashlib
import json
import uuid
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import IntegrityError, models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.actor import Actor
from accounts.events import record
from accounts.models import Business
from accounts.verbs import refusal, refuse_unknown, verb, writing
from automations.models.arrangement import Arrangement
from boards.models import Card, Trigger

MOST = 20  # of one business
A_MINUTE = 120  # calls of one inlet
LONGEST = 64 * 1024  # bytes of a call
LOGGED = 4000  # characters of a call that the log keeps
KEPT = 200  # calls of one inlet of which the log keeps the text
KNOWN = timedelta(days=30)  # for which a call is known again by its key
PATH = RegexValidator(r"^[\w-]+(\.[\w-]+)*\Z", "Write names with dots between them, like data.object.id")

NUMBER, EXTERNAL, EMAIL = "number", "external_id", "email"
FINDS = [
    (NUMBER, "The card's number"),
    (EXTERNAL, "The card's external id"),
    (EMAIL, "The e-mail of its contact"),
]


class Inlet(Arrangement):
    """A secret address to which a program posts JSON; what it posts reports a trigger on the card it names.

    path: where in the JSON stands what names the card, and find: what that is. only_path, only_value: when it is meant.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="inlets")
    name = models.CharField(max_length=80)
    trigger = models.ForeignKey(Trigger, models.CASCADE, related_name="+", verbose_name="what it reports")
    path = models.CharField("where the card is named", max_length=200, validators=[PATH])
    find = models.CharField("what stands there", max_length=12, choices=FINDS, default=NUMBER)
    only_path = models.CharField("only when", max_length=200, blank=True, validators=[PATH])
    only_value = models.CharField("is", max_length=200, blank=True)
    secret_at = models.DateTimeField(default=timezone.now, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    FIELDS = ("name", "trigger", "path", "find", "only_path", "only_value")

    class Meta:
        ordering = ["name", "created_at"]

    def __str__(self):
        return self.name

    @classmethod
    @verb("inlet.create")
    def create(cls, business, *, by: Actor, **fields):
        """Make an address; raises ValidationError for bad fields."""
        refuse_unknown(fields, cls.FIELDS)
        Business.objects.select_for_update(no_key=True).get(pk=business.pk)
        if business.inlets.count() >= MOST:
            raise ValidationError(f"A business has at most {MOST} of these addresses.", code="too_many")
        inlet = cls(business=business, **fields)
        inlet._check()
        inlet.digest = _digest(inlet.secret)
        inlet.save(force_insert=True)
        record("inlet.created", inlet, by, inlet=inlet.name)
        return inlet

    @verb("inlet.update")
    def update(self, *, by: Actor, **changes):
        """Change what is given of FIELDS; raises ValidationError for bad fields."""
        changed = self._change(changes)
        return record("inlet.updated", self, by, inlet=self.name, changed=changed) if changed else None

    @verb("inlet.rotate")
    def rotate(self, *, by: Actor):
        """Give it a new address; the old one leads nowhere from now on."""
        self._lock()
        self.secret_at = timezone.now()
        self.digest = _digest(self.secret)
        self.save(update_fields=["secret_at", "digest"])
        return record("inlet.rotated", self, by, inlet=self.name)

    @verb("inlet.delete")
    def delete_for_good(self, *, by: Actor):
        """Delete it with its log."""
        self._lock()
        record("inlet.deleted", self, by, inlet=self.name)
        self.delete()

    # What comes ---------------------------------------------------------------------------------------

    @classmethod
    def by_secret(cls, secret: str) -> "Inlet | None":
        """Return the inlet of an address, None when the address is made up."""
        return cls.objects.select_related("business", "trigger").filter(digest=_digest(secret)).first()

    @property
    def secret(self) -> str:
        """Derive the end of the address from the server's key: a copy of the database gives none away."""
        signature = salted_hmac("automations.inlet", f"{self.pk} {self.secret_at.isoformat()}", algorithm="sha256")
        return base64.urlsafe_b64encode(signature.digest()).decode().rstrip("=")

    def address(self, site: str) -> str:
        """Return the whole address; site: where people reach us, unless BASE_URL says it."""
        return (settings.BASE_URL or site).rstrip("/") + reverse("receive", args=[self.secret])

    @property
    def is_flooded(self) -> bool:
        """Answer whether it was called too often within a minute."""
        return self.calls.filter(at__gt=timezone.now() - timedelta(minutes=1)).count() >= A_MINUTE

    def read(self, body: str) -> Card | None:
        """Return the card that a call is about, None when the call is not meant; raises ValidationError in words."""
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            raise ValidationError("This is no JSON.", code="json") from None
        if self.only_path and _text(_dig(document, self.only_path)) != self.only_value:
            return None
        named = _text(_dig(document, self.path))[:320]
        if not named:
            raise ValidationError(f"There is nothing at {self.path}.", code="path")
        # Half a character, or the null character, is kept by no database and so names nothing.
        kept = named.replace("\x00", "").encode("utf-8", "replace").decode()
        card = self._find(named) if kept == named else None
        if card is None:
            raise ValidationError(f"No card is named by “{kept[:100]}”.", code="card")
        return card

    def receive(self, body: str, key: str = "") -> "Received":
        """Report what a call says, and keep the call; under the same key, only once."""
        call = Received(inlet=self, key=key[:200] or uuid.uuid4().hex, body=body.replace("\x00", "")[:LOGGED])
        try:
            with writing(), transaction.atomic():
                call.card = self.read(body)
                call.said = f"Not meant: {self.only_path} is not {self.only_value}."
                if call.card:
                    self._lock()
                    call.said = f"Reported {self.trigger.name} on card {call.card.number}."
                    call.save(force_insert=True)
                    call.card.report(self.trigger, by=Actor("system", str(self.pk), self.name, self.business_id))
                else:
                    call.save(force_insert=True)
        except IntegrityError:
            return self.calls.get(key=call.key)
        except ValidationError as error:
            call.card, call.failed, call.said = None, True, " ".join(error.messages)[:300]
            with writing(), transaction.atomic():
                call.key = uuid.uuid4().hex  # it may come again, and then be understood
                call.save(force_insert=True)
        self._forget()
        return call

    def _find(self, named: str) -> Card | None:
        cards = Card.objects.filter(business_id=self.business_id).order_by("-updated_at")
        if self.find == NUMBER:
            number = named.lstrip("#")
            return cards.filter(number=int(number)).first() if number.isdecimal() and len(number) < 10 else None
        if self.find == EXTERNAL:
            return cards.filter(external_id=named).first()
        return cards.open().filter(contact__emails__email__iexact=named).first()

    def _forget(self) -> None:
        """Forget what older calls said, but not that they came: a repeat must be known again."""
        last = self.calls.order_by("-at").values_list("at", flat=True)[KEPT : KEPT + 1].first()
        if last:
            with writing():
                self.calls.filter(at__lte=last).exclude(body="").update(body="")

    def _check(self):
        self.name = self.name.strip()
        if self.trigger.business_id != self.business_id:
            raise refusal("trigger", "This trigger does not exist.", "trigger")
        self.clean_fields(exclude=["business", "trigger", "digest"])
        if bool(self.only_path) != bool(self.only_value):
            raise refusal("only_value", "Say both where to look and what must stand there.", "only")


class Received(models.Model):
    """One call that came in, and what became of it."""

    inlet = models.ForeignKey(Inlet, models.CASCADE, related_name="calls")
    key = models.CharField(max_length=200)
    at = models.DateTimeField(default=timezone.now)
    body = models.TextField()
    card = models.ForeignKey(Card, models.SET_NULL, null=True, blank=True, related_name="+")
    failed = models.BooleanField(default=False)
    said = models.CharField(max_length=400)

    class Meta:
        verbose_name_plural = "received"
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(fields=["inlet", "key"], name="received_once")]
        indexes = [models.Index(fields=["inlet", "-at"], name="received_list")]

    def __str__(self):
        return self.said


def _dig(document, path: str):
    """Return what stands at a path of names and list places, None when there is nothing."""
    for name in path.split("."):
        if isinstance(document, dict):
            document = document.get(name)
        elif isinstance(document, list) and name.isdecimal() and int(name) < len(document):
            document = document[int(name)]
        else:
            return None
    return document


def _text(value) -> str:
    """Return a JSON value as people would write it down; "" for what is no single value."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).strip() if isinstance(value, (str, int, float)) else ""


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
