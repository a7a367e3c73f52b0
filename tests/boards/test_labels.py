"""The labels of a workflow on its page: make, rename, recolour, delete everywhere."""

import pytest

from boards.models import CardLabel, Label
from tests.factories import actor, make_card, make_workflow

FUNNEL = "/brightside/workflows/lead-funnel/"
HTMX = {"HX-Request": "true", "HX-Target": "labels"}


@pytest.fixture
def rush(workflow):
    """A label of the workflow."""
    return workflow.labels.get(name="Rush")


def said(answer) -> str:
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_staff_make_a_label(workflow, staff, browse, headers):
    answer = browse(staff).post(f"{FUNNEL}labels/add/", {"name": " Kitchen ", "tint": "3"}, headers=headers)
    assert answer.status_code == (200 if headers else 302)
    assert workflow.labels.get(name="Kitchen").tint == 3
    if headers:
        assert 'id="labels"' in said(answer)
        assert "Made the label Kitchen." in said(answer)


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        ({"name": ""}, "Give the label a name."),
        ({"name": "x" * 10_000}, "At most 50 characters fit here; this has 10000."),
        ({"name": "rush"}, "This workflow has a label “rush” already."),
        ({"tint": "9"}, "Select a valid choice"),
        ({"tint": ""}, "Choose a colour."),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_bad_label_is_told_at_its_field_and_kept(workflow, staff, browse, headers, sent, wrong):
    sent = {"name": "Kitchen", "tint": "4", **sent}
    answer = browse(staff).post(f"{FUNNEL}labels/add/", sent, headers=headers)
    assert answer.status_code == 422
    assert wrong in said(answer)
    assert f'value="{sent["name"]}"' in said(answer) or not sent["name"]
    assert workflow.labels.count() == 3


def test_a_label_is_renamed_and_recoloured(workflow, rush, staff, browse):
    client = browse(staff)
    page = said(client.get(FUNNEL, {"open": str(rush.pk)}))
    assert f'id="label-{rush.pk}-name"' in page
    client.post(f"{FUNNEL}labels/{rush.pk}/update/", {"name": "Very soon", "tint": "8"}, headers=HTMX)
    rush.refresh_from_db()
    assert (rush.name, rush.tint) == ("Very soon", 8)


def test_a_name_that_is_taken_keeps_the_form_open(workflow, rush, staff, browse):
    answer = browse(staff).post(f"{FUNNEL}labels/{rush.pk}/update/", {"name": "REFERRAL", "tint": "8"})
    assert answer.status_code == 422
    page = said(answer)
    assert "This workflow has a label “REFERRAL” already." in page
    assert 'value="REFERRAL"' in page
    assert '<span class="label h-1">Rush</span>' in page


def test_it_says_on_how_many_cards_a_label_is(workflow, rush, manager, browse):
    for _ in range(2):
        make_card(workflow.phases.first(), labels=[rush])
    page = said(browse(manager).get(FUNNEL, {"open": str(rush.pk)}))
    assert "on 2 cards" in page
    assert "Delete it and take it off 2 cards" in page
    assert "not used" in page


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_manager_deletes_it_from_every_card(workflow, rush, manager, browse, headers):
    make_card(workflow.phases.first(), labels=[rush])
    answer = browse(manager).post(f"{FUNNEL}labels/{rush.pk}/delete/", headers=headers)
    assert answer.status_code == (200 if headers else 302)
    assert not Label.objects.filter(pk=rush.pk).exists()
    assert not CardLabel.objects.exists()


def test_staff_do_not_delete_and_viewers_change_nothing(workflow, rush, staff, viewer, stranger, browse):
    assert "labels/" + str(rush.pk) + "/delete/" not in said(browse(staff).get(FUNNEL, {"open": str(rush.pk)}))
    assert browse(staff).post(f"{FUNNEL}labels/{rush.pk}/delete/").status_code == 403
    client = browse(viewer)
    assert client.post(f"{FUNNEL}labels/add/", {"name": "Ours", "tint": 1}).status_code == 403
    assert client.post(f"{FUNNEL}labels/{rush.pk}/update/", {"name": "Ours", "tint": 1}).status_code == 403
    assert browse(stranger).post(f"{FUNNEL}labels/{rush.pk}/delete/").status_code == 404
    assert workflow.labels.filter(name="Rush").exists()


def test_a_label_of_another_workflow_is_not_here(business, workflow, manager, browse):
    other = make_workflow(business, "Repairs", "repair").labels.first()
    client = browse(manager)
    assert client.post(f"{FUNNEL}labels/{other.pk}/update/", {"name": "Ours", "tint": 1}).status_code == 404
    assert client.post(f"{FUNNEL}labels/{other.pk}/delete/").status_code == 404


def test_deleting_it_twice_is_told(workflow, rush, manager, browse):
    rush.delete_everywhere(by=actor(manager))
    assert browse(manager).post(f"{FUNNEL}labels/{rush.pk}/delete/").status_code == 404
