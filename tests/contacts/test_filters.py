"""Filter documents of programs: each operator means what it says, and no document is more than refused."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.filters import DEEPEST, FIELDS, MOST_CONDITIONS, MOST_VALUES, read
from contacts.models import Contact
from tests.factories import make_contact


def found(business, document):
    return "".join(sorted(business.contacts.filter(read(document)).values_list("given_name", flat=True)))


@pytest.fixture
def three(business):
    """A and B, who have things, and C, who has nothing but a name."""
    make_contact(
        business,
        "A",
        "",
        company="Oak",
        birthdate=dt.date(1980, 1, 1),
        emails=[("a@one.example", ""), ("a@two.example", "")],
        phones=[("+31 20 555", "")],
        labels=["VIP", "Press"],
        external_id="x1",
    )
    make_contact(business, "B", "", company="oakland", birthdate=dt.date(1990, 1, 1), emails=[("b@one.example", "")], labels=["VIP"])  # fmt: skip
    contact = make_contact(business, "C", "")
    contact.locale = "de"
    Contact.objects.filter(pk=contact.pk).update(revision=7, created_at=dt.datetime(2020, 5, 1, tzinfo=dt.UTC))
    return business


FINDS = [
    ({}, "ABC"),
    ({"info.company": "Oak"}, "A"),
    ({"info.company": {"$eq": "oak"}}, ""),
    ({"info.company": {"$ne": "Oak"}}, "BC"),
    ({"info.company": {"$in": ["Oak", "Elm"]}}, "A"),
    ({"info.company": {"$in": []}}, ""),
    ({"info.company": {"$nin": ["Oak"]}}, "BC"),
    ({"info.company": {"$nin": []}}, "ABC"),
    ({"info.company": {"$startsWith": "oAk"}}, "AB"),
    ({"info.company": {"$startsWith": "o%k"}}, ""),
    ({"info.company": {"$isEmpty": True}}, "C"),
    ({"info.company": {"$isEmpty": False}}, "AB"),
    ({"info.company": {"$exists": True}}, "AB"),
    ({"info.company": {"$exists": False}}, "C"),
    ({"info.birthdate": {"$gt": "1980-01-01"}}, "B"),
    ({"info.birthdate": {"$gte": "1980-01-01"}}, "AB"),
    ({"info.birthdate": {"$lt": "1990-01-01"}}, "A"),
    ({"info.birthdate": {"$lte": "1990-01-01", "$gt": "1980-06-01"}}, "B"),
    ({"info.birthdate": {"$ne": "1980-01-01"}}, "BC"),
    ({"info.birthdate": {"$exists": False}}, "C"),
    ({"info.birthdate": {"$not": {"$gt": "1980-01-01"}}}, "AC"),
    ({"revision": {"$gte": 7}}, "C"),
    ({"createdDate": {"$lt": "2020-05-01T02:00:00+01:00"}}, "C"),
    ({"createdDate": {"$gt": "2020-05-01T00:00:00Z"}}, "AB"),
    ({"createdDate": {"$lte": "2020-05-01"}}, "C"),
    ({"primaryInfo.email": "A@one.example"}, "A"),
    ({"primaryInfo.email": "a@two.example"}, ""),
    ({"info.emails.email": " A@two.example"}, "A"),
    ({"info.emails.email": {"$ne": "a@two.example"}}, "BC"),
    ({"info.emails.email": {"$startsWith": "b@"}}, "B"),
    ({"info.emails.email": {"$hasAll": ["a@one.example", "a@two.example"]}}, "A"),
    ({"info.emails.email": {"$hasSome": ["b@one.example", "a@two.example"]}}, "AB"),
    ({"info.emails": {"$exists": True}}, "AB"),
    ({"info.phones": {"$isEmpty": True}}, "BC"),
    ({"info.phones.phone": "0031-20-555"}, "A"),
    ({"info.addresses": {"$exists": True}}, ""),
    ({"info.labelKeys.items": "custom.vip"}, "AB"),
    ({"info.labelKeys.items": {"$hasAll": ["custom.vip", "custom.press"]}}, "A"),
    ({"info.labelKeys.items": {"$hasAll": []}}, "ABC"),
    ({"info.labelKeys.items": {"$hasSome": ["press", "nothing"]}}, "A"),
    ({"info.labelKeys.items": {"$nin": ["press"]}}, "BC"),
    ({"info.labelKeys": {"$isEmpty": True}}, "C"),
    ({"info.externalId": "x1"}, "A"),
    ({"$or": [{"info.company": "Oak"}, {"revision": 7}]}, "AC"),
    ({"$or": [{}, {"revision": 7}]}, "ABC"),
    ({"$and": [{"info.labelKeys": "vip"}, {"info.company": {"$ne": "Oak"}}]}, "B"),
    ({"$not": {"$or": [{"info.company": "Oak"}, {"revision": 7}]}}, "B"),
    ({"$not": {}}, ""),
    ({"$not": [{"info.labelKeys": "vip"}, {"info.company": "Oak"}]}, "BC"),
]


def test_each_operator_finds_those_it_says(three):
    wrong = [(document, who) for document, who in FINDS if found(three, document) != who]
    assert not wrong


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (["info.company"], "malformed_filter"),
        ("Oak", "malformed_filter"),
        ({"$or": []}, "malformed_filter"),
        ({"$and": {}}, "malformed_filter"),
        ({"info.company": {}}, "malformed_filter"),
        ({"company": "Oak"}, "unsupported_filter_field"),
        ({"business__slug": "other"}, "unsupported_filter_field"),
        ({"$where": "1"}, "unsupported_filter_operator"),
        ({"info.company": {"$gt": "a"}}, "unsupported_filter_operator"),
        ({"info.company": {"contains": "a"}}, "unsupported_filter_operator"),
        ({"info.company": None}, "unsupported_filter_value"),
        ({"info.company": 7}, "unsupported_filter_value"),
        ({"info.company": "a\x00"}, "unsupported_filter_value"),
        ({"info.company": "\ud800"}, "unsupported_filter_value"),
        ({"info.company": "x" * 1001}, "unsupported_filter_value"),
        ({"info.company": {"$in": "Oak"}}, "unsupported_filter_value"),
        ({"info.company": {"$exists": 1}}, "unsupported_filter_value"),
        ({"info.birthdate": "yesterday"}, "unsupported_filter_value"),
        ({"createdDate": "0001-01-01T00:00:00+14:00"}, "unsupported_filter_value"),
        ({"revision": True}, "unsupported_filter_value"),
        ({"revision": 2**63}, "unsupported_filter_value"),
        ({"id": "7"}, "unsupported_filter_value"),
        ({"info.company": {"$in": ["x"] * (MOST_VALUES + 1)}}, "malformed_filter"),
        ({"$or": [{"info.company": "x"}] * (MOST_CONDITIONS + 1)}, "malformed_filter"),
    ],
)
def test_what_is_no_filter_is_refused_with_a_code(document, code):
    with pytest.raises(ValidationError) as refused:
        read(document)
    assert refused.value.code == code
    assert refused.value.messages


@pytest.mark.parametrize("key", ["$not", "$and"])
def test_depth_has_an_end(key):
    document = {"info.company": "Oak"}
    for _ in range(DEEPEST + 1):
        document = {key: [document]}
    with pytest.raises(ValidationError, match="levels deep"):
        read(document)
    inside = {"$eq": "Oak"}
    for _ in range(DEEPEST + 1):
        inside = {"$not": inside}
    with pytest.raises(ValidationError):
        read({"info.company": inside})


@pytest.mark.django_db
def test_the_fullest_filter_is_still_one_question():
    values = [f"{n}@example.org" for n in range(MOST_VALUES // MOST_CONDITIONS)]
    for document in (
        {"$or": [{"info.emails.email": {"$in": values}}] * MOST_CONDITIONS},
        {"info.emails.email": {"$hasAll": [f"{n}@example.org" for n in range(MOST_CONDITIONS)]}},
        {"info.emails.email": {"$in": [f"{n}@example.org" for n in range(MOST_VALUES)]}},
    ):
        assert list(Contact.objects.filter(read(document))) == []


names = st.sampled_from([*FIELDS, "$and", "$or", "$not", "$eq", "business", ""]) | st.text(max_size=5)
operators = st.sampled_from(
    "$eq $ne $gt $gte $lt $lte $in $nin $startsWith $isEmpty $exists $hasAll $hasSome $not $and".split()
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.datetimes().map(dt.datetime.isoformat)
    | st.dates().map(dt.date.isoformat)
    | st.uuids().map(str)
    | st.text(max_size=3).map(lambda text: f"{text}\ud800")
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(operators, inner, max_size=3)
        | st.dictionaries(names, inner, max_size=3)
    ),
    max_leaves=12,
)


@pytest.mark.django_db
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(names, values, max_size=3) | values)
def test_any_document_is_a_question_or_a_refusal(document):
    try:
        condition = read(document)
    except ValidationError as refused:
        code, said = refused.code, refused.messages
    else:
        code, said = "", Contact.objects.filter(condition).order_by("pk").first()
    assert not code or (said and code.startswith(("malformed_filter", "unsupported_filter_")))
