"""What a business writes to its customers, again and again."""

import uuid
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MaxValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.text import slugify

from accounts.actor import Actor
from accounts.events import record
from accounts.models import Business
from accounts.verbs import refusal, refuse_changed_since, refuse_unknown, verb
from automations import letters
from automations.models.arrangement import Arrangement
from automations.models.delivery import Delivery
from automations.starters import LETTERS

MOST = 100  # of one business
TESTS = 10  # an hour and person
LONGEST_DELAY = 7 * 24 * 60  # minutes
KEY = RegexValidator(r"^[a-z0-9_]+\Z", "Use small letters, digits and underscores.")


class Letterhead(models.Model):
    """How a business signs its mails: the sender's name, where answers go, what stands at the end of each."""

    business = models.OneToOneField(Business, models.CASCADE, primary_key=True, related_name="letterhead")
    sender = models.CharField("sender's name", max_length=80, blank=True)
    reply_to = models.EmailField("answers go to", max_length=254, blank=True)
    footer = models.TextField(
        "at the end of each mail", max_length=500, blank=True, validators=[MaxLengthValidator(500)]
    )

    FIELDS = ("sender", "reply_to", "footer")

    def __str__(self):
        return f"Letterhead of {self.business}"

    @classmethod
    def of(cls, business) -> "Letterhead":
        """Return a business's letterhead, an empty one when it has none yet."""
        return cls.objects.filter(business=business).first() or cls(business=business)

    @verb("letterhead.update")
    def update(self, *, by: Actor, **changes):
        """Change what is given of FIELDS; raises ValidationError for an address that is none."""
        refuse_unknown(changes, self.FIELDS)
        changed = []
        for key, value in changes.items():
            if getattr(self, key) != value.strip():
                setattr(self, key, value.strip())
                changed.append(self._meta.get_field(key).verbose_name)
        if not changed:
            return None
        if any(sign in self.sender for sign in '\r\n"<>@'):
            raise refusal("sender", "A name only: no address, no quotation marks.", "sender")
        self.clean_fields(exclude=["business"])
        self.save()
        return record("letterhead.updated", self.business, by, changed=changed)


class MailTemplate(Arrangement):
    """A letter with places to fill in; rules send it by its key.

    minutes: for how long a mail waits before it leaves, so that it can be taken back.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="mail_templates")
    key = models.CharField(max_length=60, validators=[KEY])
    name = models.CharField(max_length=80)
    subject = models.CharField(max_length=letters.LONGEST_SUBJECT)
    body = models.TextField(max_length=letters.LONGEST, validators=[MaxLengthValidator(letters.LONGEST)])
    minutes = models.PositiveIntegerField(
        "minutes before it leaves", default=10, validators=[MaxValueValidator(LONGEST_DELAY)]
    )
    revision = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    FIELDS = ("key", "name", "subject", "body", "minutes")

    class Meta:
        ordering = ["name", "created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["business", "key"],
                name="template_key_once",
                violation_error_message="There is a template of this key.",
            )
        ]

    def __str__(self):
        return self.name

    @classmethod
    @verb("template.create")
    def create(cls, business, *, by: Actor, **fields):
        """Make a template, with a key made of its name where none is given; raises ValidationError for bad fields."""
        refuse_unknown(fields, cls.FIELDS)
        Business.objects.select_for_update(no_key=True).get(pk=business.pk)
        if business.mail_templates.count() >= MOST:
            raise ValidationError(f"A business has at most {MOST} mail templates.", code="too_many")
        template = cls(business=business, **fields)
        template.key = template.key or slugify(template.name).replace("-", "_")[:60] or "letter"
        template._check()
        template.save(force_insert=True)
        record("template.created", template, by, template=template.name)
        return template

    @classmethod
    @verb("template.create")
    def stock(cls, business, *, by: Actor) -> int:
        """Add those letters to begin with whose keys are free; return how many."""
        Business.objects.select_for_update(no_key=True).get(pk=business.pk)
        has = set(business.mail_templates.values_list("key", flat=True))
        new = [
            cls(business=business, key=key, name=name, subject=subject, body=body)
            for key, name, subject, body in LETTERS
            if key not in has
        ]
        cls.objects.bulk_create(new)
        if new:
            record("template.stocked", business, by, count=len(new))
        return len(new)

    @verb("template.update")
    def update(self, *, revision: int | None = None, by: Actor, **changes):
        """Change what is given of FIELDS; mails that wait stay as they were written.

        Raises ValidationError, Stale when somebody changed it since `revision`.
        """
        Business.objects.select_for_update(no_key=True).get(pk=self.business_id)  # whose keys are each its own
        changed = self._change(changes, revision)
        if not changed:
            return None
        self.revision, self.updated_at = self.revision + 1, timezone.now()
        self.save(update_fields=["revision", "updated_at"])
        return record("template.updated", self, by, template=self.name, changed=changed)

    @verb("template.delete")
    def delete_for_good(self, *, revision: int | None = None, by: Actor):
        """Delete it; mails that wait leave all the same, rules that would send it fail visibly. Raises Stale."""
        self._lock()
        refuse_changed_since(self, revision)
        record("template.deleted", self, by, template=self.name)
        self.delete()

    @verb("template.test")
    def send_test(self, card, to: str, *, by: Actor) -> Delivery:
        """Send it to oneself as it would be about a card; raises ValidationError after TESTS in an hour."""
        hour = timezone.now() - timedelta(hours=1)
        tests = Delivery.objects.filter(business=self.business_id, key__startswith="try ", by_id=by.id)
        if tests.filter(created_at__gt=hour).count() >= TESTS:
            raise ValidationError(f"{TESTS} tests an hour are enough. Try again later.", code="too_many")
        said = self.write(card)
        said["subject"] = f"[Test] {said['subject']}"
        return Delivery.queue(self.business, Delivery.MAIL, f"try {uuid.uuid4()}", to=to, card=card, by=by, **said)

    @property
    def delay(self) -> timedelta:
        """Return for how long a mail can be taken back."""
        return timedelta(minutes=self.minutes)

    def write(self, card, contact=None, event=None) -> dict:
        """Return the mail about a card: subject, body, html and headers of a delivery. Raises ValidationError."""
        head = Letterhead.of(self.business)
        sender = head.sender or self.business.name
        facts = letters.facts_of(card, self.business, contact, event)
        text = letters.render(self.body, facts).strip()
        if not text:
            raise ValidationError(f"The mail template {self.name} says nothing about this card.", code="empty")
        return {
            "subject": " ".join(letters.render(self.subject, facts).split())[:300] or self.name,
            "body": f"{text}\n\n-- \n{head.footer}\n" if head.footer else f"{text}\n",
            "html": letters.as_html(self.body, facts, sender, head.footer),
            "headers": {
                "sender": sender,
                "reply_to": head.reply_to,
                "list": f"{self.key.replace('_', '-')}.{self.business.slug}",
            },
        }

    def _check(self):
        self.name, self.subject = self.name.strip(), " ".join(self.subject.split())
        wrong = {}
        for field, longest in (("subject", letters.LONGEST_SUBJECT), ("body", letters.LONGEST)):
            try:
                letters.check(getattr(self, field), longest)
            except ValidationError as error:
                wrong[field] = error
        if wrong:
            raise ValidationError(wrong)
        self.clean_fields(exclude=["business"])
        twins = MailTemplate.objects.filter(business=self.business_id, key=self.key)
        if twins.exclude(pk=self.pk).exists():
            raise refusal("key", "There is a template of this key.", "template_exists")
