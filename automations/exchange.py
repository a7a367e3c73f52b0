"""All rules of a business as one document, out and in."""

from django.core.exceptions import ValidationError

from accounts.actor import Actor
from accounts.models import Business
from accounts.verbs import in_one
from automations.models.rule import OFF, Rule


def export(business: Business) -> dict:
    """Return a business's rules as one document; those of designs travel with their designs."""
    rules = business.rules.filter(definition=None).select_related("workflow").order_by("created_at", "pk")
    return {"rules": [rule.exported() for rule in rules]}


def import_all(business: Business, document, *, by: Actor) -> list[Rule]:
    """Make the rules of a document, all or none, switched off; a workflow that is not there is left out.

    Raises ValidationError that names the rule that makes no sense.
    """
    rules = document.get("rules") if isinstance(document, dict) else None
    if not isinstance(rules, list):
        raise ValidationError("Rules are exchanged as an object with a list of rules.", code="document")
    return in_one(lambda: [_import(business, written, by) for written in rules])


def _import(business: Business, written, by: Actor) -> Rule:
    written = written if isinstance(written, dict) else {}
    name = str(written.get("name") or "")
    workflow = business.workflows.filter(name=written.get("workflow") or "").first()
    try:
        return Rule.create(business, written.get("rule"), name=name, workflow=workflow, state=OFF, by=by)
    except ValidationError as refusal:
        raise ValidationError(f"{name or 'A rule'}: {' '.join(refusal.messages)}", code="document") from None
