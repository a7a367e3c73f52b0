"""The source as the house tests read it."""

import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parents[2]
FLOORS = ("accounts", "contacts", "boards", "automations", "config")  # each leans on those before it


class Import(NamedTuple):
    """One import: from which module of ours, of what, on which line, in a function, for type checkers only."""

    module: str
    target: str
    line: int
    function: str
    is_for_types: bool

    def __str__(self):
        return f"{self.module}:{self.line} imports {self.target}"


@cache
def modules() -> dict[str, ast.Module]:
    """Return the parsed modules of all floors by dotted name, without migrations."""
    found = {}
    for floor in FLOORS:
        for path in sorted(HERE.joinpath(floor).rglob("*.py")):
            parts = path.relative_to(HERE).with_suffix("").parts
            if "migrations" not in parts:
                name = ".".join(parts).removesuffix(".__init__")
                found[name] = ast.parse(path.read_text(), str(path))
    return found


@cache
def imports() -> list[Import]:
    """Return every import of every module, those hidden in functions too."""
    found = []
    for name, tree in modules().items():
        _walk(tree, name, "", False, found)
    return found


def _walk(node, module, function, is_for_types, found):
    for child in ast.iter_child_nodes(node):
        inside, types = function, is_for_types
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            inside = f"{function}.{getattr(child, 'name', 'lambda')}".strip(".")
        elif isinstance(child, ast.ClassDef) and not function:
            inside = ""
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            types = True
        if isinstance(child, ast.Import):
            found += [Import(module, alias.name, child.lineno, inside, types) for alias in child.names]
        elif isinstance(child, ast.ImportFrom):
            assert not child.level, f"{module}:{child.lineno}: imports are absolute here"
            names = [f"{child.module}.{alias.name}" for alias in child.names]
            found += [Import(module, target, child.lineno, inside, types) for target in names]
        _walk(child, module, inside, types, found)


def module_of(target: str) -> str:
    """Return the module an imported name comes from: itself, or the one that holds it."""
    while target and target not in modules():
        target = target.rpartition(".")[0]
    return target


@cache
def templates() -> dict[str, str]:
    """Return the text of every page and mail by its path."""
    return {str(path.relative_to(HERE)): path.read_text() for path in sorted(HERE.joinpath("templates").rglob("*.*"))}
