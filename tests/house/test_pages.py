"""What views and templates may not do."""

import ast
import re
from html.parser import HTMLParser

import pytest

from tests.house.source import HERE, imports, modules, templates

WRITERS = {
    "save",
    "create",
    "update",
    "delete",
    "get_or_create",
    "update_or_create",
    "bulk_create",
    "bulk_update",
    "raw",
}
PAGES = ("views", "api", "middleware", "context", "answers")

# A call that only looks like writing, or is somebody else's verb: where → why.
ALLOWED_WRITES: dict[str, str] = {}


def calls(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]


def test_pages_write_nothing_themselves():
    """A call that carries `by=` is a verb; every other one with a writer's name is a write."""
    writes = []
    for name, tree in modules().items():
        if any(room in name.split(".")[1:] for room in PAGES):
            for call in calls(tree):
                by_somebody = any(keyword.arg == "by" for keyword in call.keywords)
                where = f"{name}: {ast.unparse(call)}"
                if call.func.attr in WRITERS and not by_somebody and where not in ALLOWED_WRITES:
                    writes.append(where)
    assert not writes


def test_every_permission_not_to_write_is_used():
    source = {f"{name}: {ast.unparse(call)}" for name, tree in modules().items() for call in calls(tree)}
    assert set(ALLOWED_WRITES) <= source


def test_views_are_functions():
    classes = [
        f"{name}.{node.name}"
        for name, tree in modules().items()
        if "views" in name.split(".")
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any("View" in ast.unparse(parent) for parent in node.bases)
    ]
    generic = [str(each) for each in imports() if each.target.startswith(("django.views.generic", "django.views.View"))]
    assert not classes + generic


def test_there_is_one_signal_and_no_model_signal():
    assert not [
        str(each)
        for each in imports()
        if "db.models.signals" in each.target or each.target.endswith("dispatch.receiver")
    ]
    assert [each.module for each in imports() if each.target == "django.dispatch.Signal"] == ["accounts.events"]


def test_nobody_overrides_save_or_delete():
    overrides = [
        f"{name}.{node.name}.{method.name}"
        for name, tree in modules().items()
        if "models" in name.split(".")
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for method in node.body
        if isinstance(method, ast.FunctionDef) and method.name in ("save", "delete", "full_clean")
    ]
    assert not overrides


def test_no_view_answers_in_json():
    assert not [str(each) for each in imports() if each.target.endswith("JsonResponse") and "views" in each.module]


# Templates --------------------------------------------------------------------------------------------


class Tags(HTMLParser):
    """Collects (tag, attributes, line), and forms with whether they carry the CSRF token."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.forms = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs), self.getpos()[0]))
        if tag == "form":
            self.forms.append([dict(attrs), self.getpos()[0], False])
        elif tag == "csrf-token" and self.forms:
            self.forms[-1][2] = True

    handle_startendtag = handle_starttag


def plain(text):
    """Return a template as HTML: what it says in tags of its own becomes a word or nothing."""
    text = re.sub(r"{#.*?#}|{% comment %}.*?{% endcomment %}", "", text, flags=re.DOTALL)
    text = text.replace("{% csrf_token %}", "<csrf-token>").replace("{% url ", "{{ ")
    text = re.sub(r"{{ (?:(?!}}|%}).)*(?:}}|%})", "word", text, flags=re.DOTALL)
    return re.sub(r"{%.*?%}", "", text, flags=re.DOTALL)


HTML = {path: text for path, text in templates().items() if path.endswith(".html")}
# Mails have no style sheet, so what they look like stands in them.
SEEN_IN_BROWSERS = {path: text for path, text in HTML.items() if "/mail/" not in path and "/email/" not in path}


@pytest.fixture(scope="module")
def pages():
    """Return every template: its path, its raw text, its tags."""
    return [(path, text, Tags(plain(text))) for path, text in SEEN_IN_BROWSERS.items()]


def test_nothing_is_inline(pages):
    found = []
    for path, _, html in pages:
        for tag, attrs, line in html.tags:
            found += [f"{path}:{line} {name}" for name in attrs if re.match(r"style$|on|hx-on|hx-vals$", name)]
            if tag == "style" or (tag == "script" and "src" not in attrs):
                found.append(f"{path}:{line} <{tag}>")
    assert not found


def test_nothing_is_declared_safe(pages):
    safe = r"\|\s*safe\b|\|\s*safeseq\b|{%\s*autoescape\s+off"
    assert not [path for path, text, _ in pages if re.search(safe, text)]


# Forms that anybody sends, in nobody's name and also from a frame on another site: they have a token of their own.
OF_NOBODY = {"templates/boards/intake.html"}


def test_every_form_works_without_scripts(pages):
    for path, _, html in pages:
        for attrs, line, has_token in html.forms:
            assert attrs.get("method") in ("get", "post"), f"{path}:{line} says no method"
            assert "action" in attrs, f"{path}:{line} says no action"
            needs_token = attrs["method"] == "post" and path not in OF_NOBODY
            assert has_token == needs_token, f"{path}:{line} a POST form carries the token, a GET form none"


def test_every_htmx_request_has_a_plain_twin(pages):
    for path, _, html in pages:
        for tag, attrs, line in html.tags:
            where = f"{path}:{line}"
            if "hx-post" in attrs:
                submits = tag == "button" and "name" in attrs and html.forms  # its name and value go with its form
                assert tag == "form" or "formaction" in attrs or submits, f"{where} hx-post outside of a form"
            if "hx-get" in attrs and not {"hx-trigger"} & set(attrs):
                assert {"href", "action", "formaction"} & set(attrs), f"{where} hx-get with nowhere to go without it"
            assert not {"hx-put", "hx-patch", "hx-delete"} & set(attrs), f"{where} a form knows only get and post"


def test_every_hx_post_goes_where_its_form_goes(pages):
    for path, text, _ in pages:
        text = re.sub(r"{#.*?#}|{% comment %}.*?{% endcomment %}", "", text, flags=re.DOTALL)
        quiet = re.sub(r"{%.*?%}|{{.*?}}", lambda tag: re.sub('["<>]', "'", tag[0]), text)
        for form in re.findall(r"<form\b[^>]*>", quiet):
            action, post = re.search(r'\saction="([^"]*)"', form), re.search(r'\shx-post="([^"]*)"', form)
            assert not post or post[1] == action[1], f"{path}: {form}"


def test_every_icon_that_is_asked_for_exists():
    icons = set(re.findall(r'id="(?:i-|icon-)?([\w-]+)"', HERE.joinpath("static/icons.svg").read_text()))
    asked = {(path, name) for path, text in HTML.items() for name in re.findall(r'{% icon "([\w-]+)"', text)}
    assert not {(path, name) for path, name in asked if name not in icons}
