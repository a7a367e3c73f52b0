"""Every operation of the API, every scope, every role, everybody else's ids: made from the API itself, nothing forgotten."""

import json
import re
import uuid
from dataclasses import dataclass

import jsonschema_rs
import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pydantic.alias_generators import to_camel

from accounts.openapi import CODES, document
from accounts.policy import RANK, SCOPES, TABLE
from accounts.rest import Shape
from automations.models import Delivery, Run
from automations.models.run import FAILED
from boards.models import Draft, IntakeForm, Phase, Trigger
from config.api import api
from contacts.models import ContactLabel
from tests.api.program import assert_is_told, token_of
from tests.every import every
from tests.factories import actor, make_card, make_contact
from tests.house.world import build, grow

pytestmark = pytest.mark.django_db

ROLES = ("viewer", "staff", "manager", "owner")
DOCUMENT = document(api)


@dataclass(frozen=True)
class Operation:
    """One thing that a program can do, with what the document says of it."""

    id: str
    method: str
    path: str
    verb: str
    scopes: list
    shape: str  # in which it tells refusals
    told: dict

    def __str__(self):
        return self.id

    @property
    def path_ids(self) -> list[str]:
        """Return the parts of the path that name a row."""
        return re.findall(r"{(\w+)}", self.path)

    @property
    def query_ids(self) -> list[str]:
        """Return the parts of the query that name a row."""
        parts = [part for part in self.told["parameters"] if part["in"] == "query"]
        return [part["name"] for part in parts if '"uuid"' in json.dumps(part["schema"])]

    @property
    def is_bulk(self) -> bool:
        return "/bulk/" in self.path

    def body(self, ids: dict):
        """Return what is sent: the document's example, with the ids of a world."""
        if "requestBody" not in self.told:
            return None
        example = self.told["requestBody"]["content"]["application/json"]["example"]
        return _fill(example | MORE.get(self.id, {}), ids, self.id)

    def address(self, ids: dict) -> str:
        """Return its path, with the ids of a world."""
        return re.sub(r"{(\w+)}", lambda part: str(ids[part[1]]), self.path)


def _views() -> dict:
    found = {}
    for bound in api._get_bound_routers():
        for view in bound.path_operations.values():
            for one in view.operations:
                found[one.operation_id] = one.view_func
    return found


def _operation(method, path, told, view) -> Operation:
    needed = {TABLE[verb].scope for verb in view.verbs}
    shape = view.dialect.shape.__name__
    return Operation(told["operationId"], method.upper(), path, view.verb, sorted(needed), shape, told)


def operations() -> list[Operation]:
    """Return every operation."""
    views = _views()
    return [
        _operation(method, path, told, views[told["operationId"]])
        for path, methods in DOCUMENT["paths"].items()
        for method, told in methods.items()
    ]


OPERATIONS = operations()

# What an example leaves out, because it may be left out, and a sample must say.
MORE = {
    "updateContact": {"revision": 1},
    "mergeContacts": {"targetContactRevision": 1},
    "updateContactLabel": {"label": {"displayName": "Regulars"}},
    "sendEvent": {"entityType": "CARD"},
    "takeEventIn": {"entityType": "CARD"},
}
# What must be so before it can be done, with the ids of a world.
READY = {
    "deleteForm": lambda ids: IntakeForm.objects.filter(pk=ids["formId"]).update(opened_at=None),
    "retryRun": lambda ids: Run.objects.filter(pk=ids["runId"]).update(state=FAILED),
    "resendDelivery": lambda ids: Delivery.objects.filter(pk=ids["deliveryId"]).update(state=Delivery.SENT),
}
# What is called `id` or `value` in a body, and is what.
CALLED = {
    "bulkMoveCards": {"id": "cardId"},
    "bulkUpdateContacts": {"id": "contactId"},
    "sendEvent": {"entityId": "cardId"},
    "takeEventIn": {"entityId": "cardId"},
}
PLURAL = {"labelIds": "labelId", "contactIds": "contactId", "sourceContactIds": "secondContactId"}
SINGULAR = {"newPhaseId": "phaseId"}


def _fill(value, ids, operation, name=""):
    """Put the ids of a world where an example has one."""
    if isinstance(value, dict):
        return {key: _fill(part, ids, operation, key) for key, part in value.items()}
    if isinstance(value, list):
        return [_fill(part, ids, operation, name) for part in value]
    return str(ids[meant(name, operation)]) if is_id(name, value) else value


def is_id(name, value) -> bool:
    """Answer whether a value of a body names a row."""
    looks = isinstance(value, str) and re.fullmatch(r"[0-9a-f]{8}-.{27}", value)
    return bool(looks) or name in ("triggerKey", "labelKeys", "labelKeysToAdd", "labelKeysToRemove", "retailerId")


def meant(name, operation) -> str:
    """Return which row of a world a name in a body means."""
    return CALLED.get(operation, {}).get(name) or PLURAL.get(name) or SINGULAR.get(name) or name


# The worlds -------------------------------------------------------------------------------------------


@dataclass
class Place:
    """One business, its ids as the API calls them, those of another workflow of it, and its tokens."""

    world: object
    ids: dict
    siblings: dict
    secrets: dict


def _place(name, first_number) -> Place:
    world = build(name, first_number)
    business, rows = world.business, world.rows
    card = business.cards.get(number=rows["number"])
    contact, second = business.contacts.get(pk=rows["contact"]), make_contact(business, "Noor")
    workflow, phase = business.workflows.get(pk=rows["workflow_id"]), business.phases.get(pk=rows["phase"])
    for row in (workflow, phase, card, contact):
        type(row).objects.filter(pk=row.pk).update(external_id=f"{name}-7")
    by = actor(world.people["owner"])
    key = f"custom.{ContactLabel.find_or_create(business, f'Guests of {name}', by=by).key}"
    for _ in range(first_number // 100):  # so that each has versions that the other has not
        draft = Draft.running(business.workflows.get(pk=workflow.pk))
        version = draft.workflow.publish(draft, by=by)
    ids = {
        "retailerId": business.number,
        "workflowRef": version.workflow.ref,
        "workflowVersion": version.version,
        "workflowId": rows["workflow_id"],
        "phaseId": rows["phase"],
        "cardId": card.pk,
        "labelId": rows["label"],
        "contactId": rows["contact"],
        "secondContactId": second.pk,
        "formId": rows["form"],
        "ruleId": rows["rule"],
        "runId": rows["run"],
        "templateId": rows["template"],
        "webhookId": rows["webhook"],
        "inletId": rows["inlet"],
        "deliveryId": rows["mail"],
        "externalId": f"{name}-7",
        "key": key,
        "labelKeys": key,
        "labelKeysToAdd": key,
        "labelKeysToRemove": key,
        "triggerKey": Trigger.create(business, name=f"{name} paid", by=by).key,
    }
    siblings = {
        "workflowId": world.siblings["workflow_id"],
        "phaseId": world.siblings["phase"],
    }
    secrets = {(role, scope): token_of(world.people[role], scope) for role in ROLES for scope in SCOPES}
    secrets |= {role: token_of(world.people[role]) for role in ROLES}
    return Place(world, ids, siblings, secrets)


@pytest.fixture(scope="module")
def _places(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), transaction.atomic():
        yield _place("Inside", 100), _place("Outside", 500)
        transaction.set_rollback(True)


@pytest.fixture
def here(_places, db, settings):
    """The business whose walls are tested."""
    settings.API_REQUESTS_A_MINUTE = 0
    return _places[0]


@pytest.fixture
def elsewhere(_places, db):
    """Another business, with rows of its own."""
    return _places[1]


def ask(secret, operation, ids, body="its own", query=""):
    """Send a request and take back whatever it changed; the status and its code must be documented ones."""
    sent = operation.body(ids) if body == "its own" else body
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    with transaction.atomic():
        READY.get(operation.id, bool)(ids)
        with CaptureQueriesContext(connection) as captured:
            answer = Client().generic(
                operation.method,
                operation.address(ids) + query,
                "" if sent is None else json.dumps(sent),
                content_type="application/json",
                headers=headers,
            )
        answer.changes = [sql for query in captured if is_change(sql := query["sql"])]
        transaction.set_rollback(True)
    assert answer.status_code in operation.told["responses"], f"{answer.status_code} {answer.content}"
    assert_is_told(operation.method, operation.address(ids), answer)
    return answer


def is_change(sql: str) -> bool:
    """Answer whether a statement changes more than when a token was last used."""
    return bool(re.match("INSERT|UPDATE|DELETE", sql)) and 'SET "last_used_at"' not in sql


# Who comes in -----------------------------------------------------------------------------------------


@pytest.mark.one_database
def test_nobody_comes_in_without_a_token(here):
    def check(operation):
        answer = ask(None, operation, here.ids)
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="Phasewise"')

    every(OPERATIONS, check)


def test_a_sample_of_it_is_answered_and_names_nothing_of_another_business(here, elsewhere):
    theirs = {str(value) for value in elsewhere.ids.values()} - {str(value) for value in here.ids.values()}
    theirs = {one for one in theirs if len(one) > 4}  # a number or a version may be anybody's

    def check(operation):
        answer = ask(here.secrets["owner"], operation, here.ids)
        assert answer.status_code == 200, answer.content
        told = answer.content.decode()
        validator_of(operation.told["responses"][200]).validate(json.loads(told))
        assert not [one for one in theirs if one in told]

    every(OPERATIONS, check)


# What no scope opens by itself, for it shows what other scopes guard; its own test says which belong together.
SHOWS_MORE = {"tryRule", "exportRules", "previewTemplate", "getDelivery"}


@pytest.mark.one_database
@pytest.mark.parametrize("role", ROLES)
def test_a_token_may_what_its_scope_and_its_makers_role_allow_and_nothing_else(role, here):
    """An owner's token with each scope, everybody else's with the right ones: test_policy.py has the whole table."""

    def check(operation):
        grant = TABLE[operation.verb]
        for scope in SCOPES if role == "owner" else operation.scopes:
            answer = ask(here.secrets[role, scope], operation, here.ids)
            is_right = [scope] == operation.scopes and str(operation) not in SHOWS_MORE
            said = f"{role} with {scope} gets {answer.status_code}: {answer.content}"
            assert (answer.status_code == 403) == (not is_right or RANK[role] < RANK[grant.role]), said
            assert answer.status_code not in (401, 404), said

    every(OPERATIONS, check)


# What can be named ------------------------------------------------------------------------------------


def test_what_is_another_businesss_is_not_there(here, elsewhere):
    def check(operation):
        for part in operation.path_ids:
            if part == "externalId" and operation.method == "PUT":
                continue  # a name of one's own: it makes a row, or changes one's own
            ids, body = here.ids | {part: elsewhere.ids[part]}, operation.body(here.ids)
            answer = ask(here.secrets["owner"], operation, ids, body)
            assert answer.status_code == 404, f"{part}: {answer.status_code} {answer.content}"
            assert not answer.changes, part

    every([one for one in OPERATIONS if one.path_ids], check)


def test_what_is_another_workflows_is_not_there(here):
    def check(operation):
        for part in set(operation.path_ids) & set(here.siblings):
            if operation.path_ids == ["workflowId", "externalId"]:
                continue
            answer = ask(here.secrets["owner"], operation, here.ids | {part: here.siblings[part]})
            assert answer.status_code == 404, f"{part}: {answer.status_code} {answer.content}"

    every([one for one in OPERATIONS if len(one.path_ids) > 1], check)


def named(value, operation, path=()):
    """Return where a body names a row, and which."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from named(part, operation, (*path, key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from named(part, operation, (*path, index))
    else:
        name = next((key for key in reversed(path) if isinstance(key, str)), "")
        if is_id(name, value):
            yield path, meant(name, operation)


def test_what_a_body_names_of_another_business_is_not_there(here, elsewhere):
    def check(operation):
        for path, what in named(operation.body(here.ids), operation.id):
            body = operation.body(here.ids)
            inner = body
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = str(elsewhere.ids[what])
            answer = ask(here.secrets["owner"], operation, here.ids, body)
            statuses = {answer.status_code}
            if operation.is_bulk and answer.status_code == 200:
                told = [one["itemMetadata"] for one in json.loads(answer.content)["results"]]
                statuses = {one["status"] for one in told if not one["success"]}
            # That nothing is to be cancelled is no error; a retailer that is not the token's has a status of its own.
            expected = {200 if operation.id == "cancelEvent" else 401 if what == "retailerId" else 404}
            assert statuses == expected, f"{path}: {answer.status_code} {answer.content}"
            assert not answer.changes, path

    every([one for one in OPERATIONS if "requestBody" in one.told], check)


def test_a_list_narrowed_by_what_is_another_businesss_is_empty(here, elsewhere):
    theirs = elsewhere.ids | {"attachmentValue": elsewhere.ids["contactId"], "subjectId": elsewhere.ids["cardId"]}

    def check(operation):
        for part in operation.query_ids:
            answer = ask(here.secrets["owner"], operation, here.ids, query=f"?{part}={theirs[part]}")
            lists = [value for value in json.loads(answer.content).values() if isinstance(value, list)]
            assert lists == [[]], f"{part}: {answer.content}"

    every([one for one in OPERATIONS if one.query_ids], check)


@pytest.mark.one_database
def test_what_never_was_is_not_there(here):
    def check(operation):
        for part in operation.path_ids:
            if part == "externalId" and operation.method == "PUT":
                continue
            ids, body = here.ids | {part: uuid.uuid4()}, operation.body(here.ids)
            answer = ask(here.secrets["owner"], operation, ids, body)
            assert answer.status_code == 404, f"{part}: {answer.status_code}"

    every(OPERATIONS, check)


# Reading ----------------------------------------------------------------------------------------------

READING = [one for one in OPERATIONS if one.verb.endswith(".view")]


def test_reading_changes_nothing(here):
    def check(operation):
        assert not ask(here.secrets["owner"], operation, here.ids).changes

    every(READING, check)


@pytest.mark.one_database
def test_no_answer_takes_more_queries_with_more_in_it(here):
    secret = here.secrets["owner"]

    def taken():
        counts = {}
        for operation in READING:
            with CaptureQueriesContext(connection) as captured:
                assert ask(secret, operation, here.ids).status_code == 200
            # That a token was used is noted once a minute, which may pass between two looks.
            counts[operation.id] = sum('SET "last_used_at"' not in query["sql"] for query in captured)
        return counts

    taken()  # the first look fills caches
    grow(here.world, 3)
    little = taken()
    grow(here.world, 24)
    much = taken()
    assert {name: (little[name], much[name]) for name in much if much[name] > little[name]} == {}


def test_no_write_to_a_column_writes_more_rows_with_more_in_it(here):
    phase = Phase.objects.get(pk=here.ids["phaseId"])
    second = phase.workflow.phases.all()[1]
    wanted = ("createCard", "putCard", "moveCard", "updateCard", "archiveCard", "deleteCard", "bulkMoveCards")

    def taken():
        counts = {}
        for operation in OPERATIONS:
            if operation.id in wanted:
                body = operation.body(here.ids | {"newPhaseId": second.pk})
                if operation.id == "moveCard":
                    body |= {"newPhaseId": str(second.pk), "newPosition": 1}
                changed = _changed_rows()
                with CaptureQueriesContext(connection) as captured:
                    assert ask(here.secrets["owner"], operation, here.ids, body).status_code == 200
                counts[operation.id] = (len(captured), _changed_rows() - changed)
        return counts

    taken()
    for to in (phase, second):
        for _ in range(3):
            make_card(to)
    little = taken()
    for to in (phase, second):
        for _ in range(40):
            make_card(to)
    assert taken() == little


def _changed_rows() -> int:
    """Return how many rows this connection has written, which only SQLite tells."""
    return connection.connection.total_changes if connection.vendor == "sqlite" else 0


# The document -----------------------------------------------------------------------------------------


def validator(schema: dict):
    """Return what checks a value against a schema of the document."""
    return jsonschema_rs.Draft202012Validator({"components": DOCUMENT["components"], **schema}, validate_formats=True)


def validator_of(part: dict):
    """Return what checks a value against the schema of a request or an answer."""
    return validator(part["content"]["application/json"]["schema"])


def test_every_operation_is_called_by_one_name():
    names = [operation.id for operation in OPERATIONS]
    assert len(names) == len(set(names)) > 50


def test_no_two_shapes_have_the_same_name():
    def kinds(shape):
        for kind in shape.__subclasses__():
            yield kind
            yield from kinds(kind)

    names = [kind.__name__ for kind in set(kinds(Shape))]
    assert sorted(names) == sorted(set(names))


def test_the_document_says_of_an_operation_what_the_table_says():
    for operation in OPERATIONS:
        assert TABLE[operation.verb].scope in SCOPES, operation
        assert [sorted(door["token"]) for door in operation.told["security"]] == [operation.scopes], operation
        assert operation.told["summary"], operation
        assert operation.told["description"], operation
        assert operation.told["operationId"] == to_camel(operation.told["operationId"])
        always = {200, 400, 401, 403, 404, 429, 500}
        assert set(operation.told["responses"]) >= always, operation
        for status, answer in operation.told["responses"].items():
            assert answer["description"], operation
            named = answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            assert (named == operation.shape) == (status != 200), operation


def test_every_example_of_the_document_is_valid():
    for operation in OPERATIONS:
        if "requestBody" in operation.told:
            body = operation.told["requestBody"]
            validator_of(body).validate(body["content"]["application/json"]["example"])
        for status, answer in operation.told["responses"].items():
            told = answer["content"]["application/json"]
            examples = [told["example"]] if status == 200 else [one["value"] for one in told["examples"].values()]
            assert examples, operation
            for example in examples:
                validator_of(answer).validate(example)


def test_every_field_of_every_shape_has_a_type():
    for name, shape in DOCUMENT["components"]["schemas"].items():
        assert shape["description"], name
        for field, schema in shape["properties"].items():
            known = {"type", "$ref", "anyOf", "allOf", "enum", "const", "readOnly"}
            assert known & set(schema), f"{name}.{field} may be anything"
            for example in schema.get("examples", []):
                validator(schema).validate(example)


def test_every_code_is_told_by_an_operation():
    told = {code for operation in OPERATIONS for code in codes_of(operation)}
    assert told == set(CODES)


def codes_of(operation):
    for status, answer in operation.told["responses"].items():
        if status != 200:
            yield from set(answer["content"]["application/json"]["examples"]) - {"VALIDATION", "FAULT"}
