"""Mail templates over the API, and the letterhead they are written on."""

from typing import Annotated
from uuid import UUID

from django.core.exceptions import ValidationError
from ninja import Query, Router
from pydantic import Field, StringConstraints

from accounts.rest import (
    WHOLE,
    Id,
    Made,
    Moment,
    Nothing,
    Offset,
    Pagination,
    ReadOnly,
    Refused,
    Revision,
    Shape,
    email,
    expected,
    find,
    given,
    in_millis,
    mark,
    operation,
    text,
)
from automations.api.shapes import Page, part_of, require_to_see_cards
from automations.letters import LONGEST
from automations.models import Letterhead, MailTemplate
from automations.models.template import LONGEST_DELAY

router = Router(tags=["Mail templates"])

CODES = {"too_many": (403, "MAX_TEMPLATES_REACHED"), "template_exists": (409, "TEMPLATE_EXISTS")}
Key = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[a-z0-9_]+$")]
Minutes = Annotated[
    int,
    Field(ge=0, le=LONGEST_DELAY, description="How long a mail waits before it leaves, and can be taken back."),
    WHOLE,
]
Subject = text(MailTemplate, "subject", 1)
Body = Annotated[text(MailTemplate, "body", 1), Field(description=f"Liquid in Markdown, at most {LONGEST:,} signs.")]
SenderName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=80, pattern=r'^[^\x00-\x1f"<>@]*$')]


class TemplateFields(Shape):
    """A mail template; without a key it gets one made of its name."""

    id: ReadOnly = None
    key: Key = Field(None, description="By this rules call it.", examples=["order_delayed"])
    name: text(MailTemplate, "name", 1) = Field(examples=["Order delayed"])
    subject: Subject = Field(examples=["Your order is late"])
    body: Body = Field(examples=["Dear {{ customer.name }}, it will take a little longer."])
    minutes: Minutes = 10
    revision: ReadOnly = None
    created_date: ReadOnly = None
    updated_date: ReadOnly = None


class TemplatePatch(TemplateFields):
    """What changes of a mail template: what is left out stays as it is."""

    key: Key = None
    name: text(MailTemplate, "name", 1) = Field(None, examples=["Order delayed"])
    subject: Subject = None
    body: Body = None
    minutes: Minutes = None


class NewTemplate(Shape):
    """A mail template to make."""

    template: TemplateFields


class ChangedTemplate(Shape):
    """What changes of a mail template."""

    template: TemplatePatch
    revision: Revision = None


class TemplateShape(Shape):
    """A mail template."""

    id: Id
    key: str
    name: str
    subject: str
    body: str
    minutes: int
    revision: int
    created_date: Moment
    updated_date: Moment


class TemplateAnswer(Shape):
    """A mail template."""

    template: TemplateShape


class WantedTemplates(Shape):
    """Which mail templates to list, by name."""

    limit: Page = 50
    offset: Offset = 0


class Templates(Shape):
    """A part of the list of mail templates."""

    templates: list[TemplateShape]
    pagination: Pagination


class AboutCard(Shape):
    """The card that a mail would be about."""

    card_id: UUID


class LetterShape(Shape):
    """A mail as it would be written; to: the customer's address, left out where the card knows none."""

    to: str = None
    sender: str
    subject: str
    text: str
    html: str


class LetterheadFields(Shape):
    """How mails are signed: what is left out stays as it is; null takes the address for answers away."""

    sender: SenderName = Field(None, description="A name; empty, the business's own.", examples=["Brightside Joinery"])
    reply_to: email(Letterhead, "reply_to") | None = Field(None, description="Where answers go.")
    footer: text(Letterhead, "footer") = Field(None, description="At the end of each mail.")


class LetterheadShape(Shape):
    """How mails are signed."""

    sender: str
    reply_to: str | None
    footer: str


class LetterheadAnswer(Shape):
    """How mails are signed."""

    letterhead: LetterheadShape


class ChangedLetterhead(Shape):
    """What changes of how mails are signed."""

    letterhead: LetterheadFields


def find_template(request, template) -> MailTemplate:
    """Return the business's mail template, or refuse with 404."""
    return find(request.business.mail_templates, "TEMPLATE_NOT_FOUND", pk=template)


def show_template(request, template) -> dict:
    """Return a mail template as it is now."""
    return {"template": _shape(find_template(request, template))}


@operation(router, "GET", "/templates", verb="template.view", answers=Templates)
def list_templates(request, wanted: Query[WantedTemplates]):
    """List the mail templates of the business."""
    shown, pagination = part_of(request.business.mail_templates.order_by("name", "pk"), wanted, _shape)
    return {"templates": shown, "pagination": pagination}


@operation(router, "POST", "/templates", verb="template.create", answers=Made, inside="template", codes=CODES)
def create_template(request, body: NewTemplate):
    """Create a mail template; what its text names that no card has is refused."""
    fields = given(body.template, *MailTemplate.FIELDS)
    return {"id": str(MailTemplate.create(request.business, **fields, by=request.actor).pk)}


@operation(router, "GET", "/templates/{template}", verb="template.view", answers=TemplateAnswer, shows=show_template)
def get_template(request, template: UUID):
    """Get a mail template."""
    found = find_template(request, template)
    mark(request, found.revision)
    return {"template": _shape(found)}


@operation(
    router,
    "PATCH",
    "/templates/{template}",
    verb="template.update",
    answers=Nothing,
    inside="template",
    shows=show_template,
    codes=CODES,
)
def update_template(request, template: UUID, body: ChangedTemplate):
    """Change a mail template; mails that wait stay as they were written."""
    changes = given(body.template, *MailTemplate.FIELDS)
    revision = expected(request, body.revision)
    find_template(request, template).update(**changes, revision=revision, by=request.actor)
    return {}


@operation(
    router, "DELETE", "/templates/{template}", verb="template.delete", answers=Nothing, shows=show_template, codes=CODES
)
def delete_template(request, template: UUID):
    """Delete a mail template; rules that send it fail from then on, and say so."""
    find_template(request, template).delete_for_good(revision=expected(request), by=request.actor)
    return {}


@operation(
    router,
    "POST",
    "/templates/{template}/preview",
    verb="template.view",
    answers=LetterShape,
    refuses="CARD_NOT_FOUND UNSUPPORTED_TEMPLATE",
)
def preview_template(request, template: UUID, body: AboutCard):
    """Get the mail that would be written about a card; nothing is sent.

    It tells of the card and its contact, so the token must be let see both.
    """
    require_to_see_cards(request)
    known = find_template(request, template)
    cards = request.business.cards.select_related("phase__status", "workflow", "contact")
    card = find(cards, "CARD_NOT_FOUND", pk=body.card_id)
    try:
        letter = known.write(card)
    except ValidationError as error:
        raise Refused(400, "UNSUPPORTED_TEMPLATE", " ".join(error.messages)) from None
    to = {"to": card.contact.email} if card.contact and card.contact.email else {}
    said = {"sender": letter["headers"]["sender"], "subject": letter["subject"]}
    return {**to, **said, "text": letter["body"], "html": letter["html"]}


@operation(router, "GET", "/letterhead", verb="template.view", answers=LetterheadAnswer)
def get_letterhead(request):
    """Get how the mails of the business are signed."""
    head = Letterhead.of(request.business)
    return {"letterhead": {"sender": head.sender, "replyTo": head.reply_to or None, "footer": head.footer}}


@operation(router, "PATCH", "/letterhead", verb="letterhead.update", answers=Nothing, inside="letterhead")
def update_letterhead(request, body: ChangedLetterhead):
    """Change how the mails of the business are signed."""
    sent = given(body.letterhead, *Letterhead.FIELDS)
    changes = {key: value or "" for key, value in sent.items()}
    Letterhead.of(request.business).update(**changes, by=request.actor)
    return {}


def _shape(template: MailTemplate) -> dict:
    return {
        "id": str(template.pk),
        **{key: getattr(template, key) for key in MailTemplate.FIELDS},
        "revision": template.revision,
        "createdDate": in_millis(template.created_at),
        "updatedDate": in_millis(template.updated_at),
    }
