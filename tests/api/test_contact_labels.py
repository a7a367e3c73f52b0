"""Labels of contacts over the API."""

import pytest

from contacts.models import ContactLabel
from tests.api.program import program_of
from tests.factories import actor, make_contact

pytestmark = pytest.mark.django_db
LABELS = "/contacts/v4/labels"


@pytest.fixture
def label(business, owner):
    return ContactLabel.find_or_create(business, "At work", by=actor(owner))


def keys(answer):
    assert answer.status == 200, answer.body
    return [label["key"] for label in answer.body["labels"]]


def test_a_label_is_made_once_then_found(program, business):
    first = program.post(LABELS, {"displayName": "At work"})
    assert (first.status, first.body["newLabel"]) == (200, True)
    label = first.body["label"]
    assert label["createdDate"].endswith("Z")
    assert {key: label[key] for key in ("namespace", "key", "displayName", "labelType")} == {
        "namespace": "custom",
        "key": "custom.at-work",
        "displayName": "At work",
        "labelType": "USER_DEFINED",
    }
    again = program.post(LABELS, {"displayName": " AT WORK "})
    assert again.body == {"label": label, "newLabel": False}
    assert program.get(f"{LABELS}/custom.at-work").body == {"label": label}
    assert business.contact_labels.count() == 1


def test_a_renamed_label_keeps_its_key(program, label):
    answer = program.patch(f"{LABELS}/custom.at-work", {"label": {"displayName": "In the office"}})
    assert answer.body["label"]["displayName"] == "In the office"
    assert answer.body["label"]["key"] == "custom.at-work"
    program.post(LABELS, {"displayName": "Home"})
    answer = program.patch(f"{LABELS}/custom.home", {"label": {"displayName": "IN THE OFFICE"}})
    assert (answer.status, answer.code) == (409, "LABEL_EXISTS")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("", {"displayName": "REQUIRED"}), (" ", {"displayName": "REQUIRED"}), ("x" * 51, {"displayName": "MAX_LENGTH"})],
)  # fmt: skip
def test_a_wrong_name_is_refused(program, name, wrong):
    answer = program.post(LABELS, {"displayName": name})
    assert (answer.status, answer.fields) == (400, wrong)


def test_a_deleted_label_comes_off_every_contact(program, business, label):
    contact = make_contact(business, labels=[label])
    assert program.delete(f"{LABELS}/custom.at-work").body == {}
    assert list(contact.labels.all()) == []
    answer = program.get(f"{LABELS}/custom.at-work")
    assert (answer.status, answer.code) == (404, "LABEL_NOT_FOUND")


def test_labels_are_listed_and_looked_for(program, label):
    for name in ("Zinc", "Ash"):
        program.post(LABELS, {"displayName": name})
    answer = program.get(LABELS)
    assert keys(answer) == ["custom.ash", "custom.at-work", "custom.zinc"]
    assert answer.body["pagingMetadata"] == {"count": 3, "offset": 0, "total": 3}
    assert keys(program.get(f"{LABELS}?startsWith=a")) == ["custom.ash", "custom.at-work"]
    assert keys(program.get(f"{LABELS}?paging.limit=1&paging.offset=1")) == ["custom.at-work"]

    def ask(**query):
        return program.post(f"{LABELS}/query", {"query": query})

    assert keys(ask(filter={"displayName": {"$startsWith": "Z"}})) == ["custom.zinc"]
    assert keys(ask(filter={"key": {"$in": ["custom.ash", "custom.none"]}})) == ["custom.ash"]
    assert keys(ask(sort=[{"fieldName": "displayName", "order": "DESC"}], paging={"limit": 1})) == ["custom.zinc"]
    assert ask(filter={"info.company": "Oak"}).code == "UNSUPPORTED_FILTER_FIELD"
    assert ask(sort=[{"fieldName": "tint"}]).code == "UNSUPPORTED_SORT_FIELD"


@pytest.mark.parametrize(
    ("method", "path", "body", "scope"),
    [
        ("GET", "", None, "CONTACT_VIEW"),
        ("POST", "", {"displayName": "New"}, "CONTACT_MANAGE"),
        ("POST", "/query", {}, "CONTACT_VIEW"),
        ("GET", "/custom.at-work", None, "CONTACT_VIEW"),
        ("PATCH", "/custom.at-work", {"label": {"displayName": "New"}}, "CONTACT_MANAGE"),
        ("DELETE", "/custom.at-work", None, "CONTACT_MANAGE"),
    ],
)
def test_each_operation_asks_for_its_scope_and_stays_in_its_business(
    label, owner, foreigner, method, path, body, scope
):
    others = [one for one in ("CONTACT_VIEW", "CONTACT_MANAGE", "CARD_MANAGE") if one != scope]
    assert program_of(owner, *others)(method, LABELS + path, body).status == 403
    if "custom." in path:
        assert foreigner(method, LABELS + path, body).status == 404
    assert program_of(owner, scope)(method, LABELS + path, body).status == 200
