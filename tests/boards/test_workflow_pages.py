"""The workflows of a business: the list, a new one, renaming, putting away, bringing back, deleting for good."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from boards.models import Card, Workflow
from boards.models.library import stock
from boards.starters import STARTERS
from tests.factories import actor, make_card, make_workflow

LIST = "/brightside/workflows/"
NEW = "/brightside/workflows/new/"
FUNNEL = "/brightside/workflows/lead-funnel/"
HTMX = {"HX-Request": "true"}


def said(answer) -> str:
    return " ".join(answer.content.decode().split())


def test_the_list_shows_the_active_ones_with_their_figures(business, staff, workflow, browse):
    make_card(workflow.phases.first(), value=200_000)
    make_workflow(business, "Repairs").archive(by=actor(business.memberships.get(role="owner")))
    page = said(browse(staff).get(LIST))
    assert "Lead funnel" in page
    assert "1 open" in page
    assert "€2,000" in page
    assert "Repairs" not in page
    assert "New workflow" not in page  # staff may not


def test_the_archived_ones_stand_by_themselves(owner, manager, workflow, browse):
    workflow.archive(by=actor(manager))
    page = said(browse(owner).get(LIST, {"show": "archived"}))
    assert "Lead funnel" in page
    assert "by Priya Nair" in page
    assert "Bring back" in page
    assert f"{FUNNEL}delete/" in page
    assert f"{FUNNEL}delete/" not in said(browse(manager).get(LIST, {"show": "archived"}))
    assert "All workflows have been put away" in said(browse(owner).get(LIST))


def test_the_list_costs_the_same_for_many(business, owner, browse):
    client = browse(owner)

    def queries():
        with CaptureQueriesContext(connection) as counted:
            client.get(LIST)
        return len(counted)

    make_workflow(business)
    queries()
    little = queries()
    for _ in range(8):
        make_workflow(business)
    assert queries() == little


def test_the_page_for_a_new_one_previews_every_starter(owner, browse):
    page = said(browse(owner).get(NEW, {"starter": "order"}))
    for starter in STARTERS.values():
        for name, _ in starter.phases:
            assert name in page
    assert 'value="order" checked' in page


@pytest.mark.parametrize("starter", [*STARTERS])
def test_a_starter_makes_its_phases_and_labels_and_opens_the_board(business, manager, browse, starter):
    answer = browse(manager).post(NEW, {"name": "Ours", "starter": starter})
    assert answer.status_code == 302
    assert answer.url == "/brightside/boards/ours/"
    made = business.workflows.get()
    wanted = STARTERS[starter]
    assert [phase.name for phase in made.phases.all()] == [*(name for name, _ in wanted.phases), wanted.win]
    assert made.labels.count() == len(wanted.labels)
    assert made.type == wanted.type


def test_what_the_library_knows_of_a_starter_is_used_by_it(business, manager, browse):
    stock(business)
    business.status_library.get(name="Packing").retire(by=actor(manager))
    browse(manager).post(NEW, {"name": "Ours", "starter": "order"})
    linked = business.workflows.get().phases.exclude(status=None).select_related("status")
    assert {phase.status.name for phase in linked} == {"Awaiting payment", "Delivered"}
    assert all((phase.status.name, phase.status.stage) == (phase.name, phase.stage) for phase in linked)


def test_an_empty_one_has_its_win_phase_and_opens_its_steps(business, manager, browse):
    answer = browse(manager).post(
        NEW, {"name": "Odd jobs", "starter": "", "type": "service", "description": "Small\r\nones"}
    )
    assert answer.url == "/brightside/workflows/odd-jobs/"
    made = business.workflows.get()
    assert [phase.name for phase in made.phases.all()] == ["Win"]
    assert (made.type, made.description) == ("service", "Small\nones")


def test_a_chosen_type_goes_before_the_templates(business, manager, browse):
    browse(manager).post(NEW, {"name": "Ours", "starter": "sales", "type": "intake"})
    assert business.workflows.get().type == "intake"


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        ({"name": "  "}, "Give the workflow a name."),
        ({"name": "x" * 10_000}, "At most 120 characters fit here; this has 10000."),
        ({"name": "Ours", "description": "x" * 2_001}, "At most 2000 characters fit here"),
        ({"name": "Ours", "type": "circus"}, "Select a valid choice"),
        ({"name": "Ours", "starter": "circus"}, "Select a valid choice"),
        ({"name": "Null\x00"}, "Null characters are not allowed"),
    ],
)
def test_bad_input_is_told_at_its_field_and_kept(business, manager, browse, sent, wrong):
    answer = browse(manager).post(NEW, {"starter": "repair", "description": "Kept", **sent})
    assert answer.status_code == 422
    page = said(answer)
    assert wrong in page
    if "description" not in sent:
        assert "Kept</textarea>" in page
    assert not business.workflows.exists()


def test_names_that_sound_alike_get_two_addresses_and_none_hides_a_page(business, manager, browse):
    client = browse(manager)
    for name in ("Sales", "Sales!", "New", "飛行", "🛠"):
        client.post(NEW, {"name": name, "starter": ""})
    slugs = set(business.workflows.values_list("slug", flat=True))
    assert slugs == {"sales", "sales-2", "new-2", "workflow", "workflow-2"}
    for slug in slugs:
        assert client.get(f"/brightside/workflows/{slug}/").status_code == 200


@pytest.mark.parametrize("role", ["staff", "viewer"])
def test_only_managers_make_and_put_away(request, workflow, browse, role):
    client = browse(request.getfixturevalue(role))
    assert client.get(NEW).status_code == 403
    assert client.post(NEW, {"name": "Ours"}).status_code == 403
    assert client.post(f"{FUNNEL}archive/").status_code == 403
    assert client.post(f"{FUNNEL}update/", {"name": "Ours", "type": "sales"}).status_code == 403
    assert Workflow.objects.get().name == "Lead funnel"
    assert not Workflow.objects.get().archived_at


@pytest.mark.parametrize("role", ["staff", "viewer"])
def test_who_may_not_change_it_may_read_its_design(request, workflow, browse, role):
    page = said(browse(request.getfixturevalue(role)).get(FUNNEL))
    assert "Price quote sent" in page
    assert "Referral" in page
    assert "phases/add" not in page
    assert 'class="handle"' not in page
    assert "Archive the workflow" not in page


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_it_is_renamed_described_and_typed(workflow, manager, browse, headers):
    sent = {"name": "Leads", "type": "intake", "description": "All of them"}
    answer = browse(manager).post(f"{FUNNEL}update/", sent, headers=headers)
    assert answer.status_code == (200 if headers else 302)
    workflow.refresh_from_db()
    assert (workflow.name, workflow.type, workflow.description) == ("Leads", "intake", "All of them")
    assert workflow.slug == "lead-funnel"
    if headers:
        assert 'id="workflow-name" hx-swap-oob="true">Leads<' in said(answer)


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_bad_name_is_told_and_the_old_one_stays_the_title(workflow, manager, browse, headers):
    sent = {"name": "", "type": "intake", "description": "Typed with care"}
    answer = browse(manager).post(f"{FUNNEL}update/", sent, headers=headers)
    assert answer.status_code == 422
    page = said(answer)
    assert "Give the workflow a name." in page
    assert "Typed with care" in page
    assert ">Lead funnel</span>" in page
    assert ("<!doctype html>" in page) == (not headers)
    workflow.refresh_from_db()
    assert workflow.description == ""


def test_it_is_put_away_and_brought_back(workflow, manager, browse):
    client = browse(manager)
    for _ in range(2):  # doing it again is no news
        page = said(client.post(f"{FUNNEL}archive/", follow=True))
        assert "Lead funnel was put away" in page
    workflow.refresh_from_db()
    assert workflow.archived_by == manager.user
    page = said(client.get(FUNNEL))
    assert "Bring back" in page
    assert "phases/add" not in page
    client.post(f"{FUNNEL}restore/")
    workflow.refresh_from_db()
    assert not workflow.archived_at


def test_only_an_owner_deletes_and_only_by_typing_the_name(business, owner, manager, workflow, browse):
    make_card(workflow.phases.first())
    workflow.archive(by=actor(manager))
    assert browse(manager).post(f"{FUNNEL}delete/", {"name": "Lead funnel"}).status_code == 403
    client = browse(owner)
    assert "Its 1 card, with comments" in said(client.get(f"{FUNNEL}delete/"))
    answer = client.post(f"{FUNNEL}delete/", {"name": "lead funnel"})
    assert answer.status_code == 422
    assert "Type Lead funnel to delete it for good." in said(answer)
    assert Workflow.objects.exists()
    page = said(client.post(f"{FUNNEL}delete/", {"name": " Lead funnel "}, follow=True))
    assert "gone for good" in page
    assert not Workflow.objects.exists()
    assert not Card.objects.exists()
    assert business.events.filter(name="workflow.deleted").count() == 1


def test_what_is_in_use_is_not_deleted(owner, workflow, browse):
    client = browse(owner)
    assert "Archive Lead funnel first" in said(client.get(f"{FUNNEL}delete/"))
    assert "Archive the workflow first" in said(client.post(f"{FUNNEL}delete/", {"name": "Lead funnel"}, follow=True))
    assert Workflow.objects.exists()


def test_it_answers_to_its_id_too_and_not_to_strangers(workflow, owner, stranger, browse):
    assert browse(owner).get(f"/brightside/workflows/{workflow.pk}/").status_code == 200
    assert browse(stranger).get(FUNNEL).status_code == 404
    assert browse(stranger).get(f"/other/workflows/{workflow.pk}/").status_code == 404
    assert browse(owner).get("/brightside/workflows/no-such/").status_code == 404
