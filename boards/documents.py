"""A definition: the design of a workflow as the document that is kept, sent and saved as a file; pure reading and writing.

{"entityType", "entitySubtype", "name", "description", "statuses": […], "rulesets": […], "settings": {…}}
A status {"name", "entityType", "category"} of the workflow's own entity type is a step. What only a board knows of it
stands in its own "settings", with names and keys instead of ids, so that another business can read it.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain, count

from boards.comparing import changes
from boards.definitions import BLANK, FACTS, STAGE_ORDER, blank_step, in_order, win_of

# A category is a stage group, in our words or in those of an order's life.
CATEGORIES = {
    "NEW": "new",
    "BOOKING": "new",
    "PROCESSING": "processing",
    "FULFILMENT": "processing",
    "DELIVERY": "processing",
    "COMPLETED": "completed",
    "DONE": "completed",
    "CANCELLED": "cancelled",
}
TYPE = "phasewise.workflowType"  # among the settings of a document
LONGEST_DESCRIPTION = 300

CREATE = "create"  # the event, in any case, that comes by itself when a card is created

# Rules that lead cards to a status, and which of their props names it.
LEADING = {"FLUENTRETAIL.base.ChangeState": "status", "move_card": "to"}

# How a step's settings are called in a document.
WIRE = {
    "description": "description",
    "status": "status",
    "trigger": "trigger",
    "wip_limit": "wipLimit",
    "wip_policy": "wipPolicy",
    "stale_days": "staleDays",
    "required": "required",
    "default_assignee": "defaultAssignee",
    "checklist_lines": "checklist",
    "timeout_hours": "timeoutHours",
    "timeout_to": "timeoutTo",
}
OF_A_STEP = frozenset(WIRE.values()) | {"id", "win"}
CUSTOM = "field:"


@dataclass(frozen=True, slots=True)
class Shelf:
    """What documents call the rows that steps point to: by the row's id, its name in the library, its key or its name."""

    statuses: Mapping[str, str] = field(default_factory=dict)
    triggers: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, str] = field(default_factory=dict)
    called: Mapping[str, str] = field(default_factory=dict)  # what people call them, by what a step points to them with

    def name(self, key: str, value):
        """Return what a document calls a setting's value; None for a row that is gone."""
        if key == "required":
            return [said for fact in value if (said := self._fact(fact, self.fields))]
        return self._rows(key).get(value) if key in POINTERS else value

    def find(self, key: str, said):
        """Return the value that a document means; None for a row that is not there."""
        if key == "required":
            ids = {name.casefold(): pk for pk, name in self.fields.items()}
            return [fact for one in said if (fact := self._fact(one, ids, str.casefold))]
        if key not in POINTERS:
            return said
        rows = {name.casefold(): pk for pk, name in self._rows(key).items()}
        return rows.get(said.casefold()) if isinstance(said, str) else None

    def lacks(self, key: str, said) -> list[str]:
        """Return what a document names under a setting that is not there."""
        if key == "required":
            return [one for one in said if not self.find(key, [one])]
        return [said] if key in POINTERS and said and self.find(key, said) is None else []

    def _rows(self, key: str) -> Mapping[str, str]:
        return {"status": self.statuses, "trigger": self.triggers, "default_assignee": self.members}[key]

    @staticmethod
    def _fact(fact: str, names: Mapping[str, str], fold=str) -> str | None:
        if not fact.startswith(CUSTOM):
            return fact if fact in FACTS else None
        named = names.get(fold(fact.removeprefix(CUSTOM)))
        return f"{CUSTOM}{named}" if named else None


POINTERS = ("status", "trigger", "default_assignee")


def stage_of(category) -> str | None:
    """Return the stage group that a category means, None for one that we do not know."""
    return CATEGORIES.get(category.upper()) if isinstance(category, str) else None


def is_step(status: dict, document: dict) -> bool:
    """Answer whether a status stands on the board of the document's workflow."""
    return bool(status["name"]) and status["entityType"] == document["entityType"]


def is_for(ruleset: dict, document: dict) -> bool:
    """Answer whether a ruleset is about the cards of the document's workflow: it says so, or says nothing."""
    own = {"type": document["entityType"], "subtype": document["entitySubtype"]}
    return all(ruleset.get(key) in (None, "", value) for key, value in own.items())


def moved(ruleset: dict, document: dict, entity: dict) -> dict:
    """Return a ruleset of one document as it stands in that of another entity."""
    if not is_for(ruleset, document):
        return ruleset
    own = {"type": entity["entity_type"], "subtype": entity["entity_subtype"]}
    return ruleset | {key: value for key, value in own.items() if ruleset.get(key)}


def triggers_of(ruleset: dict) -> list[str]:
    """Return the statuses in which a ruleset heeds events; none means all of them."""
    return [trigger["status"] for trigger in ruleset["triggers"]]


def heeds(ruleset: dict, status: str) -> bool:
    """Answer whether a ruleset heeds events in a status."""
    named = triggers_of(ruleset)
    return not named or status.casefold() in map(str.casefold, named)


def acts_on_entering(ruleset: dict) -> bool:
    """Answer whether a ruleset acts by itself when a card enters one of its statuses: no button of its own decides it."""
    name = ruleset["name"]
    own = [action["eventName"].strip() for action in ruleset.get("userActions") or ()]
    return bool(triggers_of(ruleset)) and name.casefold() != CREATE and name not in own


def renamed(design: dict, called: Mapping[str, str]) -> list[dict]:
    """Return the rulesets of a design with the new names of steps where they say the old ones; called: new by old."""
    called = {before.casefold(): after for before, after in called.items() if before != after}
    if not called:
        return design["rulesets"]
    return [_renamed(ruleset, design["entity_type"], called) for ruleset in design["rulesets"]]


def _renamed(ruleset: dict, own: str, called: Mapping[str, str]) -> dict:
    if ruleset.get("type") not in (None, "", own):
        return ruleset
    triggers = [one | {"status": called.get(one["status"].casefold(), one["status"])} for one in ruleset["triggers"]]
    rules = []
    for rule in ruleset["rules"]:
        key, props = LEADING.get(rule["name"]), rule.get("props") or {}
        if key and isinstance(props.get(key), str):
            rule = rule | {"props": props | {key: called.get(props[key].casefold(), props[key])}}
        rules.append(rule)
    return ruleset | {"triggers": triggers, "rules": rules}


# Writing -----------------------------------------------------------------------------------------------


def write(design: dict, shelf: Shelf) -> dict:
    """Return a design as a document."""
    names = {step["id"]: step["name"] for step in design["steps"]}
    statuses = [_status(step, design["entity_type"], names, shelf) for step in design["steps"]]
    return {
        "name": design["name"],
        "description": short(design["description"]),
        "entityType": design["entity_type"],
        "entitySubtype": design["entity_subtype"],
        "rulesets": design["rulesets"],
        "statuses": [*statuses, *design["unplaced"]],
        "settings": design["settings"] | {TYPE: design["type"]},
    }


def _status(step: dict, entity_type: str, names: Mapping[str, str], shelf: Shelf) -> dict:
    keeps = stage_of(step["category"]) == step["stage"]
    settings = {"id": step["id"]} | ({"win": True} if step["win"] else {})
    for key, called in WIRE.items():
        if step[key] != BLANK[key]:
            said = names.get(step[key]) if key == "timeout_to" else shelf.name(key, step[key])
            settings |= {called: said} if said else {}
    category = step["category"] if keeps else step["stage"].upper()
    return {"name": step["name"], "entityType": entity_type, "category": category, "settings": settings}


def short(description: str) -> str:
    """Return as much of a workflow's description as a document may say."""
    if len(description) <= LONGEST_DESCRIPTION:
        return description
    return description[: LONGEST_DESCRIPTION - 1].rstrip() + "…"


# Reading -----------------------------------------------------------------------------------------------


def read(document: dict, running: dict, shelf: Shelf, moves: Mapping[str, str] | None = None) -> dict:
    """Return the design that a valid document means for a workflow that runs as `running`.

    Its statuses are the steps that bear their id, else their name; what no status is any more is removed, and its
    cards go to the status that `moves` says, by their names. A status that says nothing about the board keeps what
    the board says. Groups stand in their order; the last Completed step is the win, and without one the win stays.
    """
    statuses = [status for status in document["statuses"] if is_step(status, document)]
    matched = _match(statuses, running["steps"])
    ids = {status["name"].casefold(): step["id"] for status, step in zip(statuses, matched, strict=True)}
    steps = [_step(status, step, ids, shelf) for status, step in zip(statuses, matched, strict=True)]
    win = next((step for step in steps if step["win"]), None) or _unsaid_win(steps, running)
    path = sorted(
        (step for step in steps if not step["win"] and step["stage"] != "cancelled"),
        key=lambda step: STAGE_ORDER[step["stage"]],
    )
    kept = in_order(path, win, [step for step in steps if step["stage"] == "cancelled" and not step["win"]])
    there = {step["id"] for step in kept}
    kept = [step if step["timeout_to"] in there else step | {"timeout_to": None} for step in kept]
    return {
        "name": (document.get("name") or "").strip() or running["name"],
        "type": (document.get("settings") or {}).get(TYPE) or running["type"],
        "description": _described(document, running),
        "entity_type": document["entityType"],
        "entity_subtype": document["entitySubtype"],
        "steps": kept,
        "removed": _removed(running["steps"], kept, ids, moves or {}),
        "rulesets": document["rulesets"],
        "settings": {key: value for key, value in (document.get("settings") or {}).items() if key != TYPE},
        "unplaced": [status for status in document["statuses"] if not is_step(status, document)],
    }


def compare(before: dict, after: dict, shelf: Shelf, cards: Mapping[str, int] | None = None) -> list[str]:
    """Return in plain words what was changed from one document to the other.

    cards: how many stand in each phase that there is, by its id; documents that bear no ids are counted nowhere.
    """
    return changes(*as_designs(before, after, shelf), called=shelf.called, cards=cards or {})


def as_designs(before: dict, after: dict, shelf: Shelf) -> tuple[dict, dict]:
    """Return two documents as designs in which the same step has the same id."""
    old = read(before, _bare(before), shelf)
    return old, read(after, old, shelf)


def _bare(document: dict) -> dict:
    """Return the design of a workflow that has a win and the steps of a document that bear an id, and says nothing else."""
    steps = {}
    for status in document["statuses"]:
        said = (status.get("settings") or {}).get("id")
        if said and is_step(status, document):
            steps.setdefault(said, blank_step(said, status["name"], "processing"))
    win = blank_step("win", "Win", "completed", win=True)
    return {"name": "", "type": "other", "description": "", "steps": [*steps.values(), win]}


def _match(statuses: list[dict], running: list[dict]) -> list[dict]:
    """Return for each status the step it is: a running one, or a new one of its name."""
    win = _winner(statuses, running)
    by_id = {step["id"]: step for step in running if not step["win"]}
    by_name = {step["name"].casefold(): step for step in by_id.values()}
    found: dict[int, dict] = {}
    for i, status in enumerate(statuses):
        step = by_id.get((status.get("settings") or {}).get("id"))
        if i == win:
            found[i] = next(one for one in running if one["win"])
        elif step and step not in found.values():
            found[i] = step
    for i, status in enumerate(statuses):
        step = by_name.get(status["name"].casefold())
        if i not in found:
            is_free = step is not None and step not in found.values()
            found[i] = step if is_free else blank_step(str(uuid.uuid4()), status["name"], "processing")
    return [found[i] for i in range(len(statuses))]


def _winner(statuses: list[dict], running: list[dict]) -> int | None:
    """Return which status is the win: the one that says so, else the running win, else the last Completed one."""
    done = [i for i, status in enumerate(statuses) if stage_of(status["category"]) == "completed"]
    says_so = [i for i in done if (statuses[i].get("settings") or {}).get("win")]
    name = win_of({"steps": running})["name"].casefold()
    is_it = [i for i in done if statuses[i]["name"].casefold() == name]
    return next(iter([*says_so, *is_it, *done[-1:]]), None)


def _unsaid_win(steps: list[dict], running: dict) -> dict:
    """Return the win of a document that has none, under a name that none of its steps has."""
    win, taken = win_of(running), {step["name"].casefold() for step in steps}
    names = chain([win["name"], "Win"], (f"Win {n}" for n in count(2)))
    return win | {"name": next(name for name in names if name.casefold() not in taken)}


def _step(status: dict, step: dict, ids: Mapping[str, str], shelf: Shelf) -> dict:
    """Return a running or new step as a status has it."""
    stage, category = stage_of(status["category"]), status["category"]
    told = {"id": step["id"], "name": status["name"], "stage": stage, "win": step["win"]}
    told["category"] = "" if category.upper() == stage.upper() else category
    said = status.get("settings")
    if said is None:
        return step | told
    for key, called in WIRE.items():
        blank = BLANK[key]
        value = blank if said.get(called) is None else said[called]
        if value != blank:
            value = ids.get(value.casefold()) if key == "timeout_to" else shelf.find(key, value)
        told[key] = _as_kept(value)
    return step | told


def _as_kept(value):
    """Return a setting as a phase keeps it: texts without blanks around them, each once in a list."""
    if isinstance(value, list):
        return list(dict.fromkeys(said for one in value if (said := one.strip())))
    return value.strip() if isinstance(value, str) else value


def _removed(running: list[dict], kept: list[dict], ids: Mapping[str, str], moves: Mapping[str, str]) -> list[dict]:
    """Return what goes: its cards go where `moves` says, or to a step that has taken its name."""
    there = {step["id"] for step in kept}
    wanted = {name.casefold(): to for name, to in moves.items()}
    removed = []
    for step in running:
        if step["id"] not in there:
            name = step["name"].casefold()
            to = ids.get(wanted.get(name, step["name"]).casefold())
            removed.append({"id": step["id"], "name": step["name"], "to": to})
    return removed


def _described(document: dict, running: dict) -> str:
    said = document.get("description")
    return running["description"] if said is None or said == short(running["description"]) else said.strip()
