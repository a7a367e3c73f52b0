"""What is wrong with what a design would do by itself, beyond the shape of its document: asked before it is published.

Errors are what can never work: rules that are not there, told nonsense, or leading nowhere. Warnings are what works and
is hardly meant: rulesets that fight or go in circles, steps that no card leaves or comes to, facts that nobody fills in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice, pairwise

from django.conf import settings
from django.core.exceptions import ValidationError

from automations.actions.registry import actions
from automations.document import LARGEST, MOST_ACTIONS, Document, fits
from automations.inputs import CARD_FIELDS, Input, Where, folded
from automations.offers import OPEN, PHASES, Offers
from automations.rulesets import CHANGE_STATE, KNOWN, SEND_EVENT, as_action, as_rule
from boards.checking import MOST_TOLD
from boards.definitions import STAGE_ORDER, Problem
from boards.documents import CREATE, CUSTOM, acts_on_entering, is_for, is_step, stage_of, triggers_of
from boards.models.definition import shelf_of
from boards.models.phase import FACTS
from boards.search import as_uuid

NEXT = "next"
UNSAID = ""
# What fills a fact in, besides an attribute or a field that is called like it.
FILLS = {"set_due_date": "due_date", "assign": "assignee", "add_checklist": "checklist"}


def examine(workflow, document: dict) -> Iterator[Problem]:
    """Yield what is wrong with the rulesets and steps of a document that is sound in itself."""
    design = Design(workflow, document)
    yield from _too_many(design)
    yield from _unknown_rules(design)
    for ruleset in design.rulesets:
        yield from _bad_rules(design, ruleset)
    yield from _retired_triggers(design)
    if design.rulesets and len(design.rulesets) <= settings.RULES_MOST:
        for ask in (_waiting_steps, _unreachable_steps, _fights, _circles):
            yield from islice(ask(design), MOST_TOLD)
    yield from _facts_nobody_fills(design)


# The design as it is asked ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ruleset:
    """A ruleset of the workflow's own type, with its place in the document."""

    place: int
    written: dict

    @property
    def name(self) -> str:
        """Return the event that sets it off."""
        return self.written["name"]

    @cached_property
    def statuses(self) -> frozenset[str]:
        """Return the folded names of the statuses in which it acts; none means all."""
        return frozenset(name.casefold() for name in triggers_of(self.written))

    @cached_property
    def rules(self) -> list[dict]:
        """Return its rules."""
        return self.written["rules"]

    @cached_property
    def enters(self) -> bool:
        """Answer whether entering one of its statuses sets it off."""
        return acts_on_entering(self.written)

    @cached_property
    def targets(self) -> list[str]:
        """Return the folded names of the statuses to which it leads, in order; "next" among them."""
        return [to.casefold() for rule in self.rules if (to := leads_to(rule))]

    @cached_property
    def sends(self) -> set[str]:
        """Return the events that it sends on."""
        return {str(event) for rule in self.rules if (event := _sent_by(rule))}

    def acts_in(self, status: str) -> bool:
        """Answer whether it acts in a status, by its folded name."""
        return not self.statuses or status in self.statuses


class Design:
    """A document with what is asked of it again and again; names are folded."""

    def __init__(self, workflow, document: dict):
        self.workflow, self.document = workflow, document
        self.offers, self._called = Offers(workflow.business), {}
        ours = enumerate(document["rulesets"])
        self.rulesets = [Ruleset(place, one) for place, one in ours if is_for(one, document)]
        self.steps = {one["name"].casefold(): one for one in document["statuses"] if is_step(one, document)}

    @cached_property
    def path(self) -> list[str]:
        """Return the steps on the way to the win, in order, the win among them."""
        way = [name for name, step in self.steps.items() if not self.is_cancelled(name)]
        return sorted(way, key=lambda name: STAGE_ORDER[stage_of(self.steps[name]["category"])])

    @cached_property
    def win(self) -> str:
        """Return the step in which work is done: UNSAID where the document leaves that to the board."""
        done = [name for name in self.path if stage_of(self.steps[name]["category"]) == "completed"]
        return done[-1] if done else UNSAID

    @cached_property
    def after(self) -> dict[str, str]:
        """Return for each step on the path the one that follows."""
        return dict(pairwise(self.path if self.win else [*self.path, UNSAID]))

    @cached_property
    def folded_names(self) -> frozenset[str]:
        """Return the steps as rules may write them."""
        return frozenset(map(folded, self.steps))

    def rows_called(self, kind: str, value: str) -> list:
        """Return to which workflows those belong that a value of a kind may mean, None for to all; each kind is read once."""
        if kind not in self._called:
            self._called[kind] = defaultdict(list)
            for offer in self.offers.of(kind):
                for name in {folded(one) for one in (offer.value, *offer.names)}:
                    self._called[kind][name].append(offer.workflow_id)
        return self._called[kind].get(folded(value), [])

    def is_cancelled(self, name: str) -> bool:
        """Answer whether work ends badly in a step."""
        return stage_of(self.steps[name]["category"]) == "cancelled"

    def says(self, name: str, key: str):
        """Return a setting of a step, None when it has none."""
        return (self.steps[name].get("settings") or {}).get(key)

    def called(self, names: Iterable[str]) -> list[str]:
        """Return steps as they are written."""
        return [self.steps[name]["name"] for name in names]

    @cached_property
    def moves(self) -> dict[str, set[str]]:
        """Return for each step where its cards go by themselves, or by a ruleset."""
        found = defaultdict(set)
        for name in self.path:
            if self.says(name, "trigger") or self.says(name, "timeoutHours"):
                found[name].add((self.says(name, "timeoutTo") or self.after.get(name, "")).casefold())
        for ruleset in self.rulesets:
            for name in ruleset.statuses or self.steps:
                found[name] |= {self.after.get(name, "") if to == NEXT else to for to in ruleset.targets}
        there = {*self.steps, self.win}
        return {name: found[name] & there - {name} for name in self.steps}


def leads_to(rule: dict) -> str:
    """Return the status of this workflow to which a rule leads; "" for one that leads nowhere, or elsewhere."""
    to = (rule.get("props") or {}).get({CHANGE_STATE: "status", "move_card": "to"}.get(rule["name"]))
    return to if isinstance(to, str) and "/" not in to and not as_uuid(to) else ""


def _sent_by(rule: dict):
    return (rule.get("props") or {}).get({SEND_EVENT: "eventName", "send_event": "event"}.get(rule["name"]))


# Errors -------------------------------------------------------------------------------------------------


def _too_many(design: Design) -> Iterator[Problem]:
    acting = [one for one in design.rulesets if one.rules]
    others = design.workflow.business.rules.exclude(workflow=design.workflow, definition__isnull=False).count
    if acting and len(acting) + others() > settings.RULES_MOST:
        text = f"With these rulesets the business would have more than {settings.RULES_MOST} rules."
        yield _error("TOO_MANY", text, path="rulesets", max=settings.RULES_MOST)
    for one in design.rulesets:
        if len(one.rules) > MOST_ACTIONS:
            text = f"{one.name} has more than {MOST_ACTIONS} rules."
            yield _error("TOO_MANY", text, ruleset=one.name, path=f"rulesets[{one.place}].rules", max=MOST_ACTIONS)


def _unknown_rules(design: Design) -> Iterator[Problem]:
    """Yield each rule that is not there, once, wherever it is named: also where it is about something else."""
    told = set()
    for place, ruleset in enumerate(design.document["rulesets"]):
        for at, rule in enumerate(ruleset["rules"]):
            name = rule["name"]
            if name not in KNOWN and name not in actions and name not in told:
                told.add(name)
                fix = _drop_rule(Ruleset(place, ruleset), at)
                yield _error(
                    "RULE_NOT_FOUND", f"{ruleset['name']} names a rule “{name}”, which there is not.", fix, name=name
                )


def _bad_rules(design: Design, ruleset: Ruleset) -> Iterator[Problem]:
    told = []
    for at, rule in enumerate(ruleset.rules[: MOST_ACTIONS + 1]):
        if rule["name"] in KNOWN or rule["name"] in actions:
            told += _bad_rule(design, ruleset, at, rule)
    yield from told
    is_sound = all(one.severity == "warning" for one in told)
    if is_sound and not fits(as_rule(ruleset.written, {name: f"{at:036}" for at, name in enumerate(design.steps)})):
        text = f"{ruleset.name} says more than fits into a rule: at most {LARGEST} characters."
        yield _error("TOO_LONG", text, path=f"rulesets[{ruleset.place}]", max=LARGEST)


def _bad_rule(design: Design, ruleset: Ruleset, at: int, rule: dict) -> Iterator[Problem]:
    named = {"ruleset": ruleset.name, "name": rule["name"]}
    to = leads_to(rule)
    is_nowhere = bool(to) and to.casefold() not in {NEXT, *design.steps}
    if is_nowhere:
        fix = {"label": f"Add a step {to}", "do": "add_step", "with": {"name": to, "stage": "processing"}}
        text = f"{ruleset.name} leads cards to “{to}”, which is no status of this workflow."
        yield _error("STATUS_UNDECLARED", text, fix, ruleset=ruleset.name, status=to)
    try:
        written = as_action(rule, {})
        _refuse_props(set(rule.get("props") or {}) & ({"type", "to"} if rule["name"] == CHANGE_STATE else {"type"}))
        lacking = _lacking(design, written, but="to" if is_nowhere else "")
        Document.read(as_rule(ruleset.written | {"rules": [rule], "triggers": []}, {}))
    except ValidationError as refusal:
        says = " ".join(refusal.messages)
        yield _error("RULE_PROPS_INVALID", f"{ruleset.name}, {rule['name']}: {says}", **named, reason=says)
        return
    for what in lacking:
        text = f"{ruleset.name} names the {what}, which is not there: the rule is kept, but cannot do its work."
        yield _warning("NAMED_ROW_MISSING", text, _drop_rule(ruleset, at), **named, missing=what)
    if to.casefold() in design.steps and design.is_cancelled(to.casefold()) and not written.get("reason"):
        text = (
            f"{ruleset.name} leads cards to {to}, where work ends badly, and says no reason: it will be refused there."
        )
        yield _warning("REASON_MISSING", text, **named, status=to)


def _lacking(design: Design, written: dict, but: str) -> list[str]:
    """Return in words what an action names that is not there; raises ValidationError for what makes no sense."""
    action = actions[written["type"]]
    _refuse_props(set(written) - {"type"} - {one.name for one in action.inputs})
    looked = ((one, written.get(one.name)) for one in action.inputs if one.name != but)
    return [f"{one.kind.replace('_', ' ')} “{value}”" for one, value in looked if not _is_there(design, one, value)]


def _refuse_props(unknown: set[str]) -> None:
    """Raise ValidationError for props that mean nothing."""
    if unknown:
        raise ValidationError(f"It knows no {', '.join(sorted(map(str, unknown)))}.")


def _is_there(design: Design, one: Input, value) -> bool:
    """Answer whether what stands in an input is there, asking for the rows of each kind once."""
    if design.offers.of(one.kind) is None or value in (None, "", []):
        one.read(value, Where(design.workflow.business, design.workflow.pk))  # which asks for no row
        return True
    if not isinstance(value, str):
        raise ValidationError(f"“{value}” does not fit under “{one.label}”.")
    if one.kind in PHASES and folded(value) in design.folded_names:
        return True
    if one.kind in OPEN and "@" in value:
        one.read(value, Where(design.workflow.business))
        return True
    found = design.rows_called(one.kind, value)
    is_anywhere = "/" in value or bool(as_uuid(value))  # else it is of this workflow
    return bool(found) if is_anywhere else any(workflow in (None, design.workflow.pk) for workflow in found)


# Warnings -----------------------------------------------------------------------------------------------


def _retired_triggers(design: Design) -> Iterator[Problem]:
    """Yield the triggers that nobody can report any more, and that something still waits for."""
    waits = {name: key for name in design.path if (key := design.says(name, "trigger"))}
    if not waits:
        return
    library = design.workflow.business.trigger_library.filter(key__in=waits.values()).exclude(retired_at=None)
    retired = dict(library.values_list("key", "name"))
    for name, key in waits.items():
        if key in retired:
            step = design.steps[name]
            text = f"{step['name']} waits for “{retired[key]}”, which is retired: it is not offered to be reported any more."
            fix = _set_step(step, "Take the trigger off", trigger=None)
            yield _warning("TRIGGER_RETIRED", text, fix, status=step["name"], name=key)


def _waiting_steps(design: Design) -> Iterator[Problem]:
    dead = [name for name in design.path if not design.moves[name] and name != design.win]
    if dead:
        names = design.called(dead)
        text = f"Nothing moves cards on from {_all(names)}: they wait there until someone moves them."
        yield _warning("NO_TRIGGER", text, statuses=names)


def _unreachable_steps(design: Design) -> Iterator[Problem]:
    """Yield the steps to which only steps lead that no card comes to by itself."""
    starts = {*design.path[:1], "created"}
    starts |= {name for one in design.rulesets if one.name.casefold() == CREATE for name in one.statuses}
    reached, left = set(), [name for name in starts if name in design.steps]
    while left:
        name = left.pop()
        if name not in reached:
            reached.add(name)
            left += design.moves.get(name, ())
    pointed_at = {to for tos in design.moves.values() for to in tos}
    lost = [name for name in design.steps if name in pointed_at - reached]
    if lost:
        names = design.called(lost)
        text = f"No card comes to {_all(names)} by itself: what leads there starts where none comes."
        yield _warning("STATUS_UNREACHABLE", text, statuses=names)


def _fights(design: Design) -> Iterator[Problem]:
    """Yield the rulesets that lead the same card on the same occasion to different statuses."""
    occasions: dict[tuple[str, str], dict[str, Ruleset]] = defaultdict(dict)
    told = set()
    for ruleset in design.rulesets:
        if not ruleset.targets:
            continue
        for status in ruleset.statuses or design.steps:
            to = ruleset.targets[-1]
            to = design.after.get(status, "") if to == NEXT else to
            for occasion in [f"event {ruleset.name}", *(["entering"] if ruleset.enters else [])]:
                others = occasions[occasion, status]
                others.setdefault(to, ruleset)
                for other_to, other in others.items():
                    if other_to != to and (other.place, ruleset.place) not in told:
                        told.add((other.place, ruleset.place))
                        yield _fight(design, status, other, other_to, ruleset, to)


def _fight(design, status, one, one_to, other, other_to) -> Problem:
    here, ends = design.steps.get(status, {}).get("name", status), []
    for to in (one_to, other_to):
        ends.append(design.steps[to]["name"] if to in design.steps else to or "nowhere")
    text = (
        f"{one.name} and {other.name} fight over cards in {here}: one leads them to {ends[0]}, the other to {ends[1]}. "
        "Both act, the later one last."
    )
    fix = {"label": f"Take {other.name} out", "do": "drop_ruleset", "with": {"place": other.place, "name": other.name}}
    return _warning("RULESETS_FIGHT", text, fix, rulesets=[one.name, other.name], status=here, to=ends)


def _circles(design: Design) -> Iterator[Problem]:
    """Yield the rulesets that set one another off in a circle: each circle is walked once, then it is stopped."""
    for circle in _circular(design.rulesets, partial(_set_off_by, _heard(design))):
        names = list(dict.fromkeys(one.name for one in circle))
        says = f"{_all(names)} {'sets itself' if len(circle) == 1 else 'set one another'} off again and again"
        closing = circle[-1]
        fix = _drop_rule(closing, _last_of_circle(closing))
        yield _warning(
            "RULESETS_CIRCLE", f"{says}: on one event each acts once, then it is stopped.", fix, rulesets=names
        )


def _heard(design: Design) -> tuple[dict, dict]:
    """Return the rulesets by the event that sets them off, and by the status that does."""
    by_event, by_status = defaultdict(list), defaultdict(list)
    for one in design.rulesets:
        by_event[one.name].append(one)
        for status in one.statuses if one.enters else ():
            by_status[status].append(one)
    return by_event, by_status


def _set_off_by(heard, ruleset: Ruleset) -> set[int]:
    """Return the places of the rulesets that a ruleset sets off: by an event, or by leading a card from elsewhere to them."""
    by_event, by_status = heard
    places = {*ruleset.statuses, *ruleset.targets} if ruleset.statuses else set()
    found = {
        one.place
        for event in ruleset.sends
        for one in by_event[event]
        if not places or not one.statuses or places & one.statuses
    }
    for to in set(ruleset.targets):
        if ruleset.statuses != {to}:
            found |= {
                one.place for one in by_status[to] if one is not ruleset or len({*ruleset.targets} & one.statuses) > 1
            }
    return found


def _circular(rulesets: list[Ruleset], follows: Callable[[Ruleset], set[int]]) -> Iterator[list[Ruleset]]:
    """Yield the groups of rulesets that lead to one another: strongly connected, found without recursion."""
    known = {one.place: one for one in rulesets}
    ways = {one.place: sorted(follows(one)) for one in rulesets}
    order, seen = [], set()
    for start in ways:
        stack = [(start, iter(ways[start]))] if start not in seen else []
        seen.add(start)
        while stack:
            place, rest = stack[-1]
            step = next((one for one in rest if one not in seen), None)
            if step is None:
                order.append(stack.pop()[0])
            else:
                seen.add(step)
                stack.append((step, iter(ways[step])))
    back = defaultdict(list)
    for place, tos in ways.items():
        for to in tos:
            back[to].append(place)
    taken = set()
    for start in reversed(order):
        group, left = [], [start]
        while left:
            place = left.pop()
            if place not in taken:
                taken.add(place)
                group.append(place)
                left += back[place]
        if len(group) > 1 or (group and start in ways[start]):
            yield [known[place] for place in sorted(group)]


def _last_of_circle(ruleset: Ruleset) -> int:
    """Return the place of the rule by which a ruleset leads on."""
    return max(at for at, rule in enumerate(ruleset.rules) if leads_to(rule) or _sent_by(rule))


def _facts_nobody_fills(design: Design) -> Iterator[Problem]:
    """Yield the facts that a step asks for, where cards come by themselves and nothing on the way fills them in."""
    filled = set(_filled_by_rulesets(design))
    comes_by_itself = {to for tos in design.moves.values() for to in tos}
    for name in design.path:
        asked = design.says(name, "required") or []
        missing = [fact for fact in asked if fact.casefold() not in filled]
        if missing and name in comes_by_itself:
            step = design.steps[name]
            words = [FACTS.get(fact) or fact.removeprefix(CUSTOM) for fact in missing]
            text = (
                f"{step['name']} asks for {_all(words)}, and cards that come by themselves are held back: "
                "nothing on the way asks for it before."
            )
            left = shelf_of(design.workflow).find("required", [fact for fact in asked if fact not in missing])
            fix = _set_step(step, "Ask for it no more", required=left)
            yield _warning("FACT_NOT_FILLED", text, fix, status=step["name"], facts=missing)
        filled |= {fact.casefold() for fact in asked} | _handed_out(design, name)


def _handed_out(design: Design, name: str) -> set[str]:
    return {
        fact for key, fact in (("defaultAssignee", "assignee"), ("checklist", "checklist")) if design.says(name, key)
    }


def _filled_by_rulesets(design: Design) -> Iterator[str]:
    for ruleset in design.rulesets:
        for action in ruleset.written.get("userActions") or ():
            yield from (f"{CUSTOM}{one['name']}".casefold() for one in action.get("attributes") or ())
        for rule in ruleset.rules:
            field = (rule.get("props") or {}).get("field")
            if rule["name"] in FILLS:
                yield FILLS[rule["name"]]
            elif rule["name"] == "set_field" and isinstance(field, str):
                yield CARD_FIELDS.get(folded(field)) or f"{CUSTOM}{field.removeprefix(CUSTOM)}".casefold()


# Words --------------------------------------------------------------------------------------------------


def _error(code: str, text: str, fix: dict | None = None, **attributes) -> Problem:
    return Problem(code, text, (), "error", attributes, fix)


def _warning(code: str, text: str, fix: dict | None = None, **attributes) -> Problem:
    return Problem(code, text, (), "warning", attributes, fix)


def _drop_rule(ruleset: Ruleset, at: int) -> dict:
    told = {"place": ruleset.place, "name": ruleset.name, "rule": at}
    return {"label": "Take the rule out", "do": "drop_rule", "with": told}


def _set_step(step: dict, label: str, **changes) -> dict | None:
    """Return the button that changes a step; None where its document does not say which step it is."""
    step_id = (step.get("settings") or {}).get("id")
    return {"label": label, "do": "set_step", "with": {"step_id": step_id, **changes}} if step_id else None


def _all(names: list[str]) -> str:
    shown = names if len(names) <= 6 else [*names[:6], f"{len(names) - 6} more"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
