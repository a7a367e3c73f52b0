"""The shell of every page: theme, messages, errors in our look, and nothing that the content policy forbids."""

import re

import pytest
from django.conf import settings
from django.contrib.messages import constants
from django.core.exceptions import PermissionDenied
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from accounts.context import house
from accounts.views import errors

TEMPLATES = [
    path for path in sorted((settings.BASE_DIR / "templates").rglob("*.html")) if path.parent.name != "mail"
]  # a mail is no page
STYLES = sorted((settings.BASE_DIR / "static" / "css").glob("*.css"))


# The theme


def test_a_chosen_theme_is_kept_and_shown_by_the_server(client, db):
    answer = client.post("/theme/", {"theme": "dark", "next": "/accounts/login/"})
    assert answer.status_code == 302
    assert answer.url == "/accounts/login/"
    assert b'<html lang="en" data-theme="dark">' in client.get("/accounts/login/").content


def test_the_theme_of_the_device_is_the_absence_of_a_choice(client, db):
    client.post("/theme/", {"theme": "dark"})
    client.post("/theme/", {"theme": ""})
    assert b'<html lang="en">' in client.get("/accounts/login/").content


@pytest.mark.parametrize("chosen", ["neon", '"><script>', "x" * 5000])
def test_a_theme_that_does_not_exist_is_not_kept(client, chosen):
    client.post("/theme/", {"theme": chosen})
    assert not client.cookies["theme"].value


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_the_way_back_stays_in_the_house(client, to):
    assert client.post("/theme/", {"theme": "dark", "next": to}).url == "/"


def test_htmx_needs_no_way_back(client):
    answer = client.post("/theme/", {"theme": "dark"}, headers={"HX-Request": "true"})
    assert answer.status_code == 204
    assert answer.cookies["theme"].value == "dark"


def test_a_get_chooses_nothing(client):
    assert client.get("/theme/?theme=dark").status_code == 405


def test_a_forged_cookie_is_not_printed():
    request = RequestFactory().get("/")
    request.COOKIES["theme"] = '"><script>'
    assert house(request)["theme"] == ""


# Errors


def _request(**headers):
    request = RequestFactory().get("/nowhere/", headers=headers)
    request.htmx = type("Htmx", (), {"boosted": False, "__bool__": lambda _: bool(headers)})()
    return request


@pytest.mark.parametrize(
    ("answer", "status", "word"),
    [
        (errors.page_not_found, 404, b"Nothing here"),
        (errors.bad_request, 400, b"no sense"),
        (errors.permission_denied, 403, b"Not yours to do"),
        (errors.csrf_failed, 403, b"keep what you typed"),
    ],
)
def test_an_error_is_a_page_of_ours_with_a_way_back(answer, status, word):
    shown = answer(_request(), "")
    assert shown.status_code == status
    assert word in shown.content
    assert b'href="/"' in shown.content


@pytest.mark.parametrize(
    "answer", [errors.page_not_found, errors.bad_request, errors.permission_denied, errors.csrf_failed]
)
def test_a_piece_of_a_page_gets_a_toast_and_stays_as_it_is(answer):
    shown = answer(_request(**{"HX-Request": "true"}), "")
    assert shown["HX-Reswap"] == "none"
    assert b'hx-swap-oob="beforeend:#toasts"' in shown.content
    assert b"toast--error" in shown.content
    assert b"<!doctype" not in shown.content.lower()


def test_a_refusal_gives_the_reason_of_the_policy():
    shown = errors.permission_denied(_request(), PermissionDenied("Only a manager may <b>invite</b>."))
    assert b"Only a manager may &lt;b&gt;invite&lt;/b&gt;." in shown.content


def test_the_page_for_our_mistakes_needs_no_database_and_no_request():
    shown = errors.server_error(RequestFactory().get("/"))
    assert shown.status_code == 500
    assert b"Our mistake" in shown.content


def test_a_form_without_its_secret_is_refused_in_our_words(db):
    answer = Client(enforce_csrf_checks=True).post("/theme/", {"theme": "dark"})
    assert answer.status_code == 403
    assert b"too old to save" in answer.content


# Signing in and the pages of a person


@pytest.mark.parametrize("path", ["login/", "signup/", "password/reset/", "password/reset/done/", "inactive/"])
def test_the_pages_of_nobody_open(client, db, path):
    answer = client.get(f"/accounts/{path}")
    assert answer.status_code == 200
    assert b'<header class="dawn">' in answer.content


@pytest.mark.parametrize("path", ["email/", "password/change/", "2fa/"])
def test_the_pages_of_a_person_open_in_the_shell(browse, owner, path):
    answer = browse(owner).get(f"/accounts/{path}")
    assert answer.status_code == 200
    assert b'<nav class="rail"' in answer.content
    assert b"Brightside" in answer.content


def test_a_session_that_ended_is_told_at_the_door(client, db):
    assert b"what you dropped was not saved" in client.get("/accounts/login/?signed_out=1").content
    assert b"what you dropped was not saved" not in client.get("/accounts/login/").content


def test_a_wrong_password_keeps_the_address_and_says_so(client, owner):
    shown = client.post("/accounts/login/", {"login": owner.user.email, "password": "wrong"}).content.decode()
    assert "note--danger" in shown
    assert f'value="{owner.user.email}"' in shown
    assert "&lt;li" not in shown


# Toasts


def test_a_toast_escapes_what_it_says():
    drawn = render_to_string("_toast.html", {"kind": "success", "text": "<b>x</b>"})
    assert "&lt;b&gt;" in drawn


def test_a_toast_may_be_undone_by_a_plain_form():
    context = {"kind": "win", "text": "Won!", "undo_url": "/x/undo/", "undo_fields": {"phase": "1"}, "oob": True}
    drawn = render_to_string("_toast.html", context)
    assert 'action="/x/undo/" method="post" hx-post="/x/undo/"' in drawn
    assert '<input type="hidden" name="phase" value="1">' in drawn
    assert "toast--win" in drawn


def test_only_an_error_interrupts():
    assert 'role="alert"' in render_to_string("_toast.html", {"kind": constants.DEFAULT_TAGS[constants.ERROR]})
    assert 'role="alert"' not in render_to_string("_toast.html", {"kind": "success"})


# The content policy


def test_no_template_needs_what_the_content_policy_forbids():
    for path in TEMPLATES:
        source = path.read_text()
        assert not re.search(r"\sstyle=", source), f"{path}: a style attribute"
        assert not re.search(r'\son[a-z]+="', source), f"{path}: an inline handler"
        assert not re.search(r"<style\b", source), f"{path}: an inline style"
        for script in re.findall(r"<script\b[^>]*>", source):
            assert "src=" in script, f"{path}: an inline script"
            assert "nonce=" in script, f"{path}: a script without its nonce"


def test_every_stylesheet_is_linked_once_and_in_the_order_of_the_layers():
    linked = re.findall(r"css/(\w+)\.css", (settings.BASE_DIR / "templates" / "_styles.html").read_text())
    assert sorted(linked) == [path.stem for path in STYLES]
    assert linked[0] == "tokens"
    order = ["tokens", "reset", "base", "layout", "components", "pages", "utilities"]
    layers = [
        order.index(re.search(r"@layer (\w+) \{", (settings.BASE_DIR / f"static/css/{name}.css").read_text())[1])
        for name in linked
    ]
    assert layers == sorted(layers)


def test_every_icon_that_a_template_asks_for_is_in_the_sprite():
    drawn = set(re.findall(r'id="i-([\w-]+)"', (settings.BASE_DIR / "static" / "icons.svg").read_text()))
    asked = {name for path in TEMPLATES for name in re.findall(r'{% icon "([\w-]+)" %}', path.read_text())}
    assert asked <= drawn


def test_an_address_of_forms_opened_by_hand_says_so_in_our_look(client, db):
    answer = client.get("/theme/")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert b"letter box" in answer.content


def test_a_page_and_its_pieces_are_not_mistaken_for_each_other(browse, owner):
    answer = browse(owner).get(f"/{owner.business.slug}/")
    assert "HX-Request" in answer["Vary"]
