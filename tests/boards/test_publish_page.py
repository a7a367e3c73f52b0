"""Publishing a draft: what changes is said first, a comment is taken, and running cards go on or finish."""

import html

import pytest

from boards.models import Definition, Draft, Phase
from tests.factories import actor, make_card

PAGE = "/brightside/workflows/lead-funnel/builder/"
PUBLISH = f"{PAGE}publish/"
HTMX = {"hx-request": "true", "hx-target": "builder"}
WAYS = pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])


@pytest.fixture
def phases(workflow):
    """The phases of the lead funnel."""
    return list(workflow.phases.all())


@pytest.fixture
def client(manager, browse):
    """The browser of Priya, who designs."""
    return browse(manager)


def said(answer):
    return html.unescape(answer.content.decode())


def names(workflow):
    return list(Phase.objects.filter(workflow=workflow).values_list("name", flat=True))


def move_invoice_sent(client, phases):
    client.post(f"{PAGE}move/", {"phase": phases[3].pk, "position": 0})


@WAYS
def test_it_says_what_changes_and_which_version_it_will_be_then_does_it(workflow, phases, client, headers):
    move_invoice_sent(client, phases)
    page = said(client.get(PAGE))
    assert "v1.0 draft" in page
    assert "1 change not published" in page
    asked = said(client.get(PUBLISH, headers=headers))
    assert "Publish version 1.0?" in asked
    assert "Moved Invoice sent to New" in asked
    assert ("<html" in asked) is not bool(headers)
    answer = client.post(PUBLISH, {"comment": " Bill first \n", "seen": Draft.of(workflow).mark}, headers=headers)
    assert answer.status_code == (200 if headers else 302)
    page = said(answer if headers else client.get(answer.url))
    assert "Published version 1.0. The board has your changes now." in page
    assert names(workflow)[0] == "Invoice sent"
    definition = Definition.objects.get()
    assert (definition.version, definition.comment, definition.author_name) == ("1.0", "Bill first", "Priya Nair")
    assert not Draft.objects.exists()
    assert "v1.0</span>" in said(client.get(PAGE))


def test_the_form_comes_in_a_dialog_and_is_closed_by_what_follows(workflow, phases, client):
    move_invoice_sent(client, phases)
    asked = client.get(PUBLISH, headers=HTMX)
    assert asked["HX-Reswap"] == "none"
    assert 'hx-swap-oob="innerHTML:#asking"' in said(asked)
    answer = client.post(PUBLISH, {"seen": Draft.of(workflow).mark}, headers=HTMX)
    assert "HX-Reswap" not in answer
    assert '<div id="asking" hx-swap-oob="innerHTML"></div>' in said(answer)


def test_a_board_that_is_kept_already_is_not_published_again(workflow, phases, client):
    assert "Publish version 1.0?" in said(client.get(PUBLISH)), "without a draft: the board as it stands"
    client.post(PUBLISH)
    assert names(workflow) == [phase.name for phase in phases]
    answer = client.post(PUBLISH, headers=HTMX)
    assert answer.status_code == 422
    assert "There is nothing to publish: the board is as shown." in said(answer)
    assert "builder-publish" not in said(client.get(PAGE))


def test_what_was_changed_on_the_board_itself_becomes_part_of_the_next_version(workflow, phases, client, manager):
    client.post(PUBLISH)
    phases[0].update(name="Hello", by=actor(manager))
    asked = said(client.get(PUBLISH))
    assert "Changed on the board since 1.0, and part of 1.1" in asked
    assert "Renamed Customer contacted me to Hello" in asked
    client.post(PUBLISH)
    assert Definition.objects.first().document["statuses"][0]["name"] == "Hello"


def test_a_new_major_version_lets_running_cards_finish_when_told_so(workflow, phases, client):
    client.post(PUBLISH)
    card = make_card(phases[1])
    client.post(f"{PAGE}{phases[1].pk}/remove/", {"to": str(phases[2].pk)})
    asked = said(client.get(PUBLISH))
    assert "New major version (2.0)" in asked
    assert "1 card is on the way. With a new major version they" in asked
    client.post(PUBLISH, {"new_major": "on", "running": "finish"})
    assert Definition.objects.first().version == "2.0"
    card.refresh_from_db()
    assert (card.major, card.phase) == (1, phases[1])
    assert Phase.objects.get(pk=phases[1].pk).last_major == 1


def test_finishing_needs_a_new_major_version(workflow, phases, client):
    client.post(PUBLISH)
    card = make_card(phases[1])
    client.post(f"{PAGE}{phases[1].pk}/remove/", {"to": str(phases[2].pk)})
    client.post(PUBLISH, {"running": "finish"})
    assert Definition.objects.first().version == "1.1"
    card.refresh_from_db()
    assert card.phase == phases[2]


@WAYS
def test_what_stands_in_the_way_is_said_and_what_was_typed_is_kept(workflow, phases, client, headers):
    client.post(PUBLISH)
    client.post(f"{PAGE}{phases[1].pk}/remove/")
    make_card(phases[1])
    asked = said(client.get(PUBLISH, headers=headers))
    assert "Must be put right:" in asked
    assert "Or publish a new major version and let running cards finish." in asked
    answer = client.post(PUBLISH, {"comment": "Typed with care", "seen": Draft.of(workflow).mark}, headers=headers)
    assert answer.status_code == 422
    assert "It cannot be published like this" in said(answer)
    assert "Choose where they should go" in said(answer)
    assert "Typed with care" in said(answer)
    assert Definition.objects.count() == 1
    answer = client.post(PUBLISH, {"comment": "x" * 2001}, headers=headers)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in said(answer)


@WAYS
def test_what_somebody_changed_in_the_draft_meanwhile_is_looked_at_first(workflow, phases, client, owner, headers):
    move_invoice_sent(client, phases)
    seen = Draft.of(workflow).mark
    Draft.begin(workflow, by=actor(owner)).set_step(phases[0].pk, name="Hello", by=actor(owner))
    answer = client.post(PUBLISH, {"seen": seen, "comment": "Mine"}, headers=headers)
    assert answer.status_code == 422
    assert "The draft was changed a moment ago." in said(answer)
    assert "Renamed Customer contacted me to Hello" in said(answer)
    assert "Mine</textarea>" in said(answer)
    assert f'name="seen" value="{Draft.of(workflow).mark}"' in said(answer)
    assert not Definition.objects.exists()


def test_a_stale_draft_leads_back_to_the_builder(workflow, phases, client, owner):
    move_invoice_sent(client, phases)
    phases[0].update(name="Hello", by=actor(owner))
    answer = client.post(PUBLISH, headers=HTMX)
    assert answer.status_code == 409
    assert "Put my changes on top of it" in said(answer)
    assert client.post(PUBLISH).url == PAGE


@pytest.mark.parametrize("role", ["staff", "viewer"])
def test_who_may_not_design_publishes_nothing(request, workflow, browse, role):
    client = browse(request.getfixturevalue(role))
    assert client.get(PUBLISH).status_code == client.post(PUBLISH).status_code == 403
    assert not Definition.objects.exists()
