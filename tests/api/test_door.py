"""Who comes in at the door of the API, how often, and what is answered to those who do not: always in the envelope."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts import rates
from accounts.models import Membership, Token
from accounts.rest import MOST_VIOLATIONS
from tests.api.program import program_of, token_of
from tests.factories import actor, make_card

pytestmark = pytest.mark.django_db
WORKFLOWS = "/workflows/v1/workflows"


@pytest.fixture(autouse=True)
def _fresh_minute():
    rates._spent.clear()


def send(path=WORKFLOWS, method="GET", body="", **headers):
    """Send a request as it is; the answer must be in the envelope or an answer of the API."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    kind = headers.pop("Content-Type", "application/json")
    answer = Client().generic(method, path, body, content_type=kind, headers=headers)
    assert answer["Content-Type"] == "application/json", answer.content[:300]
    told = json.loads(answer.content)
    if answer.status_code != 200:
        assert set(told) == {"message", "details"}
        assert set(told["details"]) <= {"applicationError", "validationError"}
    return answer


def code(answer) -> str:
    return json.loads(answer.content)["details"]["applicationError"]["code"]


# Tokens -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["Bearer {}", "bearer {}", "BEARER  {}", "{}", "  {} "])
def test_a_token_is_sent_as_bearer_or_bare(owner, written):
    assert send(Authorization=written.format(token_of(owner))).status_code == 200


@pytest.mark.parametrize(
    "written", [None, "", "Bearer", "Bearer ", "Bearer pw_nobody", "Basic {}", "Token {}", "{} {}", "é"]
)
def test_without_a_valid_token_nobody_comes_in(owner, written):
    headers = {} if written is None else {"Authorization": written.replace("{}", token_of(owner))}
    answer = send(**headers)
    assert (answer.status_code, code(answer)) == (401, "UNAUTHENTICATED")
    assert answer["WWW-Authenticate"] == 'Bearer realm="Phasewise"'
    assert "RateLimit-Limit" not in answer


def test_a_token_in_the_address_is_none(owner):
    assert send(f"{WORKFLOWS}?token={token_of(owner)}&access_token={token_of(owner)}").status_code == 401


def test_a_session_opens_no_door_of_the_api(browse, owner):
    assert browse(owner).get(WORKFLOWS).status_code == 401


def test_a_token_that_ended_opens_nothing(owner, manager):
    def comes_in(secret):
        return send(Authorization=secret).status_code == 200

    revoked = token_of(manager)
    assert comes_in(revoked)
    Token.objects.get(maker=manager.user).revoke(by=actor(owner))
    assert not comes_in(revoked)

    until = timezone.now() + timedelta(days=1)
    expiring = Token.create(
        owner.business, name="x", scopes=["WORKFLOW_VIEW"], maker=owner.user, expires_at=until, by=actor(owner)
    )[1]
    assert comes_in(expiring)
    with time_machine.travel(until + timedelta(seconds=1)):
        assert not comes_in(expiring)


def test_a_token_ends_with_its_maker(manager, staff):
    of_manager, of_staff = token_of(manager), token_of(staff)
    manager.user.is_active = False
    manager.user.save()
    Membership.objects.filter(pk=staff.pk).delete()
    assert send(Authorization=of_manager).status_code == 401
    assert send(Authorization=of_staff).status_code == 401


def test_a_token_may_never_do_more_than_its_maker_may_now(manager, workflow):
    program = program_of(manager)
    path = f"{WORKFLOWS}/{workflow.pk}"
    assert program.patch(path, {"workflow": {"name": "Leads"}}).status == 200
    Membership.objects.filter(pk=manager.pk).update(role="viewer")
    answer = program.patch(path, {"workflow": {"name": "Mine"}})
    assert (answer.status, answer.code) == (403, "PERMISSION_DENIED")
    assert "no longer" in answer.body["message"]
    assert program.get(path).status == 200


def test_a_missing_scope_is_named(owner, workflow):
    program = program_of(owner, "WORKFLOW_VIEW")
    assert program.get(f"{WORKFLOWS}/{workflow.pk}").status == 200
    for answer, scope in (
        (program.post(WORKFLOWS, {"workflow": {"name": "x"}}), "WORKFLOW_CREATE"),
        (program.get(f"{WORKFLOWS}/{workflow.pk}/cards"), "CARD_VIEW"),
        (program.get("/contacts/v4/contacts"), "CONTACT_VIEW"),
    ):
        assert (answer.status, answer.code) == (403, "PERMISSION_DENIED")
        assert answer.body["message"].endswith(f"needs the scope {scope}.")


def test_who_puts_what_is_not_there_yet_needs_the_scope_to_make_it(owner, business):
    answer = program_of(owner, "WORKFLOW_UPDATE").put(f"{WORKFLOWS}/by-external-id/7", {"workflow": {"name": "x"}})
    assert (answer.status, answer.code) == (403, "PERMISSION_DENIED")
    assert "WORKFLOW_CREATE" in answer.body["message"]
    assert not business.workflows.exists()


def test_the_last_use_of_a_token_is_noted_at_most_once_a_minute(owner, browse):
    secret = token_of(owner)
    token = Token.objects.get()
    noon = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)
    uses = {0: 0, 30: 0, 59: 0, 61: 61, 100: 61, 200: 200}
    for second, noted in uses.items():
        with time_machine.travel(noon + timedelta(seconds=second), tick=False):
            send(Authorization=secret)
            token.refresh_from_db()
            assert token.last_used_at == noon + timedelta(seconds=noted)
    assert "CRM" in browse(owner).get("/brightside/tokens/").content.decode()


# Rates ------------------------------------------------------------------------------------------------


def test_each_answer_tells_what_is_left_of_the_minute_and_then_comes_429(owner, settings):
    settings.API_REQUESTS_A_MINUTE = 3
    program, other = program_of(owner), program_of(owner)
    with time_machine.travel("2026-11-20T09:30:20Z", tick=False):
        told = [program.get(WORKFLOWS) for _ in range(5)]
        assert [answer.status for answer in told] == [200, 200, 200, 429, 429]
        assert [answer.headers["RateLimit-Remaining"] for answer in told] == ["2", "1", "0", "0", "0"]
        assert {answer.headers["RateLimit-Limit"] for answer in told} == {"3"}
        assert {answer.headers["RateLimit-Reset"] for answer in told} == {"40"}
        assert "Retry-After" not in told[0].headers
        assert (told[3].code, told[3].headers["Retry-After"]) == ("RATE_LIMITED", "40")
        assert other.get(WORKFLOWS).status == 200, "each token has its own"
    with time_machine.travel("2026-11-20T09:31:00Z", tick=False):
        assert program.get(WORKFLOWS).status == 200


def test_what_is_refused_counts_too_and_a_limited_program_changes_nothing(owner, settings, business):
    settings.API_REQUESTS_A_MINUTE = 2
    program = program_of(owner)
    program.get(f"{WORKFLOWS}/nothing")
    program.post(WORKFLOWS, {})
    program.post(WORKFLOWS, {"workflow": {}})
    assert program.post(WORKFLOWS, {"workflow": {"name": "x"}}).status == 429
    assert not business.workflows.exists()


def test_without_a_limit_nothing_is_counted(owner, settings):
    settings.API_REQUESTS_A_MINUTE = 0
    answer = program_of(owner).get(WORKFLOWS)
    assert (answer.status, "RateLimit-Limit" in answer.headers) == (200, False)


# Addresses --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/workflows/v1/nothing",
        "/workflows/v1/",
        "/workflows/",
        "/workflows/v2/workflows",
        "/workflows/v1/workflows/",
        "/workflows/v1/workflows/nobody",
        "/workflows/v1/cards/6f1c1e0a-5d3b-4c39-9d5e-0c8f5b8f2a11",
        "/workflows/v1/cards/%00",
        "/workflows/v1/cards/%ED%A0%80",
        "/workflows/v1/cards/%FF%FE",
        "/workflows/v1/workflows/by-external-id/a%00b",
        "/workflows/api/v1/nothing",
        "/contacts/v4/nothing",
        "/events/v1/nothing",
        "/automations/v1/nothing",
        "/workflows/" + "x/" * 2000,
    ],
)
def test_an_address_that_is_none_is_404(program, path):
    for method in ("GET", "POST"):
        assert program(method, path).status in (404, 405)
    assert program.get(path).status in (404, 405)


def test_a_method_that_an_address_does_not_take_is_405(program, workflow):
    for method in ("GET", "PUT", "OPTIONS", "TRACE", "DELETE"):
        answer = program(method, "/workflows/v1/bulk/cards/create")
        assert (answer.status, answer.code, answer.headers["Allow"]) == (405, "METHOD_NOT_ALLOWED", "POST")
    answer = program("POST", f"{WORKFLOWS}/{workflow.pk}")
    assert (answer.status, set(answer.headers["Allow"].split(", "))) == (405, {"GET", "PATCH", "DELETE"})


def test_answers_are_kept_by_nobody(program):
    assert program.get(WORKFLOWS).headers["Cache-Control"] == "no-store"
    assert program.get("/workflows/v1/nothing").headers["Cache-Control"] == "no-store"


def test_a_host_that_is_not_ours_is_refused_in_the_envelope(owner):
    answer = send(Authorization=token_of(owner), Host="evil.example")
    assert (answer.status_code, code(answer)) == (400, "MALFORMED_REQUEST")
    page = Client().get("/accounts/login/", headers={"host": "evil.example"})
    assert (page.status_code, page["Content-Type"]) == (400, "text/html; charset=utf-8")


def test_a_fault_of_ours_is_told_without_a_word_about_us(owner, monkeypatch):
    def broken(*args):
        raise RuntimeError("secret words")

    program = program_of(owner)
    monkeypatch.setattr(Token, "authenticate", broken)
    answer = program.client.get(WORKFLOWS, headers={"Authorization": program.secret})
    assert (answer.status_code, json.loads(answer.content)) == (500, {"message": "", "details": {}})
    monkeypatch.setattr("accounts.middleware.BusinessMiddleware.process_view", broken)
    client = Client(raise_request_exception=False)
    answer = client.get(WORKFLOWS)
    assert (answer.status_code, json.loads(answer.content)) == (500, {"message": "", "details": {}})
    assert b"<html" in client.get("/accounts/login/").content


# Bodies -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "x"])
def test_a_body_that_is_not_json_is_415(owner, kind):
    body = json.dumps({"workflow": {"name": "x"}})
    answer = send(method="POST", body=body, Authorization=token_of(owner), Content_Type=kind)
    assert (answer.status_code, code(answer)) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_json_may_name_its_charset(owner):
    answer = send(
        method="POST",
        body='{"workflow": {"name": "Tür"}}',
        Authorization=token_of(owner),
        Content_Type="application/json; charset=utf-8",
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        "{",
        '{"workflow": {"name": "x"}',
        "{'workflow': 1}",
        '{"workflow": {"name": NaN}}',
        '{"workflow": {"name": Infinity}}',
        "[" * 100_000,
        '{"a":' * 50_000 + "1" + "}" * 50_000,
        '{"workflow": {"name": "\\ud800"}}',
        '{"\\udfff": 1}',
        b'{"workflow": {"name": "\xff"}}',
        "1" * 5000,
    ],
    ids=range(11),
)
def test_what_is_not_json_is_refused(owner, business, body):
    answer = send(method="POST", body=body, Authorization=token_of(owner))
    assert (answer.status_code, code(answer)) == (400, "MALFORMED_JSON")
    assert not business.workflows.exists()


@pytest.mark.parametrize(
    "body", ["", "null", "[]", '"x"', "7", "true", "{}", '{"workflow": null}', '{"workflow": [{}]}']
)
def test_json_of_another_kind_names_what_is_wrong(program, body):
    answer = program.post(WORKFLOWS, body)
    assert answer.status == 400
    assert answer.fields


def test_deep_nesting_is_refused(program):
    answer = program.post(WORKFLOWS, '{"workflow": {"name": ' + "[" * 900 + "]" * 900 + "}}")
    assert answer.status == 400


@pytest.mark.parametrize(
    "body",
    [
        {"workflow": {"name": "a\x00b"}},
        {"workflow": {"name": "x", "description": "\x00"}},
        {"workflow": {"name": "x", "\x00": 1}},
        {"workflow": {"name": "x", "id": ["\x00"]}},
    ],
)
def test_the_null_character_is_refused_wherever_it_stands(program, business, body):
    answer = program.post(WORKFLOWS, body)
    assert (answer.status, answer.code) == (400, "NULL_CHARACTER")
    assert not business.workflows.exists()


def test_a_backslash_before_u0000_is_only_text(program):
    assert program.post(WORKFLOWS, {"workflow": {"name": "\\u0000"}}).status == 200


def test_the_null_character_in_a_query_is_refused(program, workflow):
    answer = program.get(f"{WORKFLOWS}/{workflow.pk}/cards?externalId=%00")
    assert (answer.status, answer.code) == (400, "NULL_CHARACTER")


@pytest.mark.parametrize(
    "query", ["limit=-1", "limit=x", "limit=1e3", "offset=99999999999", "limit=", "cardsPerPhase=%FF"]
)
def test_a_wrong_query_names_the_part(program, workflow, query):
    answer = program.get(f"{WORKFLOWS}/{workflow.pk}/phases?{query}")
    assert answer.status == 400
    assert set(answer.fields) == {query.partition("=")[0]}


def test_a_query_of_more_parts_than_anybody_needs_is_refused(program, workflow):
    answer = program.get("/events/v1/events?" + "name=card.&" * 1001)
    assert (answer.status, answer.code) == (400, "MALFORMED_REQUEST")


def test_of_thousands_of_wrong_fields_the_first_are_told(program):
    answer = program.post(WORKFLOWS, {f"field{number}": 1 for number in range(5000)})
    assert (answer.status, len(answer.fields)) == (400, MOST_VIOLATIONS)


def test_broken_utf8_in_a_query_is_only_text(program, workflow):
    assert program.get(f"{WORKFLOWS}/{workflow.pk}/cards?externalId=%FF%ED%A0%80").body["cards"] == []


def test_a_body_that_is_too_large_is_413(program, settings, business):
    large = {"workflow": {"name": "x", "description": "x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE}}
    answer = program.post(WORKFLOWS, large)
    assert (answer.status, answer.code) == (413, "BODY_TOO_LARGE")
    assert not business.workflows.exists()


def test_headers_that_make_no_sense_are_refused(program, workflow):
    card = make_card(workflow.phases.first())
    path = f"/workflows/v1/cards/{card.pk}/archive"
    for tag in ("seven", '"seven"', '"1", "2"', '"7', "-1", '"99999999999"', "", "²"):
        assert program.post(path, If_Match=tag).code == "MALFORMED_IF_MATCH", tag
    for key in ("", " ", "a b", "x" * 201, "schlüssel"):
        assert program.post(path, Idempotency_Key=key).code == "MALFORMED_IDEMPOTENCY_KEY", key
    card.refresh_from_db()
    assert card.archived_at is None
    assert program.post(path, If_Match="*").status == 200
