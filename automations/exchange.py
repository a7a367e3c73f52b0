"""Rules as a document that another business can read: one, or all of a business, out and in."""

from functools import cache

from django.conf import settings
from django.core.exceptions import ValidationError

from accounts.actor import Actor
from accounts.models import Business
from accounts.verbs import in_one
from automations.conditions import is_group, kind_of
from automations.document import Document, action_of
from automations.inputs import Input, Missing, Where, by_name
from automations.models.rule import OFF, Rule


def export(business: Business) -> dict:
    """Return a business's rules as one document, in which rows are called by names that another business may know.

    Those of designs travel with their designs.
    """
    rules = business.rules.filter(definition=None).select_related("workflow", "business")
    names = _Names()
    return {"rules": [rule.exported() | {"rule": names.written(rule)} for rule in rules.order_by("created_at", "pk")]}


def export_one(rule: Rule) -> dict:
    """Return a rule's document in the same words; with name and workflow beside where it leaves them out."""
    written = _Names().written(rule)
    return written if rule.says_all_of_itself else rule.exported() | {"rule": written}


class Untaken(ValidationError):
    """Rules that cannot be taken in, each with the reason; others: how many of the document could be."""

    def __init__(self, reasons: list[str], others: int):
        super().__init__(reasons, code="document")
        self.others = others


def import_all(business: Business, document, *, only_good: bool = False, by: Actor) -> list[Rule]:
    """Make the rules of a document, switched off: all or none, or only those that can be taken.

    Raises Untaken, which says of each rule that makes no sense, or is for a workflow that is not there, why, and
    ValidationError (too_many) for more of them than a business may have.
    """
    rules = document.get("rules") if isinstance(document, dict) else None
    if not isinstance(rules, list):
        raise ValidationError("Rules are exchanged as an object with a list of rules.", code="document")
    if len(rules) > settings.RULES_MOST:  # each is tried, under the business's lock
        raise ValidationError(f"A business has at most {settings.RULES_MOST} rules.", code="too_many")
    return in_one(lambda: _import_each(business, rules, only_good, by))


def _import_each(business: Business, rules: list, only_good: bool, by: Actor) -> list[Rule]:
    made, reasons = [], []
    for place, written in enumerate(rules, 1):
        try:
            made.append(_import(business, written, by))
        except ValidationError as refusal:
            reasons.append(f"{_called(written) or f'Rule {place}'}: {' '.join(refusal.messages)}")
            if getattr(refusal, "code", "") == "too_many":
                break
    if reasons and not (only_good and made):
        raise Untaken(reasons, len(made))
    return made


def _import(business: Business, written, by: Actor) -> Rule:
    written = written if isinstance(written, dict) else {}
    workflow, named = None, written.get("workflow")
    if named:
        workflow = business.workflows.filter(name=str(named)).first()
        if workflow is None:  # without it the rule would heed the cards of every workflow
            raise Missing("workflow", named)
    return Rule.create(business, written.get("rule"), name=_called(written), workflow=workflow, state=OFF, by=by)


def _called(written) -> str:
    return str(written.get("name") or "") if isinstance(written, dict) else ""


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
