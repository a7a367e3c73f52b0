"""What rules tell people and programs: mails, calls and notifications, queued with the rule's own step."""

from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.policy import MANAGER, OWNER, STAFF
from automations import letters
from automations.actions.registry import action
from automations.inputs import KINDS, Input, Missing, called_member, folded, kind
from automations.models.delivery import Delivery
from automations.models.notification import RULE, Notification
from automations.models.template import MailTemplate
from automations.models.webhook import Webhook
from automations.outbound import Refused, read_url
from automations.payloads import as_phasewise, as_rule

CUSTOMER, ASSIGNEE = "customer", "assignee"
TEAMS = {"owners": [OWNER], "managers": [OWNER, MANAGER], "everybody": [OWNER, MANAGER, STAFF]}


def _template(value, where, field):
    """Read a mail template by its key or name."""
    rows = MailTemplate.objects.filter(business=where.business)
    found = rows.filter(key=str(value)).first()
    found = found or next((row for row in rows if folded(value) in (folded(row.name), folded(row.key))), None)
    if found is None:
        raise Missing("mail template", value)
    return found


def _recipient(value, where, field):
    """Read who gets a mail: "customer", "assignee", a member, or an address."""
    who = folded(value)
    if who in ("customer", "contact", "the customer"):
        return CUSTOMER
    if who in ("assignee", "assignees", "the assignee"):
        return ASSIGNEE
    return KINDS["email"](value, where, field) if "@" in str(value) else KINDS["member"](value, where, field)


def _endpoint(value, where, field):
    try:
        read_url(str(value))
    except Refused as error:
        raise ValidationError(str(error), code="url") from None
    return str(value)


def _team(value, where, field):
    """Read whom to notify: "everybody", "owners", "managers", "assignee", or a member."""
    who = folded(value)
    return who if who in TEAMS or who == ASSIGNEE else KINDS["member"](value, where, field)


kind("team", _team, called_member)
kind("template", _template)
kind("recipient", _recipient, called_member)
kind("endpoint", _endpoint)


@action(
    "send_email",
    "send an e-mail",
    Input("template", "template", "using", help="The key of a mail template."),
    Input("to", "recipient", "to", help="“customer”, “assignee”, a member, or an address."),
    leaves=True,
)
def send_email(deed, template, to):
    """Write a mail from a template; it leaves when the template's minutes are over."""
    card = deed.occasion.card
    people = _addresses(deed, to)
    written = template.write(card, deed.contact, deed.event)
    for place, address in enumerate(people.values()):
        mail = Delivery.queue(
            deed.business,
            Delivery.MAIL,
            f"run {deed.key} {place}",
            delay=template.delay,
            to=address,
            card=card,
            event=deed.event,
            run=deed.run,
            by=deed.by,
            **written,
        )
        deed.shown.append(
            {"kind": "mail", "to": address, "subject": mail.subject, "body": mail.body, "html": mail.html}
        )
    wait = f"in {template.minutes} min" if template.minutes else "now"
    return f"E-mail “{written['subject']}” to {', '.join(people)}, leaving {wait}"


@action("webhook", "call a webhook", Input("url", "endpoint", "at", help="https://…"), leaves=True)
def call_webhook(deed, url):
    """Call a URL with what happened and the card; the business's webhook of that address signs it, if there is one."""
    webhook = Webhook.objects.filter(business=deed.business, url=url).order_by("disabled_at").first()
    if webhook and webhook.disabled_at:
        raise ValidationError(f"The webhook {webhook.name} is switched off.", code="disabled")
    rule = {"id": deed.by.id, "name": deed.by.name}
    if deed.event:
        body = as_phasewise(deed.event, rule=rule)
    else:
        body = as_rule(rule, deed.occasion.card, deed.occasion.why, timezone.now())
    call = Delivery.queue(
        deed.business,
        Delivery.CALL,
        f"run {deed.key}",
        to=url,
        webhook=webhook,
        card=deed.occasion.card,
        event=deed.event,
        run=deed.run,
        subject=deed.event.name if deed.event else "rule.acted",
        body=body,
        by=deed.by,
    )
    deed.shown.append({"kind": "webhook", "to": call.place, "subject": call.subject, "body": body})
    return f"A call of {call.place}"


@action(
    "notify",
    "notify",
    Input("to", "team", "whom", help="“everybody”, “owners”, “managers”, “assignee”, or a member."),
    Input("text", "text", "saying", required=False, help="May name facts of the card: {{ card.name }}."),
    leaves=True,
)
def notify(deed, to, text=None):
    """Tell members in their inbox, and by mail as each of them likes."""
    card = deed.occasion.card
    members = deed.business.memberships.select_related("user", "business")
    if to == ASSIGNEE:
        members = [row.member for row in deed.card.assignments.select_related("member__user", "member__business")]
    else:
        members = list(members.filter(role__in=TEAMS[to]) if to in TEAMS else members.filter(pk=to.pk))
    if not members:
        raise ValidationError("Nobody is assigned to this card.", code="nobody")
    facts = letters.facts_of(card, deed.business, deed.contact, deed.event)
    said = letters.render(text, facts) if text else f"{deed.by.name}: {card.name if card else deed.business.name}"
    told = Notification.tell(
        members, RULE, f"run {deed.key}", " ".join(said.split()), by=deed.by, card=card, event=deed.event
    )
    for note in told:
        deed.shown.append({"kind": "notification", "to": str(note.member), "subject": note.text, "body": note.text})
    return f"Told {', '.join(map(str, members))}: {' '.join(said.split())}"


def _addresses(deed, to) -> dict[str, str]:
    """Return the addresses by the names of who has them; raises ValidationError when there is nobody to write to."""
    if to == CUSTOMER:
        contact = deed.contact
        if contact is None:
            raise ValidationError("There is no customer on this card.", code="no_contact")
        if not contact.email:
            raise ValidationError(f"{contact.name} has no e-mail address.", code="no_address")
        return {contact.name: contact.email}
    if to == ASSIGNEE:
        rows = deed.card.assignments.select_related("member__user")
        people = {str(row.member): row.member.user.email for row in rows}
        if not people:
            raise ValidationError("Nobody is assigned to this card.", code="nobody")
        return people
    return {to: to} if isinstance(to, str) else {str(to): to.user.email}
