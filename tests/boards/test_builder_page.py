"""The builder's page: steps, library, problems, fields; each edit a form, nothing on the board before publishing."""

import html
import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from boards.models import Draft, Field, Phase, Status, Trigger
from boards.models.library import stock
from tests.factories import actor, make_card, make_workflow

PAGE = "/brightside/workflows/lead-funnel/builder/"
FIELDS = "/brightside/workflows/lead-funnel/fields/"
HTMX = {"hx-request": "true", "hx-target": "builder"}
WAYS = pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
NAMES = [
    "Customer contacted me",
    "Contact made with customer",
    "Price quote sent",
    "Invoice sent",
    "Invoice paid",
    "Won",
]


@pytest.fixture
def phases(business, workflow):
    """The phases of the lead funnel; the libraries are filled."""
    stock(business)
    return list(workflow.phases.all())


@pytest.fixture
def client(manager, browse):
    """The browser of Priya, who designs."""
    return browse(manager)


def said(answer):
    return html.unescape(answer.content.decode())


def names(workflow):
    return list(Phase.objects.filter(workflow=workflow).values_list("name", flat=True))


def drafted(workflow):
    return [step["name"] for step in Draft.of(workflow).design["steps"]]


def answered(answer, headers, text):
    """Answer whether both ways lead on: htmx gets pieces and a toast, a plain form is sent back with a message."""
    assert answer.status_code == (200 if headers else 302), answer.content.decode()[:300]
    if headers:
        assert text in said(answer)
        assert 'id="builder"' in said(answer)


def full(step, **changes):
    """Return what the form of a step sends."""
    sent = {"name": step["name"], "stage": step["stage"], "description": step["description"], "wip_policy": "soft"}
    return sent | {"timeout_unit": "hours"} | changes


def test_the_steps_stand_in_their_groups_with_moons_cards_and_triggers(workflow, phases, client, manager):
    make_card(phases[0])
    phases[0].update(trigger=Trigger.objects.get(key="quote_sent"), by=actor(manager))
    page = said(client.get(PAGE))
    shown = re.findall(r"<h3>([^<]+)</h3>", page.partition("<aside")[0])
    assert shown == NAMES
    assert "1 card</span>" in page
    assert "<b>Quote sent</b> is reported" in page
    assert "disc--lg p-10" in page
    assert "have no trigger, so cards wait there" in page
    assert "Draft</span>" not in page
    assert not Draft.objects.exists(), "looking begins nothing"


@pytest.mark.parametrize("role", ["staff", "viewer"])
def test_who_may_not_design_reads_the_running_design(request, workflow, phases, browse, manager, role):
    Draft.begin(workflow, by=actor(manager)).set_step(phases[0].pk, name="Secret plan", by=actor(manager))
    client = browse(request.getfixturevalue(role))
    page = said(client.get(PAGE, {"open": str(phases[0].pk)}))
    main = page.partition("<main")[2].partition("</main>")[0]
    assert NAMES[0] in main
    assert "Secret plan" not in main
    assert "<form" not in main
    phase = phases[1].pk
    for url in (
        "describe/",
        "add/",
        "move/",
        "mend/",
        "publish/",
        "discard/",
        "go-on/",
        f"{phase}/update/",
        f"{phase}/remove/",
    ):
        assert client.post(PAGE + url).status_code == 403
    assert client.post(f"{FIELDS}add/", {"name": "Ours", "kind": "text"}).status_code == 403


@WAYS
def test_a_status_is_picked_from_the_library_and_asked_for_its_trigger(workflow, phases, client, headers):
    status = Status.objects.get(name="Quality check")
    answer = client.post(f"{PAGE}add/", {"status": status.pk}, headers=headers)
    answered(answer, headers, "Added Quality check to the draft.")
    assert names(workflow) == NAMES
    assert drafted(workflow) == [*NAMES[:5], "Quality check", "Won"]
    page = said(answer) if headers else said(client.get(answer.url))
    step = Draft.of(workflow).design["steps"][5]
    assert f'id="step-{step["id"]}-trigger"' in page
    assert re.search(r"disabled>Quality check", page)


@WAYS
def test_a_status_in_which_work_ends_is_asked_for_no_trigger(workflow, phases, client, headers):
    status = Status.objects.filter(stage="cancelled").first()
    answer = client.post(f"{PAGE}add/", {"status": status.pk}, headers=headers)
    answered(answer, headers, f"Added {status.name} to the draft.")
    page = said(answer) if headers else said(client.get(answer.url))
    step = Draft.of(workflow).design["steps"][-1]
    assert (step["name"], step["stage"]) == (status.name, "cancelled")
    assert "When does a card move on?" not in page
    assert f'id="form-{step["id"]}"' not in page, "its settings are not opened"
    for end in (step["id"], str(phases[-1].pk)):
        settings = said(client.get(PAGE, {"open": end}))
        assert f'id="step-{end}-wip_limit"' in settings
        assert f'id="step-{end}-trigger"' not in settings
        sent = full(Draft.of(workflow).step(end), wip_limit=5)
        assert client.post(f"{PAGE}{end}/update/", sent, headers=headers).status_code in (200, 302)
        assert Draft.of(workflow).step(end)["wip_limit"] == 5


@WAYS
def test_a_status_that_is_not_there_is_created_on_the_fly(business, workflow, phases, client, headers):
    page = said(client.get(PAGE, {"find": "Site visit"}))
    assert "Create “Site visit” in" in page
    client.post(f"{PAGE}add/", {"name": "Site visit", "stage": "new"}, headers=headers)
    status = Status.objects.get(business=business, name="Site visit")
    assert status.stage == "new"
    assert Draft.of(workflow).design["steps"][1]["status"] == str(status.pk)
    client.post(f"{PAGE}add/", {"name": "SITE VISIT", "stage": "new"}, headers=headers)
    assert Status.objects.filter(business=business, name__iexact="site visit").count() == 1
    assert "Create “site visit”" not in said(client.get(PAGE, {"find": "site visit"}))


def test_the_library_is_searched(workflow, phases, client):
    piece = said(client.get(PAGE, {"find": "lost"}, headers=HTMX | {"hx-target": "shelf"}))
    assert piece.startswith('<div class="library" id="shelf">')
    assert "Lost in transit" in piece
    assert "Packing" not in piece


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"status": "nonsense"},
        {"status": str(uuid.uuid4())},
        {"name": "", "stage": "new"},
        {"name": "X", "stage": "?"},
    ],
)
def test_what_is_no_status_adds_nothing(workflow, phases, client, sent):
    assert client.post(f"{PAGE}add/", sent, headers=HTMX).status_code in (404, 422)
    assert drafted(workflow) == NAMES


@WAYS
def test_a_step_is_moved_in_the_draft(workflow, phases, client, headers):
    sent = {"phase": phases[3].pk, "position": 0, "stage": "new"}
    answered(
        client.post(f"{PAGE}move/", sent, headers=headers), headers, "Invoice sent stands at place 1 of the draft."
    )
    assert drafted(workflow) == [NAMES[3], *NAMES[:3], *NAMES[4:]]
    assert names(workflow) == NAMES


@pytest.mark.parametrize(
    "sent", [{"position": "-1"}, {"position": "top"}, {"position": "9" * 30}, {"stage": "cancelled"}]
)
def test_a_place_that_is_none_changes_nothing(workflow, phases, client, sent):
    sent = {"phase": phases[3].pk, "position": 0} | sent
    assert client.post(f"{PAGE}move/", sent, headers=HTMX).status_code == 422
    assert drafted(workflow) == NAMES


@WAYS
def test_a_steps_settings_are_kept_in_the_draft(business, workflow, phases, client, manager, headers):
    trigger, size = Trigger.objects.get(key="quote_accepted"), Field.create(workflow, name="Size", by=actor(manager))
    step = Draft.of(workflow).step(phases[2].pk)
    sent = full(
        step,
        name="Quote",
        trigger=trigger.pk,
        wip_limit=5,
        wip_policy="hard",
        stale_days=4,
        required=["contact", f"field:{size.pk}"],
        default_assignee=manager.pk,
        checklist_lines="Measure\r\n\r\nOffer",
        timeout_hours=2,
        timeout_unit="days",
        timeout_to=phases[0].pk,
    )
    answered(client.post(f"{PAGE}{phases[2].pk}/update/", sent, headers=headers), headers, "Noted in the draft.")
    step = Draft.of(workflow).step(phases[2].pk)
    assert (step["name"], step["trigger"], step["wip_limit"], step["wip_policy"]) == (
        "Quote",
        str(trigger.pk),
        5,
        "hard",
    )
    assert (step["stale_days"], step["required"]) == (4, ["contact", f"field:{size.pk}"])
    assert (step["default_assignee"], step["checklist_lines"]) == (str(manager.pk), ["Measure", "Offer"])
    assert (step["timeout_hours"], step["timeout_to"]) == (48, str(phases[0].pk))
    page = said(client.get(PAGE))
    assert "after <b>2 days</b> to Customer contacted me" in page
    assert "Limit 5, hard" in page
    assert names(workflow) == NAMES


@WAYS
def test_what_is_wrong_with_a_step_is_said_and_what_was_typed_is_kept(workflow, phases, client, headers):
    step = Draft.of(workflow).step(phases[2].pk)
    sent = full(step, name="", description="Typed with care", wip_limit="many", trigger=str(uuid.uuid4()))
    answer = client.post(f"{PAGE}{phases[2].pk}/update/", sent, headers=headers)
    assert answer.status_code == 422
    assert "Typed with care" in said(answer)
    assert said(answer).count('class="error"') == 3
    assert "hx-preserve" not in said(answer)
    assert drafted(workflow) == NAMES


def test_the_win_is_renamed_but_has_no_stage_group_and_no_way_out(workflow, phases, client):
    win = phases[-1].pk
    page = said(client.get(PAGE, {"open": str(win)}))
    assert f'id="step-{win}-stage"' not in page
    assert f"{win}/remove/" not in page
    client.post(f"{PAGE}{win}/update/", full(Draft.of(workflow).step(win), name="Done"))
    assert drafted(workflow)[-1] == "Done"
    assert client.post(f"{PAGE}{win}/remove/", headers=HTMX).status_code == 422


def test_deleting_a_step_asks_where_its_cards_go(workflow, phases, client, manager):
    card = make_card(phases[1])
    make_card(phases[1]).archive(by=actor(manager))
    url = f"{PAGE}{phases[1].pk}/remove/"
    assert "2 cards stand in it, archived ones counted." in said(client.get(url))
    for nowhere in ("", str(phases[1].pk), str(uuid.uuid4()), "nonsense"):
        assert client.post(url, {"to": nowhere}).status_code == 422
    page = said(client.post(url, {"to": str(phases[2].pk)}, follow=True))
    assert "goes when the draft is published" in page
    assert "Its 2 cards go to Price quote sent" in page
    assert Phase.objects.filter(pk=phases[1].pk).exists()
    said(client.post(f"{PAGE}publish/", follow=True))
    card.refresh_from_db()
    assert card.phase == phases[2]
    assert names(workflow) == [NAMES[0], *NAMES[2:]]


@WAYS
def test_a_removal_is_taken_back(workflow, phases, client, headers):
    client.post(f"{PAGE}{phases[1].pk}/remove/")
    assert drafted(workflow) == [NAMES[0], *NAMES[2:]]
    answer = client.post(f"{PAGE}{phases[1].pk}/keep/", headers=headers)
    answered(answer, headers, "Contact made with customer stays.")
    assert drafted(workflow) == NAMES
    assert client.post(f"{PAGE}{phases[1].pk}/keep/", headers=headers).status_code == 404


@WAYS
def test_the_name_and_type_of_the_workflow_belong_to_the_draft(workflow, phases, client, headers):
    sent = {"name": "Leads", "type": "intake"}
    answered(client.post(f"{PAGE}describe/", sent, headers=headers), headers, "Noted in the draft.")
    workflow.refresh_from_db()
    assert workflow.name == "Lead funnel"
    assert client.post(f"{PAGE}describe/", {"name": "", "type": "intake"}, headers=headers).status_code == 422
    client.post(f"{PAGE}publish/")
    workflow.refresh_from_db()
    assert (workflow.name, workflow.type) == ("Leads", "intake")


def test_a_stale_draft_is_shown_with_two_ways_on(workflow, phases, client, owner):
    client.post(f"{PAGE}move/", {"phase": phases[3].pk, "position": 0})
    phases[0].update(name="Hello", by=actor(owner))
    page = said(client.get(PAGE))
    assert "The running design has changed since this draft was begun." in page
    assert "Renamed Customer contacted me to Hello" in page
    answer = client.post(f"{PAGE}publish/", headers=HTMX)
    assert answer.status_code == 409
    assert "Put my changes on top of it" in said(answer)
    client.post(f"{PAGE}go-on/")
    assert drafted(workflow)[:2] == ["Invoice sent", "Hello"]
    assert "has changed since" not in said(client.get(PAGE))
    client.post(f"{PAGE}publish/")
    assert names(workflow)[:2] == ["Invoice sent", "Hello"]


@WAYS
def test_discarding_leaves_the_board_as_it_runs(workflow, phases, client, headers):
    client.post(f"{PAGE}move/", {"phase": phases[3].pk, "position": 0})
    answered(client.post(f"{PAGE}discard/", headers=headers), headers, "The draft is gone.")
    assert drafted(workflow) == names(workflow) == NAMES


def test_rows_of_other_workflows_are_no_steps(business, workflow, phases, client):
    other = make_workflow(business, "Repairs", "repair").phases.first()
    for url in ("update/", "remove/", "keep/"):
        assert client.post(f"{PAGE}{other.pk}/{url}").status_code == 404
    assert client.post(f"{PAGE}move/", {"phase": other.pk, "position": 0}).status_code == 404


def test_an_archived_workflow_is_only_read(workflow, phases, client, manager):
    workflow.archive(by=actor(manager))
    assert "<form" not in said(client.get(PAGE)).partition("<main")[2].partition("</main>")[0]
    assert client.post(f"{PAGE}move/", {"phase": phases[3].pk, "position": 0}, headers=HTMX).status_code == 422
    assert not Draft.objects.exists()


@WAYS
def test_custom_fields_are_added_renamed_and_deleted_at_once(workflow, phases, client, headers):
    sent = {"name": "Wood", "kind": "choice", "choices": "Oak\r\nAsh\r\n"}
    answered(client.post(f"{FIELDS}add/", sent, headers=headers), headers, "Added the field.")
    field = Field.objects.get()
    assert (field.name, field.choices) == ("Wood", ["Oak", "Ash"])
    assert "Save the field" in said(client.get(PAGE, {"open": str(field.pk)}))
    sent = {"name": "Timber", "choices": "Oak"}
    answered(client.post(f"{FIELDS}{field.pk}/update/", sent, headers=headers), headers, "Saved the field.")
    field.refresh_from_db()
    assert (field.name, field.choices) == ("Timber", ["Oak"])
    answered(client.post(f"{FIELDS}{field.pk}/delete/", headers=headers), headers, "Deleted the field Timber.")
    assert not Field.objects.exists()
    for wrong in ({"name": "", "kind": "text"}, {"name": "Wood", "kind": "choice"}, {"name": "Wood", "kind": "magic"}):
        assert client.post(f"{FIELDS}add/", wrong, headers=headers).status_code == 422


def test_names_are_shown_as_text(workflow, phases, client, manager):
    phases[0].update(name="<b>Oak</b> {% now 'Y' %} 🪵", by=actor(manager))
    client.post(f"{PAGE}move/", {"phase": phases[0].pk, "position": 2})
    assert "<b>Oak</b>" not in client.get(PAGE).content.decode()


def test_the_board_leads_to_the_steps(workflow, phases, client):
    page = said(client.get("/brightside/boards/lead-funnel/"))
    assert f'href="{PAGE}">Steps</a>' in page


def test_the_page_costs_the_same_for_much_and_little(business, workflow, phases, client, manager):
    by = actor(manager)
    client.post(f"{PAGE}move/", {"phase": phases[3].pk, "position": 0})

    def queries():
        with CaptureQueriesContext(connection) as counted:
            client.get(PAGE, {"open": str(phases[1].pk)})
        return len(counted)

    queries()
    little = queries()
    draft = Draft.of(workflow)
    for number in range(12):
        Field.create(workflow, name=f"Field {number}", by=by)
        Status.create(business, name=f"Status {number}", by=by)
        Trigger.create(business, name=f"Trigger {number}", by=by)
        draft.add_step(name=f"Step {number}", by=by)
        draft.remove_step(draft.add_step(name=f"Gone {number}", by=by), by=by)
        make_card(phases[0])
    assert queries() == little
