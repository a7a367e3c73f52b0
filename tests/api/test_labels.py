"""Labels of a workflow over the API: the part that was never published, ours in the same style."""

import pytest

from boards.models import Label
from tests.factories import make_card, make_workflow

pytestmark = pytest.mark.django_db
LABELS = "/workflows/v1/labels"


@pytest.fixture
def empty(business):
    """A workflow without labels."""
    return make_workflow(business, "Empty", None)


def of(workflow) -> str:
    return f"/workflows/v1/workflows/{workflow.pk}/labels"


def make(program, workflow, name, **more) -> str:
    return program.post(of(workflow), {"label": {"name": name} | more}).body["id"]


def test_a_label_is_made_and_answered(program, empty):
    made = make(program, empty, "Urgent", color="RED")
    label = program.get(f"{LABELS}/{made}").body["label"]
    created = label.pop("createdDate")
    assert label == {"id": made, "name": "Urgent", "color": "RED", "workflowId": str(empty.pk)}
    assert len(created) == len("2026-11-20T09:30:00Z")


def test_without_a_color_a_label_takes_the_next_one(program, empty):
    for name in "abc":
        make(program, empty, name)
    colors = [label["color"] for label in program.get(of(empty)).body["labels"]]
    assert colors == ["RED", "ORANGE", "YELLOW"]


def test_labels_are_listed_by_name(program, empty):
    for name in ("b", "A", "c"):
        make(program, empty, name)
    assert [label["name"] for label in program.get(of(empty)).body["labels"]] == ["A", "b", "c"]


@pytest.mark.parametrize(
    ("label", "wrong"),
    [
        ({}, {"label.name": "REQUIRED"}),
        ({"name": " "}, {"label.name": "REQUIRED"}),
        ({"name": "x" * 51}, {"label.name": "MAX_LENGTH"}),
        ({"name": "x", "color": "MAUVE"}, {"label.color": "FORMAT"}),
        ({"name": "x", "color": None}, {"label.color": "FORMAT"}),
        ({"name": "x", "tint": 3}, {"label.tint": "UNKNOWN_FIELD"}),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_made(program, empty, label, wrong):
    answer = program.post(of(empty), {"label": label})
    assert (answer.status, answer.fields) == (400, wrong)
    assert not empty.labels.exists()


def test_a_name_that_is_taken_is_refused_whatever_its_capitals(program, empty, workflow):
    make(program, empty, "Urgent")
    other = make(program, empty, "VIP")
    for answer in (
        program.post(of(empty), {"label": {"name": "URGENT"}}),
        program.patch(f"{LABELS}/{other}", {"label": {"name": "urgent"}}),
    ):
        assert (answer.status, answer.code) == (409, "LABEL_EXISTS")
    assert program.post(of(workflow), {"label": {"name": "A name of its own"}}).status == 200


def test_a_label_is_renamed_and_recoloured_one_by_one(program, empty):
    made = make(program, empty, "Urgent", color="RED")
    assert program.patch(f"{LABELS}/{made}", {"label": {"color": "TEAL"}}).body == {}
    assert program.patch(f"{LABELS}/{made}", {"label": {"name": "Very urgent"}}).body == {}
    label = program.get(f"{LABELS}/{made}").body["label"]
    assert (label["name"], label["color"]) == ("Very urgent", "TEAL")


def test_a_label_that_is_sent_back_changes_nothing(program, empty):
    made = make(program, empty, "Urgent")
    label = program.get(f"{LABELS}/{made}").body["label"]
    assert program.patch(f"{LABELS}/{made}", {"label": label}).status == 200
    assert program.get(f"{LABELS}/{made}").body["label"] == label


def test_a_deleted_label_is_off_every_card(program, workflow):
    label = workflow.labels.first()
    card = make_card(workflow.phases.first(), labels=[label])
    assert program.delete(f"{LABELS}/{label.pk}").body == {}
    assert program.get(f"{LABELS}/{label.pk}").code == "LABEL_NOT_FOUND"
    assert program.get(f"/workflows/v1/cards/{card.pk}").body["card"]["labels"] == []
    assert not Label.objects.filter(pk=label.pk).exists()


def test_the_workflow_is_answered_with_its_labels(program, workflow):
    tree = program.get(f"/workflows/v1/workflows/{workflow.pk}").body["workflow"]
    assert tree["labels"] == program.get(of(workflow)).body["labels"]
