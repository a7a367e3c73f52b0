"""All rules of a business as one document, out and in."""

from functools import cache

from django.core.exceptions import ValidationError

from accounts.actor import Actor
from accounts.models import Business
from accounts.verbs import in_one
from automations.conditions import is_group, kind_of
from automations.document import Document, action_of
from automations.inputs import Input, Where, by_name
from automations.models.rule import OFF, Rule


def export(business: Business) -> dict:
    """Return a business's rules as one document, in which rows are called by names that another business may know.

    Those of designs travel with their designs.
    """
    rules = business.rules.filter(definition=None).select_related("workflow", "business")
    names = _Names()
    return {"rules": [rule.exported() | {"rule": names.written(rule)} for rule in rules.order_by("created_at", "pk")]}


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


# Names instead of ids ---------------------------------------------------------------------------------


class _Names:
    """Writes a rule's document with names instead of ids; what names no row stays as it was written."""

    def __init__(self):
        self._known = cache(by_name)  # for all rules of an export: most name the same few rows

    def written(self, rule: Rule) -> dict:
        """Return the document of a rule."""
        try:
            read = rule.read
        except ValidationError:
            return rule.document  # another version of us wrote it
        told, where = dict(rule.document), rule.where
        if "workflow" in told:
            told["workflow"] = self._name(told["workflow"], "workflow", where)
        if isinstance(told["trigger"], dict):
            told["trigger"] = self._filled(told["trigger"], read.trigger.inputs, where)
        if "conditions" in told:
            told["conditions"] = self._asked(told["conditions"], read, where)
        told["actions"] = [self._filled(one, action_of(one).inputs, where) for one in told["actions"]]
        return told

    def _filled(self, written: dict, inputs: tuple[Input, ...], where: Where) -> dict:
        kinds = {one.name: one.kind for one in inputs}
        return {name: self._name(value, kinds.get(name, ""), where) for name, value in written.items()}

    def _asked(self, written, read: Document, where: Where):
        """Return conditions, in whichever form they are written."""
        if is_group(written):
            return {mode: self._asked(parts, read, where) for mode, parts in written.items()}
        if isinstance(written, dict):
            return dict(self._compared(field, value, read, where) for field, value in written.items())
        return [self._part(one, read, where) for one in written or []]

    def _part(self, written: dict, read: Document, where: Where) -> dict:
        if is_group(written):
            return self._asked(written, read, where)
        field, value = self._compared(written["field"], written.get("value"), read, where)
        return written | {"field": field} | ({"value": value} if "value" in written else {})

    def _compared(self, field: str, value, read: Document, where: Where) -> tuple:
        """Return what is asked and what it is compared with."""
        fact = read.fact(field, where)
        if field.startswith("field:"):
            field = "field:" + self._name(field, "card_field", where).removeprefix("field:")
        return field, self._name(value, kind_of(fact) if fact else "", where)

    def _name(self, value, kind: str, where: Where):
        if isinstance(value, list):
            return [self._name(one, kind, where) for one in value]
        return self._known(value, kind, where) if isinstance(value, str) else value
