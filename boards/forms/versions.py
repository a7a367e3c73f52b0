"""What people write into a design beside its steps: a whole document, a ruleset."""

import json
import re

from django import forms
from django.core.exceptions import ValidationError

from boards import checking
from boards.forms.workflows import _name
from boards.models import Workflow

LARGEST = 1_000_000  # bytes of a file


class DocumentForm(forms.Form):
    """A design in a file, or pasted."""

    file = forms.FileField(
        label="A file", required=False, widget=forms.FileInput(attrs={"accept": ".json,application/json"})
    )
    document = forms.CharField(
        label="Or the document itself, as JSON",
        required=False,
        max_length=LARGEST,
        widget=forms.Textarea(attrs={"rows": 8, "class": "mono", "spellcheck": "false"}),
    )

    def clean(self):
        """Read the document; raises ValidationError for what is no design, every problem in words."""
        sent = super().clean()
        file, text = sent.get("file"), sent.get("document", "").strip()
        if file is not None:
            if file.size > LARGEST:
                raise ValidationError({"file": "A design is no larger than a megabyte."})
            text = file.read().decode("utf-8-sig", "replace")
        if not text:
            raise ValidationError({"file": "Choose a file, or paste the document below."})
        where = "document" if file is None else "file"
        read = read_json(text, where)
        if isinstance(read, dict):
            read, _ = checking.apart(read)
        wrong = [problem.text for problem in checking.check(read) if problem.severity == "error"]
        if wrong:
            raise ValidationError({where: wrong[:20]})
        sent["found"] = read
        return sent


class CopyForm(forms.Form):
    """What the copy of a workflow is called."""

    name = _name(Workflow, label="Name of the new workflow")


class RulesetForm(forms.Form):
    """A ruleset in plain words: when, where the card goes, and the button that lets people decide."""

    name = forms.RegexField(
        r"^\S+$",
        label="Name of the event",
        max_length=100,
        error_messages={"invalid": "One word: no spaces."},
        help_text="One word, as in PackOrder. Programs and buttons send events of this name.",
    )
    description = forms.CharField(label="What it is for", max_length=250, required=False)
    triggers = forms.MultipleChoiceField(
        label="In these steps",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None means in every step.",
    )
    to = forms.ChoiceField(label="The card moves to", required=False)
    rules = forms.CharField(
        label="And then, as JSON",
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4, "class": "mono", "spellcheck": "false"}),
        help_text='A list of rules, as in [{"name": "add_comment", "props": {"text": "Packed"}}].',
    )
    button = forms.CharField(
        label="A button on the card",
        max_length=100,
        required=False,
        help_text="What it says. With a button a person decides; without one it acts as soon as a card comes in.",
    )
    confirm = forms.BooleanField(label="Ask before it is done", required=False)

    def __init__(self, *args, draft, ruleset: dict | None = None, **options):
        """Take the draft and the ruleset that is changed, none for a new one."""
        super().__init__(*args, initial=_initial(ruleset) if ruleset else {}, **options)
        names = [(step["name"], step["name"]) for step in draft.design["steps"]]
        self.fields["triggers"].choices = names
        self.fields["to"].choices = [("", "It stays"), *names]
        self.draft, self.ruleset = draft, ruleset

    def clean_rules(self):
        """Read the list of rules."""
        text = self.cleaned_data["rules"].strip()
        rules = read_json(text, None) if text else []
        if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
            raise ValidationError('This is a list of rules, as in [{"name": "archive_card"}].')
        return rules

    @property
    def told(self) -> dict:
        """Return the ruleset as a document holds it; what the form does not show of it stays as it was."""
        sent, entity = self.cleaned_data, self.draft.workflow.entity_of(self.draft.design)
        old = self.ruleset or {
            "type": entity["entity_type"],
            "subtype": entity["entity_subtype"],
            "eventType": "NORMAL",
        }
        rules = [{"name": CHANGE_STATE, "props": {"status": sent["to"]}}] if sent["to"] else []
        said = {"name": sent["name"], "triggers": [{"status": name} for name in sent["triggers"]]}
        said |= {"rules": [*rules, *sent["rules"]], "userActions": self._actions(sent)}
        return (
            old | said | ({"description": sent["description"]} if sent["description"] or "description" in old else {})
        )

    def _actions(self, sent) -> list[dict]:
        """Return its buttons: the first one as the form says, all others as they were."""
        old = (self.ruleset or {}).get("userActions") or []
        if not sent["button"]:
            return old[1:]
        first = old[0] if old else {"context": [{"type": "PRIMARY", "modules": []}], "attributes": []}
        shown = [one | {"label": sent["button"], "confirm": sent["confirm"]} for one in first["context"]]
        return [first | {"eventName": sent["name"], "context": shown}, *old[1:]]


CHANGE_STATE = "FLUENTRETAIL.base.ChangeState"


def _initial(ruleset: dict) -> dict:
    """Return a ruleset as its form shows it."""
    rules = ruleset["rules"]
    leads = bool(rules) and rules[0]["name"] == CHANGE_STATE and set(rules[0].get("props") or {}) == {"status"}
    rest = rules[1:] if leads else rules
    button = next(iter(ruleset.get("userActions") or []), None)
    shown = next(iter(button["context"]), {}) if button else {}
    return {
        "name": ruleset["name"],
        "description": ruleset.get("description") or "",
        "triggers": [trigger["status"] for trigger in ruleset["triggers"]],
        "to": rules[0]["props"]["status"] if leads else "",
        "rules": json.dumps(rest, indent=2, ensure_ascii=False) if rest else "",
        "button": shown.get("label", ""),
        "confirm": bool(shown.get("confirm")),
    }


def read_json(text: str, where: str | None):
    """Return what JSON says; raises ValidationError, at a field where one is named, with the line that is wrong."""
    try:
        found = json.loads(text, parse_constant=_no_number)
        json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        at = f" It goes wrong in line {error.lineno}." if isinstance(error, json.JSONDecodeError) else ""
        said = f"This is no JSON.{at}"
        raise ValidationError({where: said} if where else said) from None
    if re.search(r"\\u0000", text):
        said = "Text may not contain the null character."
        raise ValidationError({where: said} if where else said)
    return found


def _no_number(name):
    raise ValueError(f"{name} is no number")
