"""The pages for programmers: open to everybody, complete, and telling nothing of any business."""

import json
import re

import pytest
from django.urls import reverse

from accounts.models.business import reserved_slugs
from accounts.openapi import document
from accounts.rest import REFUSALS
from config.api import api
from config.views.guides import NAMES, body, guides
from config.views.reference import groups
from tests.house.source import FLOORS, HERE

GUIDES = [reverse("docs") if name == "start" else reverse("docs_guide", args=[name]) for name in NAMES]
DOCUMENT = reverse("docs_document")


def operations():
    return [operation for group in groups() for operation in group.operations]


@pytest.mark.django_db
@pytest.mark.parametrize("path", [*GUIDES, reverse("docs_api"), DOCUMENT])
def test_everybody_may_read_them(client, path):
    assert client.get(path).status_code == 200
    assert client.post(path).status_code == 405


@pytest.mark.django_db
def test_a_guide_that_is_none_is_not_there(client):
    assert client.get("/docs/poetry/").status_code == 404
    assert client.get("/docs/start/").status_code == 404  # it is at /docs/


def test_no_business_can_be_called_docs():
    assert "docs" in reserved_slugs()


@pytest.mark.django_db
def test_their_commands_name_the_server_they_are_read_on(client):
    for path in [*GUIDES, reverse("docs_api")]:
        page = client.get(path, headers={"host": "127.0.0.1:8123"}).content.decode()
        addresses = set(re.findall(r'(?<=curl )[^"&]*(?:"|&quot;)(\w+://[^/"&]+)', page))
        assert addresses <= {"http://127.0.0.1:8123"}, path


@pytest.mark.django_db
def test_they_load_nothing_from_elsewhere(client):
    for path in [*GUIDES, reverse("docs_api")]:
        page = client.get(path).content.decode()
        assert not re.findall(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="(?!/)[^"]*"', page), path


def test_the_page_on_errors_knows_every_code_that_is_answered():
    page = body(next(guide for guide in guides() if guide.name == "errors"), "https://phasewise.example")
    told = dict(re.findall(r"<td><code>([A-Z_]+)</code></td>\s*<td>([\d, ]+)</td>", page))
    answered = set(REFUSALS.values())
    for floor in FLOORS:
        for path in HERE.joinpath(floor).rglob("*.py"):
            said = re.findall(r'Refused\(\s*(\d{3}), "([A-Z_]+)"', path.read_text())
            answered |= {(int(status), code) for status, code in said}
    wrong = {(status, code) for status, code in answered if str(status) not in told.get(code, "")}
    assert not wrong


# The document -----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_document_is_kept_by_who_read_it(client):
    first = client.get(DOCUMENT)
    assert first["Content-Type"] == "application/json"
    assert first["Cache-Control"] == "public, max-age=300"
    assert json.loads(first.content)["paths"]
    again = client.get(DOCUMENT, headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.django_db
def test_reading_it_asks_the_database_nothing(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        client.get(DOCUMENT)


def test_an_operation_is_called_by_one_name():
    names = [operation.id for operation in operations()]
    assert sorted(set(names)) == sorted(names)


# The reference ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_every_operation_is_on_the_page(client):
    page = client.get(reverse("docs_api")).content.decode()
    told = re.findall(r'data-method="(\w+)" data-path="([^"]+)"', page)
    routes = {
        (method, path.replace("{path:", "{"))
        for path, methods in document(api)["paths"].items()
        for method in map(str.upper, methods)
    }
    assert set(told) == routes


def test_an_operation_tells_all_there_is_to_know():
    for operation in operations():
        assert operation.says, operation.id
        assert operation.scopes, operation.id
        assert {outcome.status for outcome in operation.outcomes} >= {400, 401, 403, 404, 429, 500}, operation.id
        assert all(outcome.samples and outcome.says for outcome in operation.outcomes), operation.id
        assert json.loads(operation.answer_sample) is not None, operation.id
        if operation.body:
            assert json.loads(operation.body_sample), operation.id
        in_path = {one.name for one in operation.parameters if one.place == "path"}
        assert set(re.findall(r"{(\w+)}", operation.path)) == in_path, operation.id


def test_a_field_stands_at_the_path_that_errors_name():
    card = next(operation for operation in operations() if operation.id == "createCard")
    paths = {row.inside + row.name: row for row in card.body}
    assert paths["card.name"].is_needed
    assert paths["card.name"].limits == "1 to 300 characters"
    assert paths["card.primaryAttachment.contactId"].kind == "id or null"
    assert "card.createdDate" not in paths, "what is read-only cannot be sent"


def test_a_shape_inside_itself_or_again_is_told_once():
    workflow = next(operation for operation in operations() if operation.id == "getWorkflow")
    paths = [row.inside + row.name for row in workflow.answer]
    assert "workflow.winPhase.cardsList.cards[].info.name" in paths
    assert "workflow.phasesList.phases" in paths
    assert "workflow.phasesList.phases[].info" not in paths
