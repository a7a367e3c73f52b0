"""A rule as it lies in the editor: every place of its sentence as it was typed, finished or not.

It is read from a document or from what a page sent, reshaped by adding, taking out and moving rows, said in words, and
turned back into a document; what nobody touched stays in it as it was written.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError

from accounts.templatetags.house import money
from automations.actions.registry import actions
from automations.conditions import (
    ALONE,
    MEMBERS_OF,
    TAKES_SEVERAL,
    WORDS,
    Condition,
    Fact,
    Group,
    facts,
    is_group,
    own_field,
)
from automations.document import Document
from automations.inputs import KINDS, Input, Missing, Where
from automations.offers import OPEN, Offer, Offers
from automations.outbound import host_of
from automations.triggers import Trigger, triggers
from boards.models import Workflow

# A label that begins with one of these leads the sentence on; any other only names what is to be filled in.
LEADS_ON = set(
    "in for to by at on every because called with using saying from of after before whose about into".split()
)
NAMELY = "namely"  # leads on from "a card waits in a phase" to which
OF_SEVERAL = {"has": "include", "has_not": "do not include", "has_any": "include any of", "is_empty": "are empty"}
YES_NO = (("yes", "yes"), ("no", "no"))
MOST_ROWS = 60  # that a page may send
SENT = re.compile(r"(if|then)-(\d{1,3})-([\w-]{1,60})")
Typed = dict[str, list[str]]


def typed(value) -> list[str]:
    """Return a document's value as somebody would have typed it."""
    if value is None:
        return []
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, list):
        return [text for one in value for text in typed(one)]
    return [json.dumps(value) if isinstance(value, dict) else str(value).replace("\r\n", "\n")]


@dataclass
class Blank:
    """One place of the sentence that is filled in."""

    input: Input
    name: str
    typed: list[str]
    offers: Offers
    workflow_id: Any = None
    only_here: bool = False  # whether rows of other workflows make no sense in it
    several: bool = False
    lead: str = ""
    error: str = ""
    lacking: str = ""

    @property
    def values(self) -> list[str]:
        """Return what stands in it."""
        filled = [text for text in self.typed if text.strip()]
        if self.input.kind == "yes_no":
            return filled[-1:] or (["no"] if self.typed else typed(self.input.default))
        return filled if self.several or self.is_lines else filled[-1:]

    @property
    def value(self) -> str:
        """Return what stands in a field of one value or of lines."""
        return "\n".join(self.values)

    @property
    def is_lines(self) -> bool:
        """Answer whether each line is a value of its own."""
        return self.input.kind == "lines"

    @property
    def is_on(self) -> bool:
        """Answer whether its box is ticked."""
        return self.value == "yes"

    @property
    def widget(self) -> str:
        """Return how it is drawn."""
        if self.input.kind in OPEN:
            return "open"
        if self.choices is not None:
            return "several" if self.several else "select"
        if self.several or self.input.kind in ("lines", "long_text"):
            return "area"
        if self.input.kind == "clock" and re.fullmatch(r"\d\d:\d\d|", self.value):
            return "clock"
        return {"yes_no": "tick", "number": "number", "money": "number", "span": "span"}.get(self.input.kind, "line")

    @cached_property
    def choices(self) -> list[Offer] | None:
        """Return what it is chosen from; None when it is written."""
        if self.input.choices:
            return [Offer(value, words) for value, words in self.input.choices]
        offered = self.offers.of(self.input.kind)
        if offered is None or not self.workflow_id:
            return offered
        here = [one for one in offered if one.workflow_id in (None, self.workflow_id)]
        return here if self.only_here else here + [one for one in offered if one not in here]

    @property
    def groups(self) -> list[tuple[str, list[tuple[str, str, bool]]]]:
        """Return the choices under their headings, as (value, words, chosen); also what stands in it and is not there."""
        left = dict.fromkeys(self.values or typed(self.input.default))
        groups: dict[str, list] = {}
        for one in self.choices:
            meant = next((value for value in left if self._means(one, value)), None)
            left.pop(meant, None)
            groups.setdefault(one.group, []).append(
                (one.value if meant is None else meant, one.words, meant is not None)
            )
        strange = [(value, self._strange(value), True) for value in left]
        if not self.several and (not self.input.required or not (self.values or self.input.default)):
            strange.insert(0, ("", "choose …" if self.input.required else "–", not left and not self.values))
        return ([("", strange)] if strange else []) + list(groups.items())

    @property
    def words(self) -> str:
        """Return what stands in it in words; "…" when nothing does."""
        said = [self._say(value) for value in self.values or typed(self.input.default)]
        return (" or " if self.several else ", ").join(said) or "…"

    @property
    def leads_on(self) -> bool:
        """Answer whether its label is a part of the sentence."""
        return self.input.label.split(" ")[0] in LEADS_ON

    def written(self, original=None):
        """Return what a document says of it; None to say nothing."""
        values = self.values
        if values == typed(original) or (original is None and values == typed(self.input.default)):
            return original
        return values if self.several or self.is_lines else (values[-1] if values else None)

    def check(self, where: Where) -> bool:
        """Answer whether it is filled in well; what is wrong with it, or not there, it says itself then."""
        try:
            for value in self.values if self.several else [self.written()]:
                self.input.read(value, where)
        except Missing as gone:
            self.lacking = " ".join(gone.messages)
        except ValidationError as wrong:
            self.error = " ".join(wrong.messages)
        return not self.error

    def _means(self, offer: Offer, value: str) -> bool:
        # Without a workflow, the bare name of a phase means all phases of that name.
        if self.input.kind == "phases" and not self.workflow_id and value != offer.value and "/" not in value:
            return False
        return offer.is_meant_by(value)

    def _strange(self, value: str) -> str:
        words = value.replace("_", " ")
        return f"any “{words}”" if self._is_of_any_workflow else f"“{words}”, which is not there"

    @property
    def _is_of_any_workflow(self) -> bool:
        return self.input.kind in ("phase", "phases") and not self.workflow_id

    def _say(self, value: str) -> str:
        if self.choices is not None:
            said = next((one.words for one in self.choices if one.is_meant_by(value)), "")
            return said or (value if self.input.kind in OPEN else f"“{value}”")
        if self.input.kind == "money":
            try:
                return money(
                    KINDS["money"](value, Where(self.offers.business), self.input), self.offers.business.currency
                )
            except (ValidationError, ValueError, OverflowError):
                return value
        if self.input.kind == "endpoint":
            return host_of(value)  # everybody reads the sentence, and the rest may be a secret
        if self.input.kind in ("text", "long_text", "lines", "any", "email"):
            line = " ".join(value.split()).rstrip(".")
            return f"“{line if len(line) < 60 else line[:57] + '…'}”"
        return value


@dataclass
class Row:
    """One line of the sentence: what is chosen first, and the blanks that follow from it."""

    name: str
    key: str
    label: str
    blanks: list[Blank]
    groups: list = field(default_factory=list)
    ops: list = field(default_factory=list)
    op: str = ""
    group: str = ""  # conditions within a condition: kept as they are, and only said
    hidden: list = field(default_factory=list)  # what was typed before something else was chosen
    error: str = ""

    @property
    def said(self) -> list[tuple[str, bool]]:
        """Return the row in words, as (text, whether it is a value)."""
        parts = [(self.label or "…", False)]
        if self.blanks and self.blanks[0].lead == NAMELY:
            parts = [(self.label.removesuffix(f" a {self.blanks[0].input.label}"), False)]
        if self.op:
            parts.append((next(words for key, words, _ in self.ops if key == self.op), False))
        for blank in self.blanks:
            if blank.input.kind == "yes_no":
                parts += (
                    [(blank.input.label, False)]
                    if blank.is_on and blank.value not in typed(blank.input.default)
                    else []
                )
            elif blank.values or blank.input.required:
                parts += [(blank.input.label, False)] if blank.leads_on else []
                parts.append((blank.words, True))
        return parts


class Sheet:
    """A rule in the editor."""

    def __init__(self, offers: Offers, *, name="", workflow: Workflow | None = None, original: dict | None = None):
        self.offers, self.business = offers, offers.business
        self.name, self.workflow, self.original = name, workflow, original or {}
        self.trigger: Typed = {}
        self.mode = "all"
        self.conditions: list[Typed] = []
        self.actions: list[Typed] = []
        self.version = ""
        self.errors: dict[str, list[str]] = {}

    @classmethod
    def of(cls, document: dict, offers: Offers, *, name: str = "", workflow: Workflow | None = None) -> Sheet:
        """Return a document as it lies in the editor."""
        sheet = cls(offers, name=name, workflow=workflow, original=document)
        written = document.get("trigger")
        options = dict(written) if isinstance(written, dict) else {"type": written}
        sheet.trigger = {key: typed(value) for key, value in options.items()}
        sheet.mode, parts = _parts(document.get("conditions"))
        sheet.conditions = [sheet._typed_condition(one) for one in parts]
        sheet.actions = [
            {key: typed(value) for key, value in one.items()}
            for one in document.get("actions") or ()
            if isinstance(one, dict)
        ]
        return sheet

    @classmethod
    def sent(cls, post, offers: Offers, *, original: dict | None = None) -> Sheet:
        """Return what a page sent."""
        sheet = cls(offers, name=post.get("name", "").strip(), original=original)
        key = _text_of(post.get("workflow", ""))
        sheet.workflow = offers.business.workflows.filter(slug=key).first() if key else None
        sheet.version, sheet.mode = post.get("version", ""), "any" if post.get("mode") == "any" else "all"
        sheet.trigger = {"type": [post.get("when", "")]}
        rows: dict[tuple[str, int], Typed] = {}
        for name in post:
            lines = [_text_of(text) for text in post.getlist(name)]
            if name.startswith("when-"):
                sheet.trigger[name.removeprefix("when-")] = lines
            elif found := SENT.fullmatch(name):
                rows.setdefault((found[1], int(found[2])), {})[found[3]] = lines
        for (part, _), row in sorted(rows.items())[:MOST_ROWS]:
            if "group" not in row or _can_be_kept(_last(row, "group")):
                (sheet.conditions if part == "if" else sheet.actions).append(row)
        return sheet

    def reshape(self, wish: str) -> str:
        """Add, take out or move a row: "if:add", "then:out:2", "then:up:1"; return the name of the row to go on at."""
        part, _, rest = wish.partition(":")
        deed, _, at = rest.partition(":")
        rows = self.conditions if part == "if" else self.actions
        if part not in ("if", "then") or (at and not (at.isdecimal() and len(at) < 4)):
            return ""
        at = int(at or 0)
        if deed == "add":
            rows.append({"field" if part == "if" else "type": [""]})
            at = len(rows) - 1
        elif deed == "out" and at < len(rows):
            del rows[at]
            at = min(at, len(rows) - 1)
        elif deed in ("up", "down"):
            to = at + (1 if deed == "down" else -1)
            if 0 <= to < len(rows) and at < len(rows):
                rows[at], rows[to] = rows[to], rows[at]
                at = to
        return f"{part}-{at}" if rows else part

    # What is drawn ------------------------------------------------------------------------------------

    @property
    def where(self) -> Where:
        """Return where names are looked up."""
        return Where(self.business, self.workflow.pk if self.workflow else None)

    @property
    def kind(self) -> Trigger | None:
        """Return its trigger."""
        return triggers.get(_last(self.trigger, "type"))

    @cached_property
    def when(self) -> Row:
        """Return the row of its trigger."""
        kind = self.kind
        inputs = kind.inputs if kind else ()
        blanks = [self._blank(one, f"when-{one.name}", self.trigger, only_here=True) for one in inputs]
        if kind and inputs and kind.label.endswith(f" a {inputs[0].label}"):
            blanks[0].lead = NAMELY
        known = {"type", *(one.name for one in inputs)}
        groups = _grouped((("", one.key, one.label) for one in triggers.values()), kind.key if kind else "")
        return Row(
            "when",
            kind.key if kind else "",
            kind.label if kind else "",
            blanks,
            groups,
            hidden=_rest(self.trigger, "when", known),
        )

    @cached_property
    def ifs(self) -> list[Row]:
        """Return the rows of its conditions."""
        return [self._if(f"if-{at}", row) for at, row in enumerate(self.conditions)]

    @cached_property
    def thens(self) -> list[Row]:
        """Return the rows of its actions."""
        return [self._then(f"then-{at}", row) for at, row in enumerate(self.actions)]

    @property
    def rows(self) -> list[Row]:
        """Return all rows."""
        return [self.when, *self.ifs, *self.thens]

    @property
    def said(self) -> list[tuple[str, bool]]:
        """Return the whole rule in words, as (text, whether it is a value)."""
        parts = [("When", False), *self.when.said]
        for at, row in enumerate(self.ifs):
            parts += [
                ("," if not at else "", False),
                ("if" if not at else "or" if self.mode == "any" else "and", False),
            ]
            parts += row.said
        for row in self.thens:
            parts += [(",", False), ("then", False), *row.said]
        return [part for part in parts if part[0]]

    @property
    def in_words(self) -> str:
        """Return the whole rule as one plain sentence."""
        return " ".join(text for text, _ in self.said).replace(" ,", ",") + "."

    @property
    def title(self) -> str:
        """Return what it is called, or would be when nobody names it."""
        return self.name or (f"When {self.kind.label}" if self.kind else "New rule")

    @property
    def lacking(self) -> list[str]:
        """Return what it names that is not there, once it was looked at."""
        return list(dict.fromkeys(blank.lacking for row in self.rows for blank in row.blanks if blank.lacking))

    @property
    def seen(self) -> int | None:
        """Return the version that was seen when the editor was opened."""
        return int(self.version) if self.version.isdecimal() and len(self.version) < 10 else None

    # What becomes of it -------------------------------------------------------------------------------

    @cached_property
    def document(self) -> dict:
        """Return the document it means; what nobody touched is as it was written."""
        written = {key: self.original[key] for key in ("name", "workflow") if key in self.original}
        if "name" in written:
            written["name"] = self.name or written["name"]
        if "workflow" in written and not self._is_the_workflow(written["workflow"]):
            del written["workflow"]
        written["trigger"] = self._written_trigger()
        conditions = self._written_conditions()
        if conditions or "conditions" in self.original:
            written["conditions"] = conditions
        written["actions"] = self.written_actions
        return written

    @property
    def written_actions(self) -> list[dict]:
        """Return its actions as a document says them."""
        before = self.original.get("actions") or []
        return [
            self._written_action(row, before[at] if at < len(before) else None) for at, row in enumerate(self.thens)
        ]

    def is_valid(self) -> bool:
        """Answer whether it can be kept; what is wrong stands at its place, what is not there is only said."""
        if not self.when.key:
            self.when.error = "Choose when it acts."
        for row, raw in zip(self.ifs, self.conditions, strict=True):
            self._check_condition(row, raw)
        if not self.thens:
            self.errors["actions"] = ["Say what is to be done: add an action."]
        good = [self.check_actions(), *(blank.check(self.where) for blank in self.when.blanks)]
        if self.errors or not all(good) or any(row.error or any(b.error for b in row.blanks) for row in self.rows):
            return False
        try:
            Document.read(self.document).check(self.where)
        except ValidationError as error:
            self.blame(error)
        return not self.errors

    def check_actions(self) -> bool:
        """Answer whether its actions are filled in well; what is wrong stands at its place, what is not there is only said."""
        for row in self.thens:
            if not row.key:
                row.error = "Choose what is done, or take this line out."
        good = [blank.check(self.where) for row in self.thens for blank in row.blanks]
        return all(good) and not any(row.error for row in self.thens)

    def blame(self, error: ValidationError) -> None:
        """Take in what a verb refused."""
        told = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        for part, messages in told.items():
            self.errors.setdefault(part, []).extend(messages)

    @property
    def mistakes(self) -> list[tuple[str, str]]:
        """Return every mistake with the id of the field it is about ("" for none)."""
        told = [("", message) for messages in self.errors.values() for message in messages]
        for row in self.rows:
            told += [(f"id-{row.name}", row.error)] if row.error else []
            told += [(f"id-{blank.name}", blank.error) for blank in row.blanks if blank.error]
        return told

    # Reading what was typed ---------------------------------------------------------------------------

    def _blank(self, one: Input, name: str, row: Typed, **options) -> Blank:
        return Blank(one, name, row.get(one.name, []), self.offers, self.where.workflow_id, **options)

    def _if(self, name: str, row: Typed) -> Row:
        if group := _last(row, "group"):
            return Row(name, "group", self._say_group(group), [], group=group)
        key = _last(row, "field")
        fact = self._fact(key)
        told = self.kind.facts.values() if self.kind else ()
        groups = _grouped(
            [
                *(("What happened", one.name, one.label) for one in told),
                *(
                    ("Contact" if one.name.startswith("contact.") else "Card", one.name, one.label)
                    for one in facts.values()
                ),
                *((one.workflow.name, f"field:{one.pk}", one.name) for one in self._fields),
            ],
            fact.name if fact else "",
        )
        if key and not fact:
            groups.insert(0, ("", [(key, f"“{key}”, which is not known here", True)]))
        if fact is None:
            return Row(name, "", key, [], groups, hidden=_rest(row, name, {"field"}))
        op = _last(row, "op")
        op = op if op in fact.operators else fact.operators[0]
        ops = [(one, _asks(one, fact), one == op) for one in fact.operators]
        blanks = (
            []
            if op in ALONE
            else [self._blank(asked(fact), f"{name}-value", row, only_here=True, several=op in TAKES_SEVERAL)]
        )
        hidden = _rest(row, name, {"field", "op", *(["value"] if blanks else [])})
        return Row(name, fact.name, fact.label, blanks, groups, ops, op, hidden=hidden)

    def _then(self, name: str, row: Typed) -> Row:
        action = actions.get(_last(row, "type"))
        inputs = action.inputs if action else ()
        groups = _grouped((("", one.key, one.label) for one in actions.values()), action.key if action else "")
        blanks = [self._blank(one, f"{name}-{one.name}", row) for one in inputs]
        hidden = _rest(row, name, {"type", *(one.name for one in inputs)})
        return Row(name, action.key if action else "", action.label if action else "", blanks, groups, hidden=hidden)

    @property
    def _fields(self):
        mine = self.where.workflow_id
        return [one for one in self.offers.fields if not mine or one.workflow_id == mine]

    def _fact(self, key: str) -> Fact | None:
        if self.kind and key in self.kind.facts:
            return self.kind.facts[key]
        if found := facts.get(key.removeprefix("card.")):
            return found
        wanted = key.removeprefix("field:")
        own = next((one for one in self._fields if wanted and wanted in (str(one.pk), one.name)), None)
        return own and own_field(own, f"field:{own.pk}")

    def _typed_condition(self, one) -> Typed:
        if isinstance(one, Condition):
            fact = self._fact(one.field)
            name = fact.name if fact else one.field
            return {"field": [name], "op": [one.operator(fact) if fact else one.op], "value": typed(one.value)}
        return {"group": [json.dumps(one)]}

    def _say_group(self, group: str) -> str:
        try:
            mode, parts = _parts(json.loads(group))
        except (ValueError, ValidationError):
            return "conditions that cannot be read"
        rows = [self._if("", self._typed_condition(one)) for one in parts]
        joined = " or " if mode == "any" else " and "
        return f"({joined.join(' '.join(text for text, _ in row.said) for row in rows)})"

    def _check_condition(self, row: Row, raw: Typed) -> None:
        if row.group:
            return
        fact = self._fact(_last(raw, "field"))
        if fact is None:
            row.error = "Choose what is asked, or take this line out."
            return
        for blank in row.blanks:
            if not blank.values:
                blank.error = f"Say what “{fact.label}” is compared with."
            else:
                blank.check(self.where)

    # Writing it down ----------------------------------------------------------------------------------

    def _is_the_workflow(self, named: str) -> bool:
        wanted = (
            Offer(str(self.workflow.pk), "", names=(self.workflow.name, self.workflow.slug)) if self.workflow else None
        )
        return bool(wanted and wanted.is_meant_by(str(named)))

    def _written_trigger(self):
        before = self.original.get("trigger")
        old = dict(before) if isinstance(before, dict) else {"type": before}
        old = old if old.get("type") == self.when.key else {}
        new = {"type": self.when.key}
        new |= {
            blank.input.name: said
            for blank in self.when.blanks
            if (said := blank.written(old.get(blank.input.name))) is not None
        }
        if new == old:
            return before
        return new if len(new) > 1 else self.when.key

    def _written_conditions(self):
        before = self.original.get("conditions")
        mode, parts = _parts(before)
        if mode == self.mode and self._as_conditions(
            [self._typed_condition(one) for one in parts]
        ) == self._as_conditions(self.conditions):
            return before if before is not None else []
        written = self._as_conditions(self.conditions)
        return {"any": written} if self.mode == "any" and len(written) > 1 else written

    def _as_conditions(self, rows: list[Typed]) -> list[dict]:
        written = []
        for at, raw in enumerate(rows):
            row = self._if(f"if-{at}", raw)
            if row.group:
                written.append(json.loads(row.group))
                continue
            one = {"field": row.key or _last(raw, "field"), "op": row.op}
            written.append(one | ({"value": row.blanks[0].written()} if row.blanks else {}))
        return written

    def _written_action(self, row: Row, before) -> dict:
        old = before if isinstance(before, dict) and before.get("type") == row.key else {}
        said = {blank.input.name: blank.written(old.get(blank.input.name)) for blank in row.blanks}
        return {"type": row.key} | {name: value for name, value in said.items() if value is not None}


def asked(fact: Fact) -> Input:
    """Return what a fact is compared with, as an input."""
    if fact.choices:
        return Input("value", "choice", fact.label, choices=fact.choices)
    if fact.kind == "yes_no":
        return Input("value", "choice", fact.label, choices=YES_NO)
    kind = MEMBERS_OF.get(fact.kind, fact.kind)
    return Input("value", "text" if kind == "email" else kind, fact.label)


def _asks(op: str, fact: Fact) -> str:
    """Return an operator in words, as they follow the name of a fact."""
    if fact.kind not in MEMBERS_OF:
        return WORDS[op][0]
    return OF_SEVERAL.get(op, WORDS[op][0].replace("is ", "are "))


def _parts(written) -> tuple[str, list]:
    """Return the mode of written conditions, and its parts: a Condition each, or a group as it is written."""
    mode, parts = "all", []
    written = written or []
    if is_group(written):
        ((mode, written),) = written.items()
    if isinstance(written, dict):
        return mode, list(Group.read(written).parts)
    for one in written:
        parts.append(one if is_group(one) else Condition.read(one))
    return mode, parts


def _can_be_kept(text: str) -> bool:
    """Answer whether a page sent back conditions within a condition as they were."""
    try:
        _parts([json.loads(text)])
    except (ValueError, ValidationError, RecursionError):
        return False
    return True


def _text_of(sent: str) -> str:
    """Return what was typed with one kind of line end, and without the null character, which no database keeps."""
    return sent.replace("\r\n", "\n").replace("\x00", "")


def _last(row: Typed, name: str) -> str:
    return next((text.strip() for text in reversed(row.get(name, [])) if text.strip()), "")


def _rest(row: Typed, name: str, known: set[str]) -> list[tuple[str, str]]:
    """Return what else was typed in a row, to be kept while it is worked on."""
    return [(f"{name}-{key}", text) for key, lines in row.items() if key not in known for text in lines if text]


def _grouped(rows, chosen: str) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    groups: dict[str, list] = {}
    for group, value, words in rows:
        groups.setdefault(group, []).append((value, words, value == chosen))
    return list(groups.items())
