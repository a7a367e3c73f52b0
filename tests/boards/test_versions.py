"""Versions of a design as pages: read, compared, brought back, carried out and in."""

import html
import json

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from boards.models import Definition, Draft, Phase, Workflow
from boards.models.library import stock
from tests.factories import actor, make_card, make_workflow

HERE = "/brightside/workflows/lead-funnel/"
HTMX = {"hx-request": "true", "hx-target": "builder"}
NAMES = [
    "Customer contacted me",
    "Contact made with customer",
    "Price quote sent",
    "Invoice sent",
    "Invoice paid",
    "Won",
]


@pytest.fixture
def client(client, manager):
    """Priya's browser."""
    client.force_login(manager.user)
    return client


@pytest.fixture
def by(manager):
    """Priya, who designs."""
    return actor(manager)


@pytest.fixture
def published(workflow, by):
    """The lead funnel with two versions: the second has a quality check and no second step."""
    workflow.publish(Draft.running(workflow), comment="As it was", by=by)
    draft = Draft.begin(workflow, by=by)
    draft.add_step(name="Quality check", by=by)
    draft.remove_step(draft.design["steps"][1]["id"], by=by)
    workflow.publish(draft, by=by)
    return Workflow.objects.get(pk=workflow.pk)


def said(answer):
    return " ".join(answer.content.decode().replace("&#x27;", "'").split())


def names(workflow):
    return list(Phase.objects.filter(workflow=workflow).values_list("name", flat=True))


def test_the_list_says_what_each_version_changed(published, client):
    page = said(client.get(f"{HERE}versions/"))
    assert "As it was" in page
    assert "Added Quality check after" in page
    assert "Removed Contact made with customer" in page
    assert page.index(">1.1<") < page.index(">1.0<")


def test_the_builder_shows_the_newest_three_and_the_draft_above_them(published, client, by):
    for comment in ("Third", "Fourth"):
        published.publish(Draft.running(published), comment=comment, by=by)
    Draft.begin(published, by=by).add_step(name="Polishing", by=by)
    box = said(client.get(f"{HERE}builder/")).partition('id="versions"')[2].partition("</section>")[0]
    assert [f">v1.{minor}<" in box for minor in (4, 3, 2, 1, 0)] == [True, True, True, True, False]
    assert "Draft by <bdi>Priya Nair</bdi>" in box
    assert "Added Polishing after Quality check" in box
    assert box.count(">Live<") == 1


def test_cards_that_finish_under_an_older_version_are_counted(published, client, by):
    make_card(published.phases.first())
    draft = Draft.begin(published, by=by)
    draft.remove_step(draft.design["steps"][1]["id"], by=by)
    published.publish(draft, major=2, finish_old=True, by=by)
    for _ in range(2):
        make_card(Phase.objects.filter(workflow=published).first())
    page = said(client.get(f"{HERE}versions/"))
    assert "2 cards on it" in page
    assert "1 card finishes on it" in page


@pytest.mark.parametrize("role", ["staff", "viewer"])
def test_who_may_not_design_reads_the_history_and_changes_nothing(request, published, browse, role):
    client = browse(request.getfixturevalue(role))
    for place in ("versions/", "versions/1.0/", "versions/compare/", "versions/1.0/file/", "builder/"):
        answer = client.get(HERE + place)
        assert answer.status_code == 200
        assert "/restore/" not in said(answer)
    for place in ("versions/1.0/restore/", "builder/import/", "copy/"):
        assert client.get(HERE + place).status_code == client.post(HERE + place).status_code == 403


def test_a_long_history_comes_in_pages_and_costs_no_more_queries(published, client, by):
    def queries():
        with CaptureQueriesContext(connection) as counted:
            for place in ("versions/", "versions/1.0/", "builder/"):
                client.get(HERE + place)
        return len(counted)

    queries()
    few = queries()
    for _ in range(20):
        published.publish(Draft.running(published), by=by)
    assert queries() == few
    assert ">v1.21<" in said(client.get(f"{HERE}versions/"))
    older = said(client.get(f"{HERE}versions/?page=2"))
    assert (">v1.1<" in older, ">v1.2<" in older) == (True, False)
    for odd in ("x", "999"):
        assert client.get(f"{HERE}versions/?page={odd}").status_code == 200


def test_an_archived_workflow_keeps_its_history_but_takes_no_draft(published, client, by):
    published.archive(by=by)
    assert "/restore/" not in said(client.get(f"{HERE}versions/"))
    client.post(f"{HERE}versions/1.0/restore/")
    assert not Draft.objects.exists()


def test_a_board_that_was_changed_beside_the_versions_says_so(published, client, by):
    published.phases.first().update(name="Hello", by=by)
    assert "Renamed Customer contacted me to Hello" in said(client.get(f"{HERE}versions/"))
    assert "Renamed Customer contacted me to Hello" in said(client.get(f"{HERE}versions/compare/?from=1.1&to=board"))


def test_a_version_is_read_and_downloaded_as_it_was_put(published, client):
    page = said(client.get(f"{HERE}versions/1.0/"))
    assert "Contact made with customer" in page
    assert "CARD::LEAD_FUNNEL" in page
    answer = client.get(f"{HERE}versions/1.0/file/")
    assert answer["Content-Disposition"] == 'attachment; filename="lead-funnel-1.0.json"'
    kept = Definition.objects.get(minor=0)
    assert json.loads(answer.content) == {"version": "1.0", "versionComment": "As it was", **kept.document}
    for nowhere in ("9.9", "1", "x.y", "1.0.0"):
        assert client.get(f"{HERE}versions/{nowhere}/").status_code == 404


def test_what_a_version_does_is_read_in_words(business, workflow, client, by):
    stock(business)
    accepted = business.trigger_library.get(key="quote_accepted")
    draft = Draft.begin(workflow, by=by)
    told = {"wip_limit": 5, "trigger": str(accepted.pk), "description": "Waiting for a yes"}
    draft.set_step(draft.design["steps"][2]["id"], **told, by=by)
    pack = [
        {"name": "add_label", "props": {"label": "VIP"}},
        {"name": "FLUENTRETAIL.base.SendEvent", "props": {"eventName": "Go"}},
    ]
    draft.set_ruleset({"name": "Pack", "triggers": [{"status": "Won"}], "rules": pack}, by=by)
    workflow.publish(draft, by=by)
    page = html.unescape(said(client.get(f"{HERE}versions/1.0/")))
    for words in (
        "Waiting for a yes",
        "Moves on when Quote accepted is reported, limit 5",
        "Pack comes to a card in Won, or a card comes in there",
        "add the label VIP",
        "send the card the event Go",
    ):
        assert words in page


def test_two_versions_are_compared_in_words_with_the_cards_that_would_have_to_go(published, client):
    make_card(published.phases.get(name="Quality check"))
    page = said(client.get(f"{HERE}versions/compare/?from=1.1&to=1.0"))
    assert "Removed Quality check; 1 card is in it" in page
    assert "Added Contact made with customer after Customer contacted me" in page
    assert "They say the same" in said(client.get(f"{HERE}versions/compare/?from=1.0&to=1.0"))


def test_an_earlier_version_is_brought_back_as_a_draft_and_nothing_of_the_board_changes(published, client, by):
    before = names(published)
    page = said(client.get(f"{HERE}versions/1.0/restore/"))
    assert "Removed Quality check" in page
    page = said(client.post(f"{HERE}versions/1.0/restore/", follow=True))
    assert "Version 1.0 is your draft now" in page
    assert names(published) == before
    back = published.publish(Draft.of(published), by=by)
    assert names(published) == NAMES
    assert back.version == "1.2"
    assert "They say the same" in said(client.get(f"{HERE}versions/compare/?from=1.0&to=1.2"))


def test_a_draft_that_is_there_is_told_before_it_is_lost(published, client, owner):
    first, maren = published.phases.first().pk, actor(owner)
    Draft.begin(published, by=maren).set_step(first, name="Hello", by=maren)
    page = said(client.get(f"{HERE}versions/1.0/restore/"))
    assert "Maren Holt has begun a draft." in page
    assert "Renamed Customer contacted me to Hello" in page
    seen = Draft.of(published).mark
    Draft.of(published).set_step(first, name="Ahoy", by=maren)
    page = said(client.post(f"{HERE}versions/1.0/restore/", {"seen": seen}, follow=True))
    assert "The draft was changed a moment ago." in page
    assert "Renamed Customer contacted me to Ahoy" in page
    client.post(f"{HERE}versions/1.0/restore/", {"seen": Draft.of(published).mark})
    assert Draft.of(published).step(first)["name"] == "Customer contacted me"


def test_what_runs_already_becomes_no_draft(published, client):
    answer = client.post(f"{HERE}versions/1.1/restore/", follow=True)
    assert "The board says that already" in said(answer)
    assert not Draft.objects.exists()


def test_a_version_brought_back_asks_where_the_cards_of_what_goes_shall_be(published, client):
    card = make_card(published.phases.get(name="Quality check"))
    page = said(client.post(f"{HERE}versions/1.0/restore/", {"seen": "running"}, follow=True))
    assert "Where should it go?" in page
    assert "Choose where they should go." in page, "it stands in the way"
    draft = Draft.of(published)
    gone, to = draft.design["removed"][0]["id"], draft.design["steps"][0]["id"]
    for nowhere in ("", "nonsense", gone):
        assert client.post(f"{HERE}builder/{gone}/send/", {"to": nowhere}, headers=HTMX).status_code == 422
    assert client.post(f"{HERE}builder/{to}/send/", {"to": to}).status_code == 404
    page = said(client.post(f"{HERE}builder/{gone}/send/", {"to": to}, headers=HTMX))
    assert "Its 1 card goes to Customer contacted me" in page
    client.post(f"{HERE}builder/publish/")
    card.refresh_from_db()
    assert card.phase.name == "Customer contacted me"
    assert names(published) == NAMES


def test_what_a_file_names_and_is_not_here_is_left_out_and_said(workflow, client):
    step = {"name": "Booked", "entityType": "ORDER", "category": "NEW", "settings": {"trigger": "moon", "wipLimit": 3}}
    document = {"entityType": "ORDER", "entitySubtype": "CC", "rulesets": [], "statuses": [step]}
    answer = client.post(f"{HERE}builder/import/", {"document": json.dumps(document)}, follow=True)
    assert "Left out: Booked: the library has no trigger “moon”." in said(answer)
    booked = Draft.of(workflow).design["steps"][0]
    assert (booked["name"], booked["trigger"], booked["wip_limit"]) == ("Booked", None, 3)


def test_a_design_is_copied_as_a_new_workflow(published, client):
    assert 'value="Lead funnel, copy"' in said(client.get(f"{HERE}copy/"))
    assert client.post(f"{HERE}copy/", {"name": ""}).status_code == 422
    answer = client.post(f"{HERE}copy/", {"name": "Second funnel"})
    copy = Workflow.objects.get(name="Second funnel")
    assert (answer.url, names(copy)) == (f"/brightside/workflows/{copy.slug}/builder/", ["Win"])
    client.post(f"{answer.url}publish/")
    copy.refresh_from_db()
    assert (names(copy), copy.ref) == (names(published), "CARD::SECOND_FUNNEL")


def test_a_file_becomes_a_draft_of_this_workflow_under_its_own_name(published, business, client):
    other = make_workflow(business, "Repairs", "repair")
    taken = client.get(f"{HERE}versions/1.0/file/").content
    here = "/brightside/workflows/repairs/builder/"
    answer = client.post(f"{here}import/", {"file": ContentFile(taken, "lead-funnel-1.0.json")}, follow=True)
    assert "The file is your draft now" in said(answer)
    draft = Draft.of(other)
    assert [step["name"] for step in draft.design["steps"]] == NAMES
    assert names(other) != NAMES
    assert draft.document["entitySubtype"] == "REPAIRS"


def test_a_workflow_is_made_of_a_file(published, business, client):
    taken = client.get(f"{HERE}versions/1.1/file/").content
    answer = client.post("/brightside/workflows/import/", {"document": taken.decode()}, follow=True)
    assert "Its steps are a draft" in said(answer)
    made = Workflow.objects.exclude(pk=published.pk).get()
    assert names(made) == ["Win"]
    assert "Quality check" in [step["name"] for step in Draft.of(made).design["steps"]]


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ("", "Choose a file, or paste the document below."),
        ("{nonsense", "This is no JSON. It goes wrong in line 1."),
        ('{"a": NaN}', "This is no JSON."),
        ("[]", "object"),
        ("{}", "entityType"),
        ("[" * 100_000, "This is no JSON."),
        ('{"entityType": "\\u0000"}', "null character"),
    ],
)
def test_a_file_that_is_no_design_is_refused_in_words(workflow, client, sent, says):
    for address in (f"{HERE}builder/import/", "/brightside/workflows/import/"):
        answer = client.post(address, {"document": sent})
        assert answer.status_code == 422
        assert says in said(answer)
    assert not Draft.objects.exists()
    assert Workflow.objects.count() == 1


def test_a_problem_is_put_right_by_its_button(workflow, client, by):
    draft = Draft.begin(workflow, by=by)
    win = draft.design["steps"][-1]
    draft.set_step(win["id"], timeout_hours=24, by=by)
    page = client.get(f"{HERE}builder/").content.decode()
    assert "Take the time limit off" in page
    fix = next(problem.fix for problem in Draft.of(workflow).problems() if problem.code == "TIMEOUT_WITHOUT_NEXT")
    client.post(f"{HERE}builder/mend/", {"fix": json.dumps(fix)})
    assert Draft.of(workflow).step(win["id"])["timeout_hours"] is None
    assert "was changed a moment ago" in said(
        client.post(f"{HERE}builder/mend/", {"fix": json.dumps(fix)}, follow=True)
    )
