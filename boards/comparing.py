"""What sets two designs apart, in plain words; pure reading."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from boards.definitions import BLANK, FACTS, STAGE_NAMES, TYPES, in_words, movers, path_of, win_of

NOTHING: Mapping = {}


def changes(before: dict, after: dict, *, called: Mapping[str, str] = NOTHING, cards: Mapping[str, int] = NOTHING):
    """Return in plain words, one sentence each, what was changed from one design to the other.

    called: what people call the rows that steps point to, by id; cards: how many stand in each step, by its id.
    """
    return [*_of_workflow(before, after), *_of_steps(before, after, called, cards), *_of_rulesets(before, after)]


# The workflow itself -----------------------------------------------------------------------------------


def _of_workflow(before, after) -> Iterator[str]:
    if before["name"] != after["name"]:
        yield f"Renamed the workflow to {after['name']}"
    if before["type"] != after["type"]:
        names = dict(TYPES)
        yield f"The workflow is of the type {names[after['type']]} instead of {names[before['type']]}"
    if before["description"] != after["description"]:
        yield f"{_how(before['description'], after['description'])} the description of the workflow"
    ref, new_ref = _ref(before), _ref(after)
    if new_ref != ref:
        yield f"Programs call it {new_ref or 'nothing'}" + (f" instead of {ref}" if ref else "")
    keys = {key for key in {*before["settings"], *after["settings"]} if _differs(before, after, key)}
    if keys:
        yield f"Settings changed: {', '.join(sorted(keys))}"
    if before["unplaced"] != after["unplaced"]:
        names = [status["name"] or "one without a name" for status in after["unplaced"]]
        yield f"Statuses beside the board: {', '.join(names) or 'none'}"


def _ref(design) -> str:
    return f"{design['entity_type']}::{design['entity_subtype']}" if design["entity_type"] else ""


def _differs(before, after, key) -> bool:
    return before["settings"].get(key) != after["settings"].get(key)


def _how(before, after) -> str:
    return "Changed" if before and after else "Added" if after else "Removed"


# Steps -------------------------------------------------------------------------------------------------


def _of_steps(before, after, called, cards) -> Iterator[str]:
    old = {step["id"]: step for step in before["steps"]}
    new = {step["id"]: step for step in after["steps"]}
    names = {pk: step["name"] for pk, step in {**old, **new}.items()}
    yield from (f"Added {step['name']} {_where(step, after)}".strip() for pk, step in new.items() if pk not in old)
    to = {gone["id"]: gone["to"] for gone in after["removed"]}
    yield from (_removed(step, to.get(pk), names, cards) for pk, step in old.items() if pk not in new)
    moved = set(movers([*old], [*new]))
    for pk in (pk for pk in new if pk in old):
        yield from _of_step(old[pk], new[pk], _where(new[pk], after) if pk in moved else "", called, names)


def _where(step, design) -> str:
    """Return after which step one stands, or before which where it is the first."""
    if step["stage"] == "cancelled":
        return "to Cancelled"
    way = [*path_of(design), win_of(design)]
    at = next(place for place, one in enumerate(way) if one["id"] == step["id"])
    if at:
        return f"after {way[at - 1]['name']}"
    return f"before {way[1]['name']}" if len(way) > 1 else ""


def _removed(step, to, names, cards) -> str:
    count = cards.get(step["id"], 0)
    if not count:
        return f"Removed {step['name']}"
    many = "1 card" if count == 1 else f"{count} cards"
    if to in names:
        return f"Removed {step['name']}; its {many} {'goes' if count == 1 else 'go'} to {names[to]}"
    return f"Removed {step['name']}; {many} {'is' if count == 1 else 'are'} in it"


def settings_in_words(step: dict, names: Mapping[str, str], called: Mapping[str, str]) -> str:
    """Return in words what a step does beside standing there; names: those of the design's steps, by id."""
    blank = step | {key: BLANK[key] for key in SAYINGS} | {"description": step["description"]}
    return ", ".join(words for key, say in SAYINGS.items() if (words := _said(key, say, blank, step, called, names)))


def _of_step(was, step, where, called, names) -> Iterator[str]:
    name = step["name"]
    if was["name"] != name:
        yield f"Renamed {was['name']} to {name}"
    if was["stage"] != step["stage"]:
        group, before = STAGE_NAMES[step["stage"]], STAGE_NAMES[was["stage"]]
        is_plain = not where or step["stage"] == "cancelled"
        yield f"{name} is {group} instead of {before}" if is_plain else f"Moved {name} to {group}, {where}"
    elif where:
        yield f"Moved {name} {where}" if step["stage"] != "cancelled" else f"Moved {name} among the cancelled steps"
    said = [words for key, say in SAYINGS.items() if (words := _said(key, say, was, step, called, names))]
    if said:
        yield f"{name}: {', '.join(said)}"


def _said(key, say, was, step, called, names) -> str:
    """Return in words how a setting has changed; what it points to has its name."""
    if was[key] == step[key]:
        return ""
    if key in ROWS:
        return say(*(names.get(one[key]) or called.get(one[key], one[key]) for one in (was, step)))
    if key == "required":
        return say(*([FACTS.get(fact) or called.get(fact, "a field") for fact in one[key]] for one in (was, step)))
    return say(was[key], step[key])


ROWS = ("status", "trigger", "default_assignee", "timeout_to")


def _instead(before) -> str:
    return f" instead of {before}" if before else ""


def _say_category(before, after) -> str:
    return f"category {after}{_instead(before)}" if after else f"no longer in the category {before}"


def _say_description(before, after) -> str:
    return f"description {_how(before, after).lower()}"


def _say_status(before, after) -> str:
    return f"{after} of the library{_instead(before)}" if after else "no longer from the library"


def _say_trigger(before, after) -> str:
    return (
        f"moves on when {after} is reported{_instead(before)}"
        if after
        else f"moves on no longer when {before} is reported"
    )


def _say_limit(before, after) -> str:
    return f"limit {after}{_instead(before)}" if after else f"no limit any more, it was {before}"


def _say_policy(before, after) -> str:
    return "refuses cards at its limit" if after == "hard" else "warns at its limit, refuses no more"


def _say_stale(before, after) -> str:
    after, before = _count(after, "day"), _count(before, "day")
    return f"warns after {after}{_instead(before)}" if after else f"warns no longer after {before}"


def _say_required(before, after) -> str:
    more, less = [one for one in after if one not in before], [one for one in before if one not in after]
    said = [f"for {in_words(more)}"] if more else []
    return f"asks {' and '.join([*said, f'no longer for {in_words(less)}'] if less else said)}"


def _say_assignee(before, after) -> str:
    return f"cards go to {after}{_instead(before)}" if after else f"cards go to nobody instead of {before}"


def _say_checklist(before, after) -> str:
    if not after:
        return "no checklist any more"
    return f"{'another ' if before else ''}checklist of {_count(len(after), 'line')}"


def _say_timeout(before, after) -> str:
    after, before = _span(after), _span(before)
    return f"moves on after {after}{_instead(before)}" if after else f"no time limit any more, it was {before}"


def _say_timeout_to(before, after) -> str:
    return f"goes to {after or 'the next step'} when time is up{_instead(before)}"


SAYINGS = {
    "category": _say_category,
    "description": _say_description,
    "status": _say_status,
    "trigger": _say_trigger,
    "wip_limit": _say_limit,
    "wip_policy": _say_policy,
    "stale_days": _say_stale,
    "required": _say_required,
    "default_assignee": _say_assignee,
    "checklist_lines": _say_checklist,
    "timeout_hours": _say_timeout,
    "timeout_to": _say_timeout_to,
}


def _span(hours) -> str:
    """Return a time limit in words: whole days as days."""
    return _count(hours // 24, "day") if hours and hours % 24 == 0 else _count(hours, "hour")


def _count(count, word) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}" if count else ""


# Rulesets ----------------------------------------------------------------------------------------------

UNSAID = {"description": "", "type": "", "subtype": "", "eventType": "NORMAL", "userActions": []}
PARTS = {
    "triggers": "where it acts",
    "rules": "what it does",
    "userActions": "its buttons",
    "description": "its description",
    "type": "what it is about",
    "subtype": "what it is about",
    "eventType": "its event type",
}


def _of_rulesets(before, after) -> Iterator[str]:
    """Yield in words what became of rulesets; several may bear one name."""
    old, new = _by_name(before["rulesets"]), _by_name(after["rulesets"])
    yield from (f"Added the ruleset {name}" for name in new if name not in old)
    yield from (f"Removed the ruleset {name}" for name in old if name not in new)
    for name in (name for name in new if name in old and new[name] != old[name]):
        alone = len(old[name]) == len(new[name]) == 1
        parts = _parts(old[name][0], new[name][0]) if alone else []
        yield f"Changed the ruleset {name}" + (f": {in_words(parts)}" if parts else "")


def _parts(before, after) -> list[str]:
    return list(dict.fromkeys(words for key, words in PARTS.items() if before[key] != after[key]))


def _by_name(rulesets) -> dict[str, list[dict]]:
    named = defaultdict(list)
    for ruleset in rulesets:
        said = {key: value for key, value in ruleset.items() if value is not None}
        named[ruleset["name"]].append(UNSAID | said)
    return named
