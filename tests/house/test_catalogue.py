"""Events, verbs and the policy table are one vocabulary."""

import ast
import inspect
import re
from collections import defaultdict
from types import SimpleNamespace

import pytest
from django.apps import apps

from accounts.events import catalogue, declare, sentence
from accounts.policy import TABLE
from tests.house.source import HERE, modules

# A verb of the table that is asked by several methods, or by none: why.
SEVERAL = {
    "member.invite": "inviting and withdrawing an invitation are one permission",
    "draft.change": "one small deed for each edit of a design, and beginning or discarding the draft",
    "card.create": "one card, or one for each pasted line",
    "contact.create": "from all its parts, or from the one line somebody jotted down",
    "contact.update": "from all its parts, or only its labels",
    "form.update": "a form's own words, and each of its questions",
    "form.switch": "opening and closing it",
    "rule.create": "from a document, as a copy of another, or from the rulesets of a design",
    "template.create": "one, or the letters to begin with",
    "card.update": "a card's own fields, or those its workflow adds",
    "card.plan_report": "a trigger at a later time, or an event as soon as the worker comes to it",
    "card.attach": "files that are brought, or that another card has already",
    "card.add_item": "one line, or one for each pasted line",
    "card.change_item": "ticking and putting right the words of a line",
}
NONE: dict[str, str] = {}
# An event that no `record(...)` in the source names in full: why.
SAID_ELSEWHERE: dict[str, str] = {}


def verbs():
    """Return the methods behind every verb, by its name in the table."""
    found = defaultdict(set)
    for config in apps.get_app_configs():
        if config.name not in ("accounts", "contacts", "boards", "automations"):
            continue
        for model in config.get_models():
            for owner in (model, type(model._default_manager)):
                for name, member in vars(owner).items():
                    method = getattr(member, "__func__", member)
                    if isinstance(getattr(method, "verb", None), str):
                        found[method.verb].add(f"{model._meta.label}.{name}")
    return found


def verb_names_in_source():
    """Return every name given to @verb anywhere, in modules named after a deed too."""
    found = defaultdict(set)
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                for deco in node.decorator_list:
                    if isinstance(deco, ast.Call) and getattr(deco.func, "id", "") == "verb":
                        found[deco.args[0].value].add(f"{module}.{node.name}")
    return found


def recorded_names():
    """Return every event name that some `record(...)` call may write."""
    found = defaultdict(set)
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args:
                called = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if called == "record":
                    for name in _names(node.args[0]):
                        found[name].add(f"{module}:{node.lineno}")
    return found


def _names(node):
    """Return the names in an expression; where a part is filled in, every declared name that fits."""
    if isinstance(node, ast.JoinedStr):
        parts = (re.escape(part.value) if isinstance(part, ast.Constant) else r"[a-z_]+" for part in node.values)
        pattern = re.compile("".join(parts))
        return [name for name in catalogue if pattern.fullmatch(name)] or [f"nothing like {pattern.pattern}"]
    if isinstance(node, ast.IfExp):
        return [*_names(node.body), *_names(node.orelse)]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


# Verbs ------------------------------------------------------------------------------------------------


def test_every_verb_stands_in_the_table():
    strangers = {name: methods for name, methods in verb_names_in_source().items() if name not in TABLE}
    assert not strangers


def test_every_row_of_the_table_is_one_method():
    methods = verb_names_in_source()
    for name in TABLE:
        if not name.endswith(".view"):
            count = len(methods[name])
            expected = "several" if name in SEVERAL else "none" if name in NONE else "one"
            assert expected == {0: "none", 1: "one"}.get(count, "several"), f"{name}: {methods[name] or 'no method'}"


def test_nothing_to_look_at_is_a_verb():
    assert not [name for name in verb_names_in_source() if name.endswith(".view")]


def test_every_verb_is_a_method_that_takes_who_does_it():
    for name, methods in verbs().items():
        for label in methods:
            model, _, method = label.rpartition(".")
            owner = apps.get_model(model)
            found = inspect.getattr_static(owner, method, None) or inspect.getattr_static(
                type(owner._default_manager), method
            )
            wrapped = inspect.unwrap(getattr(found, "__func__", found))
            assert inspect.signature(wrapped).parameters["by"].kind is inspect.Parameter.KEYWORD_ONLY, (name, label)


def test_every_grant_says_what_it_grants():
    assert not [name for name, grant in TABLE.items() if not grant.says]


# Events -----------------------------------------------------------------------------------------------

SAMPLES = {
    "words": "oak",
    "number": 3,
    "list": ["name", "value"],
    "row": {"id": "1", "name": "Invoice sent", "section": 0},
    "nothing": None,
    "odd": "<b>{0.__class__} {name}",
}


def test_every_event_has_label_sentence_and_icon():
    icons = set(re.findall(r'id="(?:i-|icon-)?([^"]+)"', HERE.joinpath("static/icons.svg").read_text()))
    for name, kind in catalogue.items():
        assert kind.label, name
        assert kind.label[0].isupper(), name
        assert kind.sentence, name
        assert kind.sentence[0].islower(), f"{name} is said after the actor's name"
        assert kind.icon in icons, f"{name}: there is no icon {kind.icon}"


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_sentence_can_be_said(sample):
    for name, kind in catalogue.items():
        details = dict.fromkeys(kind.details, SAMPLES[sample])
        said = str(sentence(SimpleNamespace(name=name, details=details)))
        assert said, name
        assert "<b>" not in said, name
        assert "{'id'" not in said, name


def test_every_sentence_can_be_said_of_old_rows_that_lack_a_detail():
    assert not [name for name in catalogue if not sentence(SimpleNamespace(name=name, details={}))]


def test_an_event_that_is_no_longer_declared_is_said_by_its_name():
    assert sentence(SimpleNamespace(name="order.shipped", details={})) == "order.shipped"


def test_every_record_names_a_declared_event():
    assert not {name: where for name, where in recorded_names().items() if name not in catalogue}


def test_every_declared_event_is_recorded_somewhere():
    assert set(catalogue) - set(recorded_names()) == set(SAID_ELSEWHERE)


def test_verb_and_event_share_their_noun():
    nouns = {name.partition(".")[0] for name in TABLE}
    assert not {name for name in catalogue if name.partition(".")[0] not in nouns}


def test_a_name_is_declared_once():
    name = next(iter(catalogue))
    with pytest.raises(ValueError, match="declared twice"):
        declare(name, "Again", "did it again")
