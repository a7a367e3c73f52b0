"""The phases of a workflow on its page: add, change, reorder, delete with a destination for the cards."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from boards.models import Card, Phase
from tests.boards.ledger import assert_whole
from tests.factories import actor, make_card, make_workflow

FUNNEL = "/brightside/workflows/lead-funnel/"
HTMX = {"HX-Request": "true", "HX-Target": "steps"}
NAMES = [
    "Customer contacted me",
    "Contact made with customer",
    "Price quote sent",
    "Invoice sent",
    "Invoice paid",
    "Won",
]


@pytest.fixture
def phases(workflow):
    """Return the workflow's phases in order."""
    return list(workflow.phases.all())


def names(workflow) -> list[str]:
    return [phase.name for phase in workflow.phases.all()]


def said(answer) -> str:
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_phase_is_added_before_the_win(workflow, manager, browse, headers):
    sent = {"name": " Site visit ", "stage": "processing", "description": "Bring the\r\nlaser"}
    answer = browse(manager).post(f"{FUNNEL}phases/add/", sent, headers=headers)
    assert answer.status_code == (200 if headers else 302)
    assert names(workflow) == [*NAMES[:-1], "Site visit", "Won"]
    made = workflow.phases.get(name="Site visit")
    assert (made.stage, made.description) == ("processing", "Bring the\nlaser")
    if headers:
        page = said(answer)
        assert 'id="steps"' in page
        assert "Added the phase Site visit." in page
        assert "<!doctype" not in page


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        ({"name": ""}, "Give the phase a name."),
        ({"name": "x" * 10_000}, "At most 80 characters fit here; this has 10000."),
        ({"description": "x" * 1_001}, "At most 1000 characters fit here"),
        ({"stage": "circus"}, "Select a valid choice"),
        ({"stage": "cancelled"}, "Select a valid choice"),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_bad_phase_is_told_at_its_field_and_kept(workflow, manager, browse, headers, sent, wrong):
    sent = {"name": "Site visit", "stage": "processing", "description": "Typed with care", **sent}
    answer = browse(manager).post(f"{FUNNEL}phases/add/", sent, headers=headers)
    assert answer.status_code == 422
    page = said(answer)
    assert wrong in page
    assert sent["description"] in page
    assert names(workflow) == NAMES


def test_the_sixtieth_phase_is_the_last(workflow, manager, browse):
    for number in range(55):
        Phase.create(workflow, name=f"Step {number}", by=actor(manager))
    answer = browse(manager).post(f"{FUNNEL}phases/add/", {"name": "One more", "stage": "new"})
    assert answer.status_code == 422
    assert "holds at most 60 phases" in said(answer)


def test_a_step_opens_its_form_and_is_changed(workflow, phases, manager, browse):
    client = browse(manager)
    page = said(client.get(FUNNEL, {"open": str(phases[2].pk)}))
    assert f'id="phase-{phases[2].pk}-name"' in page
    assert f'id="phase-{phases[1].pk}-name"' not in page
    sent = {"name": "Quote sent", "stage": "completed", "description": "Wait"}
    page = said(client.post(f"{FUNNEL}phases/{phases[2].pk}/update/", sent, headers=HTMX))
    assert "Quote sent" in page
    assert f'id="phase-{phases[2].pk}-name"' not in page
    changed = Phase.objects.get(pk=phases[2].pk)
    assert (changed.name, changed.stage, changed.description) == ("Quote sent", "completed", "Wait")


def test_a_refused_change_keeps_the_form_open_and_the_name_as_it_was(workflow, phases, manager, browse):
    sent = {"name": "", "stage": "completed", "description": "Typed with care"}
    answer = browse(manager).post(f"{FUNNEL}phases/{phases[2].pk}/update/", sent)
    assert answer.status_code == 422
    page = said(answer)
    assert "Typed with care" in page
    assert "<h3>Price quote sent</h3>" in page
    assert f'id="phase-{phases[2].pk}-name"' in page


def test_the_win_phase_is_renamed_and_nothing_else(workflow, phases, manager, browse):
    win, client = phases[-1], browse(manager)
    page = said(client.get(FUNNEL, {"open": str(win.pk)}))
    assert f'id="phase-{win.pk}-stage"' not in page
    assert f"phases/{win.pk}/delete/" not in page
    client.post(f"{FUNNEL}phases/{win.pk}/update/", {"name": "Done and paid", "stage": "new", "description": ""})
    win.refresh_from_db()
    assert (win.name, win.stage, win.section) == ("Done and paid", "completed", Phase.WIN)
    refusal = client.post(f"{FUNNEL}phases/{win.pk}/delete/", {}, follow=True)
    assert "The win phase cannot be deleted." in said(refusal)
    refusal = client.post(f"{FUNNEL}phases/move/", {"phase": win.pk, "position": 0}, headers=HTMX)
    assert refusal.status_code == 422
    assert "always last" in said(refusal)


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize(
    ("which", "to", "order"),
    [(0, 1, "BACDE"), (4, 0, "EABCD"), (1, 4, "ACDEB"), (1, 999, "ACDEB"), (2, 2, "ABCDE")],
)
def test_a_phase_goes_where_it_is_put(workflow, phases, manager, browse, headers, which, to, order):
    by_letter = dict(zip("ABCDE", NAMES, strict=False))
    client = browse(manager)
    answer = client.post(f"{FUNNEL}phases/move/", {"phase": phases[which].pk, "position": to}, headers=headers)
    assert answer.status_code == (200 if headers else 302)
    assert names(workflow) == [*(by_letter[letter] for letter in order), "Won"]


@pytest.mark.parametrize("position", ["-1", "", "top", "9" * 30])
def test_a_place_that_is_none_changes_nothing(workflow, phases, manager, browse, position):
    sent = {"phase": phases[0].pk, "position": position}
    answer = browse(manager).post(f"{FUNNEL}phases/move/", sent, headers=HTMX)
    assert answer.status_code == 422
    assert names(workflow) == NAMES


def test_the_arrows_of_each_step_lead_one_up_and_one_down(workflow, phases, manager, browse):
    client = browse(manager)
    page = said(client.get(FUNNEL))
    assert f'id="up-{phases[2].pk}" name="position" value="1"' in page
    assert f'id="down-{phases[2].pk}" name="position" value="3"' in page
    client.post(f"{FUNNEL}phases/move/", {"phase": phases[2].pk, "position": "3"})
    assert names(workflow)[2:4] == ["Invoice sent", "Price quote sent"]


def test_an_empty_phase_is_deleted_after_a_question(workflow, phases, manager, browse):
    client = browse(manager)
    assert "No card stands in it" in said(client.get(f"{FUNNEL}phases/{phases[1].pk}/delete/"))
    assert names(workflow) == NAMES
    page = said(client.post(f"{FUNNEL}phases/{phases[1].pk}/delete/", follow=True))
    assert "Deleted Contact made with customer." in page
    assert names(workflow) == [NAMES[0], *NAMES[2:]]


def test_cards_of_a_deleted_phase_go_where_they_are_sent(workflow, phases, manager, browse):
    stays = make_card(phases[0], "Stays")
    moves = [make_card(phases[1], name, value=100) for name in ("First", "Second")]
    moves[1].archive(by=actor(manager))
    client, url = browse(manager), f"{FUNNEL}phases/{phases[1].pk}/delete/"
    assert "2 cards stand in it, 1 of them archived." in said(client.get(url))
    for nowhere in ("", str(phases[1].pk), str(uuid.uuid4()), "nonsense"):
        answer = client.post(url, {"to": nowhere})
        assert answer.status_code == 422
        assert "Choose" in said(answer) or "gone" in said(answer)
    assert Phase.objects.filter(pk=phases[1].pk).exists()
    page = said(client.post(url, {"to": str(phases[0].pk)}, follow=True))
    assert "its cards are in Customer contacted me now" in page
    assert list(Card.objects.filter(phase=phases[0]).order_by("rank")) == [stays, *moves]
    assert_whole(workflow)


def test_a_phase_of_another_workflow_is_no_destination(business, workflow, phases, manager, browse):
    make_card(phases[1])
    other = make_workflow(business, "Repairs", "repair").phases.first()
    answer = browse(manager).post(f"{FUNNEL}phases/{phases[1].pk}/delete/", {"to": str(other.pk)})
    assert answer.status_code == 422
    assert names(workflow) == NAMES


def test_what_somebody_else_deleted_meanwhile_is_not_there(workflow, phases, manager, browse):
    gone, client = phases[1].pk, browse(manager)
    phases[1].delete_to(None, by=actor(manager))
    for url, sent in (
        (f"{FUNNEL}phases/{gone}/update/", {"name": "Ours", "stage": "new"}),
        (f"{FUNNEL}phases/move/", {"phase": gone, "position": 0}),
        (f"{FUNNEL}phases/{gone}/delete/", {}),
    ):
        assert client.post(url, sent).status_code == 404


@pytest.mark.parametrize("role", ["staff", "viewer", "stranger"])
def test_who_may_not_design_changes_no_phase(request, workflow, phases, browse, role):
    client = browse(request.getfixturevalue(role))
    code = 404 if role == "stranger" else 403
    phase = phases[1].pk
    for url, sent in (
        ("phases/add/", {"name": "Ours", "stage": "new"}),
        ("phases/move/", {"phase": phase, "position": 0}),
        (f"phases/{phase}/update/", {"name": "Ours", "stage": "new"}),
        (f"phases/{phase}/delete/", {}),
    ):
        assert client.post(FUNNEL + url, sent).status_code == code
    assert names(workflow) == NAMES


def test_an_archived_workflow_gets_no_phases(workflow, manager, browse):
    workflow.archive(by=actor(manager))
    answer = browse(manager).post(f"{FUNNEL}phases/add/", {"name": "Late", "stage": "new"})
    assert answer.status_code == 422
    assert names(workflow) == NAMES


def test_names_are_shown_as_text(workflow, phases, manager, browse):
    phases[0].update(name="<b>Oak</b> {% now 'Y' %} \u202eשלום 🪵", by=actor(manager))
    page = browse(manager).get(FUNNEL).content.decode()
    assert "<b>Oak</b>" not in page
    assert "{% now &#x27;Y&#x27; %}" in page


def test_the_page_costs_the_same_for_many_phases_labels_and_cards(workflow, phases, manager, browse):
    client = browse(manager)

    def queries():
        with CaptureQueriesContext(connection) as counted:
            client.get(FUNNEL)
        return len(counted)

    queries()
    little = queries()
    for number in range(12):
        Phase.create(workflow, name=f"Step {number}", by=actor(manager))
        make_card(phases[0], labels=[workflow.labels.first()])
    assert queries() == little
