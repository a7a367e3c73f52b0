"""A ruleset in plain words: when it acts, what it does then, which buttons it puts on cards; pure reading."""

from __future__ import annotations

from boards.definitions import in_words
from boards.documents import CREATE, LEADING, acts_on_entering, is_for, triggers_of
from boards.user_actions import UserAction

# What rules are called in words, by their names; the floor above, which knows what they do, adds its own.
deeds: dict[str, str] = {
    "FLUENTRETAIL.base.ChangeState": "move the card to",
    "FLUENTRETAIL.base.SendEvent": "send the card the event",
}
LONGEST = 120  # characters of what a rule is told


def tell(ruleset: dict, document: dict) -> dict:
    """Return a ruleset of a document in words; is_ours: whether it is about the cards of the document's workflow."""
    return {
        "name": ruleset["name"],
        "description": ruleset.get("description") or "",
        "when": when(ruleset),
        "does": [do(rule) for rule in ruleset["rules"]],
        "buttons": [press(action) for action in ruleset.get("userActions") or ()],
        "is_ours": is_for(ruleset, document),
        "about": "::".join(filter(None, (ruleset.get("type"), ruleset.get("subtype")))),
    }


def when(ruleset: dict) -> str:
    """Return in words when a ruleset acts."""
    where = in_words(triggers_of(ruleset))
    if ruleset["name"].casefold() == CREATE:
        return f"a card is made in {where}" if where else "a card is made"
    said = f"{ruleset['name']} comes to a card" + (f" in {where}" if where else "")
    return f"{said}, or a card comes in there" if acts_on_entering(ruleset) else said


def do(rule: dict) -> str:
    """Return in words what a rule does."""
    name, props = rule["name"], rule.get("props") or {}
    said, rest = deeds.get(name, name), dict(props)
    if name in LEADING:
        said = f"{deeds['FLUENTRETAIL.base.ChangeState']} {_plain(rest.pop(LEADING[name], None))}"
    elif len(rest) == 1:
        return f"{said} {_plain(*rest.values())}"
    told = ", ".join(f"{key}: {_plain(value)}" for key, value in rest.items() if value not in (None, "", []))
    return f"{said} ({told})" if told else said


def press(written: dict) -> str:
    """Return in words what a button says and asks."""
    action = UserAction.of(written)
    said = [f"“{action.label}”"]
    if action.is_confirmed:
        said.append("asks whether one is sure")
    if action.questions:
        said.append(f"asks for {in_words([question.label for question in action.questions])}")
    return ", ".join(said)


def _plain(value) -> str:
    if isinstance(value, dict):
        text = ", ".join(f"{key}: {_plain(one)}" for key, one in value.items())
    elif isinstance(value, list):
        text = ", ".join(map(_plain, value))
    else:
        text = {True: "yes", False: "no", None: "nothing"}.get(value) if isinstance(value, bool | None) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
