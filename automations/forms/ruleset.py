"""A ruleset of a design as it lies in the editor: when it acts, what it does then, which buttons it puts on cards.

It is read from a document or from what a page sent, reshaped by adding, taking out and moving rows, and turned back into
a document; what nobody touched stays in it as it was written, and so does what the editor does not show.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property

from django import forms

from accounts.verbs import Stale
from automations.actions.registry import actions
from automations.document import MOST_ACTIONS
from automations.forms.rule import Sheet, typed
from automations.inputs import by_name, folded
from automations.offers import PHASES, Offer, Offers
from automations.rulesets import CHANGE_STATE, SEND_EVENT, as_action
from boards.checking import EVENT_TYPES
from boards.documents import triggers_of
from boards.user_actions import PRIMARY, Question, UserAction

SECONDARY = "SECONDARY"
SENT = re.compile(r"button-(\d{1,2})-(?:ask-(\d{1,2})-)?(label|event|rank|confirm|was|kind|choices|needed)")
# How the answer to a question is given, and what a document calls it.
KINDS = {
    "text": ("Words", "STRING"),
    "number": ("A number", "NUMBER"),
    "integer": ("A whole number", "INTEGER"),
    "yes_no": ("Yes or no", "BOOLEAN"),
    "date": ("A date", "DATE"),
    "choice": ("One of several", "LIST"),
}


class DraftOffers(Offers):
    """What there is to choose from in a draft: its own steps by their names, and all that the business has beside it."""

    def __init__(self, draft):
        super().__init__(draft.workflow.business)
        self.draft = draft

    def of(self, kind: str) -> list[Offer] | None:
        """Return what a kind of value is chosen from; None for one that is written."""
        offered = super().of(kind)
        if kind not in PHASES:
            return offered
        own = self.draft.workflow
        here = [
            Offer(step["name"], step["name"], own.name, (step["id"], f"{own.name} / {step['name']}"), own.pk)
            for step in self.draft.design["steps"]
        ]
        return [*(one for one in offered if one.workflow_id is None), *here, *_elsewhere(offered, own)]


def _elsewhere(offered: list[Offer], own) -> list[Offer]:
    return [one for one in offered if one.workflow_id not in (None, own.pk)]


class WhenForm(forms.Form):
    """Under which name a ruleset acts, and where."""

    name = forms.RegexField(
        r"^\S+$",
        label="Name of the event",
        max_length=100,
        error_messages={"invalid": "One word: no spaces."},
        help_text="One word, as in PackOrder. Programs and buttons send events of this name.",
    )
    triggers = forms.MultipleChoiceField(
        label="In these steps",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None means in every step.",
    )
    description = forms.CharField(label="What it is for", max_length=250, required=False)
    event_type = forms.ChoiceField(
        label="Event type",
        choices=[(one, one.capitalize()) for one in EVENT_TYPES],
        help_text="Kept for other systems; here it makes no difference.",
    )

    def __init__(self, *args, steps: list[str], gone: list[str], **options):
        """Take the names of the steps, and those that the ruleset waits in and that are gone."""
        super().__init__(*args, **options)
        self.fields["triggers"].choices = [(name, name) for name in [*steps, *gone]]


class ButtonForm(forms.Form):
    """A button that a ruleset puts on cards."""

    label = forms.CharField(
        label="It says", max_length=120, error_messages={"required": "Write what the button says, or take it out."}
    )
    rank = forms.ChoiceField(
        label="It stands",
        choices=[(PRIMARY, "First, as the next step"), (SECONDARY, "Among the others")],
    )
    event = forms.RegexField(
        r"^\S+$",
        label="It sends the event",
        max_length=100,
        required=False,
        error_messages={"invalid": "One word: no spaces."},
        help_text="Left empty, that of this ruleset.",
    )
    confirm = forms.BooleanField(label="Asks whether one is sure", required=False)
    was = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput())


class QuestionForm(forms.Form):
    """What a button asks before it sends its event."""

    label = forms.CharField(
        label="It asks for", max_length=120, error_messages={"required": "Write what is asked, or take it out."}
    )
    kind = forms.ChoiceField(label="The answer is", choices=[(key, words) for key, (words, _) in KINDS.items()])
    # A document holds 300 characters of them, with no blanks after the commas.
    choices = forms.CharField(label="Choices, with commas between", max_length=450, required=False)
    needed = forms.BooleanField(label="Must be answered", required=False)
    was = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput())

    def clean(self):
        """Ask for what can be chosen."""
        sent = super().clean()
        if sent.get("kind") == "choice" and not sent.get("choices"):
            self.add_error("choices", "Write what can be chosen, as in: Small, Large.")
        return sent


@dataclass
class Button:
    """A button in the editor: its form, and those of its questions."""

    name: str
    form: ButtonForm
    asks: list[QuestionForm]

    @property
    def forms(self) -> list[forms.Form]:
        """Return all of its forms."""
        return [self.form, *self.asks]


class RulesetSheet:
    """A ruleset in the editor."""

    def __init__(self, draft, ruleset: dict | None = None, sent=None):
        """Take the draft, the ruleset that is changed (none for a new one) and what a page sent, if it did."""
        self.draft, self.ruleset, self.sent = draft, ruleset or {}, sent
        self.is_checked = sent is not None and sent.get("do") == "save"
        self.steps = [step["name"] for step in draft.design["steps"]]
        self.then = self._read_then(DraftOffers(draft))
        self.rows = [_as_row(one, at, self.ruleset["name"]) for at, one in enumerate(self._actions)]
        if sent is not None:
            self.rows = _sent_rows(sent)

    def _read_then(self, offers) -> Sheet:
        written = {"actions": [as_action(rule, {}) for rule in self.ruleset.get("rules", ())]}
        then = Sheet.of(written, offers) if self.sent is None else Sheet.sent(self.sent, offers, original=written)
        then.workflow = self.draft.workflow
        return then

    @property
    def _actions(self) -> list[dict]:
        return self.ruleset.get("userActions") or []

    def reshape(self, wish: str) -> str:
        """Add, take out or move a row: "then:add", "button:out:0", "ask:add:0"; return the name of what to go on at."""
        part, _, rest = wish.partition(":")
        deed, *at = rest.split(":")
        places = [int(one) for one in at if one.isdecimal() and len(one) < 4]
        if part == "then":
            return self.then.reshape(wish)
        if part == "button":
            return self._reshape(self.rows, deed, places, "button")
        if part == "ask" and places and places[0] < len(self.rows):
            return self._reshape(self.rows[places[0]]["asks"], deed, places[1:], f"button-{places[0]}-ask")
        return ""

    def _reshape(self, rows: list[dict], deed: str, places: list[int], name: str) -> str:
        if deed == "add":
            rows.append({"asks": []})
            return f"{name}-{len(rows) - 1}"
        if deed == "out" and places and places[0] < len(rows):
            del rows[places[0]]
        return f"{name}-add"

    # What is drawn ------------------------------------------------------------------------------------

    @cached_property
    def when(self) -> WhenForm:
        """Return the form of when it acts."""
        waits = [_step(name, self.steps) or name for name in triggers_of(self.ruleset)] if self.ruleset else []
        told = {"steps": self.steps, "gone": [name for name in waits if name not in self.steps]}
        if self.is_checked:
            return WhenForm(self.sent, **told)
        if self.sent is not None:
            typed_in = {name: self.sent.get(name, "") for name in WhenForm.base_fields}
            return WhenForm(initial=typed_in | {"triggers": self.sent.getlist("triggers")}, **told)
        said = {"name": self.ruleset.get("name", ""), "description": self.ruleset.get("description") or ""}
        said |= {"triggers": waits, "event_type": self.ruleset.get("eventType") or "NORMAL"}
        return WhenForm(initial=said, **told)

    @cached_property
    def buttons(self) -> list[Button]:
        """Return its buttons as they are drawn."""
        found = []
        for at, row in enumerate(self.rows):
            name = f"button-{at}"
            asks = [self._form(QuestionForm, f"{name}-ask-{n}", ask) for n, ask in enumerate(row["asks"])]
            found.append(Button(name, self._form(ButtonForm, name, row), asks))
        return found

    def _form(self, kind, name: str, row: dict) -> forms.Form:
        if self.is_checked:
            return kind({f"{name}-{key}": value for key, value in row.items()}, prefix=name)
        return kind(initial=row, prefix=name)

    @property
    def mistakes(self) -> list[tuple[str, str]]:
        """Return every mistake with the id of the field it is about ("" for none)."""
        told = [("", message) for message in self.when.non_field_errors()] if self.is_checked else []
        for form in self._forms if self.is_checked else ():
            told += [
                (form[name].auto_id, f"{form[name].label}: {' '.join(messages)}")
                for name, messages in form.errors.items()
                if name in form.fields
            ]
        return told + self.then.mistakes

    @property
    def _forms(self) -> list[forms.Form]:
        return [self.when, *(form for button in self.buttons for form in button.forms)]

    # What becomes of it -------------------------------------------------------------------------------

    def is_valid(self) -> bool:
        """Answer whether it can be kept as far as it alone can tell; what is wrong stands at its place."""
        if len(self.then.actions) > MOST_ACTIONS:
            self.then.errors["actions"] = [f"At most {MOST_ACTIONS} things fit into a ruleset."]
        good = self.then.check_actions() and not self.then.errors
        for blank in (blank for row in self.then.thens for blank in row.blanks):
            if blank.input.kind in PHASES and folded(blank.value) in map(folded, self.steps):
                blank.lacking = ""  # only the board does not know it yet
        return all([good, *(form.is_valid() for form in self._forms)])

    @property
    def mark(self) -> str:
        """Return what tells the ruleset as it lies in the draft from what it was before and will be."""
        return hashlib.sha256(json.dumps(self.ruleset, sort_keys=True).encode()).hexdigest()[:20]

    def refuse_changed_since(self, mark: str) -> None:
        """Raise Stale when it is not as somebody saw it: what they changed would be put together with something else."""
        if self.ruleset and mark != self.mark:
            raise Stale(f"The ruleset {self.ruleset['name']} was changed a moment ago. Open it again to see how.")

    def blame(self, messages: list[str]) -> None:
        """Take in what the verb refused."""
        self.when.add_error(None, messages)

    @property
    def told(self) -> dict:
        """Return the ruleset as a document holds it."""
        sent, entity = self.when.cleaned_data, self.draft.workflow.entity_of(self.draft.design)
        kept = self.ruleset or {"type": entity["entity_type"], "subtype": entity["entity_subtype"]}
        said = {"name": sent["name"], "rules": self._rules(), "triggers": self._triggers(sent["triggers"])}
        beside = {"description": sent["description"], "eventType": sent["event_type"], "userActions": self._buttons()}
        unsaid = {"description": "", "eventType": "NORMAL", "userActions": []}
        said |= {key: value for key, value in beside.items() if value != (kept.get(key) or unsaid[key])}
        return kept | said

    def _triggers(self, names: list[str]) -> list[dict]:
        before = self.ruleset.get("triggers", [])
        same = {name.casefold() for name in names} == {one["status"].casefold() for one in before}
        return before if same else [{"status": name} for name in names]

    def _rules(self) -> list[dict]:
        before = self.ruleset.get("rules", [])
        known = [(_as_typed(as_action(rule, {})), rule) for rule in before]
        return [self._rule(written, known) for written in self.then.written_actions]

    def _rule(self, written: dict, known: list) -> dict:
        """Return an action as a rule: one that was there word for word, another with names instead of ids."""
        same = next((rule for action, rule in known if action == _as_typed(written)), None)
        if same:
            return same
        kinds = {one.name: one.kind for one in actions[written["type"]].inputs}
        props = {key: by_name(value, kinds[key], self.then.where) for key, value in written.items() if key in kinds}
        if written["type"] == "move_card" and _step(props.get("to"), self.steps):
            return {"name": CHANGE_STATE, "props": {"status": props.pop("to"), **props}}
        if written["type"] == "send_event":
            return {"name": SEND_EVENT, "props": {"eventName": props["event"]}}
        return {"name": written["type"]} | ({"props": props} if props else {})

    def _buttons(self) -> list[dict]:
        own, before = self.when.cleaned_data["name"], self._actions
        return [_as_button(button, own, _at(before, button.form.cleaned_data["was"])) for button in self.buttons]


# A button as a document holds it and as the editor shows it ------------------------------------------------


def _as_row(written: dict, at: int, own: str) -> dict:
    action = UserAction.of(written)
    return {
        "was": at,
        "label": action.label,
        "event": "" if action.event == own else action.event,
        "rank": PRIMARY if action.is_primary else SECONDARY,
        "confirm": action.is_confirmed,
        "asks": [_as_asked(one, n) for n, one in enumerate(written.get("attributes") or ())],
    }


def _as_asked(written: dict, at: int) -> dict:
    asked = Question.of(written)
    told = {"was": at, "label": asked.label, "kind": asked.kind, "choices": ", ".join(asked.choices)}
    return told | {"needed": asked.is_needed}


def _as_button(button: Button, own: str, old: dict) -> dict:
    """Return a button as a document holds it; own: the event of its ruleset, old: what it was."""
    sent, contexts = button.form.cleaned_data, old.get("context") or []
    shown = {"label": sent["label"], "type": sent["rank"], "confirm": sent["confirm"]}
    if contexts:
        was = UserAction.of(old)
        same = {"label": was.label, "type": PRIMARY if was.is_primary else SECONDARY, "confirm": was.is_confirmed}
        shown = contexts[0] | {key: value for key, value in shown.items() if value != same[key]}
    else:
        shown |= {"modules": []}
    known = old.get("attributes") or []
    asked = [_as_question(one.cleaned_data, _at(known, one.cleaned_data["was"])) for one in button.asks]
    made = old | {"eventName": sent["event"] or own, "context": [shown, *contexts[1:]]}
    return made | {"attributes": asked} if asked or "attributes" in old or not old else made


def _as_question(sent: dict, old: dict) -> dict:
    """Return a question as a document holds it; a new one fills in the field of the cards that is called like it."""
    was = _as_asked(old, 0) if old else {}
    made = {"name": sent["label"]} | old
    if sent["label"] != was.get("label"):
        made["label"] = sent["label"]
    if sent["kind"] != was.get("kind"):
        made["type"] = KINDS[sent["kind"]][1]
    if sent["needed"] != was.get("needed"):
        made["mandatory"] = sent["needed"]
    if sent["kind"] == "choice" and sent["choices"] != was.get("choices"):
        made["source"] = ",".join(filter(None, map(str.strip, sent["choices"].split(","))))
    return made


def _as_typed(action: dict) -> dict:
    return {key: said for key, value in action.items() if (said := typed(value))}


def _sent_rows(post) -> list[dict]:
    """Return the buttons that a page sent, each with its questions."""
    rows: dict[int, dict] = {}
    for name in post:
        if found := SENT.fullmatch(name):
            row = rows.setdefault(int(found[1]), {"asks": {}})
            row = row if found[2] is None else row["asks"].setdefault(int(found[2]), {})
            row[found[3]] = post[name]
    return [row | {"asks": [ask for _, ask in sorted(row["asks"].items())]} for _, row in sorted(rows.items())]


def _step(name, steps: list[str]) -> str:
    """Return the step that is called so in any case, "" for none."""
    return next((one for one in steps if isinstance(name, str) and one.casefold() == name.casefold()), "")


def _at(rows: list[dict], place: int | None) -> dict:
    return rows[place] if place is not None and place < len(rows) else {}
