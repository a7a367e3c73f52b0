"""What the resources of this floor share on the wire."""

from typing import Annotated

from pydantic import Field

from accounts.openapi import code, refuses
from accounts.policy import require
from accounts.rest import paged

for _what in ("rule", "run", "template", "webhook", "inlet", "delivery"):
    code(f"{_what.upper()}_NOT_FOUND", 404, why=f"there is no such {_what} in this business")
code("TRIGGER_NOT_FOUND", 404, why="the library has no such trigger")
code("SEVERAL_CARDS", 409, why="a report may mean several cards; `data` lists them")
code("MALFORMED_DATE", 400, why="a date is no day, or no time with its zone")
code("UNSUPPORTED_RULE", 400, why="a rule's document makes no sense; `data.part` says where")
code("RULE_OF_DESIGN", 409, why="a design brought the rule along: what it says is changed there, with its next version")
code("UNSUPPORTED_TEMPLATE", 400, why="a mail template says nothing, or too much, about this card")
code("TEMPLATE_EXISTS", 409, why="there is a mail template of this key")
code("WEBHOOK_DISABLED", 409, why="the webhook is switched off; switch it on first")
code("RUN_NOT_FAILED", 409, why="only what failed can be tried again")
for _what in ("rules", "templates", "webhooks", "inlets"):
    code(f"MAX_{_what.upper()}_REACHED", 403, why=f"the business has as many {_what} as it may")
code("MAX_TESTS_REACHED", 403, why="the webhook was tested too often in an hour")
code("MAX_REPORTS_REACHED", 403, why="too much is planned for the card already")

REPORTED = "TRIGGER_NOT_FOUND CARD_NOT_FOUND SEVERAL_CARDS MALFORMED_DATE MAX_REPORTS_REACHED"
refuses("card.report", f"{REPORTED} CARD_ARCHIVED WORKFLOW_ARCHIVED")
refuses("rule.create", "UNSUPPORTED_RULE MAX_RULES_REACHED WORKFLOW_NOT_FOUND")
refuses("rule.update", "UNSUPPORTED_RULE WORKFLOW_NOT_FOUND CARD_NOT_FOUND RULE_OF_DESIGN")
refuses("rule.delete", "RULE_OF_DESIGN")
refuses("run.retry", "RUN_NOT_FAILED")
refuses("template.create", "TEMPLATE_EXISTS MAX_TEMPLATES_REACHED UNSUPPORTED_TEMPLATE")
refuses("template.update", "TEMPLATE_EXISTS UNSUPPORTED_TEMPLATE")
refuses("webhook.create", "MAX_WEBHOOKS_REACHED")
refuses("webhook.test", "MAX_TESTS_REACHED WEBHOOK_DISABLED")
refuses("delivery.resend", "WEBHOOK_DISABLED")
refuses("inlet.create", "MAX_INLETS_REACHED TRIGGER_NOT_FOUND")
refuses("inlet.update", "TRIGGER_NOT_FOUND")

Page = Annotated[int, Field(ge=1, le=1000)]


def part_of(rows, wanted, shape) -> tuple[list[dict], dict]:
    """Return the wanted part of a list in its shape, and its pagination."""
    shown = [shape(row) for row in rows[wanted.offset : wanted.offset + wanted.limit]]
    return shown, paged(wanted.limit, wanted.offset, rows.count(), len(shown))


def require_to_see_cards(request) -> None:
    """Raise PermissionDenied unless the token may see cards and contacts, of which the answer tells."""
    for seen in ("card.view", "contact.view"):
        require(request.actor, seen)
