"""What a webhook says about an event: in our words, or in those of the three card webhooks."""

import json
from datetime import UTC, datetime

from django.utils.html import strip_tags

from accounts.events import catalogue, sentence
from boards.models import Card

# What businesses may be told of; what happens to the telling itself is not among it, or a failing call would call again.
TOLD = ("card", "contact", "order", "workflow", "phase")
CARD_SLUGS = {"card.created": "created", "card.deleted": "deleted"}  # every other change of a card is "updated"
MOVED_UP = ("before", "after")  # details that stand beside the card
OURS_ALONE = ("rank", "was", "filled")  # details that only an undo can read
IDENTITIES = {
    "member": ("MEMBER", "memberId"),
    "token": ("APP", "appId"),
    "form": ("ANONYMOUS_VISITOR", "anonymousVisitorId"),
}


def told_events() -> list:
    """Return the kinds of events that a webhook can choose, those of cards first."""
    return [kind for noun in TOLD for name, kind in catalogue.items() if name.partition(".")[0] == noun]


def as_phasewise(event, rule: dict | None = None) -> str:
    """Return an event as JSON in our own format; rule: which rule calls because of it."""
    details = event.details
    said = {
        "id": event.pk,
        # Grows with every event of the business, so also with those of one card: the later one has the larger number.
        "sequence": event.sequence,
        "says": strip_tags(str(sentence(event))),
        "business": str(event.business_id),
        "actor": {"kind": event.actor_kind, "id": event.actor_id, "name": event.actor_name},
        "cause": event.cause_id,
        "chain": event.root_id or event.pk,
        "subject": {"kind": event.subject_kind, "id": str(event.subject_id), "name": event.subject_name},
        "details": {key: value for key, value in details.items() if key not in MOVED_UP + OURS_ALONE},
    }
    if rule:
        said["rule"] = rule
    if event.name == "card.moved":
        said |= {"from": details["before"], "to": details["after"]}
    said |= {key: details[key] for key in MOVED_UP if key in details}
    if event.subject_kind == "card":
        said["card"] = describe(_card(event))
    return _json({"type": event.name, "timestamp": _moment(event.at), "data": said})


def as_rule(rule: dict, card: Card | None, why: str, at: datetime) -> str:
    """Return as JSON that a rule acted because a moment came."""
    said = {"says": why, "rule": rule, "card": describe(card)}
    return _json({"type": "rule.acted", "timestamp": _moment(at), "data": said})


def as_card_webhook(event) -> dict:
    """Return the claims of one of the three card webhooks: the event is a JSON string inside."""
    slug = CARD_SLUGS.get(event.name, "updated")
    entity = _entity(_card(event))
    specific = {
        "created": {"createdEvent": {"entity": entity}},
        "updated": {"updatedEvent": {"currentEntity": entity}},
        "deleted": {"deletedEvent": {}},
    }[slug]
    told = {
        "id": str(event.pk),
        "entityFqdn": "wix.workflows.v1.card",
        "slug": slug,
        "entityId": str(event.subject_id),
        **specific,
        "eventTime": _moment(event.at),
        "triggeredByAnonymizeRequest": False,
        "originatedFrom": event.name.partition(".")[2],
        "entityEventSequence": str(event.sequence),
    }
    kind, key = IDENTITIES.get(event.actor_kind, ("WIX_USER", "wixUserId"))
    content = {
        "eventType": f"wix.workflows.v1.card_{slug}",
        "instanceId": str(event.business_id),
        "data": _json(told),
        "identity": _json({"identityType": kind, key: event.actor_id}),
    }
    return {"data": content, "iat": int(event.at.timestamp())}


def describe(card: Card | None) -> dict | None:
    """Return a card in plain words and numbers; None when it is gone."""
    if card is None:
        return None
    contact = card.contact
    return {
        "id": str(card.pk),
        "number": card.number,
        "name": card.name,
        "description": card.description,
        "workflow": {"id": str(card.workflow_id), "name": card.workflow.name},
        "phase": {"id": str(card.phase_id), "name": card.phase.name, "stage": card.phase.stage},
        "due_date": card.due_date and card.due_date.isoformat(),
        "due_time": card.due_time and card.due_time.isoformat("minutes"),
        "value": card.value,
        "source": card.source,
        "external_id": card.external_id,
        "labels": [label.name for label in card.labels.all()],
        "assignees": [row.member.user.email for row in card.assignments.all()],
        "contact": contact
        and {"id": str(contact.pk), "name": contact.name, "email": contact.email, "phone": contact.phone},
        "revision": card.revision,
        "archived_at": card.archived_at and _moment(card.archived_at),
    }


def _card(event) -> Card | None:
    if event.subject_kind != "card":
        return None
    cards = Card.objects.select_related("workflow", "phase", "contact")
    return cards.prefetch_related("labels", "assignments__member__user").filter(pk=event.subject_id).first()


def _entity(card: Card | None) -> dict:
    if card is None:
        return {}
    info = {"id": str(card.pk), "name": card.name, "description": card.description, "source": card.source}
    if card.contact_id:
        contact = str(card.contact_id)
        info["primaryAttachment"] = {"contactId": contact, "value": contact, "attachmentType": "ContactType"}
    if card.due_date:
        info["dueDate"] = f"{card.due_date.isoformat()}T00:00:00Z"
    info["phaseId"] = str(card.phase_id)
    for key, at in (("created", card.created_at), ("updated", card.updated_at)):
        info[f"{key}Date"] = info[f"{key}At"] = _moment(at, "seconds")
    return {"info": {key: value for key, value in info.items() if value != ""}}


def _moment(at: datetime, precision: str = "milliseconds") -> str:
    return at.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def _json(content) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
