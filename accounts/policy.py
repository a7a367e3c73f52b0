"""The one table of who may do what: pages, API, admin and rules all ask it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps

from django.core.exceptions import PermissionDenied

from accounts.actor import Actor

OWNER, MANAGER, STAFF, VIEWER = "owner", "manager", "staff", "viewer"
ROLES = [(OWNER, "Owner"), (MANAGER, "Manager"), (STAFF, "Staff"), (VIEWER, "Viewer")]
RANK = {VIEWER: 1, STAFF: 2, MANAGER: 3, OWNER: 4}
ROLE_SAYS = {
    OWNER: "Everything, also the settings and other owners",
    MANAGER: "Designs workflows, invites people, makes tokens",
    STAFF: "Works on cards and contacts",
    VIEWER: "Looks, never changes anything",
}

SCOPES = {
    "WORKFLOW_VIEW": "See workflows and their phases",
    "WORKFLOW_CREATE": "Create workflows",
    "WORKFLOW_UPDATE": "Change, archive and delete workflows, phases and labels, and what designs do by themselves",
    "CARD_VIEW": "See cards",
    "CARD_MANAGE": "Create, change, move and archive cards",
    "CONTACT_VIEW": "See contacts",
    "CONTACT_MANAGE": "Create and change contacts",
    "AUTOMATION_VIEW": "See rules, templates, webhooks and their logs",
    "AUTOMATION_MANAGE": "Change rules, templates and webhooks",
    "EVENT_REPORT": "Report that something happened to a card, and send it events",
}


@dataclass(frozen=True, slots=True)
class Grant:
    """The lowest role that may, and the scope a token needs (empty: never by token)."""

    role: str
    scope: str = ""
    says: str = ""


TABLE: dict[str, Grant] = {
    # The business and its people
    "business.view": Grant(VIEWER, says="see the business"),
    "business.update": Grant(OWNER, says="change the business's settings"),
    "member.view": Grant(STAFF, says="see the members"),
    "member.invite": Grant(MANAGER, says="invite people"),
    "member.change_role": Grant(MANAGER, says="change roles"),
    "member.remove": Grant(MANAGER, says="remove members"),
    "member.leave": Grant(VIEWER, says="leave the business"),
    "token.view": Grant(MANAGER, says="see API tokens"),
    "token.create": Grant(MANAGER, says="create API tokens"),
    "token.revoke": Grant(MANAGER, says="revoke API tokens"),
    "event.view": Grant(VIEWER, "CARD_VIEW", says="see what happened"),
    "event.retell": Grant(MANAGER, says="tell again what could not be told"),
    # Contacts
    "contact.view": Grant(VIEWER, "CONTACT_VIEW", says="see contacts"),
    "contact.create": Grant(STAFF, "CONTACT_MANAGE", says="create contacts"),
    "contact.update": Grant(STAFF, "CONTACT_MANAGE", says="change contacts"),
    "contact.archive": Grant(STAFF, "CONTACT_MANAGE", says="archive contacts"),
    "contact.restore": Grant(STAFF, "CONTACT_MANAGE", says="restore contacts"),
    "contact.merge": Grant(MANAGER, "CONTACT_MANAGE", says="merge contacts"),
    "contact.delete": Grant(MANAGER, "CONTACT_MANAGE", says="delete contacts"),
    "contact_label.create": Grant(STAFF, "CONTACT_MANAGE", says="make labels of contacts"),
    "contact_label.update": Grant(STAFF, "CONTACT_MANAGE", says="change labels of contacts"),
    "contact_label.delete": Grant(MANAGER, "CONTACT_MANAGE", says="delete labels of contacts"),
    # Workflows, phases, labels
    "workflow.view": Grant(VIEWER, "WORKFLOW_VIEW", says="see workflows"),
    "workflow.create": Grant(MANAGER, "WORKFLOW_CREATE", says="create workflows"),
    "workflow.update": Grant(MANAGER, "WORKFLOW_UPDATE", says="change workflows"),
    "workflow.publish": Grant(MANAGER, "WORKFLOW_UPDATE", says="publish designs of workflows"),
    "draft.change": Grant(MANAGER, "WORKFLOW_UPDATE", says="work on the draft of a design"),
    "workflow.archive": Grant(MANAGER, "WORKFLOW_UPDATE", says="archive workflows"),
    "workflow.restore": Grant(MANAGER, "WORKFLOW_UPDATE", says="restore workflows"),
    "workflow.delete": Grant(OWNER, "WORKFLOW_UPDATE", says="delete workflows"),
    "phase.create": Grant(MANAGER, "WORKFLOW_UPDATE", says="add phases"),
    "phase.update": Grant(MANAGER, "WORKFLOW_UPDATE", says="change phases"),
    "phase.retire": Grant(MANAGER, "WORKFLOW_UPDATE", says="retire phases"),
    "phase.move": Grant(MANAGER, "WORKFLOW_UPDATE", says="reorder phases"),
    "phase.delete": Grant(MANAGER, "WORKFLOW_UPDATE", says="delete phases"),
    "label.create": Grant(STAFF, "WORKFLOW_UPDATE", says="make labels"),
    "label.update": Grant(STAFF, "WORKFLOW_UPDATE", says="change labels"),
    "label.delete": Grant(MANAGER, "WORKFLOW_UPDATE", says="delete labels"),
    "field.create": Grant(MANAGER, "WORKFLOW_UPDATE", says="add fields"),
    "field.update": Grant(MANAGER, "WORKFLOW_UPDATE", says="change fields"),
    "field.delete": Grant(MANAGER, "WORKFLOW_UPDATE", says="delete fields"),
    # The libraries
    "library.view": Grant(VIEWER, "WORKFLOW_VIEW", says="see the libraries"),
    "status.create": Grant(MANAGER, "WORKFLOW_UPDATE", says="make statuses"),
    "status.update": Grant(MANAGER, "WORKFLOW_UPDATE", says="change statuses"),
    "status.retire": Grant(MANAGER, "WORKFLOW_UPDATE", says="retire statuses"),
    "status.restore": Grant(MANAGER, "WORKFLOW_UPDATE", says="bring statuses back"),
    "trigger.create": Grant(MANAGER, "WORKFLOW_UPDATE", says="make triggers"),
    "trigger.update": Grant(MANAGER, "WORKFLOW_UPDATE", says="change triggers"),
    "trigger.retire": Grant(MANAGER, "WORKFLOW_UPDATE", says="retire triggers"),
    "trigger.restore": Grant(MANAGER, "WORKFLOW_UPDATE", says="bring triggers back"),
    "reason.create": Grant(MANAGER, "WORKFLOW_UPDATE", says="make closing reasons"),
    "reason.update": Grant(MANAGER, "WORKFLOW_UPDATE", says="change closing reasons"),
    "reason.retire": Grant(MANAGER, "WORKFLOW_UPDATE", says="retire closing reasons"),
    "reason.restore": Grant(MANAGER, "WORKFLOW_UPDATE", says="bring closing reasons back"),
    # Order types and orders
    "order_type.create": Grant(MANAGER, "WORKFLOW_CREATE", says="make order types"),
    "order_type.update": Grant(MANAGER, "WORKFLOW_UPDATE", says="change order types"),
    "order_type.retire": Grant(MANAGER, "WORKFLOW_UPDATE", says="retire order types"),
    "order_type.restore": Grant(MANAGER, "WORKFLOW_UPDATE", says="bring order types back"),
    "order.view": Grant(VIEWER, "CARD_VIEW", says="see orders"),
    "order.open": Grant(STAFF, "CARD_MANAGE", says="open orders"),
    "order.update": Grant(STAFF, "CARD_MANAGE", says="change orders"),
    "order.advance": Grant(STAFF, "CARD_MANAGE", says="move orders on"),
    "order.take_back": Grant(STAFF, "CARD_MANAGE", says="take back what an order did"),
    "order.skip": Grant(STAFF, "CARD_MANAGE", says="skip a step of an order"),
    "order.cancel": Grant(STAFF, "CARD_MANAGE", says="cancel orders"),
    # Intake forms and what came through them
    "form.view": Grant(VIEWER, "WORKFLOW_VIEW", says="see forms"),
    "form.create": Grant(MANAGER, "WORKFLOW_UPDATE", says="make forms"),
    "form.update": Grant(MANAGER, "WORKFLOW_UPDATE", says="change forms"),
    "form.switch": Grant(MANAGER, "WORKFLOW_UPDATE", says="open and close forms"),
    "form.delete": Grant(MANAGER, "WORKFLOW_UPDATE", says="delete forms"),
    "form.submit": Grant(STAFF, says="send a form in"),
    "submission.view": Grant(VIEWER, "CARD_VIEW", says="see what was sent in"),
    "submission.make_card": Grant(STAFF, "CARD_MANAGE", says="make cards of what was sent in"),
    "submission.delete": Grant(MANAGER, "CARD_MANAGE", says="delete what was sent in"),
    # Cards
    "card.view": Grant(VIEWER, "CARD_VIEW", says="see cards"),
    "card.create": Grant(STAFF, "CARD_MANAGE", says="create cards"),
    "card.update": Grant(STAFF, "CARD_MANAGE", says="change cards"),
    "card.move": Grant(STAFF, "CARD_MANAGE", says="move cards"),
    "card.hold_back": Grant(STAFF, "CARD_MANAGE", says="hold cards back"),
    "card.report": Grant(STAFF, "EVENT_REPORT", says="report what happened to cards"),
    "card.signal": Grant(STAFF, "EVENT_REPORT", says="send events to cards"),
    "card.plan_report": Grant(STAFF, "EVENT_REPORT", says="plan what is reported later"),
    "card.cancel_report": Grant(STAFF, "EVENT_REPORT", says="cancel what is reported later"),
    "card.retry_report": Grant(MANAGER, says="report again what could not be reported"),
    "card.assign": Grant(STAFF, "CARD_MANAGE", says="assign cards"),
    "card.add_label": Grant(STAFF, "CARD_MANAGE", says="label cards"),
    "card.remove_label": Grant(STAFF, "CARD_MANAGE", says="label cards"),
    "card.archive": Grant(STAFF, "CARD_MANAGE", says="archive cards"),
    "card.restore": Grant(STAFF, "CARD_MANAGE", says="restore cards"),
    "card.delete": Grant(MANAGER, "CARD_MANAGE", says="delete cards"),
    "card.comment": Grant(STAFF, "CARD_MANAGE", says="comment"),
    "comment.update": Grant(STAFF, says="change a comment"),
    "comment.delete": Grant(STAFF, says="delete a comment"),
    "card.attach": Grant(STAFF, "CARD_MANAGE", says="attach files to cards"),
    "attachment.delete": Grant(STAFF, says="delete a file"),
    "card.add_item": Grant(STAFF, "CARD_MANAGE", says="change checklists"),
    "card.change_item": Grant(STAFF, "CARD_MANAGE", says="change checklists"),
    "card.remove_item": Grant(STAFF, "CARD_MANAGE", says="change checklists"),
    # Rules
    "rule.view": Grant(VIEWER, "AUTOMATION_VIEW", says="see rules and what they did"),
    "rule.create": Grant(MANAGER, "AUTOMATION_MANAGE", says="make rules"),
    "rule.update": Grant(MANAGER, "AUTOMATION_MANAGE", says="change rules"),
    "rule.switch": Grant(MANAGER, "AUTOMATION_MANAGE", says="switch rules on and off"),
    "rule.delete": Grant(MANAGER, "AUTOMATION_MANAGE", says="delete rules"),
    "rule.press": Grant(STAFF, "CARD_MANAGE", says="press the buttons of rules"),
    "rule.act": Grant(MANAGER, says="let a rule act"),
    "run.retry": Grant(STAFF, "AUTOMATION_MANAGE", says="try again what a rule could not do"),
    "run.cancel": Grant(STAFF, "AUTOMATION_MANAGE", says="stop what a rule has begun"),
    "health.view": Grant(MANAGER, says="see whether everything is carried"),
    # What leaves the building
    "webhook.view": Grant(MANAGER, "AUTOMATION_VIEW", says="see webhooks and what they were told"),
    "webhook.create": Grant(MANAGER, "AUTOMATION_MANAGE", says="make webhooks"),
    "webhook.update": Grant(MANAGER, "AUTOMATION_MANAGE", says="change webhooks"),
    "webhook.rotate": Grant(MANAGER, "AUTOMATION_MANAGE", says="give webhooks a new secret"),
    "webhook.test": Grant(MANAGER, "AUTOMATION_MANAGE", says="test webhooks"),
    "webhook.disable": Grant(MANAGER, "AUTOMATION_MANAGE", says="switch webhooks off"),
    "webhook.enable": Grant(MANAGER, "AUTOMATION_MANAGE", says="switch webhooks on"),
    "webhook.delete": Grant(MANAGER, "AUTOMATION_MANAGE", says="delete webhooks"),
    "inlet.view": Grant(MANAGER, "AUTOMATION_VIEW", says="see what comes in from other programs"),
    "inlet.create": Grant(MANAGER, "AUTOMATION_MANAGE", says="make addresses for other programs"),
    "inlet.update": Grant(MANAGER, "AUTOMATION_MANAGE", says="change what other programs report"),
    "inlet.rotate": Grant(MANAGER, "AUTOMATION_MANAGE", says="give other programs a new address"),
    "inlet.delete": Grant(MANAGER, "AUTOMATION_MANAGE", says="delete addresses of other programs"),
    "template.view": Grant(STAFF, "AUTOMATION_VIEW", says="see mail templates"),
    "template.create": Grant(MANAGER, "AUTOMATION_MANAGE", says="make mail templates"),
    "template.update": Grant(MANAGER, "AUTOMATION_MANAGE", says="change mail templates"),
    "template.delete": Grant(MANAGER, "AUTOMATION_MANAGE", says="delete mail templates"),
    "template.test": Grant(MANAGER, says="send a mail template to oneself"),
    "letterhead.update": Grant(MANAGER, "AUTOMATION_MANAGE", says="change the letterhead"),
    "notification.view": Grant(STAFF, says="see their inbox"),
    "notification.read": Grant(STAFF, says="tick off their inbox"),
    "notification.choose": Grant(STAFF, says="choose how they are told"),
    "delivery.view": Grant(STAFF, "AUTOMATION_VIEW", says="see what was mailed"),
    "delivery.send_now": Grant(STAFF, "AUTOMATION_MANAGE", says="let a mail leave at once"),
    "delivery.stop": Grant(STAFF, "AUTOMATION_MANAGE", says="stop what waits to be sent"),
    "delivery.resend": Grant(MANAGER, "AUTOMATION_MANAGE", says="send something again"),
}


def may(actor: Actor, verb: str) -> bool:
    """Answer whether the actor may; an unknown verb is a bug (KeyError)."""
    grant = TABLE[verb]
    if actor.kind in ("system", "admin", "rule", "form"):
        return True
    if RANK.get(actor.role, 0) < RANK[grant.role]:
        return False
    return actor.kind == "member" or (bool(grant.scope) and grant.scope in actor.scopes)


def require(actor: Actor, verb: str) -> None:
    """Raise PermissionDenied, in words, unless the actor may."""
    if not may(actor, verb):
        raise PermissionDenied(f"{lacks(actor, verb)} Nothing was changed.")


def lacks(actor: Actor, verb: str) -> str:
    """Return in words why the actor may not."""
    grant = TABLE[verb]
    if actor.kind != "token":
        return f"Only a {dict(ROLES)[grant.role].lower()} or above may {grant.says}."
    if not grant.scope:
        return "No token may do this."
    if grant.scope not in actor.scopes:
        return f"To {grant.says}, the token needs the scope {grant.scope}."
    return f"The member who made this token may no longer {grant.says}."


def may_handle(actor: Actor, role: str) -> bool:
    """Answer whether the actor may give or take a role: an owner any, a manager those below their own."""
    return actor.kind != "member" or actor.role == OWNER or RANK[role] < RANK[actor.role]


def allowed(verb: str):
    """Guard a view: the signed-in member must be allowed the verb. The tests read `view.verb`."""
    TABLE[verb]  # a typo fails at import

    def wrap(view):
        @wraps(view)
        def guarded(request, *args, **kwargs):
            require(request.actor, verb)
            return view(request, *args, **kwargs)

        guarded.verb = verb
        return guarded

    return wrap
