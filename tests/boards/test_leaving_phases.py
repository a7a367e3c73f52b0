"""A phase that stands only until the cards of an older version have finished, and cards that run under one."""

import html

import pytest

from boards.models import Card, Draft, Phase, Workflow
from tests.factories import actor, make_card

BOARD, HERE = "/brightside/boards/lead-funnel/", "/brightside/workflows/lead-funnel/"
UNTIL = "Until version 1 is done"


@pytest.fixture
def by(manager):
    """Priya, who designs."""
    return actor(manager)


@pytest.fixture
def client(manager, browse):
    """The browser of Priya."""
    return browse(manager)


@pytest.fixture
def leaving(workflow, by):
    """Contact made with customer, which version 2 has no more but one card has still to finish in."""
    workflow.publish(Draft.running(workflow), by=by)
    phase = workflow.phases.get(name="Contact made with customer")
    make_card(phase, "Early")
    draft = Draft.begin(Workflow.objects.get(pk=workflow.pk), by=by)
    draft.remove_step(phase.pk, by=by)
    draft.add_step(name="Site visit", by=by)
    draft.workflow.publish(draft, major=2, finish_old=True, by=by)
    make_card(Phase.objects.filter(workflow=workflow).first(), "Late")
    return Phase.objects.get(pk=phase.pk)


def said(answer):
    return html.unescape(answer.content.decode())


def column(page, phase):
    return page.partition(f'id="phase-{phase.pk}"')[2].partition("</section>")[0]


def moves(page):
    return page.partition('aria-label="Phase')[2]


def test_the_board_says_how_long_it_stands_and_takes_no_new_card_there(workflow, leaving, client):
    page = said(client.get(BOARD))
    assert UNTIL in column(page, leaving)
    assert "only cards that began under it finish here" in column(page, leaving)
    assert "Add a card" not in column(page, leaving)
    assert page.count(">Until version") == 1


def test_the_builder_and_the_settings_explain_it(workflow, leaving, client):
    box = said(client.get(f"{HERE}builder/")).partition('id="until"')[2].partition("</section>")[0]
    assert UNTIL in box
    assert "1 card in it. Only cards that began under version 1 come here" in box
    assert UNTIL in said(client.get(HERE))


def test_a_card_says_which_version_it_runs_under_where_that_is_not_the_newest(workflow, leaving, client):
    early, late = Card.objects.get(name="Early"), Card.objects.get(name="Late")
    assert "Runs under version 1.0" in said(client.get(f"/brightside/cards/{early.number}/"))
    assert "Runs under version" not in said(client.get(f"/brightside/cards/{late.number}/"))


def test_a_card_is_led_along_the_phases_of_its_own_version(workflow, leaving, client):
    early, late = Card.objects.get(name="Early"), Card.objects.get(name="Late")
    panels = {card: said(client.get(f"/brightside/cards/{card.number}/")) for card in (early, late)}
    assert "Phase 2 of 6: Contact made with customer" in panels[early]
    assert "Phase 1 of 6: Customer contacted me" in panels[late], "Site visit is there instead"
    assert f'id="move-{leaving.pk}"' in panels[early]
    assert f'id="move-{leaving.pk}"' not in panels[late]
    menu = said(client.get(f"/brightside/cards/{late.number}/menu/", headers={"hx-request": "true"}))
    assert leaving.name not in menu


def test_the_workflows_say_their_versions(workflow, leaving, client):
    for view in ("tiles", "table"):
        assert ">v2.0<" in said(client.get(f"/brightside/workflows/?view={view}"))
