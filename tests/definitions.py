"""Definitions for tests: the one that everybody knows, any valid one (a hypothesis strategy), and those that nobody should send."""

import string

from hypothesis import HealthCheck
from hypothesis import settings as effort
from hypothesis import strategies as st

from boards.checking import DEEPEST, ENTITY_TYPES, MOST_VALUES
from boards.documents import CATEGORIES

# The sample of the interface that definitions are put through; its number of the business and its version stand beside it.
SAMPLE = {
    "description": "A custom Workflow for Order Customer Collection",
    "entityType": "ORDER",
    "entitySubtype": "CC",
    "rulesets": [
        {
            "name": name,
            "type": "ORDER",
            "subtype": name,
            "triggers": [{"status": "CREATED"}],
            "rules": [{"name": "FLUENTRETAIL.base.ChangeState", "props": {"status": f"{name}STATUS"}}],
        }
        for name in ("CC", "HD")
    ],
    "statuses": [
        {"name": "HDSTATUS", "entityType": "ORDER", "category": "BOOKING"},
        {"name": "CCSTATUS", "entityType": "ORDER", "category": "BOOKING"},
        {"name": "CREATED", "entityType": "ORDER", "category": "BOOKING"},
        {"name": "", "entityType": "", "category": "BOOKING"},
    ],
}


# A document is much to draw, and the first one draws the table of characters too.
patient = effort(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

# Any valid one ------------------------------------------------------------------------------------------

# No control characters, no halves of pairs; some of what people type, and some that databases treat in their own way.
LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"))
words = st.text(LETTERS, min_size=1, max_size=20).filter(lambda text: text == text.strip())
subtypes = st.text(string.ascii_letters + string.digits + "_.-", min_size=1, max_size=40)
names_of_rulesets = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")), min_size=1, max_size=20
)
plain = (
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.sampled_from([0.5, -2.25])
    | st.text(LETTERS, max_size=30)
)
anything = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=4
)


def _sometimes(**keys):
    """Return what may be left out of an object, and null where it is there."""
    return st.fixed_dictionaries({}, optional={key: st.none() | value for key, value in keys.items()})


def _both(needed, optional):
    return st.tuples(needed, optional).map(lambda pair: pair[0] | pair[1])


def _settings(names):
    return _sometimes(
        description=st.text(LETTERS, max_size=50),
        status=words,
        trigger=words,
        wipLimit=st.integers(1, 9999),
        wipPolicy=st.sampled_from(["soft", "hard"]),
        staleDays=st.integers(1, 3650),
        required=st.lists(st.sampled_from(["contact", "value", "due_date", "field:Moon"]), max_size=3),
        checklist=st.lists(words, max_size=3),
        timeoutHours=st.integers(1, 87600),
        timeoutTo=st.sampled_from(names),
    )


_user_actions = st.lists(
    _both(
        st.fixed_dictionaries(
            {
                "eventName": names_of_rulesets,
                "context": st.lists(
                    _both(
                        st.fixed_dictionaries({"label": words}),
                        _sometimes(
                            type=st.sampled_from(["PRIMARY", "SECONDARY"]),
                            modules=st.just(["adminconsole"]),
                            confirm=st.booleans(),
                        ),
                    ),
                    max_size=2,
                ),
            }
        ),
        _sometimes(
            attributes=st.lists(
                _both(
                    st.fixed_dictionaries(
                        {"name": words, "type": st.sampled_from(["STRING", "INTEGER"]), "label": words}
                    ),
                    _sometimes(mandatory=st.booleans(), defaultValue=anything),
                ),
                max_size=2,
            )
        ),
    ),
    max_size=2,
)


@st.composite
def rulesets(draw, kind, names):
    """Return a ruleset of the workflow's own, with rules that everybody has."""
    leads = st.sampled_from(names).map(lambda to: {"name": "FLUENTRETAIL.base.ChangeState", "props": {"status": to}})
    sends = names_of_rulesets.map(lambda event: {"name": "FLUENTRETAIL.base.SendEvent", "props": {"eventName": event}})
    says = words.map(lambda text: {"name": "add_comment", "props": {"text": text}})
    asked = {
        "name": st.just("Create") | names_of_rulesets,
        "triggers": st.lists(st.sampled_from(names).map(lambda name: {"status": name}), max_size=3),
        "rules": st.lists(leads | sends | says, max_size=3),
    }
    optional = _sometimes(
        description=st.text(LETTERS, max_size=50),
        type=st.just(kind),
        eventType=st.sampled_from(["NORMAL", "EXCEPTION", "GENERATED"]),
        userActions=_user_actions,
    )
    return draw(_both(st.fixed_dictionaries(asked), optional))


@st.composite
def documents(draw, entity_subtypes=subtypes):
    """Return a document that nothing is wrong with, for a business that has nothing of what its steps may name."""
    kind = draw(st.sampled_from(ENTITY_TYPES))
    more = st.lists(words | st.sampled_from(["Win", "DONE"]), max_size=6, unique_by=str.casefold)
    names = ["CREATED", *(name for name in draw(more) if name.casefold() != "created")]
    statuses = []
    for name in names:
        category = "BOOKING" if name == "CREATED" else draw(st.sampled_from(sorted(CATEGORIES)))
        status = {"name": name, "entityType": kind, "category": category}
        others = [other for other in names if other != name]
        settings = draw(st.none() | _settings(others)) if others else None
        statuses.append(status | ({"settings": settings} if settings is not None else {}))
    beside = st.sampled_from([{"name": "", "entityType": ""}, {"name": "OPEN", "entityType": "WAVE"}])
    statuses += draw(st.lists(beside.map(lambda status: {**status, "category": "BOOKING"}), max_size=1))
    needed = {
        "entityType": kind,
        "entitySubtype": draw(entity_subtypes),
        "rulesets": draw(st.lists(rulesets(kind, names), max_size=3)),
        "statuses": statuses,
    }
    optional = _sometimes(
        name=words,
        description=st.text(LETTERS, max_size=50),
        settings=st.dictionaries(words, anything, max_size=2),
    )
    return needed | draw(optional)


# What nobody should send --------------------------------------------------------------------------------


def deep(levels: int):
    """Return an object in an object in an object."""
    value = {}
    for _ in range(levels):
        value = {"in": value}
    return value


def _with(**said):
    return SAMPLE | said


def _status(**said):
    return _with(statuses=[SAMPLE["statuses"][2] | said, *SAMPLE["statuses"]])


def _steps(**settings):
    return _with(statuses=[*SAMPLE["statuses"][:2], SAMPLE["statuses"][2] | {"settings": settings}])


def _ruleset(**said):
    return _with(rulesets=[SAMPLE["rulesets"][0] | said])


def _without(key, inside=None):
    kept = {one: value for one, value in (inside or SAMPLE).items() if one != key}
    return kept if inside is None else inside | kept


_LONG = "A" * 50_000
_NO_TEXT = ([], {}, 7, True, 1.5, ["A"])

# Each with the code it is told under: made by hand, the dull ones by multiplication.
HOSTILE = [
    *((odd, "TYPE_INVALID") for odd in ([], "ORDER", 7, None, True, [SAMPLE])),
    ({}, "ENTITY_TYPE_MISSING"),
    *((_with(entityType=odd), "ENTITY_TYPE_MISSING") for odd in ("", None)),
    *((_with(entityType=odd), "ENTITY_TYPE_UNKNOWN") for odd in ("MOON", "order", " ", "ORDER ", "ORDER::CC")),
    *((_with(entitySubtype=odd), "ENTITY_SUBTYPE_INVALID") for odd in ("", " ", "C C", "C/C", "C::C", "é", "C\n")),
    *(
        (_with(**{key: odd}), "TYPE_INVALID")
        for key in ("entityType", "entitySubtype", "name", "description")
        for odd in _NO_TEXT
    ),
    *((_with(**{key: _LONG}), "TOO_LONG") for key in ("entityType", "entitySubtype", "name", "description")),
    *((_without(key), "KEY_MISSING") for key in ("entitySubtype", "rulesets", "statuses")),
    *((_with(**{key: None}), "KEY_MISSING") for key in ("entitySubtype", "rulesets", "statuses")),
    *(
        (_with(**{key: odd}), "TYPE_INVALID")
        for key in ("rulesets", "statuses")
        for odd in ("", {}, 7, True, [7], [None], [[]])
    ),
    *(
        (_with(**{key: "x"}), "KEY_UNKNOWN")
        for key in ("ruleset", "__proto__", "", "$ref", "steps", "entitytype", _LONG)
    ),
    *(
        (_with(settings=odd), "TYPE_INVALID")
        for odd in ([], "x", 7, {"a": float("nan")}, {"a": float("inf")}, {"a": "\ud800"}, {"a": "\x00"})
    ),
    (_with(settings={"phasewise.workflowType": "moon"}), "TYPE_INVALID"),
    (_with(settings={"a": deep(DEEPEST + 1)}), "TOO_DEEP"),
    (_with(settings={"a": deep(20_000)}), "TOO_DEEP"),
    (_with(settings={"a": [[]] * (MOST_VALUES + 1)}), "TOO_MANY"),
    (_with(settings={"a": _LONG}), "TOO_LONG"),
    # Statuses
    *((_status(name=odd), "STATUS_NAME_INVALID") for odd in (" ", " A", "A\n", "\t")),
    *((_status(name=odd), "TYPE_INVALID") for odd in (*_NO_TEXT, "A\x00", "\ud800", "\udfff")),
    (_status(name=None), "KEY_MISSING"),
    (_status(name=_LONG), "TOO_LONG"),
    *((_status(category=odd), "CATEGORY_UNKNOWN") for odd in ("", "MOON", "BOOK", "BOOKING ", "BOOKING|DONE")),
    *((_status(**{key: odd}), "TYPE_INVALID") for key in ("category", "entityType") for odd in _NO_TEXT),
    *((_status(**{key: None}), "KEY_MISSING") for key in ("category", "entityType")),
    (_status(colour="red"), "KEY_UNKNOWN"),
    (_status(), "DUPLICATE_STATUS"),
    (_status(name="created"), "DUPLICATE_STATUS"),
    (_with(statuses=[{"name": f"S{n}", "entityType": "ORDER", "category": "NEW"} for n in range(10_000)]), "TOO_MANY"),
    (_with(statuses=[7] * 400), "TYPE_INVALID"),
    *(
        (_steps(**{key: odd}), "TYPE_INVALID")
        for key in ("wipLimit", "staleDays", "timeoutHours")
        for odd in ("3", 0, -1, 1.5, True, [], 10**30)
    ),
    *(
        (_steps(**{key: odd}), "TYPE_INVALID")
        for key in ("id", "trigger", "status", "defaultAssignee", "timeoutTo")
        for odd in _NO_TEXT
    ),
    *(
        (_steps(**{key: odd}), "TYPE_INVALID")
        for key in ("required", "checklist")
        for odd in ("x", {}, [7], [None], [["x"]])
    ),
    (_steps(wipPolicy="strict"), "TYPE_INVALID"),
    (_steps(win="yes"), "TYPE_INVALID"),
    (_steps(moon=1), "KEY_UNKNOWN"),
    (_steps(timeoutTo="MOON"), "TIMEOUT_TO_NOWHERE"),
    (_steps(checklist=["x"] * 51), "TOO_MANY"),
    # Rulesets
    *((_ruleset(name=odd), "RULESET_NAME_INVALID") for odd in ("", " ", "A B", "A\u00a0B", "A\n")),
    *((_ruleset(name=odd), "TYPE_INVALID") for odd in _NO_TEXT),
    *((_ruleset(eventType=odd), "EVENT_TYPE_UNKNOWN") for odd in ("", "normal", "MOON")),
    *((_ruleset(**{key: None}), "KEY_MISSING") for key in ("name", "rules", "triggers")),
    *(
        (_ruleset(**{key: odd}), "TYPE_INVALID")
        for key in ("rules", "triggers", "userActions")
        for odd in ("x", {}, [7], [[]])
    ),
    (_ruleset(description="A" * 251), "TOO_LONG"),
    (_ruleset(triggers=[{"status": "MOON"}]), "STATUS_UNDECLARED"),
    (_ruleset(triggers=[{"status": ""}]), "STATUS_UNDECLARED"),
    (_ruleset(type="WAVE"), "STATUS_UNDECLARED"),
    (_ruleset(triggers=[{}]), "KEY_MISSING"),
    (_ruleset(triggers=[{"status": "CREATED", "module": "x"}]), "KEY_UNKNOWN"),
    (_ruleset(triggers=[{"status": "CREATED"}] * 501), "TOO_MANY"),
    (_ruleset(rules=[{}]), "KEY_MISSING"),
    *(
        (_ruleset(rules=[{"name": "add_comment", "props": odd}]), "TYPE_INVALID")
        for odd in ([], "x", 7, {"text": float("nan")})
    ),
    (_ruleset(rules=[{"name": "add_comment", "props": {"text": deep(500)}}]), "TOO_DEEP"),
    (_ruleset(userActions=[{"eventName": "x", "context": [{}]}]), "KEY_MISSING"),
    (_ruleset(userActions=[{"eventName": "x", "context": [{"label": "x", "confirm": 1}]}]), "TYPE_INVALID"),
    (_ruleset(userActions=[{"eventName": "x", "context": [], "attributes": [{"name": "x"}]}]), "KEY_MISSING"),
    (_with(rulesets=[SAMPLE["rulesets"][0]] * 501), "TOO_MANY"),
]
