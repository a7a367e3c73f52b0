"""The buttons that a design puts on a card: seen by those who may press them, asked first where they ask, then done."""

import pytest

from accounts.models import Event
from boards.models import Card, Field, Phase
from tests.api.program import program_of
from tests.automations.test_rulesets import go
from tests.boards.test_signal import PAY, REFUND, booked, design, ruleset  # noqa: F401 (design is a fixture)
from tests.factories import actor, make_card

HTMX = {"HX-Request": "true"}
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def card(design):  # noqa: F811
    """A booked card that can be paid, which packs it, and refunded."""
    return booked(design(ruleset("Pay", "Booked", rules=[go("Packing")], actions=[REFUND, PAY])))


def at(card, where=""):
    return f"/brightside/cards/{card.number}/{where}"


def test_the_panel_shows_the_buttons_first_and_the_primary_one_as_such(browse, staff, card):
    html = browse(staff).get(at(card)).content.decode()
    assert html.index("Paid</span>") < html.index("Give money back…</span>") < html.index("Move to Packing</span>")
    assert '<button class="btn btn--primary" id="signal-1" name="event" value="Pay">' in html
    assert '<button class="btn" id="next-move"' in html, "one thing stands out, not two"
    menu = browse(staff).get(at(card, "menu/"), headers=HTMX).content.decode()
    assert 'name="event" value="Refund"' in menu


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_a_press_is_answered_when_the_rules_have_acted(browse, staff, card, headers):
    answer = browse(staff).post(at(card, "signal/"), {"event": "Pay"}, headers=headers, follow=True)
    assert "Paid: moved to Packing" in answer.content.decode()
    assert Card.objects.get(pk=card.pk).phase.name == "Packing"
    history = browse(staff).get(at(card)).content.decode()
    assert "<b>Tomás Rivera</b> sent the event Paid." in history
    assert "Rule, because: Tomás Rivera sent the event Paid." in history


@pytest.mark.parametrize("through", ["page", "API"])
def test_the_buttons_stay_with_a_phase_that_gets_another_name(browse, staff, manager, owner, card, through):
    renamed, workflow = card.phase, card.workflow
    if through == "page":
        place = f"/brightside/workflows/{workflow.slug}/phases/{renamed.pk}/update/"
        browse(manager).post(place, {"name": "Ordered", "stage": "new", "description": ""})
    else:
        answer = program_of(owner).patch(f"/workflows/v1/phases/{renamed.pk}", {"phase": {"name": "Ordered"}})
        assert answer.status == 200
    other = make_card(Phase.create(workflow, name="Booked", stage="new", by=actor(manager)))
    html = browse(staff).get(at(card)).content.decode()
    assert "Ordered" in html
    assert "Paid</span>" in html
    assert "Paid</span>" not in browse(staff).get(at(other)).content.decode(), "it only bears the old name"
    answer = browse(staff).post(at(card, "signal/"), {"event": "Pay"}, follow=True)
    assert "Paid: moved to Packing" in answer.content.decode()


def test_a_button_that_asks_is_a_page_without_scripts_and_a_dialog_with_them(browse, staff, card):
    page, piece = (browse(staff).post(at(card, "signal/"), {"event": "Refund"}, headers=h) for h in ({}, HTMX))
    assert "<!doctype html>" in page.content.decode()
    assert 'hx-swap-oob="innerHTML:#asking"' in piece.content.decode()
    for answer in (page, piece):
        html = answer.content.decode()
        assert (answer.status_code, html.count("Give money back: Card")) == (200, 1)
        assert '<option value="Broken">Broken</option>' in html
    assert not Event.objects.filter(name="card.signalled").exists()


def test_what_was_answered_goes_with_the_event_and_fills_fields_in(browse, staff, manager, card):
    inform = Field.create(card.workflow, name="Inform", kind="yes_no", by=actor(manager))
    sent = {"event": "Refund", "answered": 1, "ask-0": "20", "ask-1": "", "ask-2": "Late", "ask-3": "no"}
    answer = browse(staff).post(at(card, "signal/"), sent, headers=HTMX)
    assert '<div id="asking" hx-swap-oob="innerHTML"></div>' in answer.content.decode()
    assert "Give money back is noted." in answer.content.decode()
    told = Event.objects.get(name="card.signalled")
    assert told.details["attributes"] == {"amount": 20, "why": "Late", "inform": False}
    assert Card.objects.get(pk=card.pk).custom == {str(inform.pk): False}


def test_what_is_wrong_stands_at_its_field_and_what_was_typed_is_kept(browse, staff, manager, card):
    Field.create(card.workflow, name="Why", kind="choice", choices=["Broken"], by=actor(manager))
    sent = {"event": "Refund", "answered": 1, "ask-0": "lots", "ask-1": "2027-03-01", "ask-2": "Late"}
    answer = browse(staff).post(at(card, "signal/"), sent)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "Amount: give a number." in html
    assert "Why: choose one of Broken." in html
    assert 'value="lots"' in html
    assert 'value="2027-03-01"' in html
    assert "This field is required" not in html
    assert not Event.objects.filter(name="card.signalled").exists()


def test_only_what_is_needed_must_be_answered(browse, staff, card):
    answer = browse(staff).post(at(card, "signal/"), {"event": "Refund", "answered": 1})
    assert answer.content.decode().count("This field is required.") == 2  # at the field, and above
    browse(staff).post(at(card, "signal/"), {"event": "Refund", "answered": 1, "ask-0": "1"})
    assert Event.objects.get(name="card.signalled").details["attributes"] == {"amount": 1}


def test_a_viewer_sees_nothing_to_press_and_may_not(browse, viewer, card):
    assert 'name="event"' not in browse(viewer).get(at(card)).content.decode()
    assert 'name="event"' not in browse(viewer).get(at(card, "menu/"), headers=HTMX).content.decode()
    assert browse(viewer).post(at(card, "signal/"), {"event": "Pay"}).status_code == 403


def test_a_button_that_is_not_there_any_more_is_refused_with_the_card_as_it_is(browse, staff, card):
    card.move(card.workflow.phases.get(name="Sent"), by=actor(staff))
    for headers, status in (({}, 200), (HTMX, 409)):
        answer = browse(staff).post(at(card, "signal/"), {"event": "Pay"}, headers=headers, follow=True)
        assert answer.status_code == status
        assert "has no such button in Sent. Nothing was done." in answer.content.decode()
    card.archive(by=actor(staff))
    assert browse(staff).post(at(card, "signal/"), {"event": "Pay"}).status_code == 404


def test_also_where_the_path_has_ended_there_can_be_buttons(browse, staff, design):  # noqa: F811
    workflow = design(ruleset("Again", "Sent", "Lost", actions=[PAY]))
    card = booked(workflow)
    for phase in ("Sent", "Lost"):
        Card.objects.filter(pk=card.pk).update(phase=workflow.phases.get(name=phase))
        assert 'value="Pay"' in browse(staff).get(at(card)).content.decode()
