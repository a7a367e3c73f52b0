"""Pure reading of a design document: what is wrong with it, and how two are brought together."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError

STAGE_ORDER = {"new": 0, "processing": 1, "completed": 2, "cancelled": 3}
STAGE_NAMES = {"new": "New", "processing": "Processing", "completed": "Completed", "cancelled": "Cancelled"}

# The types of workflows.
TYPES = [
    ("intake", "Intake"),
    ("production", "Production"),
    ("fulfilment", "Fulfilment"),
    ("sales", "Sales"),
    ("recruitment", "Recruitment"),
    ("service", "Service"),
    ("other", "Other"),
]
# What a phase may ask of a card before it comes in; custom fields are asked for as "field:<id>".
FACTS = {
    "contact": "a contact",
    "due_date": "a due date",
    "value": "a value",
    "assignee": "somebody assigned",
    "checklist": "a complete checklist",
}

# What a step of a document says beside its id; "win" is true for exactly one.
SETTINGS = {
    "name": "name",
    "stage": "stage group",
    "category": "category",
    "description": "description",
    "status": "library status",
    "trigger": "trigger",
    "wip_limit": "card limit",
    "wip_policy": "what happens at the limit",
    "stale_days": "warning",
    "required": "required facts",
    "default_assignee": "assignee",
    "checklist_lines": "checklist",
    "timeout_hours": "time limit",
    "timeout_to": "where cards go when time is up",
}
MOST_NAMED = 12  # steps in one sentence
BLANK = {
    "stage": "processing",
    "category": "",
    "description": "",
    "status": None,
    "trigger": None,
    "wip_limit": None,
    "wip_policy": "soft",
    "stale_days": None,
    "required": [],
    "default_assignee": None,
    "checklist_lines": [],
    "timeout_hours": None,
    "timeout_to": None,
    "win": False,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to look at before publishing: an error stands in the way, a warning does not.

    fix: what puts it right in a draft, for a button: {"label": what it says, "do": a verb of Draft.FIXES, "with": {…}}.
    """

    code: str
    text: str
    steps: tuple[tuple[str, str], ...] = ()  # id and name of each step to jump to
    severity: str = "warning"
    attributes: dict = field(default_factory=dict)  # what locates it for a program
    fix: dict | None = None


class Unfit(ValidationError):
    """A design with errors cannot be published; `problems` are all of them, warnings included."""

    def __init__(self, problems: list[Problem]):
        super().__init__([one.text for one in problems if one.severity == "error"], code="problems")
        self.problems = problems


# Who knows more of a document than its structure looks at it as well: asked with a workflow, as it runs, and a document.
inspectors: list[Callable[..., Iterable[Problem]]] = []


# Parts of a document -----------------------------------------------------------------------------------


def blank_step(step_id: str, name: str, stage: str, **settings) -> dict:
    """Return a new step."""
    return {"id": step_id, "name": name, **BLANK, "required": [], "checklist_lines": [], "stage": stage, **settings}


def path_of(design: dict) -> list[dict]:
    """Return the steps before the win, in order."""
    return [step for step in design["steps"] if not step["win"] and step["stage"] != "cancelled"]


def win_of(design: dict) -> dict:
    """Return the win step."""
    return next(step for step in design["steps"] if step["win"])


def cancelled_of(design: dict) -> list[dict]:
    """Return the steps in which work ends badly, in order."""
    return [step for step in design["steps"] if step["stage"] == "cancelled" and not step["win"]]


def in_order(path: list[dict], win: dict, cancelled: list[dict]) -> list[dict]:
    """Return all steps as a document lists them."""
    return [*path, win, *cancelled]


def place_in_group(path: list[dict], stage: str) -> int:
    """Return the place at the end of a stage group of the path, so that groups stay together."""
    before = [i for i, step in enumerate(path) if STAGE_ORDER[step["stage"]] <= STAGE_ORDER[stage]]
    return before[-1] + 1 if before else 0


# What is wrong -----------------------------------------------------------------------------------------


def problems(design: dict, *, cards: Mapping[str, int], all_cards: Mapping[str, int], most: int) -> list[Problem]:
    """Return what is wrong with a design, errors first.

    cards: how many stand on the board in each running step, by its id; all_cards: with the archived ones.
    most: how many steps it can have, on the path and cancelled.
    """
    found = [
        *_bad_names(design),
        *_bad_shape(design, most),
        *_bad_removals(design, all_cards),
        *_bad_timeouts(design),
        *_idle(design),
        *_too_small_limits(design, cards),
    ]
    return sorted(found, key=lambda problem: problem.severity != "error")


def _bad_names(design):
    steps = design["steps"]
    nameless = [step for step in steps if not step["name"].strip()]
    if nameless:
        yield _error("NO_NAME", "A step has no name.", nameless)
    alike = defaultdict(list)
    for step in steps:
        alike[step["name"].strip().casefold()].append(step)
    for name, twins in alike.items():
        if name and len(twins) > 1:
            said = f"{len(twins)} steps are called {twins[0]['name']}. Nobody can tell them apart."
            yield _error("DUPLICATE_STATUS", said, twins, entityType=design["entity_type"], name=twins[0]["name"])


def _bad_shape(design, most):
    path, cancelled = path_of(design), cancelled_of(design)
    if not path:
        said = f"No step comes before {win_of(design)['name']}, so a card has nowhere to start."
        yield _error("NOTHING_BEFORE_WIN", said, [])
    for section in (path, cancelled):
        if len(section) > most:
            yield _error("TOO_MANY", f"A workflow holds at most {most} steps.", [], path="statuses", max=most)


def _bad_removals(design, all_cards):
    there = {step["id"] for step in design["steps"]}
    full = [gone for gone in design["removed"] if all_cards.get(gone["id"]) and gone["to"] not in there]
    if full:
        counts = [all_cards[gone["id"]] for gone in full]
        said = [f"{gone['name']} is to go but holds {_cards(count)}." for gone, count in zip(full, counts, strict=True)]
        told = [{"name": gone["name"], "cards": count} for gone, count in zip(full, counts, strict=True)]
        yield _error("CARDS_NEED_STEP", f"{' '.join(said)} Choose where they should go.", full, statuses=told)


def _bad_timeouts(design):
    there = {step["id"] for step in design["steps"]}
    for step in design["steps"]:
        if not step["timeout_hours"]:
            continue
        if step["timeout_to"] == step["id"]:
            said = f"{step['name']} sends its cards to itself when their time is up."
            yield _error(
                "TIMEOUT_TO_SELF", said, [step], fix=_set("Let them go to the next step", step, timeout_to=None)
            )
        elif step["timeout_to"] and step["timeout_to"] not in there:
            said = f"{step['name']} sends cards to a step that is no longer there when their time is up."
            to_next = _set("Let them go to the next step", step, timeout_to=None)
            yield _error("TIMEOUT_TO_NOWHERE", said, [step], fix=to_next)
        elif not step["timeout_to"] and _ends(step):
            said = f"Nothing comes after {step['name']}, so its time limit moves no card."
            off = _set("Take the time limit off", step, timeout_hours=None)
            yield _warning("TIMEOUT_WITHOUT_NEXT", said, [step], off)


def _idle(design):
    waiting = [step for step in path_of(design) if not step["trigger"] and not step["timeout_hours"]]
    if waiting and not design["rulesets"]:
        has = "has" if len(waiting) == 1 else "have"
        said = f"{_names(waiting)} {has} no trigger, so cards wait there until someone moves them."
        yield _warning("NO_TRIGGER", said, waiting)
    for step in design["steps"]:
        if step["trigger"] and _ends(step):
            said = f"Nothing comes after {step['name']}, so its trigger moves no card."
            yield _warning("TRIGGER_WITHOUT_NEXT", said, [step], _set("Take the trigger off", step, trigger=None))


def _too_small_limits(design, cards):
    arriving = defaultdict(int)
    for gone in design["removed"]:
        arriving[gone["to"]] += cards.get(gone["id"], 0)
    for step in design["steps"]:
        count = cards.get(step["id"], 0) + arriving[step["id"]]
        if step["wip_policy"] == "hard" and step["wip_limit"] and count > step["wip_limit"]:
            said = f"{step['name']} will hold {_cards(count)}, its limit is {step['wip_limit']}. No more come in until enough have left."
            yield _warning("LIMIT_BELOW_CARDS", said, [step], _set("Warn instead", step, wip_policy="soft"))


def _ends(step) -> bool:
    return step["win"] or step["stage"] == "cancelled"


def _error(code, text, steps, fix=None, **attributes) -> Problem:
    return _problem(code, text, steps, "error", attributes, fix)


def _warning(code, text, steps, fix=None) -> Problem:
    return _problem(code, text, steps, "warning", {}, fix)


def _problem(code, text, steps, severity, attributes, fix) -> Problem:
    named = {"statuses": [step["name"] for step in steps]} if steps else {}
    at = tuple((step["id"], step["name"]) for step in steps)
    return Problem(code, text, at, severity, attributes or named, fix)


def _set(label, step, **changes) -> dict:
    """Return the button that changes settings of a step."""
    return {"label": label, "do": "set_step", "with": {"step_id": step["id"], **changes}}


def _names(steps) -> str:
    return in_words([step["name"] for step in steps])


def in_words(names: list[str]) -> str:
    """Return names as a sentence lists them, not more than a reader takes in."""
    names = names if len(names) <= MOST_NAMED else [*names[:MOST_NAMED], f"{len(names) - MOST_NAMED} more"]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _cards(count: int) -> str:
    return f"{count} card" if count == 1 else f"{count} cards"


def movers(before: list[str], after: list[str]) -> list[str]:
    """Return the fewest ids that must move for the one order to become the other, in the order of the second."""
    at = {one: i for i, one in enumerate(before)}
    both = [one for one in after if one in at]
    best: list[list[str]] = []  # the longest row that keeps its order and ends with each
    for i, one in enumerate(both):
        longest = max((best[j] for j in range(i) if at[both[j]] < at[one]), key=len, default=[])
        best.append([*longest, one])
    keep = set(max(best, key=len, default=[]))
    return [one for one in both if one not in keep]


def _by_id(design) -> dict:
    return {step["id"]: step for step in design["steps"]}


def _ids(design) -> list[str]:
    return [step["id"] for step in design["steps"]]


# What a design says beside its steps.
ABOUT = ("name", "type", "description", "entity_type", "entity_subtype", "rulesets", "settings", "unplaced")


# Bringing two together ---------------------------------------------------------------------------------


def merged(base: dict, mine: dict, theirs: dict) -> dict:
    """Return their design with what I changed since `base` on top of it.

    Where both changed the same setting mine is kept; what they removed is gone; what they added stands where they put it.
    """
    old, running = _by_id(base), _by_id(theirs)
    removed = [gone for gone in mine["removed"] if gone["id"] in running]
    put_away = {gone["id"] for gone in removed}
    my_order = [step_id for step_id in _ids(mine) if step_id in running or step_id not in old]
    their_order = [step_id for step_id in _ids(theirs) if step_id not in put_away]
    mine_moved = movers(_ids(base), _ids(mine))
    order = woven(my_order, their_order) if mine_moved else woven(their_order, my_order)
    steps = running | {
        step["id"]: _merged_step(old.get(step["id"], {}), step, running.get(step["id"], step)) for step in mine["steps"]
    }
    design = {key: mine[key] if mine[key] != base[key] else theirs[key] for key in ABOUT}
    design |= {"steps": [steps[step_id] for step_id in order], "removed": removed}
    return design | {"steps": in_order(path_of(design), win_of(design), cancelled_of(design))}


def _merged_step(base: dict, mine: dict, theirs: dict) -> dict:
    return {key: value if value != base.get(key) else theirs[key] for key, value in mine.items()}


def woven(order: list[str], others: list[str]) -> list[str]:
    """Return the order with what it lacks put behind the one it follows among the others."""
    order = [*order]
    for i, one in enumerate(others):
        if one not in order:
            order.insert(order.index(others[i - 1]) + 1 if i else 0, one)
    return order
