"""People and companies a business works for."""

import math
import re
import unicodedata
import uuid

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import (
    EmailValidator,
    MaxLengthValidator,
    MaxValueValidator,
    MinValueValidator,
    RegexValidator,
)
from django.db import models
from django.utils import timezone
from django.utils.text import slugify

from accounts.actor import Actor
from accounts.events import record
from accounts.models import Business, Event
from accounts.verbs import Stale, own_external_id, refusal, refuse_unknown, verb

TINTS = list(enumerate("Red Orange Yellow Green Teal Blue Violet Pink".split(), start=1))
TAGS = [("", "No tag"), ("main", "Main"), ("work", "Work"), ("home", "Home")]
PHONE_TAGS = [*TAGS, ("mobile", "Mobile"), ("fax", "Fax")]
ADDRESS_TAGS = [*TAGS, ("billing", "Billing"), ("shipping", "Shipping")]
MOST_PARTS = 50  # e-mails of a contact, phones, addresses
MOST_EXTENDED = 100  # facts that programs keep at a contact
LONGEST_NAME = 420  # as it is shown and sorted; its parts may be longer
LOCALE = "^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8}){0,3}$"
is_locale = RegexValidator(LOCALE.replace("$", r"\Z"), "Write a language like en or pt-BR.", "locale")
is_country = RegexValidator(r"^[A-Z]{2}\Z", "A country is two capital letters, like DE.", "country")


def check_extended(facts) -> None:
    """Refuse what is no short list of texts, numbers and yes or no by name."""
    if not isinstance(facts, dict) or len(facts) > MOST_EXTENDED:
        raise ValidationError(f"At most {MOST_EXTENDED} extended fields, each by its name.", code="extended")
    for key, value in facts.items():
        if not isinstance(key, str) or not re.fullmatch(r"[A-Za-z0-9][\w.-]{0,99}", key, re.ASCII):
            raise ValidationError("An extended field is called by letters, digits, dots, - and _.", code="extended")
        is_text = isinstance(value, str) and len(value) <= 1000
        is_number = isinstance(value, (bool, int, float)) and math.isfinite(value) and abs(value) <= 2**53
        if not is_text and not is_number:
            raise ValidationError(
                "An extended field is a text of at most 1000 characters, a number, true or false.", code="extended"
            )


class ContactLabel(models.Model):
    """A label that contacts of a business may wear; its key is fixed at creation."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="contact_labels")
    key = models.SlugField(max_length=80, allow_unicode=True, editable=False)
    name = models.CharField(max_length=50)
    tint = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(8)])
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    is_new = False  # `find_or_create` says when it has just made it

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["business", "key"], name="contact_label_once")]

    def __str__(self):
        return self.name

    @classmethod
    @verb("contact_label.create")
    def find_or_create(cls, business, name: str, *, by: Actor):
        """Return the label of that name, made with the next tint if it is new."""
        Business.objects.select_for_update(no_key=True).get(pk=business.pk)
        label = cls(business=business, name=" ".join(name.split()), tint=1 + business.contact_labels.count() % 8)
        twin = label._twin()
        if twin:
            return twin
        label.key = label._free_key()
        label.clean_fields(exclude=["business"])
        label.save(force_insert=True)
        label.is_new = True
        record("contact_label.created", label, by, label=label.name)
        return label

    @verb("contact_label.update")
    def update(self, *, name: str | None = None, tint: int | None = None, by: Actor):
        """Rename or recolour; every contact that wears it shows the change. Raises ValidationError for a taken name."""
        self.refresh_from_db(from_queryset=ContactLabel.objects.select_for_update(no_key=True))
        before = {"name": self.name, "tint": self.tint}
        self.name = self.name if name is None else " ".join(name.split())
        self.tint = self.tint if tint is None else tint
        after = {"name": self.name, "tint": self.tint}
        if before == after:
            return
        self.clean_fields(exclude=["business"])
        if self._twin():
            raise refusal("name", f"There is a label “{self.name}” already.", "label_exists")
        self.updated_at = timezone.now()
        self.save(update_fields=["name", "tint", "updated_at"])
        record("contact_label.updated", self, by, before=before, after=after)

    @verb("contact_label.delete")
    def delete_everywhere(self, *, by: Actor):
        """Delete the label and take it off every contact."""
        self.refresh_from_db(from_queryset=ContactLabel.objects.select_for_update(no_key=True))
        record("contact_label.deleted", self, by, label=self.name, contacts=self.contacts.count())
        self.delete()

    def _twin(self):
        """Return another label of the same name, whatever its capitals."""
        others = ContactLabel.objects.filter(business_id=self.business_id).exclude(pk=self.pk)
        return next((other for other in others if folded(other.name) == folded(self.name)), None)

    def _free_key(self) -> str:
        key = slugify(self.name, allow_unicode=True)[:70] or "label"
        taken = ContactLabel.objects.filter(business_id=self.business_id, key=key).exists()
        return f"{key}-{self.pk.hex[:8]}" if taken else key


class ContactQuerySet(models.QuerySet):
    """Reads contacts."""

    def live(self):
        """Return those that are not archived."""
        return self.filter(archived_at=None)

    def archived(self):
        """Return those that are."""
        return self.filter(archived_at__isnull=False)

    def matching(self, text: str):
        """Return those in whose names, company, e-mails or phones every word occurs."""
        found = self
        for word in folded(text).split()[:10]:
            found = found.filter(search__contains=word)
        return found

    def called(self, name: str):
        """Return those with exactly this name, whatever its capitals."""
        return self.filter(sort_name=folded(name)[:LONGEST_NAME])

    def sharing(self, emails, phones, others=None):
        """Return those who have one of these e-mails or phones, or are among the others."""
        mails = EmailAddress.objects.filter(email__in={email.strip().lower() for email in emails} - {""})
        calls = PhoneNumber.objects.filter(digits__in={digits_of(phone) for phone in phones} - {""})
        named = (self.none() if others is None else others).order_by().values("pk")
        return self.filter(pk__in=mails.order_by().values("contact").union(calls.order_by().values("contact"), named))

    def for_page(self):
        """Return contacts with everything their own page shows."""
        return self.prefetch_related("emails", "phones", "addresses", "labels")


class Contact(models.Model):
    """A person or company: what cards are about. The first e-mail and phone are the primary ones."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="contacts")
    given_name = models.CharField(max_length=1000, blank=True)
    family_name = models.CharField(max_length=1000, blank=True)
    company = models.CharField(max_length=1000, blank=True)
    job_title = models.CharField(max_length=1000, blank=True)
    notes = models.TextField(max_length=20_000, blank=True, validators=[MaxLengthValidator(20_000)])
    source = models.CharField(max_length=100, blank=True)
    birthdate = models.DateField(null=True, blank=True)
    locale = models.CharField(
        "language", max_length=35, blank=True, validators=[is_locale], help_text="Like en or pt-BR."
    )
    extended = models.JSONField(
        default=dict, blank=True, validators=[check_extended], help_text="What programs keep here, by name."
    )
    labels = models.ManyToManyField(ContactLabel, blank=True, related_name="contacts")
    # What people see, search and sort by, kept beside the parts it is made of.
    name = models.CharField(max_length=LONGEST_NAME, editable=False)
    sort_name = models.CharField(max_length=LONGEST_NAME, editable=False, default="")  # folded
    email = models.CharField("primary e-mail", max_length=320, blank=True, editable=False)
    phone = models.CharField("primary phone", max_length=50, blank=True, editable=False)
    search = models.TextField(editable=False, default="")
    external_id = models.CharField(max_length=200, blank=True, default="")
    revision = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    archived_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )

    objects = ContactQuerySet.as_manager()
    TEXTS = ("given_name", "family_name", "company", "job_title", "notes", "source", "locale", "external_id")
    FIELDS = (*TEXTS, "birthdate", "extended")
    PARTS = ("emails", "phones", "addresses", "labels")

    class Meta:
        ordering = ["sort_name", "id"]
        indexes = [
            models.Index(fields=["business", "sort_name", "id"], name="contact_by_name"),
            models.Index(fields=["business", "updated_at"], name="contact_by_touch"),
            models.Index(
                fields=["business", "archived_at"],
                condition=models.Q(archived_at__isnull=False),
                name="contact_archive",
            ),
            models.Index(
                fields=["business", "created_at", "id"], condition=models.Q(archived_at=None), name="contact_by_age"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["business", "external_id"], condition=~models.Q(external_id=""), name="contact_external_once"
            )
        ]

    def __str__(self):
        return self.name

    @classmethod
    @verb("contact.create")
    def create(cls, business, *, emails=(), phones=(), addresses=(), labels=(), only_if_new=False, by: Actor, **fields):
        """Make a contact from its parts.

        emails, phones, addresses: lists of (value, tag), the first is the primary one, a phone's country may follow;
        labels: ContactLabels or names. only_if_new: see `_refuse_twin`.
        Raises ValidationError when neither a name, a company, an e-mail nor a phone is given.
        """
        refuse_unknown(fields, cls.FIELDS)
        contact = cls(business=business, **fields)
        if only_if_new:
            contact._refuse_twin(emails, phones)
        contact._write(emails, phones, addresses, labels, by=by, insert=True)
        record("contact.created", contact, by, contact=contact.name, source=contact.source)
        return contact

    @classmethod
    @verb("contact.create")
    def find_or_create(cls, business, text: str, *, by: Actor):
        """Return the one live contact with this e-mail, phone or whole name, made from it when there is none.

        Raises ValidationError when several contacts match: only a person knows who is meant.
        """
        text = " ".join(text.split())
        # Two clicks at once must not make two contacts.
        Business.objects.select_for_update(no_key=True).get(pk=business.pk)
        known = list(cls.lookalikes(business, name=text, emails=[text], phones=[text] if _is_phone(text) else []))
        if len(known) > 1:
            raise ValidationError(f"Several contacts match {text}. Choose one of them.", code="several")
        return known[0] if known else cls.create(business, **_parts_of(text), by=by)

    @verb("contact.update")
    def update(self, *, revision: int | None = None, extend=None, only_if_new=False, by: Actor, **changes):
        """Change what is given (fields, emails, phones, addresses, labels) and nothing else.

        extend: extended fields to put beside the others, None takes one out; only_if_new: see `_refuse_twin`.
        Raises Stale when `revision` is not the present one, ValidationError for bad parts.
        """
        refuse_unknown(changes, (*self.FIELDS, *self.PARTS))
        self.refuse_unless_at(revision)
        self._refuse_archived()
        if extend:
            extended = self.extended | extend
            changes["extended"] = {key: value for key, value in extended.items() if value is not None}
        if only_if_new:
            self._refuse_twin(changes.get("emails"), changes.get("phones"))
        before = self.as_told()
        for key in self.FIELDS:
            setattr(self, key, changes.get(key, getattr(self, key)))
        self._write(**{key: changes.get(key) for key in self.PARTS}, by=by)
        if changed := self.touch_since(before):
            record("contact.updated", self, by, changed=[key.replace("_", " ") for key in changed["before"]], **changed)

    @verb("contact.update")
    def relabel(self, *, add=(), remove=(), by: Actor):
        """Put labels of the business on and take others off; those it wears besides stay. The same again is no news."""
        self._lock()
        self._refuse_archived()
        before = self.as_told()
        self.labels.add(*self._labels(add, by))
        self.labels.remove(*remove)
        if changed := self.touch_since(before):
            record("contact.updated", self, by, changed=["labels"], **changed)

    @verb("contact.archive")
    def archive(self, *, by: Actor):
        """Take the contact out of the lists; its cards keep it. Doing it again is no news."""
        self._lock()
        if self.archived_at:
            return
        self.archived_at, self.archived_by_id = timezone.now(), by.user_id
        self._touch("archived_at", "archived_by")
        record("contact.archived", self, by, contact=self.name)

    @verb("contact.restore")
    def restore(self, *, by: Actor):
        """Bring an archived contact back."""
        self._lock()
        if not self.archived_at:
            return
        self.archived_at = self.archived_by = None
        self._touch("archived_at", "archived_by")
        record("contact.restored", self, by, contact=self.name)

    @verb("contact.delete")
    def delete_for_good(self, *, by: Actor):
        """Delete an archived contact; its cards stay, without it. Raises ValidationError when not archived."""
        self._lock()
        if not self.archived_at:
            raise ValidationError("Archive the contact first, then delete it from the archive.", code="not_archived")
        record("contact.deleted", self, by, contact=self.name, into=None)
        self.delete()

    @classmethod
    def lookalikes(cls, business, *, name="", emails=(), phones=(), but=None):
        """Return up to five live contacts that share an e-mail, a phone or the whole name, for the duplicate warning."""
        contacts = cls.objects.filter(business=business).live()
        named = contacts.called(name) if name.strip() else contacts.none()
        return contacts.sharing(emails, phones, named).exclude(pk=but and but.pk)[:5]

    def twins(self):
        """Return up to five live contacts that may be the same: with an e-mail, a phone or the whole name in common."""
        others = Contact.objects.filter(business_id=self.business_id).live().exclude(pk=self.pk)
        emails, phones = ([str(part) for part in parts.all()] for parts in (self.emails, self.phones))
        return others.sharing(emails, phones, others.called(self.name))[:5]

    def parts(self) -> dict[str, list]:
        """Return e-mails, phones, addresses and labels as `create` and `update` take them."""
        return {
            "emails": [(row.email, row.tag) for row in self.emails.all()],
            "phones": [(row.phone, row.tag, row.country) for row in self.phones.all()],
            "addresses": [(row.address, row.tag) for row in self.addresses.all()],
            "labels": list(self.labels.all()),
        }

    def as_told(self) -> dict:
        """Return what the ledger keeps of a contact."""
        told = {key: getattr(self, key) for key in self.FIELDS}
        told["birthdate"] = told["birthdate"].isoformat() if told["birthdate"] else ""
        told["emails"] = [as_said(*row) for row in self.emails.values_list("email", "tag")]
        told["phones"] = [as_said(*row) for row in self.phones.values_list("phone", "tag", "country")]
        told["addresses"] = [as_said(*row) for row in self.addresses.values_list("address", "tag")]
        told["labels"] = list(self.labels.values_list("name", flat=True))
        return told

    def told_at(self, revision: int) -> dict:
        """Return what the ledger kept of the contact when it had this revision: each one since has its event."""
        told = self.as_told()
        for event in Event.objects.about(self)[: max(0, self.revision - revision)]:
            told |= event.details.get("before", {})
        return told

    def history(self, most: int, before: int | None = None) -> tuple[list[Event], bool]:
        """Return what happened, newest first and from a sequence on, with each change in words; and whether there is more."""
        events = Event.objects.about(self)
        if before is not None:
            events = events.filter(sequence__lt=before)
        events = list(events[: most + 1])
        for event in events:
            was, now = event.details.get("before", {}), event.details.get("after", {})
            event.changes = [(key.replace("_", " "), in_words(was[key]), in_words(now.get(key))) for key in was]
        return events[:most], len(events) > most

    # Under the lock -----------------------------------------------------------------------------------

    def refuse_unless_at(self, revision: int | None) -> None:
        """Lock the contact and raise Stale unless this is its revision (None: any); for a verb in the same transaction."""
        self._lock()
        if revision is not None and revision != self.revision:
            raise Stale(self._news())

    def touch_since(self, before: dict) -> dict:
        """Count a change as a new revision; return what differs from what was told, before and after, or nothing."""
        after = self.as_told()
        changed = [key for key in before if before[key] != after[key]]
        if not changed:
            return {}
        self._touch()
        return {"before": {key: before[key] for key in changed}, "after": {key: after[key] for key in changed}}

    def _lock(self):
        """Lock the contact and read it anew; who only makes a card about it need not wait. Raises Stale when it is gone."""
        try:
            self.refresh_from_db(from_queryset=Contact.objects.select_for_update(no_key=True))
        except Contact.DoesNotExist:
            raise Stale("This contact was deleted a moment ago. Nothing was changed.") from None

    def _refuse_twin(self, emails, phones) -> None:
        """Raise ValidationError (twin, with its contact) when a live contact has one of these e-mails already.

        Where no e-mail is given the phones count. What the contact itself has does not. The business stays locked, so
        that of two who come at once the second sees the first.
        """
        Business.objects.select_for_update(no_key=True).get(pk=self.business_id)
        mails = {value.strip().lower() for value, *_ in emails or ()}
        calls = set() if mails else {digits_of(value) for value, *_ in phones or ()}
        if not self._state.adding:
            mails -= set(self.emails.values_list("email", flat=True))
            calls -= set(self.phones.values_list("digits", flat=True))
        others = Contact.objects.filter(business_id=self.business_id).live().exclude(pk=self.pk)
        twin = others.sharing(mails, calls).order_by("created_at", "id").first()
        if twin:
            known = {"contact": twin.name, "duplicate_contact_id": str(twin.pk)}
            raise ValidationError("%(contact)s has this e-mail or phone already.", code="twin", params=known)

    def _refuse_archived(self):
        if self.archived_at:
            raise ValidationError(f"{self.name} is archived. Restore it first.", code="archived")

    def _news(self) -> str:
        """Return who did what to this contact last, in words, for a refusal."""
        last = Event.objects.about(self).first()
        what = "archived" if self.archived_at else "changed"
        return f"{last.actor_name if last else 'Somebody'} {what} {self.name} while you were writing."

    def _touch(self, *fields):
        self.revision += 1
        self.updated_at = timezone.now()
        self.save(update_fields=[*fields, "revision", "updated_at"])

    def _write(self, emails=None, phones=None, addresses=None, labels=None, *, by: Actor, insert=False):
        """Write the fields and those parts that are given; keep what is derived from them right."""
        emails = _cleaned("emails", emails, str.lower)
        phones, addresses = _cleaned("phones", phones), _cleaned("addresses", addresses)
        labels = self._labels(labels, by)
        for key in self.TEXTS:
            setattr(self, key, getattr(self, key).strip())
        if self.birthdate and self.birthdate > timezone.localdate():
            raise refusal("birthdate", "A birthday lies in the past.", "birthdate")
        mails = self.emails.values_list("email") if emails is None else emails
        calls = self.phones.values_list("phone") if phones is None else phones
        self._derive([mail for mail, *_ in mails], [call for call, *_ in calls])
        self.clean_fields(exclude=["archived_by", "business"])
        with own_external_id(self):
            self.save(force_insert=insert)
        if insert:  # nothing is there to be replaced by nothing
            emails, phones, addresses, labels = (part or None for part in (emails, phones, addresses, labels))
        _replace(self.emails, emails, "email")
        _replace(self.phones, _with_countries(self, phones), "phone")
        _replace(self.addresses, addresses, "address")
        if labels is not None:
            self.labels.set(labels)

    def _derive(self, mails: list[str], calls: list[str]):
        """Set what people see, search and sort by from the parts it is made of; raises ValidationError for nobody."""
        self.email, self.phone = (mails[0] if mails else ""), (calls[0] if calls else "")
        name = name_of(self.given_name, self.family_name) or self.company or self.email or self.phone
        if not name:
            raise ValidationError("Give at least a name, a company, an e-mail or a phone.", code="nobody")
        self.name, self.sort_name = name[:LONGEST_NAME], folded(name)[:LONGEST_NAME]
        lines = [self.name, self.company, self.job_title, *mails]
        lines += [part for call in calls for part in (call, digits_of(call))]
        self.search = "".join(f"{folded(line)}\n" for line in lines)

    def _labels(self, labels, by: Actor):
        """Return labels of the business, those given by name made where they are new; None when none were given."""
        if labels is None:
            return None
        own = [
            label if isinstance(label, ContactLabel) else ContactLabel.find_or_create(self.business, label, by=by)
            for label in labels
        ]
        if any(label.business_id != self.business_id for label in own):
            raise ValueError("a label of another business")
        return own


class EmailAddress(models.Model):
    """An e-mail address of a contact, in small letters; position 0 is the primary one."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="emails")
    email = models.EmailField(max_length=320, db_index=True)
    tag = models.CharField(max_length=10, choices=TAGS, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position"]
        verbose_name_plural = "e-mail addresses"
        constraints = [models.UniqueConstraint(fields=["contact", "position"], name="email_place")]

    def __str__(self):
        return self.email


class PhoneNumber(models.Model):
    """A phone number of a contact, as typed and as digits; position 0 is the primary one."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="phones")
    phone = models.CharField(max_length=50)
    digits = models.CharField(max_length=50, db_index=True, editable=False)
    country = models.CharField(max_length=2, blank=True, validators=[is_country], help_text="Like DE.")
    tag = models.CharField(max_length=10, choices=PHONE_TAGS, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["contact", "position"], name="phone_place")]

    def __str__(self):
        return self.phone

    @property
    def link(self) -> str:
        """Return the address that makes a telephone call it."""
        return f"tel:{self.e164 or self.digits}"

    @property
    def e164(self) -> str:
        """Return the number as the whole world dials it, if it was written that way."""
        return e164_of(self.phone)


class Address(models.Model):
    """A postal address of a contact, in lines as it goes on an envelope."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="addresses")
    address = models.TextField(max_length=1000, validators=[MaxLengthValidator(1000)])
    tag = models.CharField(max_length=10, choices=ADDRESS_TAGS, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position"]
        verbose_name_plural = "addresses"
        constraints = [models.UniqueConstraint(fields=["contact", "position"], name="address_place")]

    def __str__(self):
        return self.address


def folded(text: str) -> str:
    """Return text as it is searched and sorted: capitals, kinds of accents and runs of spaces make no difference."""
    return " ".join(unicodedata.normalize("NFKC", text).replace("\x00", " ").casefold().split())


def name_of(given: str, family: str) -> str:
    """Return a whole name."""
    return " ".join(f"{given} {family}".split())


def as_said(value: str, *remarks: str) -> str:
    """Return a part of a contact with its tag, as the ledger keeps it."""
    said = ", ".join(filter(None, remarks))
    return f"{value} ({said})" if said else value


def in_words(told) -> str:
    """Return what the ledger kept of a field as a person reads it."""
    if isinstance(told, dict):
        told = [f"{key}: {value}" for key, value in sorted(told.items())]
    return (", ".join(told) if isinstance(told, list) else told) or "nothing"


def digits_of(phone: str) -> str:
    """Return a phone number's digits, so that spaces and brackets do not hide a duplicate."""
    return re.sub(r"\D", "", phone).removeprefix("00")[:50]


def e164_of(phone: str) -> str:
    """Return a number as the whole world dials it, if it was written that way.

    A country alone does not say which leading digits of a national number fall away, so that is not guessed.
    """
    whole = digits_of(phone.replace("(0)", ""))
    return f"+{whole}" if phone.startswith(("+", "00")) and 7 <= len(whole) <= 15 else ""


def _cleaned(kind, parts, change=str):
    """Return (value, tag …) of each part without blanks and repeats, or None when the part was not given."""
    if parts is None:
        return None
    seen = {}
    for value, *rest in parts:
        value = change(value.strip())
        if value:
            seen.setdefault(value, rest)
    if len(seen) > MOST_PARTS:
        raise refusal(kind, f"A contact has at most {MOST_PARTS} of them.", "too_long")
    return [(value, *rest) for value, rest in seen.items()]


def _with_countries(contact, phones):
    """Return phones with their countries; where none is said, the one the number had stays."""
    if phones is None:
        return None
    known = dict(contact.phones.values_list("phone", "country"))
    return [(phone, tag, *(rest or [known.get(phone, "")])) for phone, tag, *rest in phones]


def _replace(rows, parts, field):
    if parts is None:
        return
    rows.all().delete()
    made = [
        rows.model(contact=rows.instance, position=at, **dict(zip((field, "tag", "country"), part, strict=False)))
        for at, part in enumerate(parts)
    ]
    for row in made:
        if field == "phone":
            row.digits = digits_of(row.phone)
        row.clean_fields(exclude=["contact"])
    rows.model.objects.bulk_create(made)


def _is_email(text: str) -> bool:
    try:
        EmailValidator()(text)
    except ValidationError:
        return False
    return True


def _is_phone(text: str) -> bool:
    return bool(re.fullmatch(r"[+(]?[\d\s()./-]{5,}", text))


def _parts_of(text: str) -> dict:
    """Return the parts of a contact that somebody jotted down: an e-mail address, a phone number or a name."""
    if _is_email(text):
        return {"emails": [(text, "")]}
    if _is_phone(text):
        return {"phones": [(text, "")]}
    given, _, family = text.rpartition(" ")
    return {"given_name": given, "family_name": family} if given else {"given_name": family}
