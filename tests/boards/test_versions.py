"""Versions of a design as pages: read, compared, brought back, carried out and in; rulesets written in the builder."""

import json

import pytest
from django.core.files.base import ContentFile

from boards.models import Definition, Draft, Phase, Workflow
from boards.models.draft import design_of
from tests.factories import actor, make_card, make_workflow

HERE = "/brightside/workflows/lead-funnel/"
NAMES = [
    "Customer contacted me",
    "Contact made with customer",
    "Price quote sent",
    "Invoice sent",
    "Invoice paid",
    "Won",
]
RULESET = {"name": "Pack", "triggers": ["Price quote sent"], "to": "Invoice sent", "button": "Pack it", "confirm": "on"}


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


def test_a_draft_that_is_there_is_told_before_it_is_lost(published, client, by):
    Draft.begin(published, by=by).add_step(name="Polishing", by=by)
    page = said(client.get(f"{HERE}versions/1.0/restore/"))
    assert "There is a draft that Priya Nair changed" in page


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


def test_a_ruleset_is_written_in_plain_words_and_makes_a_valid_document(workflow, client, by):
    answer = client.post(f"{HERE}builder/rulesets/add/", RULESET, follow=True)
    assert "Pack" in said(answer)
    written = Draft.of(workflow).design["rulesets"][0]
    assert written["rules"] == [{"name": "FLUENTRETAIL.base.ChangeState", "props": {"status": "Invoice sent"}}]
    assert written["userActions"][0]["context"][0] | {"modules": []} == {
        "type": "PRIMARY", "modules": [], "label": "Pack it", "confirm": True,
    }  # fmt: skip
    workflow.publish(Draft.of(workflow), by=by)
    card = make_card(workflow.phases.get(name="Price quote sent"))
    assert "Pack it" in said(client.get(f"/brightside/cards/{card.number}/"))


def test_a_ruleset_that_makes_no_sense_is_refused_where_it_is_written(workflow, client):
    for wrong, says in (
        ({"name": "two words"}, "One word: no spaces."),
        ({"rules": "{"}, "This is no JSON."),
        ({"rules": '[{"name": "Nobody.Knows"}]'}, "Nobody.Knows"),
    ):
        answer = client.post(f"{HERE}builder/rulesets/add/", RULESET | wrong)
        assert answer.status_code == 422
        assert says in said(answer)
    assert Draft.of(workflow).design == design_of(workflow)


def test_a_ruleset_is_changed_and_taken_out(workflow, client):
    client.post(f"{HERE}builder/rulesets/add/", RULESET)
    assert "Pack it" in said(client.get(f"{HERE}builder/rulesets/0/"))
    client.post(f"{HERE}builder/rulesets/0/", RULESET | {"to": "Invoice paid", "button": ""})
    changed = Draft.of(workflow).design["rulesets"][0]
    assert (changed["rules"][0]["props"]["status"], changed["userActions"]) == ("Invoice paid", [])
    assert client.get(f"{HERE}builder/rulesets/1/").status_code == 404
    client.post(f"{HERE}builder/rulesets/0/remove/", {"name": "Pack"})
    assert Draft.of(workflow).design["rulesets"] == []


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
