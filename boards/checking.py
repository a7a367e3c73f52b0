"""What is wrong with a definition as it was sent: pure reading that no document can break, however odd or large it is.

A document is read by its shape first. What does not have it is told and left out, so that the rest is judged all the same.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from boards.definitions import STAGE_ORDER, TYPES, Problem
from boards.documents import CATEGORIES, LEADING, LONGEST_DESCRIPTION, TYPE, WIRE, Shelf, is_step, stage_of

MOST_TOLD = 100  # problems of each severity: an answer may not become ten times as large as what was sent
DEEPEST = 20  # of what may be anything; SQLite keeps no JSON of a thousand levels
MOST_VALUES = 2000
LONGEST_TEXT = 20_000
LONGEST_KEY = 200
MISSING = object()

# What a workflow can be about: what the systems call it that speak of definitions, and what we call it ourselves.
ENTITY_TYPES = (
    "ORDER",
    "FULFILMENT",
    "FULFILMENT_OPTIONS",
    "LOCATION",
    "CONTROL_GROUP",
    "INVENTORY_CATALOGUE",
    "PRODUCT_CATALOGUE",
    "VIRTUAL_CATALOGUE",
    "RETURN_ORDER",
    "BILLING_ACCOUNT",
    "CARD",
)
EVENT_TYPES = ("NORMAL", "EXCEPTION", "GENERATED")

NEXT = "next"


# Shapes ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Form:
    """What a text must look like, and the code under which it is refused: in a pattern, and in words after its value."""

    pattern: str
    code: str
    called: str  # the attribute that tells the value
    words: str
    enum: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """What may stand at a place of a document; `needed` there, or else left out or null."""

    kind: str  # text, whole, yes_no, list, object or anything
    needed: bool = False
    most: int = 0  # characters of a text, entries of a list or of an open object, or the largest number
    entry: "Part | None" = None  # of a list, or what an open object holds under keys of the sender's own
    keys: Mapping[str, "Part"] = field(default_factory=dict)
    form: Form | None = None
    says: str = ""


def _text(most: int, says="", *, needed=False, form=None) -> Part:
    return Part("text", needed, most, form=form, says=says)


def _list(entry: Part, most: int, says="", *, needed=False) -> Part:
    return Part("list", needed, most, entry=entry, says=says)


def _object(says="", *, of: Part | None = None, **keys: Part) -> Part:
    return Part("object", most=200, entry=of, keys=keys, says=says)


def _one_of(*words: str) -> Form:
    return Form("|".join(map(re.escape, words)), "TYPE_INVALID", "", " or ".join(words), words)


ANYTHING = Part("anything")
YES_NO = Part("yes_no")
SUBTYPE = Form(
    "[A-Za-z0-9_.-]{1,40}",
    "ENTITY_SUBTYPE_INVALID",
    "entitySubtype",
    "is no entity subtype: those have 1 to 40 letters, digits, dots, dashes and underscores.",
)
SIGN = r"[^\s\u001c-\u001f\u0085\ufeff]"  # none that any language takes for a blank
RULESET_NAME = Form(
    f"{SIGN}{{1,100}}",
    "RULESET_NAME_INVALID",
    "name",
    "is no name of a ruleset: those are not empty and have no blanks.",
)
EVENT_TYPE = Form(
    "|".join(EVENT_TYPES), "EVENT_TYPE_UNKNOWN", "eventType", f"is none of {', '.join(EVENT_TYPES)}.", EVENT_TYPES
)
STATUS_NAME = Form(
    rf"({SIGN}([\s\S]*{SIGN})?)?",
    "STATUS_NAME_INVALID",
    "name",
    "cannot be the name of a status: it begins or ends with a blank.",
)
CATEGORY = Form(
    f"(?i:{'|'.join(CATEGORIES)})",
    "CATEGORY_UNKNOWN",
    "category",
    f"is no category. There are {', '.join(CATEGORIES)}.",
    tuple(CATEGORIES),
)

TRIGGER = _object("A status in which it can happen.", status=_text(80, needed=True))
RULE = _object(
    "A rule and what it is told.",
    name=_text(200, needed=True),
    props=_object(of=ANYTHING),
)
CONTEXT = _object(
    "A button.",
    label=_text(120, needed=True),
    type=_text(40, "PRIMARY or SECONDARY."),
    modules=_list(_text(80), 50),
    confirm=YES_NO,
)
ATTRIBUTE = _object(
    "What the button asks for.",
    name=_text(120, needed=True),
    type=_text(40, needed=True),
    label=_text(120, needed=True),
    source=_text(300),
    defaultValue=ANYTHING,
    mandatory=YES_NO,
)
USER_ACTION = _object(
    "What people can press.",
    eventName=_text(100, needed=True),
    context=_list(CONTEXT, 20, needed=True),
    attributes=_list(ATTRIBUTE, 50),
)
RULESET = _object(
    "What happens, and when.",
    name=_text(100, "The event that sets it off.", needed=True, form=RULESET_NAME),
    description=_text(250),
    type=_text(40, "The entity type; the workflow's own when left out."),
    subtype=_text(40),
    eventType=_text(20, form=EVENT_TYPE),
    rules=_list(RULE, 100, needed=True),
    triggers=_list(TRIGGER, 500, "None means every status.", needed=True),
    userActions=_list(USER_ACTION, 50),
)
SETTINGS = _object(
    "What the board knows of the step beside its name; left out, it stays as it is.",
    id=_text(60),
    win=YES_NO,
    description=_text(1000),
    status=_text(80, "Its name in the library."),
    trigger=_text(80, "The key of the trigger that moves cards on."),
    wipLimit=Part("whole", most=9999),
    wipPolicy=_text(20, form=_one_of("soft", "hard")),
    staleDays=Part("whole", most=3650),
    required=_list(_text(80), 50, "Facts a card needs to come in; a field as field:<name>."),
    defaultAssignee=_text(60),
    checklist=_list(_text(300), 50),
    timeoutHours=Part("whole", most=87600),
    timeoutTo=_text(80, "The status to which cards go when time is up; the next one when left out."),
)
STATUS = _object(
    "A status; one of the workflow's own entity type with a name is a step of the board.",
    name=_text(80, needed=True, form=STATUS_NAME),
    entityType=_text(40, needed=True),
    category=_text(40, needed=True, form=CATEGORY),
    settings=SETTINGS,
)
DOCUMENT = _object(
    "A workflow.",
    name=_text(120, "entityType::entitySubtype when left out."),
    description=_text(LONGEST_DESCRIPTION),
    entityType=_text(40, f"One of {', '.join(ENTITY_TYPES)}."),
    entitySubtype=_text(40, needed=True, form=SUBTYPE),
    rulesets=_list(RULESET, 500, needed=True),
    statuses=_list(STATUS, 500, needed=True),
    settings=_object(of=ANYTHING, **{TYPE: _text(20, form=_one_of(*(key for key, _ in TYPES)))}),
)

# What is sent beside a document, or told with it.
VERSION = Form(
    r"[1-9][0-9]{0,4}\.[0-9]{1,9}",
    "VERSION_INVALID",
    "version",
    "is no version: those are <major>.<minor>, from 1.0 on.",
)
BESIDE = _object(
    retailerId=_text(20, "The number of the business.", needed=True),
    version=_text(
        40, "Its major counts: that of now, or the next. The minor is counted here.", needed=True, form=VERSION
    ),
    versionComment=_text(2000),
    moveCards=_object("Where the cards of statuses that vanish go: old status to new.", of=_text(80)),
    finishOld=Part("yes_no", says="With a new major: cards on their way finish in the version they began in."),
    id=Part("anything", says="Ignored."),
    createdBy=Part("anything", says="Ignored."),
    createdOn=Part("anything", says="Ignored."),
)


# Checking ----------------------------------------------------------------------------------------------


class Found:
    """What is wrong with a document, at most so much of each severity, and where the parts stand that could be read."""

    def __init__(self):
        self.problems = {"error": [], "warning": []}
        self.paths: dict[int, str] = {}

    def tell(self, code: str, text: str, *, severity="error", **attributes) -> None:
        """Note a problem."""
        if len(self.problems[severity]) < MOST_TOLD:
            self.problems[severity].append(Problem(code, text, severity=severity, attributes=attributes))


def check(document, shelf: Shelf | None = None) -> list[Problem]:
    """Return what is wrong with a document by itself, errors first.

    shelf: what the business has, so that what a step names in vain is a warning.
    """
    found = Found()
    _judge(_take(document, DOCUMENT, "", found), document, shelf, found)
    return [*found.problems["error"], *found.problems["warning"]]


def apart(sent: dict) -> tuple[dict, dict]:
    """Return the document of what was sent, and what stands beside it."""
    beside = {key: value for key, value in sent.items() if key in BESIDE.keys}
    return {key: value for key, value in sent.items() if key not in beside}, beside


def read_beside(beside: dict) -> tuple[dict, list[Problem]]:
    """Return what can be read of what stands beside a document, and what is wrong with it."""
    found = Found()
    if isinstance(number := beside.get("retailerId"), int):
        beside = beside | {"retailerId": str(number)}
    return _take(beside, BESIDE, "", found), found.problems["error"]


def sound(document) -> dict:
    """Return what can be read of a document: one that documents.read takes, whatever was sent."""
    taken = _take(document, DOCUMENT, "", Found())
    blank = {"entityType": "", "entitySubtype": "", "rulesets": [], "statuses": []}
    return blank if taken is MISSING else blank | taken


def names_a_workflow(document) -> bool:
    """Answer whether a document says in a valid way which workflow it is about."""
    about = ("entityType", "entitySubtype")
    read = sound({key: document.get(key) for key in about} if isinstance(document, dict) else document)
    return read["entityType"] in ENTITY_TYPES and bool(read["entitySubtype"])


# By its shape ------------------------------------------------------------------------------------------


def _take(value, part: Part, path: str, found: Found):
    """Return what can be read of a value, MISSING when nothing can; what is wrong with it is told to `found`."""
    return TAKING[part.kind](value, part, path, found)


def _take_text(value, part, path, found):
    if not _is_text(value):
        return _wrong(path, "text", found)
    if len(value) > part.most:
        return _too_much("TOO_LONG", path, part.most, "characters long", found)
    if part.form and not re.fullmatch(part.form.pattern, value):
        return _odd(value, part.form, path, found)
    return value


def _take_whole(value, part, path, found):
    is_whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
    if not is_whole or not 1 <= value <= part.most:
        return _wrong(path, f"a whole number from 1 to {part.most}", found)
    return int(value)


def _take_yes_no(value, part, path, found):
    return value if isinstance(value, bool) else _wrong(path, "true or false", found)


def _take_list(value, part, path, found):
    if not isinstance(value, list):
        return _wrong(path, "a list", found)
    if len(value) > part.most:
        return _too_much("TOO_MANY", path, part.most, "entries", found)
    taken = [_take(one, part.entry, f"{path}[{index}]", found) for index, one in enumerate(value)]
    return [one for one in taken if one is not MISSING and _has_all(one, part.entry)]


def _take_object(value, part, path, found):
    if not isinstance(value, dict):
        return _wrong(path, "an object", found)
    if part.entry and len(value) > part.most:
        return _too_much("TOO_MANY", path, part.most, "entries", found)
    inside = f"{path}." if path else ""
    taken = {}
    for key, one in part.keys.items():
        said = value.get(key)
        if said is not None:
            taken[key] = _take(said, one, inside + key, found)
        elif one.needed:
            text = f"{path or 'The document'} does not say “{key}”."
            found.tell("KEY_MISSING", text, key=key, path=path)
    for key in value:
        if key in part.keys:
            continue
        if part.entry and _is_text(key) and len(key) <= LONGEST_KEY:
            taken[key] = _take(value[key], part.entry, inside + _shown(key), found)
        else:
            text = f"{path or 'The document'} says “{_shown(key)}”, which means nothing here."
            found.tell("KEY_UNKNOWN", text, key=_shown(key), path=path)
    taken = {key: one for key, one in taken.items() if one is not MISSING}
    found.paths[id(taken)] = path
    return taken


def _take_anything(value, part, path, found):
    """Take any JSON, not by recursion: it may be deeper than Python's stack, or a snake that bites its tail."""
    left, seen = [(value, 1)], 0
    while left:
        one, level = left.pop()
        seen += 1
        if level > DEEPEST:
            return _too_much("TOO_DEEP", path, DEEPEST, "levels deep", found)
        if seen > MOST_VALUES:
            return _too_much("TOO_MANY", path, MOST_VALUES, "values", found)
        if isinstance(one, dict):
            left += [(key if _is_text(key) else MISSING, level) for key in one]
            left += [(inner, level + 1) for inner in one.values()]
        elif isinstance(one, list):
            left += [(inner, level + 1) for inner in one]
        elif isinstance(one, str) and len(one) > LONGEST_TEXT:
            return _too_much("TOO_LONG", path, LONGEST_TEXT, "characters long", found)
        elif not _is_plain(one):
            return _wrong(path, "JSON", found)
    return value


TAKING = {
    "text": _take_text,
    "whole": _take_whole,
    "yes_no": _take_yes_no,
    "list": _take_list,
    "object": _take_object,
    "anything": _take_anything,
}


def _has_all(taken, part: Part) -> bool:
    return part.kind != "object" or all(key in taken for key, one in part.keys.items() if one.needed)


def _is_text(value) -> bool:
    """Answer whether a value is a text that every database keeps: no half of a pair, no null character."""
    return isinstance(value, str) and "\x00" not in value and not re.search("[\ud800-\udfff]", value)


def _is_plain(value) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, int) or _is_text(value)


def _wrong(path, expected, found):
    found.tell("TYPE_INVALID", f"{path or 'The document'} must be {expected}.", path=path, expected=expected)
    return MISSING


def _odd(value, form: Form, path, found):
    if form.code == "TYPE_INVALID":
        return _wrong(path, form.words, found)
    said = {form.called: _shown(value), "path": path}
    found.tell(form.code, f"“{_shown(value)}” {form.words}", **said)
    return MISSING


def _too_much(code, path, most, what, found):
    found.tell(code, f"{path} is more than {most} {what}.", path=path, max=most)
    return MISSING


def _shown(value) -> str:
    """Return a text as it can be shown: not too much of it, and nothing that cannot be sent."""
    said = str(value)[:100].encode(errors="replace").decode().replace("\x00", "?")
    return f"{said}…" if len(str(value)) > 100 else said


# By what it says ---------------------------------------------------------------------------------------


def _judge(taken, document, shelf: Shelf | None, found: Found) -> None:
    """Tell what is wrong with the parts that could be read, taken together."""
    if taken is MISSING:
        return
    own = _judge_entity(taken, document, found)
    statuses, rulesets = taken.get("statuses", []), taken.get("rulesets", [])
    read = {"entityType": own, "statuses": statuses, "rulesets": rulesets}
    _tell_twins(read, found)
    _tell_lacks(read, shelf, found)
    if own in ENTITY_TYPES and _is_whole(document, "statuses", statuses):
        _tell_undeclared(read, found)
        if _is_whole(document, "rulesets", rulesets):
            _tell_unused(read, found)
            _tell_without_beginning(read, found)


def _is_whole(document, key, taken) -> bool:
    """Answer whether all entries of a list could be read; what is not there cannot be missed otherwise."""
    return isinstance(document.get(key), list) and len(document[key]) == len(taken)


def _judge_entity(taken, document, found) -> str:
    own = taken.get("entityType", "")
    if document.get("entityType") in (None, ""):
        found.tell("ENTITY_TYPE_MISSING", "The document does not say “entityType”: what its workflow is about.")
    elif own and own not in ENTITY_TYPES:
        text = f"“{own}” is no entity type. There are {', '.join(ENTITY_TYPES)}."
        found.tell("ENTITY_TYPE_UNKNOWN", text, entityType=own)
    return own


def _tell_twins(read, found):
    counts = Counter(_named(status) for status in read["statuses"] if status["name"])
    for status in read["statuses"]:
        count = counts.pop(_named(status), 0)
        if count > 1:
            text = f"{count} statuses are called {status['name']}. Nobody can tell them apart."
            found.tell("DUPLICATE_STATUS", text, entityType=status["entityType"], name=status["name"])


def _tell_undeclared(read, found):
    """Tell of statuses that are named and stand nowhere."""
    declared = {_named(status) for status in read["statuses"]}
    for ruleset in read["rulesets"]:
        for trigger in ruleset["triggers"]:
            status = trigger["status"]
            if (_kind(ruleset, read), status.casefold()) not in declared:
                text = f"The ruleset {ruleset['name']} waits in the status “{status}”, which there is not."
                said = {"ruleset": ruleset["name"], "status": status, "path": found.paths[id(trigger)]}
                found.tell("STATUS_UNDECLARED", text, **said)
    for status in read["statuses"]:
        to = status.get("settings", {}).get("timeoutTo", "")
        if to and (status["entityType"], to.casefold()) not in declared:
            text = f"{status['name']} sends cards to “{to}” when their time is up, which there is not."
            found.tell("TIMEOUT_TO_NOWHERE", text, status=status["name"], timeoutTo=to)


LACKING = {
    "status": ("LIBRARY_STATUS_UNKNOWN", "the library has no status"),
    "trigger": ("TRIGGER_UNKNOWN", "the library has no trigger"),
    "required": ("FACT_UNKNOWN", "no card can have the fact"),
    "default_assignee": ("ASSIGNEE_UNKNOWN", "there is no member"),
}

LACKS = frozenset(
    code for code, _ in LACKING.values()
)  # a warning: what a document names that is not there is left out


def _tell_lacks(read, shelf, found):
    """Tell what steps name that the business does not have: it is left out."""
    steps = [status for status in read["statuses"] if is_step(status, read)] if shelf else []
    for step in steps:
        for key, (code, words) in LACKING.items():
            said = step.get("settings", {}).get(WIRE[key])
            for name in shelf.lacks(key, said) if said else ():
                text = f"{step['name']}: {words} “{name}”."
                found.tell(code, text, severity="warning", status=step["name"], name=name)


def _tell_unused(read, found):
    if not read["rulesets"]:
        return
    used = _used(read)
    rows = [status for status in read["statuses"] if not status["name"] or _named(status) not in used]
    if rows:
        names = ", ".join(row["name"] or "a status without a name" for row in rows[:MOST_TOLD])
        shown = [{key: row[key] for key in ("name", "entityType", "category")} for row in rows[:MOST_TOLD]]
        text = f"No ruleset and no step before it leads to: {names}."
        found.tell("UNUSED_CATEGORY_FOUND", text, severity="warning", categories=shown)


def _used(read) -> set:
    """Return the statuses that a trigger names, or to which a rule or the step before leads."""
    path = [
        status for status in read["statuses"] if is_step(status, read) and stage_of(status["category"]) != "cancelled"
    ]
    path.sort(key=lambda status: STAGE_ORDER[stage_of(status["category"])])
    after = {one["name"].casefold(): two["name"] for one, two in pairwise(path)}
    used = set()
    for ruleset in read["rulesets"]:
        kind, waits = _kind(ruleset, read), [trigger["status"] for trigger in ruleset["triggers"]]
        leads = [_leads_to(rule) for rule in ruleset["rules"]]
        leads += [after.get(status.casefold(), "") for status in waits if NEXT in leads]
        used |= {(kind, name.casefold()) for name in [*waits, *leads]}
    for step in path:
        said = step.get("settings", {})
        if said.get("trigger") or said.get("timeoutHours"):
            to = said.get("timeoutTo") or after.get(step["name"].casefold(), "")
            used.add((step["entityType"], to.casefold()))
    return used


def _leads_to(rule) -> str:
    to = rule.get("props", {}).get(LEADING.get(rule["name"], ""))
    return to if isinstance(to, str) else ""


def _tell_without_beginning(read, found):
    """Tell of entity types for which nothing says how they begin."""
    kinds = [read["entityType"], *(status["entityType"] for status in read["statuses"])]
    kinds += [_kind(ruleset, read) for ruleset in read["rulesets"]]
    begins = {_kind(ruleset, read) for ruleset in read["rulesets"] if ruleset["name"].casefold() == "create"}
    created = {status["entityType"] for status in read["statuses"] if status["name"].casefold() == "created"}
    for kind in filter(None, dict.fromkeys(kinds)):
        if kind not in begins:
            text = f"No ruleset is called Create, so nothing happens when a card of {kind} is made."
            found.tell("CREATE_RULESET_MISSING", text, severity="warning", entityType=kind)
        if kind not in created:
            text = f"No status of {kind} is called CREATED, which is where other systems let it begin."
            found.tell("CREATED_STATUS_MISSING", text, severity="warning", entityType=kind)


def _kind(ruleset, read) -> str:
    return ruleset.get("type") or read["entityType"]


def _named(status) -> tuple[str, str]:
    return status["entityType"], status["name"].casefold()
