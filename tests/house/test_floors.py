"""Who leans on whom: never upwards, never into a neighbour's pages, and no import hides in a function."""

import ast

import pytest

from tests.house.source import FLOORS, imports, module_of, modules

# Inside a floor, downward too. What is not named here is a deed or a concept: beneath the forms, beside the models.
HEIGHT = {
    "urls": 5,
    "asgi": 5,
    "admin": 4,
    "views": 4,
    "api": 4,
    "answers": 4,
    "middleware": 4,
    "context": 4,
    "forms": 3,
}
GROUND = ("actor", "policy", "verbs", "events", "ordering", "starters")
KNOWS_NOTHING_OF_PAGES = ("django.http", "django.shortcuts", "django.template", "django.forms", "django.views", "ninja")


def floor(name):
    return name.partition(".")[0]


def room(name):
    return name.split(".")[1] if "." in name else ""


def ours():
    """Return imports of our own modules, with the module that holds what is imported."""
    return [(each, module_of(each.target)) for each in imports() if floor(each.target) in FLOORS]


def test_a_floor_leans_only_on_those_below():
    upwards = [str(each) for each, _ in ours() if FLOORS.index(floor(each.target)) > FLOORS.index(floor(each.module))]
    assert not upwards


def test_inside_a_floor_pages_lean_on_forms_forms_on_models_models_on_events():
    upwards = []
    for each, target in ours():
        if floor(target) == floor(each.module) and not each.is_for_types:
            here, there = room(each.module), room(target)
            if HEIGHT.get(there, 0) > HEIGHT.get(here, 0) or (here in GROUND and there == "models"):
                upwards.append(str(each))
    assert not upwards


def test_no_app_reaches_into_the_pages_of_another():
    reaching = [
        str(each)
        for each, target in ours()
        if floor(target) != floor(each.module) != "config" and room(target) in ("views", "api", "forms", "urls")
    ]
    assert not reaching


def test_no_import_hides_in_a_function():
    hidden = [str(each) for each in imports() if each.function and not _may_hide(each)]
    assert not hidden


def _may_hide(each):
    # Apps are ready only when they are; what starts the servers must set the surroundings before Django reads them.
    return (room(each.module) == "apps" and each.function == "ready") or each.module == "config.serve"


def test_models_know_no_requests_forms_or_templates():
    knowing = [
        str(each)
        for each in imports()
        if room(each.module) == "models"
        and each.target.startswith(KNOWS_NOTHING_OF_PAGES)
        and "mail" not in each.target
    ]
    assert not knowing


@pytest.mark.parametrize(
    "name", ["utils", "helpers", "services", "common", "core", "base", "misc", "managers", "handlers", "signals"]
)
def test_no_room_has_a_name_that_says_nothing(name):
    assert not [module for module in modules() if name in module.split(".")]


def test_every_room_says_what_it_is_for():
    silent = [
        name for name, tree in modules().items() if tree.body and not ast.get_docstring(tree) and room(name) != "apps"
    ]
    assert not silent


def test_deeds_are_described_in_one_imperative_line_each():
    wordless = []
    for name, tree in modules().items():
        if "models" in name.split(".") or name.endswith(".undoing"):
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef) and _is_verb(node):
                    line = (ast.get_docstring(node) or "").partition("\n")[0]
                    if not line.endswith((".", ":")) and ". " not in line:
                        wordless.append(f"{name}.{node.name}")
    assert not wordless


def test_a_refusal_of_a_field_keeps_its_code():
    # Django drops the code that stands beside a dict; accounts.verbs.refusal puts it inside.
    dropped = [
        f"{name}:{node.lineno}"
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "ValidationError"
        and node.args
        and isinstance(node.args[0], ast.Dict)
        and any(one.arg == "code" for one in node.keywords)
    ]
    assert not dropped


def _is_verb(node):
    return any(getattr(getattr(deco, "func", None), "id", "") == "verb" for deco in node.decorator_list)
