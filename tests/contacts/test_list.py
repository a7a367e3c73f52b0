"""The list of contacts: who they are, where they are, what is open and paid; search, order, archive, pages."""

import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from boards.people import Asked
from contacts.models import ContactLabel
from tests.factories import actor, make_business, make_card, make_contact, make_workflow

HTMX = {"HX-Request": "true", "HX-Target": "contacts"}


@pytest.fixture
def url(business):
    return reverse("contacts", args=[business.slug])


def names(answer):
    return re.findall(r'class="people__page clip" href="[^"]*">([^<]*)<', answer.content.decode())


def row(answer, name):
    table = answer.content.decode().split("<tbody>")[1]
    return next(part for part in table.split("</tr>") if f">{name}<" in part)


def test_a_row_shows_mail_phase_labels_and_money(business, workflow, staff, browse, url):
    label = ContactLabel.find_or_create(business, "Kitchen", by=actor(staff))
    contact = make_contact(business, emails=[("ines@example.org", "")], labels=[label])
    phases = list(workflow.phases.all())
    make_card(phases[0], value=100_00, contact=contact)
    make_card(phases[2], value=50_00, contact=contact)
    make_card(workflow.win_phase, value=70_00, contact=contact)
    make_card(workflow.win_phase, value=5_00, contact=contact).archive(by=actor(staff))
    make_card(phases[1], value=1_000_00, contact=contact).archive(by=actor(staff))
    found = row(browse(staff).get(url), "Ines Brunet")
    assert "ines@example.org" in found
    assert phases[2].name in found
    assert "Kitchen" in found
    assert "€150<" in found
    assert "€75<" in found
    assert "Today" in found


def test_somebody_without_open_work_is_where_they_won_and_else_nowhere(business, workflow, staff, browse, url):
    make_card(workflow.win_phase, contact=make_contact(business, "Ada", "Won"))
    make_contact(business, "Ben", "New")
    answer = browse(staff).get(url)
    assert workflow.win_phase.name in row(answer, "Ada Won")
    assert "p-10" in row(answer, "Ada Won")
    assert "No card" in row(answer, "Ben New")


def test_work_in_an_archived_workflow_is_not_open(business, workflow, owner, browse, url):
    make_card(workflow.phases.first(), value=100_00, contact=make_contact(business))
    workflow.archive(by=actor(owner))
    found = row(browse(owner).get(url), "Ines Brunet")
    assert "No card" in found
    assert "€100" not in found


def test_search_finds_by_every_word_with_and_without_htmx(business, staff, browse, url):
    make_contact(business, "Jürgen", "MÜLLER", company="Möbel Straße")
    make_contact(business, "Jürgen", "Klein")
    for headers in ({}, HTMX):
        answer = browse(staff).get(url, {"q": "müller JÜR"}, headers=headers)
        assert names(answer) == ["Jürgen MÜLLER"]
        assert "1 of 2 match" in answer.content.decode()
    assert "<html" not in browse(staff).get(url, {"q": "x"}, headers=HTMX).content.decode()
    assert "HX-Request" in browse(staff).get(url).headers["Vary"]


def test_what_matches_nothing_offers_to_clear_the_filters(business, staff, browse, url):
    make_contact(business)
    page = browse(staff).get(url, {"q": "nobody"}).content.decode()
    assert "No contacts match “nobody”" in page
    assert f'href="{url}">Clear filters' in page


def test_an_empty_list_teaches_and_offers_the_first_contact_to_those_who_may(business, staff, viewer, browse, url):
    new = reverse("contact_new", args=[business.slug])
    page = browse(staff).get(url).content.decode()
    assert "The people you work for will be here" in page
    assert new in page
    assert new not in browse(viewer).get(url).content.decode()


def test_every_sensible_column_sorts_both_ways_and_nothing_else(business, workflow, staff, browse, url):
    ben, ada, zoe = (make_contact(business, name, "") for name in ("ben", "Ada", "Zoë"))
    make_card(workflow.phases.first(), value=10_00, contact=zoe)
    make_card(workflow.phases.first(), value=20_00, contact=ada)
    make_card(workflow.win_phase, value=5_00, contact=ben)
    get = browse(staff).get
    for sort, order in {
        "": ["Ada", "ben", "Zoë"],
        "-name": ["Zoë", "ben", "Ada"],
        "-open": ["Ada", "Zoë", "ben"],
        "open": ["ben", "Zoë", "Ada"],
        "-won": ["ben", "Ada", "Zoë"],
        "-touched": ["ben", "Ada", "Zoë"],
        "touched": ["Zoë", "Ada", "ben"],
        "business__slug": ["Ada", "ben", "Zoë"],
        "--open": ["Ada", "ben", "Zoë"],
        "'; DROP TABLE": ["Ada", "ben", "Zoë"],
    }.items():
        assert names(get(url, {"sort": sort})) == order, sort
    assert 'aria-sort="descending"' in get(url, {"sort": "-open"}).content.decode()


def test_archived_contacts_have_their_own_view(business, staff, browse, url):
    make_contact(business, "Ada", "Here")
    make_contact(business, "Ben", "Gone").archive(by=actor(staff))
    assert names(browse(staff).get(url)) == ["Ada Here"]
    assert "Archived (1)" in browse(staff).get(url).content.decode()
    answer = browse(staff).get(url, {"archived": "1"})
    assert names(answer) == ["Ben Gone"]
    assert "1 contact put away" in answer.content.decode()


def test_a_label_narrows_the_list(business, staff, browse, url):
    label = ContactLabel.find_or_create(business, "Kitchen", by=actor(staff))
    make_contact(business, "Ada", "Wears", labels=[label])
    make_contact(business, "Ben", "Bare")
    assert names(browse(staff).get(url, {"label": str(label.pk)})) == ["Ada Wears"]
    foreign = ContactLabel.objects.create(business=make_business(), key="x", name="x")
    for nonsense in (str(foreign.pk), str(uuid.uuid4()), "x", "\x00"):
        assert len(names(browse(staff).get(url, {"label": nonsense}))) == 2


def test_fifty_fit_on_a_page(business, staff, browse, url):
    for n in range(60):
        make_contact(business, f"P{n:02}", "")
    first, second = browse(staff).get(url), browse(staff).get(url, {"page": "2"})
    assert (len(names(first)), len(names(second))) == (50, 10)
    assert "1–50 of 60" in first.content.decode()
    assert "51–60 of 60" in second.content.decode()
    for nonsense in ("0", "-1", "999", "x", "1e9", "\x00"):
        assert browse(staff).get(url, {"page": nonsense}).status_code == 200


def test_the_one_that_is_looked_at_stands_beside_the_list(business, staff, browse, url):
    make_contact(business, "Ada", "First", phones=[("+31 20 555", "")])
    second = make_contact(business, "Ben", "Second", emails=[("ben@example.org", "")])
    assert 'href="tel:+3120555"' in browse(staff).get(url).content.decode()
    page = browse(staff).get(url, {"person": str(second.pk)}).content.decode()
    assert 'href="mailto:ben@example.org"' in page
    foreign = make_contact(make_business(), "For", "Eign")
    for nonsense in (str(foreign.pk), "x", ""):
        assert "Eign" not in browse(staff).get(url, {"person": nonsense}).content.decode()


def test_other_businesses_stay_out_of_sight(business, stranger, staff, browse, url):
    theirs = make_contact(stranger.business, "Secret", "Person")
    make_card(make_workflow(stranger.business).phases.first(), contact=theirs, value=1)
    assert "Secret" not in browse(staff).get(url).content.decode()
    assert browse(stranger).get(url).status_code == 404


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "{{ 7|add:7 }}", "x" * 10_000, "a\x00b", "🪵", "\u202eevil", "100%", "' OR 1=1 --"],
)
def test_whatever_is_searched_for_is_text(business, staff, browse, url, text):
    answer = browse(staff).get(url, {"q": text})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.content.decode()


def test_whatever_a_contact_is_called_is_text(business, staff, browse, url):
    label = ContactLabel.find_or_create(business, "<i>label", by=actor(staff))
    contact = make_contact(
        business,
        "<script>alert(1)</script>",
        "{{ 7|add:7 }} \u202eevil",
        company="<b>",
        labels=[label],
        notes="<script>",
    )
    for place in (url, reverse("contact", args=[business.slug, contact.pk])):
        page = browse(staff).get(place).content.decode()
        assert "<script>" not in page
        assert "<i>label" not in page
        assert "{{ 7|add:7 }}" in page


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_the_number_of_queries_does_not_grow(business, workflow, staff, browse, url, headers):
    client = browse(staff)
    counts = []
    for more in (5, 55):
        label = ContactLabel.find_or_create(business, f"Label {more}", by=actor(staff))
        other = make_workflow(business, name=f"Workflow {more}")
        for n in range(more):
            contact = make_contact(business, f"P{more}-{n}", labels=[label], emails=[("a@example.org", "")])
            make_card(workflow.phases.first(), contact=contact, value=100)
            make_card(other.phases.last(), contact=contact, value=100)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url, headers=headers).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= (12 if headers else 24)


@pytest.mark.parametrize("sort", ["name", "-name"])
def test_a_long_list_is_read_along_an_index(business, sort):
    """SQLite says how it would read; PostgreSQL decides by how much there is."""
    if connection.vendor != "sqlite":
        pytest.skip("its plan depends on what is there")
    plan = Asked(sort=sort).narrow(business.contacts)[:50].explain()
    assert "contact_by_name" in plan
    assert "TEMP B-TREE" not in plan
