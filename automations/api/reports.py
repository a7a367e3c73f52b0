"""Reports from other systems: something happened, now or at a day to come."""

import datetime as dt
from typing import Annotated, Any

from django.utils.dateparse import parse_date, parse_datetime
from ninja import Router
from pydantic import Field, StringConstraints

from accounts.rest import EXAMPLE_ID, Id, Moment, Nothing, Refused, Shape, find, in_seconds, operation, under
from automations.clock import moment_of
from automations.models import Timer
from boards.models import Card, Trigger
from boards.search import as_uuid

router = Router(tags=["Reports"])

CODES = {"too_many": (403, "MAX_REPORTS_REACHED")}
Key = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9_-]+$")]
Word = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]


class Report(Shape):
    """What happened, and to what: a card by its id or external id, or the one card of a contact that waits for it."""

    trigger_key: Key = Field(
        description="A key of the library of triggers, as in payment_received.", examples=["payment_received"]
    )
    payload: dict[str, Any] = Field(
        {},
        description="cardId; or contactId or contactExternalId, narrowed by workflowId; scheduledDate, a day or a time "
        "with its zone, for what is to be reported only then. Whatever else it holds is left alone.",
        examples=[{"cardId": EXAMPLE_ID}],
    )
    external_entity_id: Word | None = Field(None, description="The card's external id, or what cancel is to name.")


class Reported(Shape):
    """Which card it was reported of; with a date, the time at which it will be."""

    card_id: Id
    scheduled_date: Moment = None


class Cancellation(Shape):
    """What is to be reported no more."""

    trigger_key: Key = Field(examples=["payment_received"])
    external_entity_id: Word = Field(examples=["invoice-7"])


@operation(router, "POST", "/events/report", verb="card.report", answers=Reported, codes=CODES)
def report_event(request, body: Report):
    """Report that something happened: the phase or the rules that wait for it act before the answer comes.

    Several cards of a contact that wait for it are answered with 409 SEVERAL_CARDS and their ids, and nothing is done.
    """
    trigger = find(request.business.trigger_library, "TRIGGER_NOT_FOUND", key=body.trigger_key)
    card = _card(request, body, trigger)
    at = _scheduled(request, body.payload)
    if at is None:
        card.report(trigger, by=request.actor)
        return {"cardId": str(card.pk)}
    Timer.plan(card, trigger, at, external_id=body.external_entity_id or "", by=request.actor)
    return {"cardId": str(card.pk), "scheduledDate": in_seconds(at)}


@operation(router, "POST", "/events/cancel", verb="card.cancel_report", answers=Nothing)
def cancel_event(request, body: Cancellation):
    """Cancel what is still to be reported under this key and id; that there is nothing is no error."""
    pending = Timer.objects.pending().filter(
        business=request.business, trigger=body.trigger_key, external_id=body.external_entity_id
    )
    for timer in pending:
        timer.cancel(by=request.actor)
    return {}


def _card(request, body: Report, trigger: Trigger) -> Card:
    """Return the card that is meant, or refuse: by id, by external id, else the contact's one that waits for it."""
    sent = body.payload
    rows = request.business.cards.select_related("phase", "workflow", "business")
    if sent.get("workflowId") is not None:
        rows = rows.filter(workflow=as_uuid(sent["workflowId"]))
    if sent.get("cardId") is not None:
        return find(rows, "CARD_NOT_FOUND", pk=as_uuid(sent["cardId"]))
    if body.external_entity_id and (card := under(rows, body.external_entity_id).first()):
        return card
    contact = _contact(request, sent)
    waiting = list(rows.open().filter(contact=contact, phase__trigger=trigger)[:50]) if contact else []
    if not waiting:
        raise Refused(404, "CARD_NOT_FOUND", "There is no card that waits for this.")
    if len(waiting) > 1:
        says = f"{len(waiting)} cards of this contact wait for it. Name one by its cardId, or narrow by workflowId."
        raise Refused(409, "SEVERAL_CARDS", says, cardIds=[str(card.pk) for card in waiting])
    return waiting[0]


def _contact(request, sent: dict):
    rows = request.business.contacts.live()
    if sent.get("contactId") is not None:
        return rows.filter(pk=as_uuid(sent["contactId"])).first()
    named = sent.get("contactExternalId")
    return under(rows, named).first() if isinstance(named, str) and named and "\x00" not in named else None


def _scheduled(request, sent: dict) -> dt.datetime | None:
    """Return the time to come that a payload names; None for one that is past, or none."""
    said = sent.get("scheduledDate")
    if said is None:
        return None
    at = _read(said, request.business.zone)
    if at is None:
        says = "scheduledDate is a day (2026-12-01), or a time with its zone (2026-12-01T09:30:00Z)."
        raise Refused(400, "MALFORMED_DATE", says)
    return at if at > dt.datetime.now(dt.UTC) else None


def _read(said, zone) -> dt.datetime | None:
    try:
        if isinstance(said, str) and len(said) == len("2026-12-01"):
            day = parse_date(said)
            return moment_of(day, dt.time(0), zone) if day else None
        moment = parse_datetime(said)
        return moment.astimezone(dt.UTC) if moment and moment.tzinfo and moment.year < 9999 else None
    except (TypeError, ValueError, OverflowError):
        return None
