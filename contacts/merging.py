"""Several cards of one person made one: the target keeps all it has and takes over what it lacks."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError

from accounts.actor import Actor
from accounts.events import record
from accounts.models import Event
from accounts.verbs import verb
from contacts.models import Contact
from contacts.models.contact import as_said, digits_of, folded, in_words

MOST_SOURCES = 20


@dataclass(frozen=True)
class Outcome:
    """What a target will be after a merge: its fields and its parts, as `Contact.update` takes them."""

    target: Contact
    fields: dict
    parts: dict

    @property
    def gains(self) -> list[tuple[str, str, str]]:
        """Return what will differ from now, in words: which, as it is, as it will be."""
        gains = [(key, getattr(self.target, key), value) for key, value in self.fields.items()]
        for key, had in _parts_of(self.target).items():
            gains.append((key, *([_said(part) for part in parts] for parts in (had.values(), self.parts[key]))))
        return [
            (key.replace("_", " "), in_words(now), in_words(then))
            for key, now, then in gains
            if (now or "") != (then or "")
        ]

    def left_by(self, source: Contact) -> dict:
        """Return what of a source's fields has no place in the outcome, because something else stands there."""
        left = {key: getattr(source, key) for key in self.fields if key not in ("notes", "extended")}
        left |= {f"extended {key}": value for key, value in source.extended.items()}
        kept = self.fields | {f"extended {key}": value for key, value in self.fields["extended"].items()}
        return {key.replace("_", " "): str(value) for key, value in left.items() if value not in ("", None, kept[key])}


def outcome(target: Contact, sources: list[Contact]) -> Outcome:
    """Return what a merge would make of the target, and write nothing; an earlier source comes before a later one."""
    fields = {key: getattr(target, key) for key in Contact.FIELDS}
    parts = _parts_of(target)
    for source in sources:
        fields = {key: value or getattr(source, key) for key, value in fields.items()}
        fields["extended"] = source.extended | fields["extended"]
        for key, theirs in _parts_of(source).items():
            parts[key] |= {same: part for same, part in theirs.items() if same not in parts[key]}
    fields["notes"] = "\n\n".join(dict.fromkeys(one.notes for one in (target, *sources) if one.notes))
    return Outcome(target, fields, {key: list(found.values()) for key, found in parts.items()})


@verb("contact.merge")
def merge(target: Contact, sources: list[Contact], *, revision: int | None = None, by: Actor) -> Contact:
    """Make the sources part of the target, for good, and return it: what was about them is about it from now on.

    Recorded at the target, at what moved and as the deletion of each source, all in one transaction.
    Raises Stale when `revision` is not the target's present one or one of them is gone, ValidationError when the target
    is archived or among the sources, and when it cannot hold all that comes together.
    """
    refuse_impossible(target, sources)
    keys = [target.pk, *(source.pk for source in sources)]
    # In one order for everybody, so that two merges of the same contacts wait for each other instead of blocking.
    rows = (
        Contact.objects.filter(business_id=target.business_id, pk__in=keys)
        .order_by("pk")
        .select_for_update(no_key=True)
    )
    found = {contact.pk: contact for contact in rows}
    if len(found) < len(keys):
        raise Contact.DoesNotExist
    target, *sources = (found[key] for key in keys)
    target.refuse_unless_at(revision)
    target._refuse_archived()
    made = outcome(target, sources)
    # Before the ledger's own lock, which comes last everywhere.
    for source in sources:
        for _, rows in _about(source):
            list(rows.select_for_update(no_key=True).values_list("pk"))
    target._touch()
    told = [{"id": str(source.pk), "name": source.name, "left": made.left_by(source)} for source in sources]
    by = by.because_of(record("contact.merged", target, by, contact=target.name, sources=told))
    for source in sources:
        _hand_over(source, target, by)
        into = {"id": str(target.pk), "name": target.name}
        record("contact.deleted", source, by, contact=source.name, into=into)
        source.delete()
    target.update(**made.fields, **made.parts, by=by)
    return target


def heir_of(business, pk) -> Contact | None:
    """Return the contact that a deleted one is part of now, through as many merges as there were."""
    while pk:
        gone = Event.objects.filter(business=business, subject_kind="contact", subject_id=pk, name="contact.deleted")
        pk = gone.values_list("details__into__id", flat=True).first()
        heir = Contact.objects.filter(business=business, pk=pk).first() if pk else None
        if heir:
            return heir
    return None


def refuse_impossible(target: Contact, sources: list[Contact]) -> None:
    """Raise ValidationError for what can never be merged."""
    keys = {source.pk for source in sources}
    if not sources or len(keys) < len(sources) or len(sources) > MOST_SOURCES:
        raise ValidationError(f"Merge one to {MOST_SOURCES} different contacts into this one.", code="merge_sources")
    if target.pk in keys:
        raise ValidationError("A contact cannot be merged into itself.", code="merge_itself")


def what_moves(source: Contact) -> list[str]:
    """Return in words what is about a contact and would be about another after a merge: 3 cards, 1 order."""
    counts = [(relation.related_model._meta, rows.count()) for relation, rows in _about(source)]
    return [f"{n} {meta.verbose_name if n == 1 else meta.verbose_name_plural}" for meta, n in counts if n]


def _hand_over(source: Contact, target: Contact, by: Actor) -> None:
    """Let all that is about one contact be about another.

    The floors above know us and not we them: their models are found by their foreign keys. One that has a history of
    its own says what that means to it with a method `follow`.
    """
    for relation, rows in _about(source):
        if hasattr(relation.related_model, "follow"):
            for row in rows.select_for_update(no_key=True):
                row.follow(target, by=by)
        else:
            rows.update(**{relation.field.name: target})


def _about(contact: Contact):
    for relation in Contact._meta.related_objects:
        if relation.related_model._meta.app_label != Contact._meta.app_label:
            yield relation, getattr(contact, relation.get_accessor_name()).all()


def _parts_of(contact: Contact) -> dict:
    """Return the parts as `Contact.update` takes them, each under what makes it the same as another."""
    parts = contact.parts()
    return {
        "emails": {email[0]: email for email in parts["emails"]},
        "phones": {digits_of(phone[0]) or phone[0]: phone for phone in parts["phones"]},
        "addresses": {folded(address[0]): address for address in parts["addresses"]},
        "labels": {label.pk: label for label in parts["labels"]},
    }


def _said(part) -> str:
    return as_said(*part) if isinstance(part, tuple) else str(part)
