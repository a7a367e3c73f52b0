"""Webhooks over the API: where other programs are told of what happens."""

from typing import Annotated, Literal
from uuid import UUID

from ninja import Query, Router
from pydantic import Field, StringConstraints

from accounts.policy import may
from accounts.rest import (
    Id,
    Made,
    Moment,
    Nothing,
    Offset,
    Pagination,
    ReadOnly,
    Shape,
    find,
    given,
    in_millis,
    operation,
    text,
)
from automations.api.shapes import Page, part_of
from automations.models import Delivery, Webhook
from automations.outbound import LONGEST_URL, host_of
from automations.payloads import told_events

router = Router(tags=["Webhooks"])

CODES = {"too_many": (403, "MAX_WEBHOOKS_REACHED")}
TESTED = {"too_many": (403, "MAX_TESTS_REACHED")}
EventName = Literal[tuple(kind.name for kind in told_events())]
EventNames = Annotated[list[EventName], Field(min_length=1, max_length=200, examples=[["card.created", "card.moved"]])]
Format = Literal[tuple(name for name, _ in Webhook.FORMATS)]
Address = Annotated[str, StringConstraints(max_length=LONGEST_URL, pattern=r"^https?://[!-~]+$")]
URL = "https://shop.example/hooks/phasewise"


class WebhookFields(Shape):
    """A webhook: where to, what about, and in whose words."""

    id: ReadOnly = None
    name: text(Webhook, "name", 1) = Field(examples=["Web shop"])
    url: Address = Field(description="A public address that begins with https://.", examples=[URL])
    events: EventNames
    format: Format = Field("phasewise", description="cards: the three card webhooks, each a signed token.")
    created_date: ReadOnly = None
    failing_since_date: ReadOnly = None
    disabled_date: ReadOnly = None
    disabled_reason: ReadOnly = None


class WebhookPatch(WebhookFields):
    """What changes of a webhook: what is left out stays as it is."""

    name: text(Webhook, "name", 1) = Field(None, examples=["Web shop"])
    url: Address = None
    events: EventNames = None
    format: Format = None


class NewWebhook(Shape):
    """A webhook to make."""

    webhook: WebhookFields


class ChangedWebhook(Shape):
    """What changes of a webhook."""

    webhook: WebhookPatch


class WebhookShape(Shape):
    """A webhook; its secret is told when it is made and when it is renewed, and never again."""

    id: Id
    name: str
    url: str = Field(description="Behind its host only for a token that may change webhooks.", examples=[URL])
    events: list[str]
    format: Format
    created_date: Moment
    failing_since_date: Moment = None
    disabled_date: Moment = None
    disabled_reason: str = None


class WebhookAnswer(Shape):
    """A webhook."""

    webhook: WebhookShape


class WebhookSecret(Shape):
    """A webhook's id and the secret with which its calls are signed from now on."""

    id: Id
    secret: str = Field(
        None, description="Left out of a repeated answer when it has changed since.", examples=["whsec_c2VjcmV0"]
    )
    secret_date: Moment


class WantedWebhooks(Shape):
    """Which webhooks to list, by name."""

    limit: Page = 50
    offset: Offset = 0


class Webhooks(Shape):
    """A part of the list of webhooks."""

    webhooks: list[WebhookShape]
    pagination: Pagination


def find_webhook(request, webhook) -> Webhook:
    """Return the business's webhook, or refuse with 404."""
    return find(request.business.webhooks, "WEBHOOK_NOT_FOUND", pk=webhook)


def _secret(request, told: dict) -> dict:
    """Return the secret of what was made or renewed just now."""
    known = request.business.webhooks.filter(pk=told["id"]).first()
    is_fresh = known and in_millis(known.secret_at) == told["secretDate"]
    return {"secret": known.secrets[0]} if is_fresh else {}


@operation(router, "GET", "/webhooks", verb="webhook.view", answers=Webhooks)
def list_webhooks(request, wanted: Query[WantedWebhooks]):
    """List the webhooks of the business."""
    rows = request.business.webhooks.order_by("name", "pk")
    shown, pagination = part_of(rows, wanted, lambda webhook: _shape(request, webhook))
    return {"webhooks": shown, "pagination": pagination}


@operation(
    router,
    "POST",
    "/webhooks",
    verb="webhook.create",
    answers=WebhookSecret,
    inside="webhook",
    adds=_secret,
    codes=CODES,
)
def create_webhook(request, body: NewWebhook):
    """Create a webhook. Keep the secret: it is told only here, and when it is renewed."""
    return _renewed(Webhook.create(request.business, **given(body.webhook, *Webhook.FIELDS), by=request.actor))


@operation(router, "GET", "/webhooks/{webhook}", verb="webhook.view", answers=WebhookAnswer)
def get_webhook(request, webhook: UUID):
    """Get a webhook."""
    return {"webhook": _shape(request, find_webhook(request, webhook))}


@operation(router, "PATCH", "/webhooks/{webhook}", verb="webhook.update", answers=Nothing, inside="webhook")
def update_webhook(request, webhook: UUID, body: ChangedWebhook):
    """Change where it is, what it is told, or in which format."""
    find_webhook(request, webhook).update(**given(body.webhook, *Webhook.FIELDS), by=request.actor)
    return {}


@operation(router, "DELETE", "/webhooks/{webhook}", verb="webhook.delete", answers=Nothing)
def delete_webhook(request, webhook: UUID):
    """Delete a webhook; what waits for it is stopped, what it was told stays in the log."""
    find_webhook(request, webhook).delete_for_good(by=request.actor)
    return {}


@operation(router, "POST", "/webhooks/{webhook}/rotate", verb="webhook.rotate", answers=WebhookSecret, adds=_secret)
def rotate_webhook_secret(request, webhook: UUID):
    """Give it a new secret; the old one signs beside it for a day, so that the receiver can change over."""
    known = find_webhook(request, webhook)
    known.rotate(by=request.actor)
    return _renewed(known)


@operation(router, "POST", "/webhooks/{webhook}/test", verb="webhook.test", answers=Made, codes=TESTED)
def test_webhook(request, webhook: UUID):
    """Call it once, switched off or not; the answer is the id of the delivery, which tells what came of it."""
    return {"id": str(Delivery.queue_test(find_webhook(request, webhook), by=request.actor).pk)}


@operation(router, "POST", "/webhooks/{webhook}/enable", verb="webhook.enable", answers=Nothing)
def enable_webhook(request, webhook: UUID):
    """Tell it of events again, from now on. Doing it again is no news."""
    find_webhook(request, webhook).enable(by=request.actor)
    return {}


@operation(router, "POST", "/webhooks/{webhook}/disable", verb="webhook.disable", answers=Nothing)
def disable_webhook(request, webhook: UUID):
    """Tell it nothing any more. Doing it again is no news."""
    find_webhook(request, webhook).disable(by=request.actor)
    return {}


def _renewed(webhook: Webhook) -> dict:
    return {"id": str(webhook.pk), "secretDate": in_millis(webhook.secret_at)}


def _shape(request, webhook: Webhook) -> dict:
    told = {
        "id": str(webhook.pk),
        "name": webhook.name,
        "url": webhook.url if may(request.actor, "webhook.update") else f"{host_of(webhook.url)}/…",
        "events": webhook.events,
        "format": webhook.format,
        "createdDate": in_millis(webhook.created_at),
        "failingSinceDate": webhook.failing_since and in_millis(webhook.failing_since),
        "disabledDate": webhook.disabled_at and in_millis(webhook.disabled_at),
        "disabledReason": webhook.disabled_why or None,
    }
    return {key: value for key, value in told.items() if value is not None}
