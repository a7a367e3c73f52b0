"""Moving a card: where it lands, what refuses, what the ledger and the tallies say."""

import uuid

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import Event
from accounts.verbs import Stale
from boards.models import Card
from boards.ordering import BOTTOM, TOP, Place
from tests.factories import actor, make_card, make_workflow

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(workflow):
    """The phases of the workflow, in order."""
    return list(workflow.phases.all())


@pytest.fixture
def column(path):
    """Cards a, b, c, d in the first phase."""
    return [make_card(path[0], name) for name in "abcd"]


def names(phase, archived=False):
    cards = Card.objects.filter(phase=phase)
    return "".join(card.name for card in (cards if archived else cards.on_board()).order_by("rank"))


def moved(card):
    """Return the card as somebody else's request would load it."""
    return Card.objects.get(pk=card.pk)


def tallies_hold(workflow):
    for phase in workflow.phases.all():
        cards = phase.cards.filter(archived_at=None)
        assert phase.card_count == cards.count()
        assert phase.value_total == sum(card.value or 0 for card in cards)
    return True


# Where it lands ---------------------------------------------------------------------------------------


def test_a_card_lands_on_top_of_another_phase_when_no_place_is_named(path, column, staff):
    make_card(path[1], "x")
    column[1].move(path[1], by=actor(staff))
    assert (names(path[0]), names(path[1])) == ("acd", "bx")


@pytest.mark.parametrize(
    ("place", "order"),
    [
        (lambda c: Place(after=c[0].pk), "adbc"),
        (lambda c: Place(before=c[1].pk), "adbc"),
        (lambda c: Place(after=c[1].pk), "abdc"),
        (lambda c: Place(before=c[0].pk), "dabc"),
        (lambda c: TOP, "dabc"),
        (lambda c: BOTTOM, "abcd"),
        (lambda c: Place(index=0), "dabc"),
        (lambda c: Place(index=2), "abdc"),
        (lambda c: Place(index=99), "abcd"),
    ],
)
def test_every_way_to_name_a_place_means_the_same_place(path, column, staff, place, order):
    column[3].move(path[0], place(column), by=actor(staff))
    assert names(path[0]) == order


def test_a_neighbour_that_left_gives_way_to_the_other_neighbour(path, column, staff):
    a, b, _c, d = column
    moved(a).move(path[1], by=actor(staff))
    d.move(path[0], Place(after=a.pk, before=b.pk), by=actor(staff))
    assert names(path[0]) == "dbc"


def test_when_both_neighbours_left_the_end_that_was_named_counts(path, column, staff):
    a, b, _c, d = column
    for gone in (a, b):
        moved(gone).move(path[1], by=actor(staff))
    d.move(path[0], Place(after=a.pk, before=b.pk, end="top"), by=actor(staff))
    assert names(path[0]) == "dc"


def test_an_archived_neighbour_is_no_neighbour(path, column, staff):
    _a, b, c, d = column
    moved(b).archive(by=actor(staff))
    d.move(path[0], Place(after=b.pk, before=c.pk), by=actor(staff))
    assert names(path[0]) == "adc"
    assert names(path[0], archived=True).index("d") < names(path[0], archived=True).index("c")


def test_archived_cards_are_not_counted_by_an_index(path, column, staff):
    a, _b, _c, d = column
    moved(a).archive(by=actor(staff))
    d.move(path[0], Place(index=1), by=actor(staff))
    assert names(path[0]) == "bdc"


def test_a_neighbour_of_another_business_is_nobody(path, column, staff, stranger):
    foreign = make_card(make_workflow(stranger.business).phases.first())
    column[0].move(path[0], Place(after=foreign.pk, end="bottom"), by=actor(staff))
    assert names(path[0]) == "bcda"


def test_a_move_writes_one_card_and_no_neighbour(path, column, staff):
    before = dict(Card.objects.exclude(pk=column[3].pk).values_list("pk", "rank"))
    column[3].move(path[0], Place(after=column[0].pk), by=actor(staff))
    assert dict(Card.objects.exclude(pk=column[3].pk).values_list("pk", "rank")) == before


# What refuses -----------------------------------------------------------------------------------------


def unchanged(card, phase, code):
    assert moved(card).phase_id == phase.pk
    assert not Event.objects.filter(name__in=["card.moved", "card.reordered"]).exists()
    return code


def test_a_phase_of_another_workflow_is_refused(business, path, column, staff):
    other = make_workflow(business, "Repair", "repair").phases.first()
    with pytest.raises(ValidationError, match="another workflow") as refusal:
        column[0].move(other, by=actor(staff))
    assert refusal.value.code == unchanged(column[0], path[0], "other_workflow")


def test_a_phase_of_another_business_is_refused(path, column, staff, stranger):
    other = make_workflow(stranger.business).phases.first()
    with pytest.raises(ValidationError) as refusal:
        column[0].move(other, by=actor(staff))
    assert refusal.value.code == unchanged(column[0], path[0], "other_workflow")


def test_an_archived_card_is_refused(path, column, staff):
    column[0].archive(by=actor(staff))
    with pytest.raises(ValidationError, match="is archived") as refusal:
        moved(column[0]).move(path[1], by=actor(staff))
    assert refusal.value.code == unchanged(column[0], path[0], "archived")


def test_a_card_of_an_archived_workflow_is_refused(workflow, path, column, owner):
    workflow.archive(by=actor(owner))
    with pytest.raises(ValidationError, match="is archived") as refusal:
        moved(column[0]).move(path[1], by=actor(owner))
    assert refusal.value.code == unchanged(column[0], path[0], "workflow_archived")


def test_a_card_somebody_else_moved_meanwhile_is_refused_with_who_and_where(path, column, staff, manager):
    seen = column[0].revision
    moved(column[0]).move(path[2], by=actor(manager))
    with pytest.raises(Stale, match=f"Priya Nair moved it to {path[2].name}"):
        column[0].move(path[1], revision=seen, by=actor(staff))
    assert moved(column[0]).phase_id == path[2].pk


def test_a_card_that_was_only_written_on_meanwhile_is_moved(path, column, staff, manager):
    seen = column[0].revision
    moved(column[0]).update(description="Called them.", by=actor(manager))
    column[0].move(path[1], revision=seen, by=actor(staff))
    assert moved(column[0]).phase_id == path[1].pk


def test_a_card_archived_meanwhile_is_refused_as_stale(path, column, staff, manager):
    seen = column[0].revision
    moved(column[0]).archive(by=actor(manager))
    with pytest.raises(Stale, match="Priya Nair archived it"):
        column[0].move(path[1], revision=seen, by=actor(staff))


def test_a_card_deleted_meanwhile_is_refused_as_stale(path, column, staff, manager):
    gone = moved(column[0])
    gone.archive(by=actor(manager))
    gone.delete_for_good(by=actor(manager))
    with pytest.raises(Stale, match="deleted"):
        column[0].move(path[1], by=actor(staff))


def test_a_phase_deleted_meanwhile_is_refused_as_stale(path, column, staff, manager):
    type(path[1]).objects.get(pk=path[1].pk).delete_to(None, by=actor(manager))
    with pytest.raises(Stale, match="phase was deleted"):
        column[0].move(path[1], by=actor(staff))
    assert moved(column[0]).phase_id == path[0].pk


def test_a_place_before_the_first_is_refused(path, column, staff):
    with pytest.raises(ValidationError, match="counted from 0"):
        column[0].move(path[1], Place(index=-1), by=actor(staff))
    assert unchanged(column[0], path[0], True)


def test_a_viewer_is_refused(path, column, viewer):
    with pytest.raises(PermissionDenied, match="Only a staff or above may move cards"):
        column[0].move(path[1], by=actor(viewer))
    assert unchanged(column[0], path[0], True)


def test_an_actor_of_another_business_is_a_bug(path, column, stranger):
    with pytest.raises(ValueError, match="another business"):
        column[0].move(path[1], by=actor(stranger))
    assert unchanged(column[0], path[0], True)


# What is told and counted -----------------------------------------------------------------------------


def test_a_move_is_told_with_before_and_after(path, column, staff):
    event = column[0].move(path[1], by=actor(staff))
    assert (event.name, event.actor_name, event.subject_id) == ("card.moved", "Tomás Rivera", column[0].pk)
    assert event.details["before"]["name"] == path[0].name
    assert event.details["after"]["id"] == str(path[1].pk)
    assert str(event.sentence) == f"moved this from {path[0].name} to {path[1].name}"


def test_moving_where_it_stands_is_no_news(path, column, staff):
    revision = column[1].revision
    assert column[1].move(path[0], Place(after=column[0].pk), by=actor(staff)) is None
    assert moved(column[1]).revision == revision
    assert not Event.objects.filter(name="card.reordered").exists()


def test_passing_only_archived_cards_is_no_news(path, column, staff):
    moved(column[1]).archive(by=actor(staff))
    assert column[2].move(path[0], Place(after=column[0].pk), by=actor(staff)) is None


def test_the_second_of_two_equal_clicks_changes_nothing(path, column, staff):
    column[0].move(path[1], TOP, by=actor(staff))
    assert moved(column[0]).move(path[1], TOP, by=actor(staff)) is None
    assert Event.objects.filter(name="card.moved").count() == 1


def test_time_in_the_phase_starts_anew_only_in_another_phase(path, column, staff):
    entered = column[3].entered_at
    column[3].move(path[0], TOP, by=actor(staff))
    assert moved(column[3]).entered_at == entered
    column[3].move(path[1], by=actor(staff))
    assert moved(column[3]).entered_at > entered


def test_tallies_follow_every_verb(workflow, path, staff, manager):
    by = actor(manager)
    card = make_card(path[0], "rich", value=195_000)
    make_card(path[0], "poor")
    card.move(path[1], by=by)
    assert tallies_hold(workflow)
    card.update(value=200_000, by=by)
    assert tallies_hold(workflow)
    card.update(value=None, by=by)
    card.update(value=7, by=by)
    card.archive(by=by)
    card.archive(by=by)
    assert tallies_hold(workflow)
    card.restore(path[2], by=by)
    card.restore(by=by)
    assert tallies_hold(workflow)
    type(path[2]).objects.get(pk=path[2].pk).delete_to(path[0], by=by)
    assert tallies_hold(workflow)
    card = moved(card)
    card.archive(by=by)
    card.delete_for_good(by=by)
    assert tallies_hold(workflow)


def test_the_win_phase_takes_cards_and_lets_them_go(workflow, path, column, staff):
    column[0].move(path[-1], by=actor(staff))
    assert column[0].is_won
    column[0].move(path[0], by=actor(staff))
    assert not column[0].is_won


# Long keys --------------------------------------------------------------------------------------------


def test_fifteen_hundred_drops_into_one_gap_keep_order_and_keys_short(path, staff):
    from boards.ordering import LONGEST_RANK

    by = actor(staff)
    first, last = make_card(path[0], "first"), make_card(path[0], "last")
    # Two cards that swap, again and again, in the shrinking gap above the last: the worst there is.
    one, two = make_card(path[1], "one"), make_card(path[1], "two")
    for turn in range(1500):
        card = (one, two)[turn % 2]
        card.move(path[0], Place(after=(two, one)[turn % 2].pk if turn else first.pk, before=last.pk), by=by)
    ranks = list(Card.objects.filter(phase=path[0]).order_by("rank").values_list("name", "rank"))
    assert [name for name, _ in ranks] == ["first", "one", "two", "last"]
    assert max(len(rank) for _, rank in ranks) <= LONGEST_RANK


def test_a_column_written_anew_keeps_its_order_archived_cards_too(path, column, staff, monkeypatch):
    monkeypatch.setattr("boards.models.card.LONGEST_RANK", 2)
    a, b, c, d = column
    moved(b).archive(by=actor(staff))
    for _ in range(10):
        moved(d).move(path[0], Place(after=a.pk), by=actor(staff))
        moved(c).move(path[0], Place(after=a.pk), by=actor(staff))
    assert names(path[0]) == "acd"
    moved(b).restore(by=actor(staff))
    assert sorted(names(path[0])) == list("abcd")
    assert names(path[0]).startswith("a")


def test_a_move_that_writes_the_column_anew_can_be_undone_exactly(path, column, staff, monkeypatch):
    from boards.undoing import undo

    monkeypatch.setattr("boards.models.card.LONGEST_RANK", 1)
    event = column[3].move(path[0], Place(after=column[0].pk), by=actor(staff))
    assert names(path[0]) == "adbc"
    undo(event, by=actor(staff))
    assert names(path[0]) == "abcd"


def test_staying_in_place_is_no_news_even_when_the_column_is_written_anew(path, column, staff, monkeypatch):
    monkeypatch.setattr("boards.models.card.LONGEST_RANK", 1)
    assert column[1].move(path[0], Place(after=column[0].pk), by=actor(staff)) is None
    assert names(path[0]) == "abcd"


def test_an_unknown_neighbour_is_nobody(path, column, staff):
    column[0].move(path[1], Place(after=uuid.uuid4(), before=uuid.uuid4()), by=actor(staff))
    assert names(path[1]) == "a"
