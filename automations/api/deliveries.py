"""What leaves the building, over the API: mails and calls, what came of each, and what can still be done about it."""

from typing import Literal
from uuid import UUID

from ninja import Query, Router
from pydantic import Field

from accounts.rest import Id, Moment, Nothing, Offset, Pagination, Shape, find, in_millis, operation
from automations.api.shapes import Page, part_of, require_to_see_cards
from automations.models import Delivery

router = Router(tags=["Deliveries"])

CODES = {"disabled": (409, "WEBHOOK_DISABLED")}
Kind = Literal[tuple(kind for kind, _ in Delivery.KINDS)]
State = Literal[tuple(state for state, _ in Delivery.STATES)]


class AttemptShape(Shape):
    """One attempt; status, answer and milliseconds are of a call that was answered."""

    date: Moment
    sent: bool
    said: str = Field(description="Why it failed.")
    status: int = None
    answer: str = None
    milliseconds: int = None


class DeliveryShape(Shape):
    """A mail or a call. Its text and its last attempts come only where one is asked for."""

    id: Id
    kind: Kind
    state: State
    to: str = Field(description="The address of a mail; of a call only the host.")
    subject: str
    card_id: Id = None
    webhook_id: Id = None
    run_id: Id = Field(None, description="The run of the rule that sends it by itself.")
    attempts: int
    error: str = Field(None, description="Why it failed last, or was stopped.")
    created_date: Moment
    leaves_date: Moment = Field(None, description="When it is tried next.")
    finished_date: Moment = None
    text: str = None
    html: str = None
    log: list[AttemptShape] = None


class DeliveryAnswer(Shape):
    """A mail or a call."""

    delivery: DeliveryShape


class WantedDeliveries(Shape):
    """Which deliveries to list, newest first."""

    state: State | None = None
    kind: Kind | None = None
    webhook_id: UUID | None = None
    run_id: UUID | None = None
    card_id: UUID | None = None
    limit: Page = 50
    offset: Offset = 0


class Deliveries(Shape):
    """A part of the list of deliveries."""

    deliveries: list[DeliveryShape]
    pagination: Pagination


def find_delivery(request, delivery) -> Delivery:
    """Return what of the business leaves and the token may read, or refuse with 404."""
    return find(request.business.deliveries.seen_by(request.actor), "DELIVERY_NOT_FOUND", pk=delivery)


@operation(router, "GET", "/deliveries", verb="delivery.view", answers=Deliveries)
def list_deliveries(request, wanted: Query[WantedDeliveries]):
    """List mails and calls: what waits, what has left, what was given up.

    Calls are listed for a token whose maker may see webhooks; what members are told is nobody else's.
    """
    asked = {"state": wanted.state, "kind": wanted.kind, "webhook": wanted.webhook_id}
    asked |= {"run": wanted.run_id, "card": wanted.card_id}
    rows = request.business.deliveries.seen_by(request.actor).without_texts()
    rows = rows.filter(**{key: value for key, value in asked.items() if value})
    shown, pagination = part_of(rows.order_by("-created_at", "-pk"), wanted, _shape)
    return {"deliveries": shown, "pagination": pagination}


@operation(router, "GET", "/deliveries/{delivery}", verb="delivery.view", answers=DeliveryAnswer)
def get_delivery(request, delivery: UUID):
    """Get a mail or a call with its text and what came of its last attempts.

    It tells of a card and its contact, so the token must be let see both.
    """
    require_to_see_cards(request)
    found = find_delivery(request, delivery)
    whole = {"text": found.body, "html": found.html, "log": [_attempt(one) for one in found.log]}
    return {"delivery": _shape(found) | {key: value for key, value in whole.items() if value != ""}}


@operation(router, "POST", "/deliveries/{delivery}/send", verb="delivery.send_now", answers=Nothing)
def send_delivery(request, delivery: UUID):
    """Let one that waits leave at once; 409 when it has left or was stopped."""
    find_delivery(request, delivery).send_now(by=request.actor)
    return {}


@operation(router, "POST", "/deliveries/{delivery}/stop", verb="delivery.stop", answers=Nothing)
def stop_delivery(request, delivery: UUID):
    """Keep one that waits from leaving; 409 when it has left. Doing it again is no news."""
    find_delivery(request, delivery).stop(by=request.actor)
    return {}


@operation(router, "POST", "/deliveries/{delivery}/resend", verb="delivery.resend", answers=Nothing, codes=CODES)
def resend_delivery(request, delivery: UUID):
    """Send one that has ended once more, under the same id, with attempts of its own."""
    find_delivery(request, delivery).resend(by=request.actor)
    return {}


def _shape(delivery: Delivery) -> dict:
    told = {
        "id": str(delivery.pk),
        "kind": delivery.kind,
        "state": delivery.state,
        "to": delivery.place,
        "subject": delivery.subject,
        "cardId": delivery.card_id and str(delivery.card_id),
        "webhookId": delivery.webhook_id and str(delivery.webhook_id),
        "runId": delivery.run_id and str(delivery.run_id),
        "attempts": delivery.attempts,
        "error": delivery.error or None,
        "createdDate": in_millis(delivery.created_at),
        "leavesDate": in_millis(delivery.due_at) if delivery.is_open else None,
        "finishedDate": delivery.finished_at and in_millis(delivery.finished_at),
    }
    return {key: value for key, value in told.items() if value is not None}


def _attempt(kept: dict) -> dict:
    told = {key: kept[key] for key in ("sent", "said", "status", "answer", "milliseconds") if key in kept}
    return {"date": kept["at"], **told}
