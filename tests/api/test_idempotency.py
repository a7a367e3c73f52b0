"""A write under an Idempotency-Key happens once, whoever loses the answer on the way."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Event, Receipt
from automations.tasks import sweep
from boards.models import Card, Workflow
from tests.api.program import Program, program_of
from tests.boards.test_concurrency import at_once
from tests.factories import make_card

pytestmark = pytest.mark.django_db
WORKFLOWS = "/workflows/v1/workflows"
NEW = {"workflow": {"name": "Leads"}}


def into(phase) -> str:
    return f"/workflows/v1/workflows/{phase.workflow_id}/phases/{phase.pk}/cards"


def test_the_same_request_is_answered_the_same_and_has_one_effect(program, business):
    first = program.post(WORKFLOWS, NEW, Idempotency_Key="k1")
    again = program.post(WORKFLOWS, NEW, Idempotency_Key="k1")
    assert (again.status, again.body) == (200, first.body)
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    assert business.workflows.count() == 1
    assert Event.objects.filter(name="workflow.created").count() == 1


def test_an_answer_is_kept_even_when_what_it_made_is_gone(program):
    made = program.post(WORKFLOWS, NEW, Idempotency_Key="k1")
    program.delete(f"{WORKFLOWS}/{made.body['id']}", Idempotency_Key="k2")
    assert program.post(WORKFLOWS, NEW, Idempotency_Key="k1").body == made.body
    assert program.delete(f"{WORKFLOWS}/{made.body['id']}", Idempotency_Key="k2").body == {}
    assert not Workflow.objects.exists()


def test_another_request_under_the_same_key_is_refused(program, workflow):
    card = make_card(workflow.phases.first())
    path = f"/workflows/v1/cards/{card.pk}"
    assert program.patch(path, {"cardInfo": {"name": "A"}}, Idempotency_Key="k1").status == 200
    for answer in (
        program.patch(path, {"cardInfo": {"name": "B"}}, Idempotency_Key="k1"),
        program.patch(path, {"cardInfo": {"name": "A"}}, Idempotency_Key="k1", If_Match='"2"'),
        program.delete(path, Idempotency_Key="k1"),
        program.post(f"{path}/archive", Idempotency_Key="k1"),
    ):
        assert (answer.status, answer.code) == (409, "IDEMPOTENCY_KEY_REUSED")
    card.refresh_from_db()
    assert (card.name, card.archived_at) == ("A", None)


def test_a_refusal_is_not_kept(program, business):
    refused = program.post(WORKFLOWS, {"workflow": {"name": ""}}, Idempotency_Key="k1")
    assert refused.status == 400
    program.post(WORKFLOWS, {"workflow": {"name": "Taken", "externalId": "7"}})
    body = {"workflow": {"name": "Leads", "externalId": "7"}}
    assert program.post(WORKFLOWS, body, Idempotency_Key="k1").code == "EXTERNAL_ID_TAKEN"
    assert not Receipt.objects.exists()
    business.workflows.all().delete()
    assert program.post(WORKFLOWS, body, Idempotency_Key="k1").status == 200


def test_the_key_of_another_token_is_another_key(program, owner, foreigner, business):
    others = (program, program_of(owner), foreigner)
    ids = {other.post(WORKFLOWS, NEW, Idempotency_Key="k1").body["id"] for other in others}
    assert len(ids) == 3
    assert business.workflows.count() == 2


def test_without_a_key_each_request_counts(program, business):
    for _ in range(2):
        program.post(WORKFLOWS, NEW)
    assert business.workflows.count() == 2
    assert not Receipt.objects.exists()


def test_a_key_that_cannot_be_used_for_reading_does_no_harm(program):
    assert program.get(WORKFLOWS, Idempotency_Key="k1").status == 200
    assert not Receipt.objects.exists()


def test_an_answer_is_kept_for_two_days_and_then_forgotten(program, business):
    now = timezone.now()
    first = program.post(WORKFLOWS, NEW, Idempotency_Key="k1").body
    for hours, kept in ((25, True), (47, True), (49, False)):
        with time_machine.travel(now + timedelta(hours=hours)):
            sweep.func()
            assert Receipt.objects.exists() == kept
            again = program.post(WORKFLOWS, NEW, Idempotency_Key="k1").body
            assert (again == first) == kept


def test_the_effect_is_undone_with_its_receipt_when_the_answer_cannot_be_kept(program, business, monkeypatch):
    def full(*args, **kwargs):
        raise OSError("the disk is full")

    monkeypatch.setattr(Receipt, "save", full)
    answer = program.client.post(
        WORKFLOWS,
        NEW,
        content_type="application/json",
        headers={"Authorization": program.secret, "Idempotency-Key": "k1"},
    )
    assert answer.status_code == 500
    assert not business.workflows.exists()
    assert not Receipt.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_at_the_same_moment_one_has_the_effect_and_all_get_its_answer(program, workflow):
    phase = workflow.phases.first()

    def send():
        return Program(program.secret).post(into(phase), {"card": {"name": "Ines"}}, Idempotency_Key="k1")

    answers = at_once(*[send] * 6)
    assert [answer.status for answer in answers] == [200] * 6
    assert len({answer.body["id"] for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 5
    assert Card.objects.count() == 1
    phase.refresh_from_db()
    assert phase.card_count == 1


@pytest.mark.django_db(transaction=True)
def test_two_other_requests_under_one_key_at_the_same_moment_make_one_of_them(program, workflow):
    phase = workflow.phases.first()

    def send(name):
        return lambda: Program(program.secret).post(into(phase), {"card": {"name": name}}, Idempotency_Key="k1")

    answers = at_once(*[send(name) for name in "abcd"])
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
    assert {answer.code for answer in answers if answer.status == 409} == {"IDEMPOTENCY_KEY_REUSED"}
    assert Card.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_bulk_sent_twice_at_the_same_moment_makes_each_item_once(program, workflow):
    phase = workflow.phases.first()
    body = {"cards": [{"phaseId": str(phase.pk), "card": {"name": f"Card {number}"}} for number in range(10)]}

    def send():
        return Program(program.secret).post("/workflows/v1/bulk/cards/create", body, Idempotency_Key="k1")

    answers = at_once(send, send, send)
    assert len({str(answer.body) for answer in answers}) == 1
    assert Card.objects.count() == 10


@pytest.mark.django_db(transaction=True)
def test_of_many_who_put_the_same_external_id_at_the_same_moment_one_makes_it(program, workflow):
    path = f"{into(workflow.phases.first())}/by-external-id/crm-7"
    answers = at_once(*[lambda: Program(program.secret).put(path, {"card": {"name": "Ines"}})] * 6)
    assert [answer.status for answer in answers] == [200] * 6
    assert sorted(answer.body["created"] for answer in answers) == [False] * 5 + [True]
    assert Card.objects.count() == 1
