"""The library's pages: statuses, triggers and closing reasons are found, made, changed, retired and brought back."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from boards.models import Phase, Reason, Status, Trigger
from tests.factories import actor, make_workflow

STATUSES = "/brightside/library/statuses/"
TRIGGERS = "/brightside/library/triggers/"
REASONS = "/brightside/library/reasons/"
HTMX = {"HX-Request": "true"}
PIECE = HTMX | {"HX-Target": "shelf"}


def said(answer) -> str:
    return " ".join(answer.content.decode().split())


@pytest.fixture
def packing(business, owner):
    return Status.create(business, name="Packing", stage="processing", by=actor(owner))


def test_the_library_opens_with_the_statuses(staff, browse):
    assert browse(staff).get("/brightside/library/").url == STATUSES


def test_statuses_stand_by_stage_group_with_what_customers_see_and_where_they_are_used(
    business, owner, staff, workflow, packing, browse
):
    packing.update(description="Box it", public_name="Almost there", by=actor(owner))
    Phase.create(workflow, name="Packing", status=packing, by=actor(owner))
    Phase.create(make_workflow(business, "Repairs"), name="Packing up", status=packing, by=actor(owner))
    page = said(browse(staff).get(STATUSES))
    for word in ("New", "Processing", "Completed", "Cancelled", "Box it", "customers see “Almost there”"):
        assert word in page
    assert "2 phases in 2 workflows" in page
    assert "/add/" not in page  # staff look
    assert "Retire " not in page


def test_the_way_there_stands_on_the_workflows_page_and_in_the_menu(manager, workflow, browse):
    client = browse(manager)
    for page in ("/brightside/workflows/", "/brightside/workflows/lead-funnel/"):
        assert STATUSES in said(client.get(page))
    assert "/brightside/library/" in said(client.get("/brightside/"))


@pytest.mark.parametrize("group", ["new", "processing", "completed", "cancelled"])
def test_a_status_is_made_on_the_fly_in_its_group(business, manager, browse, group):
    answer = browse(manager).post(STATUSES + "add/", {"name": " Sanded \n", "stage": group})
    assert (answer.status_code, answer.url) == (302, STATUSES)
    made = Status.objects.get(business=business)
    assert (made.name, made.stage) == ("Sanded", group)


def test_htmx_gets_the_shelf_and_a_word_about_it(business, manager, browse):
    answer = browse(manager).post(STATUSES + "add/", {"name": "Sanded", "stage": "new"}, headers=HTMX)
    page = said(answer)
    assert answer.status_code == 200
    assert page.startswith('<div class="stack shelf" id="shelf"')
    assert "Sanded is in the library." in page
    assert page.count("autofocus") == 1


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        ({"name": " ", "stage": "new"}, "Give the status a name."),
        ({"name": "x" * 81, "stage": "new"}, "At most 80 characters fit here; this has 81."),
        ({"name": "packing", "stage": "new"}, "The library has “packing” already."),
        ({"name": "Sanded", "stage": "circus"}, "Select a valid choice"),
        ({"name": "Null\x00", "stage": "new"}, "Null characters are not allowed"),
    ],
)
def test_a_bad_status_is_told_at_its_field_and_kept(business, manager, packing, browse, sent, wrong):
    for headers in ({}, HTMX):
        answer = browse(manager).post(STATUSES + "add/", sent, headers=headers)
        assert answer.status_code == 422
        if sent["stage"] == "new":
            assert wrong in said(answer)
            assert f'value="{sent["name"]}"' in answer.content.decode()
    assert Status.objects.filter(business=business).count() == 1


def test_a_status_is_changed_in_place(business, manager, packing, browse):
    client = browse(manager)
    page = said(client.get(STATUSES, {"open": packing.pk}, headers=PIECE))
    assert "also rename" not in page  # no phase bears it
    sent = {"name": "Wrapping", "stage": "completed", "tint": "3", "description": "a\r\nb", "public_name": "Wrapped"}
    assert client.post(f"{STATUSES}{packing.pk}/update/", sent).url == STATUSES
    packing.refresh_from_db()
    assert (packing.name, packing.stage, packing.tint) == ("Wrapping", "completed", 3)
    assert (packing.description, packing.public_name) == ("a\nb", "Wrapped")


@pytest.mark.parametrize("too", [True, False])
def test_renaming_a_status_offers_to_rename_its_phases(business, manager, workflow, packing, browse, too):
    phase = Phase.create(workflow, name="Packing", status=packing, by=actor(manager))
    own = Phase.create(workflow, name="Boxing up", status=packing, by=actor(manager))
    client = browse(manager)
    page = said(client.get(STATUSES, {"open": packing.pk}))
    assert "also rename the phase that bears it" in page
    assert "Boxing up in Lead funnel" in page
    sent = {"name": "Wrapping", "stage": "processing", "tint": "2"} | ({"rename_phases": "on"} if too else {})
    client.post(f"{STATUSES}{packing.pk}/update/", sent)
    phase.refresh_from_db()
    own.refresh_from_db()
    assert (phase.name, own.name) == ("Wrapping" if too else "Packing", "Boxing up")


def test_a_bad_change_keeps_what_was_typed(manager, packing, browse):
    answer = browse(manager).post(
        f"{STATUSES}{packing.pk}/update/", {"name": "", "stage": "new", "tint": "2", "description": "Kept"}
    )
    assert answer.status_code == 422
    assert "Give the status a name." in said(answer)
    assert "Kept</textarea>" in said(answer)


def test_a_status_is_retired_and_brought_back_and_boards_stay(manager, workflow, packing, browse):
    phase = Phase.create(workflow, name="Packing", status=packing, by=actor(manager))
    client = browse(manager)
    assert "offered no more" in said(client.post(f"{STATUSES}{packing.pk}/retire/", headers=HTMX))
    assert "Packing" not in said(client.get(STATUSES))
    assert "Retired statuses (1)" in said(client.get(STATUSES))
    assert Phase.objects.get(pk=phase.pk).status == packing
    retired = said(client.get(STATUSES, {"show": "retired"}))
    assert "Packing" in retired
    assert "Bring back" in retired
    client.post(f"{STATUSES}{packing.pk}/restore/")
    assert "Packing" in said(client.get(STATUSES))


def test_the_search_finds_by_name_description_and_what_customers_see(business, owner, manager, packing, browse):
    Status.create(business, name="Lost", stage="cancelled", description="Nobody knows", by=actor(owner))
    client = browse(manager)
    assert "Packing" in said(client.get(STATUSES, {"q": "PACK"}, headers=PIECE))
    found = said(client.get(STATUSES, {"q": "nobody knows"}))
    assert "Lost" in found
    assert ">Packing<" not in found
    assert "Processing" not in found  # groups in which nothing was found do not stand in the way
    nothing = said(client.get(STATUSES, {"q": "zebra"}))
    assert "matches “zebra”" in nothing
    assert 'value="zebra"' in nothing  # to be made at one press
    assert client.get(STATUSES, {"q": "\x00" * 300, "open": "nonsense"}).status_code == 200


def test_an_empty_library_says_what_belongs_there(viewer, manager, browse):
    for place in (STATUSES, TRIGGERS, REASONS):
        assert "Write the first one above." in said(browse(manager).get(place))
        assert "Nothing yet." in said(browse(viewer).get(place))
        assert "Nothing is retired" in said(browse(viewer).get(place, {"show": "retired"}))


def test_a_trigger_has_a_key_a_label_and_a_meaning(business, manager, workflow, browse):
    client = browse(manager)
    client.post(TRIGGERS + "add/", {"name": "Deposit arrived", "description": "Half of it"})
    trigger = Trigger.objects.get(business=business)
    workflow.phases.first().update(trigger=trigger, by=actor(manager))
    page = said(client.get(TRIGGERS))
    for word in ("deposit_arrived", "Deposit arrived", "Half of it", "1 phase in 1 workflow"):
        assert word in page
    client.post(f"{TRIGGERS}{trigger.pk}/update/", {"name": "Deposit is here", "description": ""})
    trigger.refresh_from_db()
    assert (trigger.name, trigger.key, trigger.description) == ("Deposit is here", "deposit_arrived", "")
    client.post(f"{TRIGGERS}{trigger.pk}/retire/")
    assert "Deposit" not in said(client.get(TRIGGERS, headers=PIECE))
    client.post(f"{TRIGGERS}{trigger.pk}/restore/")
    assert client.post(TRIGGERS + "add/", {"name": "Deposit arrived"}).status_code == 422  # the key is taken


def test_a_reason_stands_with_whose_doing_it_is(business, manager, browse):
    client = browse(manager)
    client.post(REASONS + "add/", {"name": "Lost our drawings", "caused_by": "us"})
    reason = Reason.objects.get(business=business)
    assert reason.caused_by == "us"
    assert "Caused by us" in said(client.get(REASONS))
    assert "Caused by" in said(client.get(REASONS, {"open": reason.pk}))
    client.post(f"{REASONS}{reason.pk}/update/", {"name": "Lost the drawings", "caused_by": "customer"})
    reason.refresh_from_db()
    assert (reason.name, reason.caused_by) == ("Lost the drawings", "customer")
    client.post(f"{REASONS}{reason.pk}/retire/")
    client.post(f"{REASONS}{reason.pk}/restore/")


@pytest.mark.parametrize("place", [STATUSES, TRIGGERS, REASONS])
def test_a_full_shelf_costs_what_an_empty_one_costs(business, owner, workflow, browse, place):
    client = browse(owner)

    def queries():
        with CaptureQueriesContext(connection) as counted:
            client.get(place)
        return len(counted)

    def fill(count):
        for number in range(count):
            name = f"Name {count} {number}"
            status = Status.create(business, name=name, by=actor(owner))
            trigger = Trigger.create(business, name=name, by=actor(owner))
            Reason.create(business, name=name, by=actor(owner))
            Phase.create(workflow, name=name, status=status, trigger=trigger, by=actor(owner))

    fill(1)
    queries()
    little = queries()
    fill(8)
    assert queries() == little
