"""Order types, orders and the order of a card: every page, what it refuses, and what it costs."""

from datetime import date, timedelta

import pytest
import time_machine
from django.utils import timezone

from boards.models import Card, Comment, Order, OrderType
from tests.factories import actor, make_card, make_contact, make_workflow
from tests.house.counting import assert_not_growing

TYPES = "/brightside/orders/types/"
ORDERS = "/brightside/orders/"


@pytest.fixture
def chain(business):
    """Return three workflows: intake, workshop, delivery."""
    return [
        make_workflow(business, name=name, starter=kind)
        for name, kind in (("Intake", "sales"), ("Workshop", "repair"), ("Delivery", "order"))
    ]


@pytest.fixture
def kind(business, owner, chain):
    """Return the order type that runs through them."""
    return OrderType.create(business, name="Made to order", code="MTO", workflows=chain, by=actor(owner))


@pytest.fixture
def order(kind, staff):
    """Return a running order of it."""
    return Order.open(kind, name="Oak kitchen", contact=make_contact(kind.business), by=actor(staff))


def text(answer) -> str:
    return " ".join(answer.content.decode().split())


def told(workflows, **fields):
    return {"name": "Repair", "code": "rep", "description": "", "workflow": [flow.pk for flow in workflows]} | fields


def states(order):
    return [step.state for step in order.steps.all()]


def chain_of(kind):
    return [stage.workflow for stage in kind.stages.all()]


# Order types ------------------------------------------------------------------------------------------


def test_an_order_type_is_made_with_its_chain_in_order(business, manager, chain, browse):
    answer = browse(manager).post(f"{TYPES}new/", told([chain[1], chain[2]], description="Small jobs"), follow=True)
    assert answer.redirect_chain == [(TYPES, 302)]
    kind = business.ordertype_library.get()
    assert (kind.name, kind.code, kind.description) == ("Repair", "REP", "Small jobs")
    assert chain_of(kind) == [chain[1], chain[2]]
    page = text(answer)
    assert "Repair is saved." in page
    assert page.index("<bdi>Workshop</bdi>") < page.index("<bdi>Delivery</bdi>")


def test_the_buttons_of_the_chain_change_the_form_and_save_nothing(manager, chain, kind, browse):
    client = browse(manager)
    first, second, third = chain
    presses = [
        ({"up": second.pk}, [second, first, third]),
        ({"down": first.pk}, [second, first, third]),
        ({"out": second.pk}, [first, third]),
        ({"moved": third.pk, "position": 0}, [third, first, second]),
        ({"up": first.pk}, chain),
        ({"moved": third.pk, "position": "nowhere"}, chain),
        ({"out": "no such thing"}, chain),
    ]
    for press, wanted in presses:
        answer = client.post(f"{TYPES}{kind.pk}/", told(chain, name="Half written", **press))
        assert answer.status_code == 200
        assert answer.context["form"].chain == wanted, press
        assert "Half written" in text(answer)
        assert "data-errors" not in text(answer)
    answer = client.post(
        f"{TYPES}{kind.pk}/", told(chain[:1], add="1", choice=third.pk), headers={"HX-Request": "true"}
    )
    assert answer.context["form"].chain == [first, third]
    assert text(answer).startswith('<section class="stack" id="chain"')
    kind.refresh_from_db()
    assert kind.name == "Made to order"
    assert chain_of(kind) == chain


def test_a_bad_order_type_is_told_at_its_fields_and_keeps_what_was_typed(
    business, manager, chain, kind, stranger, browse
):
    client = browse(manager)
    foreign = make_workflow(stranger.business)
    for bad, words in [
        ({"name": ""}, "Give the order type a name."),
        ({"name": "made TO order"}, "The library has “made TO order” already."),
        ({"name": "x" * 81}, "At most 80 characters fit here; this has 81."),
        ({"code": ""}, "Give it a short code"),
        ({"code": "mto"}, "Another order type has this code."),
        ({"code": "a b"}, "Use capital letters, digits, dashes."),
        ({"code": "X" * 13}, "At most 12 characters"),
        ({"description": "x" * 501}, "At most 500 characters"),
        ({"workflow": [foreign.pk]}, "does not exist any more"),
        ({"workflow": ["nonsense"]}, "does not exist any more"),
    ]:
        answer = client.post(f"{TYPES}new/", told([chain[0]], **{"name": "Kept as typed", **bad}))
        assert answer.status_code == 422, bad
        assert words in text(answer).replace("&#x27;", "'"), bad
        if "name" not in bad:
            assert "Kept as typed" in text(answer)
    assert business.ordertype_library.count() == 1


def test_a_type_may_be_renamed_and_keep_a_workflow_that_was_put_away(owner, manager, chain, kind, browse):
    chain[2].archive(by=actor(owner))
    client = browse(manager)
    assert "archived: an order cannot go on there" in text(client.get(f"{TYPES}{kind.pk}/"))
    client.post(f"{TYPES}{kind.pk}/", told(chain, name="Bespoke", code="BES"))
    kind.refresh_from_db()
    assert (kind.name, kind.code, len(chain_of(kind))) == ("Bespoke", "BES", 3)


def test_a_retired_type_is_offered_no_more_and_can_be_brought_back(manager, staff, kind, order, browse):
    client = browse(manager)
    answer = client.post(f"{TYPES}{kind.pk}/retire/", follow=True)
    assert "Made to order is retired. Orders that run go on." in text(answer)
    assert "1 order still running" in text(answer)
    assert "Made to order" not in text(browse(staff).get(f"{ORDERS}new/"))
    assert "is back" in text(client.post(f"{TYPES}{kind.pk}/restore/", follow=True))
    assert "Made to order" in text(browse(staff).get(f"{ORDERS}new/"))


def test_who_may_not_design_may_look(staff, viewer, kind, browse):
    for member in (staff, viewer):
        page = text(browse(member).get(TYPES))
        assert "Made to order" in page
        assert "Configure" not in page
        assert "types/new" not in page
        assert browse(member).get(f"{TYPES}new/").status_code == 403


def test_home_shows_the_chains_and_teaches_where_there_is_none(owner, viewer, chain, browse):
    assert "Won in one workflow, a card can go on in the next" in text(browse(owner).get("/brightside/"))
    assert "Order types" not in text(browse(viewer).get("/brightside/"))
    kind = OrderType.create(chain[0].business, name="Bespoke", code="B", workflows=chain, by=actor(owner))
    page = text(browse(viewer).get("/brightside/"))
    box = page.split('id="order-types"')[1].split("</section>")[0]
    places = [box.index(f"<bdi>{name}</bdi>") for name in ("Intake", "Workshop", "Delivery")]
    assert places == sorted(places)
    Order.open(kind, name="Oak", by=actor(owner))
    assert "1 running" in text(browse(viewer).get("/brightside/"))


# Opening ----------------------------------------------------------------------------------------------


def test_an_order_is_opened_with_a_contact_made_on_the_fly(business, staff, chain, kind, browse):
    sent = {"type": kind.pk, "name": "Oak kitchen", "q": "Nadia Osei", "due_date": "2027-05-01", "start": ""}
    answer = browse(staff).post(f"{ORDERS}new/", sent, follow=True)
    order = business.orders.get()
    assert answer.redirect_chain == [(f"{ORDERS}{order.number}/", 302)]
    assert (order.name, order.contact.name, order.due_date) == ("Oak kitchen", "Nadia Osei", date(2027, 5, 1))
    assert order.cards.get().phase == chain[0].phases.first()
    assert f"Opened {order.code}." in text(answer)


def test_an_order_may_start_in_the_middle(business, staff, chain, kind, browse):
    sent = {"type": kind.pk, "name": "Oak kitchen", "start": chain[1].pk}
    browse(staff).post(f"{ORDERS}new/", sent)
    assert states(business.orders.get()) == ["skipped", "open", "pending"]


def test_picking_a_contact_keeps_what_was_typed_and_opens_nothing(business, staff, kind, browse):
    ines = make_contact(business)
    sent = {"type": kind.pk, "name": "Half written", "q": "bru", "pick": ines.pk}
    answer = browse(staff).post(f"{ORDERS}new/", sent)
    assert answer.status_code == 200
    assert "Half written" in text(answer)
    assert f'<input type="hidden" name="contact" value="{ines.pk}">' in text(answer)
    assert not business.orders.exists()
    browse(staff).post(f"{ORDERS}new/", {"type": kind.pk, "name": "Now", "contact": ines.pk})
    assert business.orders.get().contact == ines


def test_the_type_decides_where_an_order_may_start(owner, staff, chain, kind, browse):
    other = OrderType.create(kind.business, name="Repair", code="R", workflows=[chain[1]], by=actor(owner))
    answer = browse(staff, hx_request="true", hx_target="start").get(f"{ORDERS}new/?type={other.pk}")
    assert text(answer).startswith('<div id="start">')
    assert "Workshop" in text(answer)
    assert "Intake" not in text(answer)


def test_a_bad_order_is_told_in_words_and_nothing_is_opened(business, owner, staff, stranger, chain, kind, browse):
    client = browse(staff)
    theirs = make_contact(stranger.business)
    put_away = make_contact(business)
    put_away.archive(by=actor(owner))
    elsewhere = make_workflow(business, name="Elsewhere")
    for bad, words in [
        ({"name": ""}, "Give the order a name."),
        ({"name": "x" * 301}, "At most 300 characters"),
        ({"name": "a\x00b"}, "ull characters are not allowed"),
        ({"due_date": "soon"}, "Choose a day"),
        ({"due_date": "10000-01-01"}, "Choose a day"),
        ({"start": elsewhere.pk}, "Orders of this type do not run through that workflow."),
        ({"type": "nonsense"}, "Choose an order type"),
        ({"contact": theirs.pk}, "This contact does not exist."),
        ({"contact": put_away.pk}, "is archived"),
        ({"q": "x" * 201}, "at most 200 characters"),
    ]:
        answer = client.post(f"{ORDERS}new/", {"type": kind.pk, "name": "Kept as typed", **bad})
        if bad.get("type"):
            assert answer.status_code == 422
            continue
        assert answer.status_code == 422, bad
        assert words in text(answer), bad
        if "name" not in bad:
            assert "Kept as typed" in text(answer)
    chain[0].archive(by=actor(owner))
    answer = client.post(f"{ORDERS}new/", {"type": kind.pk, "name": "Kept as typed"})
    assert answer.status_code == 422
    assert not business.orders.exists()


# The list ---------------------------------------------------------------------------------------------


def test_the_list_shows_where_orders_stand_and_finds_them(business, owner, staff, chain, kind, order, browse):
    late = Order.open(kind, name="Late stairs", due_date=timezone.localdate() - timedelta(days=1), by=actor(staff))
    gone = Order.open(kind, name="Given up", by=actor(staff))
    gone.cancel(by=actor(staff))
    client = browse(staff)
    page = text(client.get(ORDERS))
    assert f"{order.code}" in page
    assert "Step 1 of 3: Intake, Customer contacted me" in page
    assert "Overdue: " in page
    assert "Given up" not in page
    assert "Given up" in text(client.get(f"{ORDERS}?show=cancelled"))
    assert "No order is completed" in text(client.get(f"{ORDERS}?show=completed"))
    for asked in (order.code, f"#{order.number}", order.code.lower(), "brunet", "OAK kit"):
        found = client.get(ORDERS, {"q": asked}).context["journeys"]
        assert [journey.order for journey in found] == [order], asked
    assert "No running orders match “zzz”" in text(client.get(f"{ORDERS}?q=zzz"))
    assert [journey.order for journey in client.get(f"{ORDERS}?type={kind.pk}").context["journeys"]] == [late, order]
    for nonsense in ("?show=bogus", "?page=99", "?page=x", "?type=nonsense", "?q=%00"):
        assert client.get(ORDERS + nonsense).status_code == 200
    piece = text(client.get(ORDERS, headers={"HX-Request": "true", "HX-Target": "orders"}))
    assert piece.startswith('<section class="box box--flush" id="orders"')


def test_without_orders_the_list_teaches(owner, viewer, browse):
    assert "Make an order type first" in text(browse(owner).get(ORDERS))
    assert "An order is one piece of work on its whole way" in text(browse(viewer).get(ORDERS))


# One order --------------------------------------------------------------------------------------------


def test_an_order_shows_its_way_and_one_timeline_across_workflows(staff, chain, order, browse):
    first = order.cards.get()
    Comment.write(first, "Measured **twice**", by=actor(staff))
    first.move(chain[0].win_phase, by=actor(staff))
    order.advance(first, by=actor(staff))
    page = text(browse(staff).get(f"{ORDERS}{order.number}/"))
    assert "Step 2 of 3: Workshop, Reported" in page
    assert 'aria-current="step"' in page
    assert "<strong>twice</strong>" in page
    events = page.split('id="told"')[1]
    assert events.index("on to Workshop") < events.index("to Won") < events.index("opened the order")
    second = order.cards.get(workflow=chain[1])
    assert f"/brightside/cards/{second.number}/" in page
    assert browse(staff).get(f"{ORDERS}{order.pk}/").status_code == 200  # as the ledger names it


def test_the_timeline_is_paged(staff, order, browse):
    card = order.cards.get()
    for number in range(40):
        card.update(value=number + 1, by=actor(staff))
    client = browse(staff)
    answer = client.get(f"{ORDERS}{order.number}/")
    timeline = answer.context["timeline"]
    assert len(timeline["entries"]) == 30
    older = client.get(
        f"{ORDERS}{order.number}/?before={timeline['earlier']}", headers={"HX-Request": "true", "HX-Target": "earlier"}
    )
    assert text(older).startswith("<li>")
    assert "opened the order" in text(older)
    assert "What happened earlier" in text(client.get(f"{ORDERS}{order.number}/?before={timeline['earlier']}"))
    for nonsense in ("x", "-1", "9" * 30, "²"):
        assert client.get(f"{ORDERS}{order.number}/", {"before": nonsense}).status_code == 404


def test_name_contact_and_the_one_due_date_are_changed(business, staff, order, browse):
    amara = make_contact(business, "Amara", "Diallo")
    client = browse(staff)
    here = f"{ORDERS}{order.number}/"
    sent = {"name": "Oak kitchen, 12 units", "due_date": "2027-06-01", "contact": amara.pk}
    answer = client.post(f"{here}update/", sent, follow=True)
    assert answer.redirect_chain == [(here, 302)]
    order.refresh_from_db()
    assert (order.name, order.contact, order.due_date) == ("Oak kitchen, 12 units", amara, date(2027, 6, 1))
    assert order.cards.get().due_date == date(2027, 6, 1)
    assert "<bdi>Oak kitchen</bdi> → <bdi>Oak kitchen, 12 units</bdi>" in text(answer)
    answer = client.post(f"{here}update/", {"name": "", "contact": amara.pk})
    assert answer.status_code == 422
    assert "Give the order a name." in text(answer)
    assert "Oak kitchen, 12 units" in text(answer)  # the heading says what is true
    answer = client.post(f"{here}update/", {"name": "x", "clear": "1", "contact": amara.pk})
    assert answer.status_code == 200
    assert 'name="contact"' not in text(answer)
    order.refresh_from_db()
    assert order.contact == amara


def test_a_step_is_skipped_and_an_order_cancelled(staff, chain, order, browse):
    client = browse(staff)
    here = f"{ORDERS}{order.number}/"
    step = order.steps.get(position=1)
    answer = client.post(f"{here}steps/{step.pk}/skip/", follow=True)
    assert "Workshop is left out." in text(answer)
    assert states(order) == ["open", "skipped", "pending"]
    answer = client.post(f"{here}cancel/", follow=True)
    assert f"{order.code} is cancelled." in text(answer)
    page = text(client.get(here))
    assert "Cancel the order" not in page
    answer = client.post(f"{here}update/", {"name": "Another name"}, follow=True)
    assert "is over, so it stays as it is." in text(answer)
    assert "Skip" not in page.split('id="told"')[0].replace("Skip to content", "")
    assert not Card.objects.on_board().filter(order=order).exists()


@pytest.mark.django_db(transaction=True)
def test_an_order_that_could_not_go_on_says_so_and_goes_on_later(owner, staff, chain, order, browse):
    chain[1].archive(by=actor(owner))
    order.cards.get().move(chain[0].win_phase, by=actor(staff))
    client = browse(staff)
    here = f"{ORDERS}{order.number}/"
    assert "Intake is done, but the next step is not open." in text(client.get(here))
    assert "is archived" in text(client.post(f"{here}advance/", follow=True))
    assert states(order) == ["open", "pending", "pending"]
    chain[1].restore(by=actor(owner))
    assert "goes on" in text(client.post(f"{here}advance/", follow=True))
    assert states(order) == ["done", "open", "pending"]


def test_an_order_whose_card_was_deleted_can_go_on(owner, staff, order, browse):
    card = order.cards.get()
    card.archive(by=actor(staff))
    here = f"{ORDERS}{order.number}/"
    assert "is in the archive" in text(browse(staff).get(here))
    card.delete_for_good(by=actor(owner))
    assert "No step of this order is open." in text(browse(staff).get(here))
    browse(staff).post(f"{here}advance/")
    assert states(order) == ["open", "pending", "pending"]
    browse(staff).post(f"{here}advance/")
    assert order.cards.count() == 1


def test_a_viewer_looks_and_changes_nothing_and_a_stranger_finds_nothing(viewer, stranger, order, browse):
    here = f"{ORDERS}{order.number}/"
    page = text(browse(viewer).get(here))
    assert "Oak kitchen" in page
    assert "<form" not in page.split("<main")[1].split("</main>")[0]
    assert browse(viewer).post(f"{here}cancel/").status_code == 403
    assert browse(stranger).get(here).status_code == 404
    order.refresh_from_db()
    assert order.is_running


def test_names_are_shown_as_text(staff, kind, browse):
    order = Order.open(kind, name="<script>alert(1)</script>{{ 7|add:7 }}", by=actor(staff))
    for page in (ORDERS, f"{ORDERS}{order.number}/", f"/brightside/cards/{order.cards.get().number}/"):
        assert "<script>alert(1)" not in text(browse(staff).get(page))


# On the card ------------------------------------------------------------------------------------------


def test_a_card_is_opened_as_an_order_and_says_where_it_stands(staff, viewer, chain, kind, browse):
    card = make_card(chain[1].phases.first(), "Bench", due_date=date(2027, 5, 1))
    here = f"/brightside/cards/{card.number}/"
    client = browse(staff)
    assert "Open as an order" in text(client.get(here))
    assert "Open as an order" not in text(browse(viewer).get(here))
    answer = client.post(f"{here}order/open/", {"type": kind.pk}, headers={"HX-Request": "true"})
    order = card.business.orders.get()
    assert f"Opened {order.code}" in text(answer)
    assert "step 2 of 3" in text(answer)
    assert order.due_date == date(2027, 5, 1)
    page = text(browse(viewer).get(here))
    assert f">{order.code}</a> · step 2 of 3" in page
    again = client.post(f"{here}order/open/", {"type": kind.pk}, headers={"HX-Request": "true"})
    assert again.status_code == 422
    assert "belongs to an order already" in text(again)
    assert card.business.orders.count() == 1


def test_a_card_is_not_opened_as_what_its_workflow_is_no_part_of(owner, staff, stranger, chain, kind, browse):
    card = make_card(make_workflow(kind.business, name="Elsewhere").phases.first(), "Bench")
    theirs = OrderType.create(
        stranger.business, name="X", code="X", workflows=[make_workflow(stranger.business)], by=actor(stranger)
    )
    for bad in (kind.pk, theirs.pk, "nonsense", ""):
        answer = browse(staff).post(f"/brightside/cards/{card.number}/order/open/", {"type": bad}, follow=True)
        assert "This order type is not there any more." in text(answer)
    assert not kind.business.orders.exists()


def test_a_stale_card_says_so_on_its_tile_and_in_its_panel(owner, staff, chain, browse):
    phase = chain[0].phases.first()
    phase.update(stale_days=3, by=actor(owner))
    card = make_card(phase, "Quiet")
    other = make_card(phase, "Busy")
    with time_machine.travel(timezone.now() + timedelta(days=4), tick=False):
        other.move(chain[0].phases.all()[1], by=actor(staff))
        card.update(value=5, by=actor(staff))  # a touch is no progress
        board = text(browse(staff).get(f"/brightside/boards/{chain[0].slug}/"))
        assert board.count("card--stale") == 1
        assert '<span class="visually-hidden">Stale, here for </span>4 days' in board
        assert "stale: 4 in this phase, healthy are 3" in text(browse(staff).get(f"/brightside/cards/{card.number}/"))


def test_what_an_order_brings_counts_once(staff, chain, order, browse):
    card = order.cards.get()
    card.update(value=100_000, by=actor(staff))
    for workflow in chain:
        card = order.cards.get(workflow=workflow)
        card.move(workflow.win_phase, by=actor(staff))
        order.advance(card, by=actor(staff))
    assert order.completed_at
    month = text(browse(staff).get("/brightside/")).split('id="month"')[1].split("</section>")[0]
    assert "€1,000" in month


def test_the_pages_ask_the_database_as_often_for_much_as_for_little(business, owner, staff, chain, kind, order, browse):
    def grow():
        for number in range(6):
            more = OrderType.create(
                business, name=f"Kind {number}", code=f"K{number}", workflows=chain, by=actor(owner)
            )
            for _ in range(3):
                grown = Order.open(more, name=f"Order {number}", contact=make_contact(business), by=actor(staff))
                card = grown.cards.get()
                Comment.write(card, "Measured", by=actor(staff))
                card.move(chain[0].win_phase, by=actor(staff))
                grown.advance(card, by=actor(staff))
        for number in range(10):
            Comment.write(order.cards.get(), f"Note {number}", by=actor(staff))

    Comment.write(order.cards.get(), "The first one", by=actor(staff))
    pages = [TYPES, f"{TYPES}{kind.pk}/", ORDERS, f"{ORDERS}new/", f"{ORDERS}{order.number}/", "/brightside/"]
    assert_not_growing(browse(owner), pages, grow)
