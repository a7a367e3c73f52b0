"""Many people at once, on real databases: nothing lost, nothing twice, no lock that never opens."""

import random

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Event
from accounts.verbs import Stale
from boards.models import Card, Comment, Item, Phase
from boards.ordering import BOTTOM, TOP, Place
from tests.at_once import at_once, bugs
from tests.boards.ledger import assert_whole
from tests.factories import actor, make_card, make_contact

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 8


@pytest.fixture
def path(workflow):
    """The phases of the workflow, in order."""
    return list(workflow.phases.all())


@pytest.fixture
def by(staff):
    """The person who does all of it."""
    return actor(staff)


def card_of(card):
    return Card.objects.get(pk=card.pk)


def test_the_same_card_moved_to_two_phases_ends_in_one(workflow, path, by):
    card = make_card(path[0], value=5)
    answers = at_once(*[lambda to=path[1 + i % 2]: card_of(card).move(to, by=by) for i in range(PEOPLE)])
    assert not bugs(answers)
    assert card_of(card).phase_id in (path[1].pk, path[2].pk)
    assert_whole(workflow)


def test_of_people_who_saw_the_same_revision_only_the_first_moves_the_card(workflow, path, by):
    card = make_card(path[0])
    answers = at_once(
        *[lambda to=path[1 + i % 4]: card_of(card).move(to, revision=card.revision, by=by) for i in range(PEOPLE)]
    )
    assert not bugs(answers)
    assert sum(isinstance(answer, Stale) for answer in answers) == PEOPLE - 1
    assert Event.objects.filter(name="card.moved").count() == 1
    assert_whole(workflow)


def test_cards_dropped_at_the_same_spot_all_stand_there(workflow, path, by):
    first, last = make_card(path[1], "first"), make_card(path[1], "last")
    cards = [make_card(path[0]) for _ in range(PEOPLE)]
    place = Place(after=first.pk, before=last.pk)
    answers = at_once(*[lambda card=card: card_of(card).move(path[1], place, by=by) for card in cards])
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    names = list(Card.objects.filter(phase=path[1]).order_by("rank").values_list("name", flat=True))
    assert (names[0], names[-1], len(names)) == ("first", "last", PEOPLE + 2)
    assert_whole(workflow)


def test_moves_that_cross_do_not_block_each_other(workflow, path, by):
    here = [make_card(path[0]) for _ in range(PEOPLE // 2)]
    there = [make_card(path[1]) for _ in range(PEOPLE // 2)]

    def to_and_fro(card, first, second):
        for _ in range(5):
            card_of(card).move(first, TOP, by=by)
            card_of(card).move(second, BOTTOM, by=by)

    answers = at_once(
        *[lambda card=card: to_and_fro(card, path[1], path[0]) for card in here],
        *[lambda card=card: to_and_fro(card, path[0], path[1]) for card in there],
    )
    assert not [answer for answer in answers if answer is not None]
    assert Event.objects.filter(name="card.moved").count() == PEOPLE * 10
    assert_whole(workflow)


def test_a_phase_deleted_while_cards_move_into_it_loses_none(workflow, path, by, manager):
    cards = [make_card(path[0]) for _ in range(PEOPLE - 1)]
    answers = at_once(
        lambda: Phase.objects.get(pk=path[1].pk).delete_to(path[2], by=actor(manager)),
        *[lambda card=card: card_of(card).move(path[1], by=by) for card in cards],
    )
    assert not bugs(answers)
    assert not Phase.objects.filter(pk=path[1].pk).exists()
    assert Card.objects.filter(workflow=workflow).count() == len(cards)
    assert_whole(workflow)


def test_a_phase_deleted_by_two_at_once_goes_once(workflow, path, manager):
    make_card(path[1])
    answers = at_once(
        *[lambda: Phase.objects.get(pk=path[1].pk).delete_to(path[2], by=actor(manager)) for _ in range(4)]
    )
    assert len([a for a in bugs(answers) if not isinstance(a, Phase.DoesNotExist)]) == 0
    assert Event.objects.filter(name="phase.deleted").count() == 1
    assert_whole(workflow)


def test_phases_reordered_while_cards_cross_them(workflow, path, by, manager):
    cards = [make_card(path[i % 5]) for i in range(6)]
    pick = random.Random(7)

    def wander(card):
        for _ in range(6):
            card_of(card).move(pick.choice(path), by=by)

    def reorder():
        for _ in range(6):
            Phase.objects.get(pk=pick.choice(path[:5]).pk).move(pick.randrange(5), by=actor(manager))

    answers = at_once(reorder, reorder, *[lambda card=card: wander(card) for card in cards])
    assert not [answer for answer in answers if answer is not None]
    positions = Phase.objects.filter(workflow=workflow, section=Phase.PATH).values_list("position", flat=True)
    assert sorted(positions) == list(range(5))
    assert_whole(workflow)


def test_cards_created_at_once_have_numbers_without_gaps(workflow, path, by):
    answers = at_once(*[lambda i=i: make_card(path[i % 3], by=by) for i in range(PEOPLE)])
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert sorted(card.number for card in answers) == list(range(1, PEOPLE + 1))
    assert_whole(workflow)


def test_at_the_limits_of_a_workflow_the_last_place_is_given_once(workflow, path, by, manager, business):
    ines = make_contact(business)
    workflow.update(most_active_cards=3, one_card_per_contact=True, by=actor(manager))
    won = make_card(path[-1], contact=ines)
    answers = at_once(
        lambda: card_of(won).move(path[0], by=by),
        lambda: make_card(path[1], contact=ines),
        lambda: make_card(path[2], contact=ines),
        *[lambda i=i: make_card(path[i % 4]) for i in range(PEOPLE - 3)],
    )
    assert not bugs(answers)
    active = Card.objects.open().filter(workflow=workflow)
    assert active.count() == 3
    assert active.filter(contact=ines).count() <= 1
    assert_whole(workflow)


def test_an_external_id_given_by_many_at_once_is_given_once(workflow, path, by):
    answers = at_once(*[lambda i=i: make_card(path[i % 3], external_id="crm-1", by=by) for i in range(PEOPLE)])
    assert not bugs(answers)
    assert sum(isinstance(answer, ValidationError) for answer in answers) == PEOPLE - 1
    assert_whole(workflow)


def test_archived_and_restored_by_many_the_tally_stays_right(workflow, path, by):
    card = make_card(path[0], value=10)
    answers = at_once(
        *[lambda: card_of(card).archive(by=by), lambda: card_of(card).restore(path[1], by=by)] * (PEOPLE // 2)
    )
    assert not bugs(answers)
    assert_whole(workflow)


def test_a_mixed_crowd_leaves_everything_whole(workflow, path, by, manager):
    cards = [make_card(path[i % 3], value=i) for i in range(12)]
    label, boss = workflow.labels.first(), actor(manager)

    def crowd(seed):
        pick = random.Random(seed)

        def work():
            for _ in range(12):
                card = card_of(pick.choice(cards))
                deed = pick.randrange(8)
                try:
                    if deed < 3:
                        others = Card.objects.exclude(pk=card.pk).order_by("?").values_list("pk", flat=True)
                        card.move(pick.choice(path), Place(after=others.first()), by=by)
                    elif deed == 3:
                        card.update(value=pick.randrange(1000), by=by)
                    elif deed == 4:
                        card.archive(by=by)
                    elif deed == 5:
                        card.restore(by=by)
                    elif deed == 6:
                        (card.add_label if pick.random() < 0.5 else card.remove_label)(label, by=by)
                    else:
                        card.assign([manager] if pick.random() < 0.5 else [], by=boss)
                except ValidationError:
                    continue

        return work

    assert not [answer for answer in at_once(*[crowd(seed) for seed in range(PEOPLE)]) if answer is not None]
    assert_whole(workflow)


def test_comments_and_ticks_at_once_are_all_counted(workflow, path, by):
    card = make_card(path[0])
    items = [Item.add(card, f"Step {i}", by=by) for i in range(4)]
    answers = at_once(
        *[lambda i=i: Comment.write(card_of(card), f"Note {i}", by=by) for i in range(4)],
        *[lambda item=item: Item.objects.get(pk=item.pk).tick(True, by=by) for item in items],
    )
    assert not bugs(answers)
    card = card_of(card)
    assert (card.comment_count, card.item_count, card.done_count) == (4, 4, 4)
    assert_whole(workflow)


def test_the_last_owner_cannot_be_lost_by_two_who_leave_at_once(business, owner):
    from accounts.models import Membership
    from tests.factories import join

    other = join(business, "owner")
    answers = at_once(*[lambda m=m: Membership.objects.get(pk=m.pk).leave(by=actor(m)) for m in (owner, other)])
    assert not bugs(answers)
    assert business.memberships.filter(role="owner").count() == 1
