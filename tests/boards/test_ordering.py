"""Order is exact: random deeds on a workflow end where a plain list of lists says they must."""

import hypothesis.strategies as st
import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings

from accounts.actor import Actor
from boards.models import Card, Phase
from boards.ordering import BOTTOM, TOP, Place
from tests.boards.ledger import assert_whole
from tests.factories import make_card, make_workflow

pytestmark = pytest.mark.django_db

some = st.integers(0, 999)  # picks among what is there at that moment
DEEDS = st.one_of(
    st.tuples(st.just("create"), some, some, some),
    st.tuples(st.sampled_from(["after", "before", "top", "bottom", "index"]), some, some, some),
    st.tuples(st.sampled_from(["after", "before"]), some, some, some),
    st.tuples(st.sampled_from(["archive", "restore", "restore_to", "delete", "delete_phase"]), some, some, some),
)


class Told:
    """The same workflow as plain lists: phase → cards in order, archived ones among them."""

    def __init__(self, phases):
        self.columns = {phase.pk: [] for phase in phases}
        self.archived = set()

    def home(self, card):
        return next(pk for pk, column in self.columns.items() if card in column)

    def seen(self, phase):
        return [card for card in self.columns[phase] if card not in self.archived]

    def stand(self, card, phase, index):
        """Put a card at an index of a column that is counted without it; passing only archived cards is no move."""
        old = self.home(card)
        if old == phase:
            column = [other for other in self.columns[phase] if other != card]
            after = [*column[:index], card, *column[index:]]
            if [c for c in after if c not in self.archived] == self.seen(phase):
                return
        self.columns[old].remove(card)
        self.columns[phase].insert(index, card)


class Both:
    """Does each deed on the rows and in the lists."""

    def __init__(self, workflow):
        self.workflow, self.by = workflow, Actor.system(workflow.business)
        self.told = Told(workflow.phases.all())

    @property
    def cards(self):
        return [card for column in self.told.columns.values() for card in column]

    def do(self, deed, a, b, c):
        pk = self.cards[a % len(self.cards)] if self.cards else None
        phases = list(self.told.columns)
        to = phases[b % len(phases)]
        if deed == "create":
            return self.create(to, c)
        if pk is None:
            return None
        card = Card.objects.get(pk=pk)
        if deed == "delete_phase":
            return self.delete_phase(phases[a % len(phases)], to)
        if deed in ("archive", "restore", "restore_to", "delete"):
            return getattr(self, deed)(card, to)
        return None if pk in self.told.archived else self.move(deed, card, to, c)

    def create(self, to, c):
        place = (TOP, BOTTOM)[c % 2]
        card = make_card(Phase.objects.get(pk=to), by=self.by, place=place, value=c)
        column = self.told.columns[to]
        column.insert(0 if place is TOP else len(column), card.pk)

    def move(self, deed, card, to, c):
        seen = [pk for pk in self.told.seen(to) if pk != card.pk]
        column = [pk for pk in self.told.columns[to] if pk != card.pk]
        neighbour = seen[c % len(seen)] if seen else None
        if deed in ("after", "before"):
            place = Place(**{deed: neighbour})
            index = column.index(neighbour) + (deed == "after") if neighbour else len(column)
        elif deed == "index":
            place = Place(index=c)
            index = column.index(seen[c]) if c < len(seen) else len(column)
        else:
            place, index = (TOP, 0) if deed == "top" else (BOTTOM, len(column))
        card.move(Phase.objects.get(pk=to), place, by=self.by)
        self.told.stand(card.pk, to, index)

    def archive(self, card, to):
        card.archive(by=self.by)
        self.told.archived.add(card.pk)

    def restore(self, card, to):
        card.restore(by=self.by)
        self.told.archived.discard(card.pk)

    def restore_to(self, card, to):
        home = self.told.home(card.pk)
        card.restore(Phase.objects.get(pk=to), by=self.by)
        if card.pk in self.told.archived and to != home:
            self.told.columns[home].remove(card.pk)
            self.told.columns[to].insert(0, card.pk)
        self.told.archived.discard(card.pk)

    def delete(self, card, to):
        if card.pk in self.told.archived:
            self.told.columns[self.told.home(card.pk)].remove(card.pk)
            self.told.archived.discard(card.pk)
            card.delete_for_good(by=self.by)

    def delete_phase(self, gone, to):
        phase = Phase.objects.get(pk=gone)
        if gone == to or phase.is_win:
            return
        phase.delete_to(Phase.objects.get(pk=to), by=self.by)
        self.told.columns[to] += self.told.columns.pop(gone)

    def compare(self):
        for phase, column in self.told.columns.items():
            assert list(Card.objects.filter(phase=phase).order_by("rank").values_list("pk", flat=True)) == column
            on_board = Card.objects.on_board().filter(phase=phase).order_by("rank")
            assert list(on_board.values_list("pk", flat=True)) == self.told.seen(phase)


@pytest.mark.parametrize("longest", [2, 100], ids=["columns are written anew all the time", "hardly ever"])
def test_random_deeds_end_where_plain_lists_end(business, monkeypatch, longest):
    monkeypatch.setattr("boards.models.card.LONGEST_RANK", longest)

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(DEEDS, min_size=5, max_size=40))
    def holds(deeds):
        with transaction.atomic():
            both = Both(make_workflow(business, starter="order"))
            for deed in deeds:
                both.do(*deed)
                both.compare()
            assert_whole(both.workflow)
            transaction.set_rollback(True)

    holds()


@settings(max_examples=60, deadline=None)
@given(st.lists(some, min_size=2, max_size=60))
def test_a_place_is_always_free_and_where_it_was_asked_for(picks):
    from fractional_indexing import generate_key_between

    ranks = []
    for pick in picks:
        at = pick % (len(ranks) + 1)
        low, high = (ranks[at - 1] if at else None), (ranks[at] if at < len(ranks) else None)
        ranks.insert(at, generate_key_between(low, high))
    assert ranks == sorted(set(ranks))
