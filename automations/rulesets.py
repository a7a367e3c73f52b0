"""What a design's rulesets mean: each becomes a rule of its workflow, with our words for its triggers and its rules.

A ruleset acts when an event of its name comes to a card in one of its statuses (in any, where it names none), and when
a card enters one of them; where one of its own buttons sends its event, a person decides, and entering is not enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from boards.documents import acts_on_entering, is_for, triggers_of
from boards.models import Definition

CHANGE_STATE, SEND_EVENT = "FLUENTRETAIL.base.ChangeState", "FLUENTRETAIL.base.SendEvent"
KNOWN = (CHANGE_STATE, SEND_EVENT)  # rules that have another name than our action for it


def rules_of(definition: Definition) -> Iterator[tuple[int, tuple[str, dict]]]:
    """Yield the rules that a version of a design brings along: place, name of the ruleset, and the rule's document."""
    document = definition.document
    phases = {name.casefold(): phase for phase, name in definition.steps.items()}
    ours = [one for one in document["rulesets"] if is_for(one, document) and one.get("rules")]
    yield from enumerate(((one["name"], as_rule(one, phases)) for one in ours), 1)


def as_rule(ruleset: dict, phases: Mapping[str, str]) -> dict:
    """Return a ruleset as the document of a rule; phases: their ids by folded name, so that a new name changes nothing."""
    statuses = list(dict.fromkeys(_phase(name, phases) for name in triggers_of(ruleset)))
    trigger = {"type": "signalled", "name": ruleset["name"]}
    if acts_on_entering(ruleset):
        trigger["entering"] = "yes"
    inside = [{"field": "signalled_in", "op": "is_one_of", "value": statuses}] if statuses else []
    return {"trigger": trigger, "conditions": inside, "actions": [as_action(one, phases) for one in ruleset["rules"]]}


def as_action(instance: dict, phases: Mapping[str, str]) -> dict:
    """Return a rule instance as an action."""
    name, props = instance["name"], instance.get("props") or {}
    if name == CHANGE_STATE:
        rest = {key: value for key, value in props.items() if key != "status"}
        return {**rest, "type": "move_card", "to": _phase(props.get("status"), phases)}
    if name == SEND_EVENT:
        return {"type": "send_event", "event": props.get("eventName")}
    if name == "move_card":
        props = props | {"to": _phase(props.get("to"), phases)}
    return {**props, "type": name}


def _phase(name, phases: Mapping[str, str]):
    return phases.get(name.casefold(), name) if isinstance(name, str) else name
