"""At the door of a phase, in the browser's terms: what is asked, what was typed is kept, and then the card moves."""

import pytest

from accounts.models import Event
from boards.models import Card, Field, Phase, Reason, Trigger
from boards.models.library import stock
from tests.factories import actor, make_card

HTMX = {"HX-Request": "true"}


@pytest.fixture
def phases(workflow):
    """Return the workflow's phases in order."""
    return list(workflow.phases.all())


@pytest.fixture
def lost(workflow, owner):
    """Return a Cancelled phase."""
    stock(workflow.business)
    return Phase.create(workflow, name="Lost", stage="cancelled", by=actor(owner))


def where(card):
    return Card.objects.get(pk=card.pk).phase


def post(client, card, sent, **headers):
    return client.post(f"/brightside/cards/{card.number}/move/", sent, headers=headers)


def test_the_drop_is_answered_with_the_questions_and_the_update_waits_in_them(owner, staff, phases, browse):
    phases[1].update(required=["value", "due_date"], by=actor(owner))
    card, other = make_card(phases[0]), make_card(phases[1], value=1, due_date="2027-01-01")
    sent = {"phase": phases[1].pk, "after": other.pk, "revision": 1}
    answer = post(browse(staff), card, sent, **HTMX)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert 'hx-swap-oob="innerHTML:#asking"' in html
    assert f'name="after" value="{other.pk}"' in html
    assert "Value in EUR" in html
    assert "Due date" in html
    assert where(card) == phases[0]


def test_the_answers_and_the_move_go_through_together(business, owner, staff, workflow, phases, browse):
    wood = Field.create(workflow, name="Wood", kind="choice", choices=["Oak", "Ash"], by=actor(owner))
    required = ["contact", "value", "due_date", "assignee", f"field:{wood.pk}"]
    phases[1].update(required=required, by=actor(owner))
    card = make_card(phases[0])
    sent = {
        "phase": phases[1].pk,
        "revision": 1,
        "entering": 1,
        "new_contact": "ines@brunet.test",
        "value": "1.950,50",
        "due_date": "2027-03-01",
        "assignee": staff.pk,
        f"field-{wood.pk}": "Oak",
    }
    assert post(browse(staff), card, {**sent, "value": "lots"}, **HTMX).status_code == 422
    assert not business.contacts.exists(), "nothing is kept of a refused move"
    answer = post(browse(staff), card, sent, **HTMX)
    assert answer.status_code == 200
    card = Card.objects.get(pk=card.pk)
    assert (card.phase, card.value, card.contact.email) == (phases[1], 195_050, "ines@brunet.test")
    assert card.custom == {str(wood.pk): "Oak"}
    assert [row.member for row in card.assignments.all()] == [staff]
    moved = Event.objects.get(name="card.moved")
    answer = browse(staff).post(f"/brightside/undo/{moved.sequence}/", headers=HTMX)
    assert f"Undone: {card.name} is as it was." in answer.content.decode()
    card = Card.objects.get(pk=card.pk)
    assert (card.phase, card.value, card.contact, card.due_date) == (phases[0], None, None, None)
    assert not card.custom.get(str(wood.pk))
    assert not card.assignments.exists()


def test_what_was_typed_is_kept_with_the_error_at_its_field(owner, staff, phases, browse):
    phases[1].update(required=["value", "due_date"], by=actor(owner))
    card = make_card(phases[0])
    sent = {"phase": phases[1].pk, "entering": 1, "value": "a lot", "due_date": "2027-03-01"}
    html = post(browse(staff), card, sent).content.decode()
    assert "<!doctype html>" in html
    assert 'value="a lot"' in html
    assert 'value="2027-03-01"' in html
    assert 'aria-invalid="true"' in html
    assert where(card) == phases[0]


def test_closing_asks_why_and_the_card_shows_it(staff, phases, lost, browse):
    card = make_card(phases[0], value=10_000)
    client = browse(staff)
    assert "Why does it end?" in post(client, card, {"phase": lost.pk}, **HTMX).content.decode()
    reason = Reason.objects.get(name="Customer chose somebody else")
    sent = {"phase": lost.pk, "entering": 1, "reason": reason.pk, "refund": "part"}
    assert "How much was given back?" in post(client, card, sent, **HTMX).content.decode()
    assert post(client, card, {**sent, "refund_amount": "25", "note": "Pity"}, **HTMX).status_code == 200
    page = client.get(f"/brightside/cards/{card.number}/").content.decode()
    assert "Customer chose somebody else" in page
    assert "Refund in part" in page
    assert "€25" in page
    assert "Pity" in page


def test_a_checklist_is_completed_on_the_card_and_not_in_the_dialog(owner, staff, phases, browse):
    phases[1].update(required=["checklist"], by=actor(owner))
    card = make_card(phases[0])
    card.items.model.add(card, "Measure", by=actor(staff))
    html = post(browse(staff), card, {"phase": phases[1].pk}, **HTMX).content.decode()
    assert "1 checklist line of this card is still open" in html


def test_a_full_phase_refuses_in_words_and_a_soft_limit_warns(owner, staff, phases, browse):
    phases[1].update(wip_limit=1, wip_policy="hard", by=actor(owner))
    make_card(phases[1])
    card, client = make_card(phases[0]), browse(staff)
    answer = post(client, card, {"phase": phases[1].pk}, **HTMX)
    assert answer.status_code == 422
    assert "is full: 1 of 1 cards" in answer.content.decode()
    assert "Full, 1 / 1" in client.get("/brightside/boards/lead-funnel/").content.decode()
    phases[1].update(wip_policy="soft", by=actor(owner))
    assert "over its limit of 1" in post(client, card, {"phase": phases[1].pk}, **HTMX).content.decode()
    assert where(card) == phases[1]


def test_cancelled_columns_stand_folded_at_the_end(staff, phases, lost, browse):
    page = browse(staff).get("/brightside/boards/lead-funnel/").content.decode()
    assert page.index(str(lost.pk)) > page.index(str(phases[-1].pk))
    assert f'is-folded" id="phase-{lost.pk}"' in page


@pytest.mark.django_db(transaction=True)
def test_the_next_box_reports_what_its_phase_waits_for(business, owner, staff, phases, browse):
    if not Trigger.objects.filter(business=business).exists():
        stock(business)
    paid = Trigger.objects.get(business=business, key="payment_received")
    phases[3].update(trigger=paid, by=actor(owner))
    card, client = make_card(phases[3]), browse(staff)
    page = client.get(f"/brightside/cards/{card.number}/").content.decode()
    assert "Payment received moves this card to" in page
    url = f"/brightside/cards/{card.number}/report/"
    answer = client.post(url, {"trigger": paid.pk}, headers=HTMX)
    assert "Payment received: moved to Invoice paid" in answer.content.decode()
    assert where(card) == phases[4]
    answer = client.post(url, {"trigger": paid.pk}, headers=HTMX)
    assert "Payment received is noted." in answer.content.decode()
    assert where(card) == phases[4]


def test_reporting_is_refused_to_viewers_and_for_triggers_of_others(business, stranger, staff, viewer, phases, browse):
    stock(business)
    stock(stranger.business)
    card = make_card(phases[0])
    url = f"/brightside/cards/{card.number}/report/"
    ours, theirs = (Trigger.objects.filter(business=one).first() for one in (business, stranger.business))
    assert browse(viewer).post(url, {"trigger": ours.pk}).status_code == 403
    for bad in (theirs.pk, "rubbish", ""):
        assert browse(staff).post(url, {"trigger": bad}).status_code == 404


def test_own_fields_are_filled_in_on_the_card(owner, staff, workflow, phases, browse):
    depth = Field.create(workflow, name="Depth", kind="number", by=actor(owner))
    glazed = Field.create(workflow, name="Glazed", kind="yes_no", by=actor(owner))
    card, client = make_card(phases[0]), browse(staff)
    url = f"/brightside/cards/{card.number}/fields/"
    assert client.post(url, {f"field-{depth.pk}": "40", f"field-{glazed.pk}": "no"}).status_code == 302
    page = client.get(f"/brightside/cards/{card.number}/").content.decode()
    assert "<bdi>40</bdi>" in page
    assert "<bdi>No</bdi>" in page
    wrong = client.post(url, {f"field-{depth.pk}": "deep"})
    assert wrong.status_code == 422
    assert "Depth: give a number." in wrong.content.decode()


def test_any_trigger_can_be_reported_from_the_menus_of_a_card(business, staff, viewer, phases, browse):
    stock(business)
    card = make_card(phases[0])
    for address in (f"/brightside/cards/{card.number}/", f"/brightside/cards/{card.number}/menu/"):
        html = browse(staff).get(address, headers=HTMX).content.decode()
        assert html.count('name="trigger"') == Trigger.objects.filter(business=business).count()
        assert 'name="trigger"' not in browse(viewer).get(address, headers=HTMX).content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_phase_goes_on_waiting_for_a_trigger_that_was_retired(business, owner, staff, phases, browse):
    if not Trigger.objects.filter(business=business).exists():
        stock(business)
    paid = Trigger.objects.get(business=business, key="payment_received")
    phases[3].update(trigger=paid, by=actor(owner))
    paid.retire(by=actor(owner))
    card, client = make_card(phases[3]), browse(staff)
    assert "Payment received moves this card to" in client.get(f"/brightside/cards/{card.number}/").content.decode()
    assert (
        client.post(f"/brightside/cards/{card.number}/report/", {"trigger": paid.pk}, headers=HTMX).status_code == 200
    )
    assert where(card) == phases[4]
