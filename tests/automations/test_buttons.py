"""The buttons that rules have on a card: shown to those who may press them, pressed, refused in words."""

import pytest
from django.urls import reverse
from pytest_django.asserts import assertContains

from automations.models import Rule, Run
from automations.models.rule import OFF
from boards.models import Comment
from tests.factories import actor, make_card, make_workflow

pytestmark = pytest.mark.django_db(transaction=True)

CALL = {
    "trigger": {"type": "button", "label": "Ask for a photo"},
    "actions": [{"type": "add_comment", "text": "Asked"}],
}


@pytest.fixture
def rule(business, owner, workflow):
    return Rule.create(business, CALL, name="Photo", workflow=workflow, by=actor(owner))


@pytest.fixture
def card(workflow):
    return make_card(workflow.phases.first(), "Oak table")


def at(name, *args):
    return reverse(name, args=["brightside", *args])


def test_the_menu_of_a_card_leads_to_its_buttons(browse, staff, rule, card):
    assertContains(browse(staff).get(at("card", card.number)), at("card_buttons", card.number))
    page = browse(staff).get(at("card_buttons", card.number))
    assertContains(page, "Ask for a photo")
    assertContains(page, "Oak table")


def test_the_panel_of_a_card_loads_its_buttons_as_a_piece_and_itself_anew_after_a_press(
    browse, staff, viewer, rule, card
):
    panel = browse(staff).get(at("card", card.number)).content.decode()
    assert f'hx-get="{at("card_buttons", card.number)}"' in panel
    assert at("card_buttons", card.number) not in browse(viewer).get(at("card", card.number)).content.decode()
    client = browse(staff, hx_request="true")
    piece = client.get(at("card_buttons", card.number))
    assertContains(piece, "Ask for a photo")
    assertContains(piece, f'hx-get="{at("card", card.number)}" hx-trigger="rule-pressed from:body"')
    assert "<html" not in piece.content.decode()
    answer = client.post(at("rule_press", card.number), {"rule": rule.pk})
    assert "rule-pressed" in answer["HX-Trigger"]
    assertContains(answer, "Ask for a photo is under way.")
    rule.switch(OFF, by=actor(staff.business.memberships.get(role="owner")))
    answer = client.post(at("rule_press", card.number), {"rule": rule.pk})
    assert (answer.status_code, "rule-pressed" in answer["HX-Trigger"]) == (422, True)


def test_a_press_sets_the_rule_off_before_the_card_is_shown_again(browse, staff, rule, card):
    answer = browse(staff).post(at("rule_press", card.number), {"rule": rule.pk}, follow=True)
    assert answer.redirect_chain == [(at("card", card.number), 302)]
    assertContains(answer, "Ask for a photo is under way.")
    assertContains(answer, "Asked")
    assert Run.objects.get(rule=rule).state == "done"


def test_no_buttons_for_who_may_not_press_nor_on_a_card_elsewhere_or_put_away(
    browse, staff, viewer, rule, card, business
):
    assertContains(browse(viewer).get(at("card_buttons", card.number)), "No rule has a button on this card.")
    assert browse(viewer).post(at("rule_press", card.number), {"rule": rule.pk}).status_code == 403
    other = make_card(make_workflow(business, "Repairs").phases.first())
    assertContains(browse(staff).get(at("card_buttons", other.number)), "No rule has a button")
    card.archive(by=actor(staff))
    assertContains(browse(staff).get(at("card_buttons", card.number)), "No rule has a button")


def test_a_button_that_is_gone_meanwhile_is_refused_in_words(browse, staff, owner, rule, card):
    rule.switch(OFF, by=actor(owner))
    answer = browse(staff).post(at("rule_press", card.number), {"rule": rule.pk}, follow=True)
    assertContains(answer, "This button is not there any more.")
    assert not Comment.objects.exists()
