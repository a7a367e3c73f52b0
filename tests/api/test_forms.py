"""Intake forms over the API: made, asked differently, opened, and what was sent through them."""

import pytest

from accounts.actor import Actor
from boards.intake import submit
from boards.models import Field, IntakeForm
from tests.factories import actor, make_workflow

pytestmark = pytest.mark.django_db
FORMS = "/automations/v1/forms"
ASKED = [
    {"label": "Your name", "target": "name", "required": True},
    {"label": "Email", "kind": "email"},
    {"label": "Hours", "kind": "one", "choices": ["Full time", "Part time"]},
]


@pytest.fixture
def form(program, workflow):
    """The id of a form that was made over the API, open to the public."""
    told = {"workflowId": str(workflow.pk), "title": "Job application", "questions": ASKED, "isOpen": True}
    return program.post(FORMS, {"form": told | {"cardName": "{name}", "color": "RED"}}).body["id"]


def test_a_form_is_made_and_answered_with_its_address(program, workflow, form, settings, client):
    settings.BASE_URL = "https://phasewise.example"
    told = program.get(f"{FORMS}/{form}").body["form"]
    assert told["address"] == "https://phasewise.example/f/brightside/job-application/"
    assert (told["isOpen"], told["color"], told["cardName"], told["button"]) == (True, "RED", "{name}", "Send")
    assert [(one["label"], one["target"], one["kind"]) for one in told["questions"]] == [
        ("Your name", "name", "text"),
        ("Email", "email", "email"),
        ("Hours", "note", "one"),
    ]
    assert client.get("/f/brightside/job-application/").status_code == 200


def test_a_form_is_closed_until_it_is_opened(program, workflow):
    made = program.post(FORMS, {"form": {"workflowId": str(workflow.pk), "title": "Hello"}}).body["id"]
    assert program.get(f"{FORMS}/{made}").body["form"]["isOpen"] is False
    answer = program.patch(f"{FORMS}/{made}", {"form": {"isOpen": True}})
    assert (answer.status, answer.code) == (400, "FORM_EMPTY")


def test_questions_come_all_together_and_those_that_stay_keep_their_ids(program, form):
    first, _, third = program.get(f"{FORMS}/{form}").body["form"]["questions"]
    asked = [third | {"label": "How much?"}, first, {"label": "Phone", "kind": "phone"}]
    assert program.patch(f"{FORMS}/{form}", {"form": {"questions": asked, "thanks": "Bye"}}).body == {}
    told = program.get(f"{FORMS}/{form}").body["form"]
    assert [one["label"] for one in told["questions"]] == ["How much?", "Your name", "Phone"]
    assert [one["id"] for one in told["questions"]][:2] == [third["id"], first["id"]]
    assert told["thanks"] == "Bye"
    events = IntakeForm.objects.get().business.events
    count = events.count()
    program.patch(f"{FORMS}/{form}", {"form": {"questions": told["questions"], "thanks": "Bye"}})
    assert events.count() == count, "the same again is no news"


def test_a_question_that_makes_no_sense_is_named_and_nothing_is_changed(program, form, workflow, manager):
    theirs = Field.create(make_workflow(workflow.business, "Other"), name="Wood", by=actor(manager))
    for asked, code, data in (
        ([ASKED[0], {"label": "Wood", "kind": "list"}], "UNSUPPORTED_QUESTION", {"question": 1, "part": "choices"}),
        ([ASKED[0], ASKED[0]], "UNSUPPORTED_QUESTION", {"question": 0, "part": "target"}),
        ([{"label": "Wood", "target": "field"}], "UNSUPPORTED_QUESTION", {"question": 0, "part": "field"}),
        ([{"label": "Wood", "target": "field", "fieldId": str(theirs.pk)}], "FIELD_NOT_FOUND", {}),
        ([ASKED[0] | {"id": form}], "QUESTION_NOT_FOUND", {}),
    ):
        answer = program.patch(f"{FORMS}/{form}", {"form": {"questions": asked, "title": "Changed"}})
        told = answer.body["details"]["applicationError"]
        assert (told["code"], told["data"]) == (code, data)
    assert IntakeForm.objects.get().title == "Job application"


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        ({"title": " "}, {"form.title": "REQUIRED"}),
        ({"button": ""}, {"form.button": "REQUIRED"}),
        ({"steps": "\n".join("1234567")}, {"form.steps": "MANY"}),
        ({"questions": [{"label": "x", "kind": "riddle"}]}, {"form.questions.0.kind": "FORMAT"}),
        ({"slug": "x"}, {"form.slug": "UNKNOWN_FIELD"}),
    ],
)
def test_a_wrong_field_is_named(program, form, sent, wrong):
    answer = program.patch(f"{FORMS}/{form}", {"form": sent})
    assert (answer.status, answer.fields) == (400, wrong)


def test_its_cards_go_to_a_phase_of_its_workflow(program, form, workflow):
    second = workflow.phases.all()[1]
    elsewhere = make_workflow(workflow.business, "Other").phases.first()
    assert program.patch(f"{FORMS}/{form}", {"form": {"phaseId": str(second.pk)}}).body == {}
    assert program.get(f"{FORMS}/{form}").body["form"]["phaseId"] == str(second.pk)
    assert program.patch(f"{FORMS}/{form}", {"form": {"phaseId": str(elsewhere.pk)}}).code == "PHASE_NOT_FOUND"
    assert program.patch(f"{FORMS}/{form}", {"form": {"phaseId": None}}).body == {}
    assert "phaseId" not in program.get(f"{FORMS}/{form}").body["form"]


def test_what_was_sent_is_listed_with_where_it_went(program, form, workflow, manager):
    found = IntakeForm.objects.get(pk=form)
    by = Actor("form", form, found.title, found.business_id)
    name, mail, hours = found.questions.all()
    sent = submit(found, "a", {name: "Anouk Visser", mail: "anouk@visser.test", hours: "Part time"}, by=by)
    workflow.phases.first().update(wip_limit=1, wip_policy="hard", by=actor(manager))
    submit(found, "b", {name: "Emre Kaya", mail: None, hours: None}, by=by)
    stuck, went = program.get(f"{FORMS}/{form}/submissions").body["submissions"]
    assert (went["sender"], went["cardId"], went["reason"]) == ("Anouk Visser", str(sent.card_id), "")
    assert went["answers"][2] == {
        "label": "Hours", "kind": "one", "target": "note", "value": "Part time", "text": "Part time",
    }  # fmt: skip
    assert "cardId" not in stuck
    assert "is full" in stuck["reason"]
    only = program.get(f"{FORMS}/{form}/submissions?withoutCard=true").body
    assert [one["id"] for one in only["submissions"]] == [stuck["id"]]
    assert only["pagination"]["total"] == 1


def test_a_form_is_closed_and_then_deleted(program, form):
    assert program.delete(f"{FORMS}/{form}").code == "FORM_OPEN"
    program.patch(f"{FORMS}/{form}", {"form": {"isOpen": False}})
    assert program.delete(f"{FORMS}/{form}").body == {}
    assert program.get(f"{FORMS}/{form}").code == "FORM_NOT_FOUND"


def test_forms_are_listed_of_one_workflow_or_of_all(program, form, workflow):
    other = make_workflow(workflow.business, "Other")
    program.post(FORMS, {"form": {"workflowId": str(other.pk), "title": "A form"}})
    assert [one["title"] for one in program.get(FORMS).body["forms"]] == ["A form", "Job application"]
    only = program.get(f"{FORMS}?workflowId={other.pk}").body
    assert [one["title"] for one in only["forms"]] == ["A form"]
