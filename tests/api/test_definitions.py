"""Definitions over the API, as the Workflow API v4.1 has them: put, read, searched; every error in its own shape."""

import json
import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from accounts.models import Event, Membership, Receipt
from automations.api.dialect import ERRORS, WARNINGS
from automations.models import Rule
from boards.checking import ENTITY_TYPES
from boards.models import Card, Definition, Workflow
from tests.api.program import program_of
from tests.api.serving import bash
from tests.at_once import at_once
from tests.definitions import HOSTILE, SAMPLE, documents, patient
from tests.every import every
from tests.factories import make_card
from tests.house.source import HERE

PUT = "/api/v4.1/workflow"
CREATED_ON = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000"
ROW = ["version", "name", "entityType", "entitySubtype", "description", "versionComment", "createdBy", "createdOn"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(business):
    """Where the definitions of Brightside Joinery are read."""
    return f"{PUT}/{business.number}"


@pytest.fixture
def put(program, business):
    """Return a function that puts the sample, or another document, as a version."""

    def send(document=SAMPLE, version="1.0", query="", **beside):
        sent = {"retailerId": str(business.number), "version": version, "versionComment": "Why not", **beside}
        return program.put(f"{PUT}{query}", sent | document)

    return send


def errors(answer) -> dict:
    """Return the errors of a failure: their attributes by their codes."""
    assert answer.status == 400
    assert (answer.body["entityId"], answer.body["eventStatus"]) == ("0.0", "FAILED")
    assert answer.body["error"]["code"] == 400
    assert answer.body["error"]["message"]
    told = answer.body["error"]["workflowValidationError"]
    assert {one["type"] for one in told} == {"ERROR"}
    return {one["code"]: one["attributes"] for one in told}


def warnings(answer) -> dict:
    """Return the warnings of an answer: their attributes by their codes."""
    told = answer.body["warning"]["workflowValidationError"]
    assert {one["type"] for one in told} == {"WARN"}
    return {one["code"]: one["attributes"] for one in told}


def message(answer) -> tuple[int, str]:
    """Return status and words of a refusal of a reading."""
    (error,) = answer.body["errors"]
    assert error["code"] == str(answer.status)
    return answer.status, error["message"]


# The interface as its description shows it ------------------------------------------------------------

COMMANDS = """\
URL={address}/api/v4.1/workflow
AUTH="Authorization: Bearer {token}"
curl -sS -X PUT "$URL" -H "$AUTH" -H "Content-Type: application/json" -d '{body}'; echo
curl -sS "$URL/{number}/ORDER::CC/1.0" -H "$AUTH"; echo
curl -sS "$URL?retailerId={number}&name=ORDER::CC" -H "$AUTH"; echo
"""


def test_the_sample_of_the_interface_is_put_and_read_and_found_over_a_real_socket(site):
    _, token = site.found()
    number = json.loads(bash(f'curl -sS "{site.address}{PUT}" -H "Authorization: Bearer {token}"'))["retailerId"]
    comment = "Making minor change to Workflow"
    sent = SAMPLE | {"retailerId": number, "version": "1.4", "versionComment": comment}
    told = bash(COMMANDS.format(address=site.address, token=token, number=number, body=json.dumps(sent)))
    saved, read, found = map(json.loads, told.splitlines())
    assert saved == {"entityId": f"{number}-ORDER::CC::1.0", "eventStatus": "COMPLETE"}

    assert re.fullmatch(CREATED_ON, read.pop("createdOn"))
    rulesets = [ruleset | {"eventType": "NORMAL", "userActions": []} for ruleset in SAMPLE["rulesets"]]
    beside = {"id": None, "name": "ORDER::CC", "createdBy": "CRM", "version": "1.0"}
    assert read == sent | {"rulesets": rulesets, **beside}

    (row,) = found.pop("results")
    assert list(row) == ROW
    assert found == {"count": 10, "start": 1, "total": 1, "retailerId": number, "sort": "createdOn DESC"}
    assert re.fullmatch(CREATED_ON, row.pop("createdOn"))
    assert row == {key: (read | {"versionComment": comment})[key] for key in ROW[:-1]}


def test_a_definition_makes_its_board(put, business):
    assert put().status == 200
    workflow = business.workflows.get()
    assert workflow.name == "ORDER::CC"
    assert [phase.name for phase in workflow.phases.all()] == ["HDSTATUS", "CCSTATUS", "CREATED", "Win"]


def test_what_may_be_left_out_is_read_as_it_was_left(put, program, root):
    least = {"entityType": "CARD", "entitySubtype": "x", "rulesets": [], "statuses": [SAMPLE["statuses"][2]]}
    least["statuses"] = [least["statuses"][0] | {"entityType": "CARD", "settings": {"wipLimit": 3}}]
    assert put(least, versionComment=None).status == 200
    read = program.get(f"{root}/CARD::x").body
    assert (read["description"], read["name"], read["versionComment"]) == ("", "CARD::x", "")
    assert read["statuses"] == least["statuses"]
    assert "settings" not in read
    assert put(least | {"name": "Jobs", "settings": {"colour": "red"}}).status == 200
    read = program.get(f"{root}/CARD::x").body
    assert (read["name"], read["settings"]) == ("Jobs", {"colour": "red"})


@effort(patient, max_examples=15, suppress_health_check=[*HealthCheck])
@given(document=documents(st.sampled_from(["CC", "HD"])))
def test_any_valid_document_survives_being_put_read_and_put_again(document, put, program, root):
    """Also over a board that is there already."""

    def read_back():
        read = program.get(f"{root}/{document['entityType']}::{document['entitySubtype']}").body
        return {key: value for key, value in read.items() if key not in ("createdOn", "version")}

    first = put(document)
    assert first.status == 200, first.body
    read = read_back()
    for key, value in document.items():
        if key == "rulesets":
            value = [{"eventType": "NORMAL", "userActions": [], **ruleset} for ruleset in value]
        assert read[key] == value or (key in ("name", "description") and value is None)
    again = program.put(PUT, read | {"version": "1.0"})
    assert again.status == 200, again.body
    assert read_back() == read
    published = Event.objects.filter(name="workflow.published").latest("sequence")
    assert published.details["changes"] == ["nothing changes on the board"]


def test_what_a_document_does_not_say_stays_and_is_read_as_it_is(put, program, root, business):
    put(SAMPLE | {"name": "Click and collect"})
    put({key: value for key, value in SAMPLE.items() if key != "description"})
    read = program.get(f"{root}/ORDER::CC/1.1").body
    assert (read["name"], read["description"]) == ("Click and collect", SAMPLE["description"])
    workflow = business.workflows.get()
    assert (workflow.name, workflow.description) == (read["name"], read["description"])


# Versions -----------------------------------------------------------------------------------------------


def test_the_minor_is_counted_here_and_the_major_by_who_puts(put):
    sent = ["1.0", "1.0", "1.7", "2.9", "2.0", "3.0"]
    versions = [put(version=version).body["entityId"].rpartition("::")[2] for version in sent]
    assert versions == ["1.0", "1.1", "1.2", "2.0", "2.1", "3.0"]
    assert errors(put(version="2.0"))["VERSION_STALE"] == {"version": 2, "newest": "3.0"}
    assert errors(put(version="5.0"))["VERSION_SKIPPED"] == {"version": 5, "newest": "3.0"}


@pytest.mark.parametrize("version", ["", "1", "0.1", "1.", ".1", "v1.0", "1.0.0", "01.0", "1.0 ", "1,0", "-1.0", "1.x"])
def test_a_version_has_a_form(put, version):
    assert errors(put(version=version)) == {"VERSION_INVALID": {"version": version, "path": "version"}}


def test_the_first_version_is_one(put):
    assert errors(put(version="2.0"))["VERSION_SKIPPED"] == {"version": 2, "newest": "none"}
    assert not Workflow.objects.exists()


def test_every_version_stays_as_it_was(put, program, root):
    put()
    put(SAMPLE | {"description": "Another", "rulesets": []}, versionComment="Simpler")
    first, second = (program.get(f"{root}/ORDER::CC/1.{minor}").body for minor in (0, 1))
    assert (first["description"], len(first["rulesets"])) == (SAMPLE["description"], 2)
    assert (second["description"], second["rulesets"], second["versionComment"]) == ("Another", [], "Simpler")
    assert program.get(f"{root}/ORDER::CC").body == second


@pytest.mark.django_db(transaction=True)
def test_no_number_is_given_twice_to_those_who_put_at_the_same_moment(owner, business):
    programs = [program_of(owner) for _ in range(4)]
    sent = SAMPLE | {"retailerId": str(business.number), "version": "1.0"}
    answers = at_once(*(lambda program=program: program.put(PUT, sent) for program in programs))
    assert [answer.status for answer in answers] == [200] * 4
    versions = sorted(answer.body["entityId"].rpartition("::")[2] for answer in answers)
    assert versions == ["1.0", "1.1", "1.2", "1.3"]
    assert business.workflows.count() == 1
    assert list(Definition.objects.values_list("minor", flat=True)) == [3, 2, 1, 0]


# What cards do ------------------------------------------------------------------------------------------


def test_cards_of_a_status_that_goes_are_told_where_to_go(put, business):
    put()
    card = make_card(business.phases.get(name="HDSTATUS"))
    without = SAMPLE | {"statuses": SAMPLE["statuses"][1:], "rulesets": SAMPLE["rulesets"][:1]}
    for moves in ({}, {"moveCards": {}}, {"moveCards": {"HDSTATUS": "MOON"}}):
        assert errors(put(without, **moves)) == {"CARDS_NEED_STEP": {"statuses": [{"name": "HDSTATUS", "cards": 1}]}}
    assert put(without, moveCards={"HDSTATUS": "CREATED"}).status == 200
    assert Card.objects.get(pk=card.pk).phase.name == "CREATED"
    assert "moveCards" not in Definition.objects.first().document


def test_cards_on_their_way_finish_in_the_old_major_when_that_is_wished(put, business):
    put()
    card = make_card(business.phases.get(name="HDSTATUS"))
    without = SAMPLE | {"statuses": SAMPLE["statuses"][1:], "rulesets": SAMPLE["rulesets"][:1]}
    assert put(without, version="2.0", finishOld=True).status == 200
    card = Card.objects.get(pk=card.pk)
    assert (card.phase.name, card.major) == ("HDSTATUS", 1)


# What it costs ------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_ruleset_that_acts_in_more_statuses_costs_no_more_queries(put):
    def asked(subtype, count):
        statuses = [{"name": f"S{at}", "entityType": "ORDER", "category": "BOOKING"} for at in range(12)]
        ruleset = {"name": "Go", "triggers": [{"status": one["name"]} for one in statuses[:count]]}
        with CaptureQueriesContext(connection) as captured:
            for text in ("First", "Changed"):
                rules = [{"name": "add_comment", "props": {"text": text}}]
                document = {"entityType": "ORDER", "entitySubtype": subtype, "statuses": statuses}
                assert put(document | {"rulesets": [ruleset | {"rules": rules}]}).status == 200
        made = Rule.objects.get(workflow__entity_subtype=subtype)
        assert len(made.document["conditions"][0]["value"]) == count
        return len(captured)

    asked("FIRST", 1)  # which fills caches
    assert asked("MANY", 12) <= asked("FEW", 1)


# What is wrong ------------------------------------------------------------------------------------------


def test_a_failure_tells_errors_and_warnings_apart(put, business):
    document = SAMPLE | {"rulesets": [SAMPLE["rulesets"][0] | {"triggers": [{"status": "MOON"}]}]}
    answer = put(document)
    assert list(answer.body) == ["entityId", "eventStatus", "error", "warning"]
    assert errors(answer) == {
        "STATUS_UNDECLARED": {"ruleset": "CC", "status": "MOON", "path": "rulesets[0].triggers[0]"}
    }
    told = warnings(answer)
    assert [row["name"] for row in told["UNUSED_CATEGORY_FOUND"]["categories"]] == ["HDSTATUS", "CREATED", ""]
    assert told["UNUSED_CATEGORY_FOUND"]["categories"][0] == SAMPLE["statuses"][0]
    assert answer.body["warning"]["code"] == 400
    assert not business.workflows.exists()


def test_warnings_stop_nothing_and_are_told_where_they_are_asked_for(put):
    assert set(put().body) == {"entityId", "eventStatus"}
    answer = put(query="?warnings=true")
    assert answer.status == 200
    assert set(warnings(answer)) >= {"UNUSED_CATEGORY_FOUND", "CREATE_RULESET_MISSING"}


def test_what_stands_beside_the_document_is_checked_with_it(program, business):
    sent = SAMPLE | {"version": 1.4, "versionComment": "A" * 2001, "moveCards": {"A": 7}, "finishOld": "yes"}
    sent |= {"entityType": "MOON", "id": ["ignored"], "createdBy": 7}
    assert errors(program.put(PUT, sent)) == {
        "KEY_MISSING": {"key": "retailerId", "path": ""},
        "TYPE_INVALID": {"path": "finishOld", "expected": "true or false"},
        "TOO_LONG": {"path": "versionComment", "max": 2000},
        "ENTITY_TYPE_UNKNOWN": {"entityType": "MOON"},
    }


def _written(document) -> str:
    try:
        return json.dumps(document)
    except RecursionError:
        return '{"settings":' + '{"in":' * 20_000 + "{}" + "}" * 20_001


@pytest.mark.one_database
def test_what_nobody_should_send_is_refused_and_breaks_nothing(program, business):
    beside = {"retailerId": str(business.number), "version": "1.0"}

    def check(sent):
        document, code = sent
        answer = program.put(PUT, _written(beside | document if isinstance(document, dict) else document))
        assert set(errors(answer)) & {code, "MALFORMED_JSON", "NULL_CHARACTER"}
        assert not business.workflows.exists()

    every(HOSTILE, check)


@effort(patient, max_examples=25, suppress_health_check=[*HealthCheck])
@given(
    sent=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from([*SAMPLE, "name", "settings", "moveCards"]), inner)
        ),
    )
)
def test_whatever_is_sent_the_answer_is_a_failure_in_its_shape(sent, program, business):
    beside = {"retailerId": str(business.number), "version": "1.0"}
    answer = program.put(PUT, beside | sent if isinstance(sent, dict) else sent)
    assert errors(answer)


def test_a_body_that_is_too_large_or_no_json_fails_in_the_same_shape(program, owner):
    large = program.put(PUT, "[" + " " * 3_000_000 + "]")
    assert set(errors(large)) == {"BODY_TOO_LARGE"}
    assert set(errors(program.put(PUT, "{"))) == {"MALFORMED_JSON"}
    plain = program.client.generic(
        "PUT", PUT, "x", content_type="text/plain", headers={"Authorization": program.secret}
    )
    assert (plain.status_code, json.loads(plain.content)["eventStatus"]) == (400, "FAILED")


def test_limits_of_the_business_are_told_in_the_same_shape(put, business):
    business.most_workflows = 0
    business.save()
    answer = put()
    assert (answer.status, answer.body["error"]["code"]) == (403, 403)
    assert [one["code"] for one in answer.body["error"]["workflowValidationError"]] == ["MAX_WORKFLOWS_REACHED"]


def test_an_archived_workflow_takes_no_new_version_but_is_read(put, program, root, business, system):
    put()
    business.workflows.get().archive(by=system)
    assert set(errors(put())) == {"WORKFLOW_ARCHIVED"}
    assert program.get(f"{root}/ORDER::CC").status == 200


def test_the_same_request_under_a_key_is_one_version(program, business):
    sent = SAMPLE | {"retailerId": str(business.number), "version": "1.0"}
    answers = [program.put(PUT, sent, Idempotency_Key="k1") for _ in range(2)]
    assert answers[0].body == answers[1].body
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert Definition.objects.count() == Receipt.objects.count() == 1
    reused = program.put(PUT, sent | {"version": "2.0"}, Idempotency_Key="k1")
    assert set(errors(reused)) == {"IDEMPOTENCY_KEY_REUSED"}


def test_a_rule_that_there_is_not_is_told_as_the_interface_shows_it(put):
    rule = {"name": "FLUENTRETAIL.base.ChangeStatus", "props": {"status": "HDSTATUS"}}
    answer = put(SAMPLE | {"rulesets": [SAMPLE["rulesets"][0], SAMPLE["rulesets"][1] | {"rules": [rule]}]})
    error = {"type": "ERROR", "code": "RULE_NOT_FOUND", "attributes": {"name": "FLUENTRETAIL.base.ChangeStatus"}}
    assert answer.body["error"]["workflowValidationError"] == [error]
    unused = warnings(answer)["UNUSED_CATEGORY_FOUND"]["categories"]
    assert unused[0] == {"name": "HDSTATUS", "entityType": "ORDER", "category": "BOOKING"}


SAYING = ("boards/checking.py", "boards/definitions.py", "boards/models/draft.py", "automations/doctor.py")


def test_every_code_that_a_definition_may_be_told_stands_in_the_table():
    said = {code for path in SAYING for code in re.findall(r'"([A-Z]+(?:_[A-Z]+)+)"', HERE.joinpath(path).read_text())}
    assert said - set(ENTITY_TYPES) <= set(ERRORS) | set(WARNINGS)
    assert set(ERRORS) | set(WARNINGS) <= said | {"VERSION_STALE", "VERSION_SKIPPED"}


# Reading ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "ORDER::CC/1.1",
        "ORDER::CC/2.0",
        "ORDER::CC/01.0",
        "ORDER::CC/1.00",
        "ORDER::CC/1",
        "ORDER::CC/latest",
        "ORDER::CC/99999.999999999",
        "ORDER::HD/1.0",
        "ORDER::HD",
        "ORDER",
        "::",
        "CARD::",
        "order::cc",
        "%F0%9F%8C%99",
    ],
)
def test_what_there_is_not_is_not_found(put, program, root, path):
    put()
    assert message(program.get(f"{root}/{path}")) == (404, "Unable to find Workflow")


def test_a_workflow_that_was_never_published_is_not_found(program, root, workflow):
    assert program.get(f"{root}/::").status == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["2.0", "1.1", "1.0", "1.0"]),
        ("?count=2", ["2.0", "1.1"]),
        ("?start=2&count=2", ["1.1", "1.0"]),
        ("?start=5", []),
        ("?latest=true", ["2.0", "1.0"]),
        ("?name=ORDER::CC", ["2.0", "1.1", "1.0"]),
        ("?name=ORDER::CC&latest=true", ["2.0"]),
        ("?name=Returns", ["1.0"]),
        ("?name=ORDER", []),
        ("?name=CC", []),
        ("?sort=createdOn", ["1.0", "1.0", "1.1", "2.0"]),
        ("?sort=version DESC", ["2.0", "1.1", "1.0", "1.0"]),
        ("?sort=version ASC", ["1.0", "1.0", "1.1", "2.0"]),
        ("?sort=name DESC&count=1", ["1.0"]),
        ("?accountId=brightside&count=1", ["2.0"]),
        ("?accountId=Brightside&retailerId={number}&count=1", ["2.0"]),
    ],
)
def test_versions_are_searched(put, program, business, query, found):
    put()
    put(
        SAMPLE
        | {
            "entityType": "RETURN_ORDER",
            "name": "Returns",
            "statuses": [SAMPLE["statuses"][2] | {"entityType": "RETURN_ORDER"}],
            "rulesets": [],
        }
    )
    put()
    put(version="2.0")
    answer = program.get(PUT + query.format(number=business.number))
    assert answer.status == 200
    assert [row["version"] for row in answer.body["results"]] == found


def test_a_search_tells_what_was_asked_and_how_many_there_are(put, program, business):
    for _ in range(3):
        put()
    answer = program.get(f"{PUT}?start=2&count=1&sort=version ASC").body
    results = answer.pop("results")
    assert answer == {"count": 1, "start": 2, "total": 3, "retailerId": str(business.number), "sort": "version ASC"}
    assert [list(row) for row in results] == [ROW]


@pytest.mark.parametrize(
    "query",
    ["count=0", "count=1001", "count=x", "start=0", "sort=moon", "sort=version UP", "latest=perhaps"],
)
def test_a_search_that_makes_no_sense_is_refused_in_the_shape_of_reading(program, query):
    assert message(program.get(f"{PUT}?{query}"))[0] == 400


def test_columns_are_sorted_by_code_point_whatever_the_database_thinks(put, program):
    for name in ("b", "a", "B", "ä"):
        put(SAMPLE | {"name": name, "entitySubtype": uuid.uuid4().hex})
    rows = program.get(f"{PUT}?sort=name ASC").body["results"]
    assert [row["name"] for row in rows] == ["B", "a", "b", "ä"]


# Who may ------------------------------------------------------------------------------------------------

SCOPES = ("WORKFLOW_VIEW", "WORKFLOW_CREATE", "WORKFLOW_UPDATE")


@pytest.mark.parametrize("role", ["owner", "manager", "staff", "viewer"])
@pytest.mark.parametrize("lacking", ["", *SCOPES])
def test_to_put_takes_all_three_permissions_and_to_read_takes_one(lacking, role, put, business, root, request):
    put()
    program = program_of(request.getfixturevalue(role), *(scope for scope in SCOPES if scope != lacking), "CARD_VIEW")
    answer = program.put(PUT, SAMPLE | {"retailerId": str(business.number), "version": "1.0"})
    may_put = not lacking and role in ("owner", "manager")
    assert answer.status == (200 if may_put else 403)
    if not may_put:
        assert (answer.body["entityId"], answer.body["error"]["code"]) == ("0.0", 403)
        assert role in ("staff", "viewer") or lacking in answer.body["error"]["message"]
    for path in (f"{root}/ORDER::CC/1.0", f"{root}/ORDER::CC", PUT):
        answer = program.get(path)
        assert answer.status == (403 if lacking == "WORKFLOW_VIEW" else 200)
        assert "errors" not in answer.body or message(answer)[0] == 403


def test_who_brings_no_valid_token_is_told_so_in_each_shape(put, program, root):
    put()
    for secret in ("", "pw_nobody"):
        answer = program.put(PUT, SAMPLE, Authorization=secret)
        assert (answer.status, answer.body["error"]["code"]) == (401, 401)
        assert answer.headers["WWW-Authenticate"]
        assert message(program.get(f"{root}/ORDER::CC", Authorization=secret))[0] == 401


def test_the_number_of_another_business_opens_nothing(put, program, foreigner, stranger, business, root):
    put()
    theirs = stranger.business.number
    for number in (theirs, 999999, "x", ""):
        answer = program.put(PUT, SAMPLE | {"retailerId": str(number), "version": "1.0"})
        assert (answer.status, answer.body["error"]["message"]) == (401, "InvalidInput, Logged in user has no retailer")
        assert message(program.get(f"{PUT}?retailerId={number}"))[0] == 401
    assert message(program.get(f"{PUT}?accountId=other"))[0] == 401
    for path in (f"{PUT}/{theirs}/ORDER::CC", f"{root}/ORDER::CC/1.0"):
        assert message(foreigner.get(path))[0] == 404
    assert foreigner.get(PUT).body["total"] == 0
    assert Definition.objects.count() == 1


def test_a_number_may_be_sent_as_a_number(program, business):
    assert program.put(PUT, SAMPLE | {"retailerId": business.number, "version": "1.0"}).status == 200


def test_a_token_whose_maker_has_left_opens_nothing(put, program):
    Membership.objects.all().delete()
    assert put().status == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/", 404),
        ("GET", "/api/v4.1/", 404),
        ("GET", "/api/v4.1/moon", 404),
        ("PUT", "/api/v4.1/moon", 404),
        ("GET", "/api/v4.1/workflow/", 404),
        ("GET", "/api/v4.1/workflow/1/2/3/4", 404),
        ("GET", "/api/v4.1/workflow/%00", 404),
        ("GET", "/api/v4.1/workflow?name=%00", 400),
        ("POST", "/api/v4.1/workflow", 405),
        ("DELETE", "/api/v4.1/workflow", 405),
        ("PUT", "/api/v4.1/workflow/1/ORDER::CC", 405),
        ("PATCH", "/api/v4.1/workflow/1/ORDER::CC/1.0", 405),
    ],
)
def test_what_is_no_operation_is_told_in_the_shape_of_reading(program, method, path, status):
    answer = program(method, path)
    assert message(answer)[0] == status
    assert (status == 405) == ("Allow" in answer.headers)


def test_a_host_that_is_not_ours_is_told_in_each_shape(client):
    for method, member in (("PUT", "error"), ("GET", "errors")):
        answer = client.generic(method, PUT, headers={"host": "elsewhere.example"})
        assert (answer.status_code, member in json.loads(answer.content)) == (400, True)


def test_too_many_requests_are_told_in_each_shape(owner, business, settings):
    settings.API_REQUESTS_A_MINUTE = 1
    program = program_of(owner)
    program.get(PUT)
    assert message(program.get(PUT))[0] == 429
    answer = program.put(PUT, SAMPLE)
    assert (answer.status, answer.body["error"]["code"]) == (429, 429)
    assert answer.headers["Retry-After"]
