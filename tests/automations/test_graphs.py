"""Rules that set off one another, drawn at random: every graph of them comes to an end, within the budgets."""

import pytest
from django.conf import settings
from django.db.models import Count, Sum
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from automations.models import Rule, Run
from automations.models.run import RUNNING, TURN
from boards.models import Card
from tests.factories import actor, make_card

pytestmark = pytest.mark.django_db(transaction=True)
PHASES = range(6)

doings = st.one_of(
    st.builds(lambda to: {"type": "move_card", "to": to}, st.sampled_from(PHASES)),
    st.just({"type": "move_card", "to": "next"}),
    st.builds(lambda phase: {"type": "create_card", "phase": phase}, st.sampled_from(PHASES)),
    st.builds(lambda text: {"type": "add_comment", "text": text}, st.sampled_from(["a", "b"])),
    st.builds(lambda to: {"type": "set_field", "field": "source", "value": to}, st.sampled_from(["a", "b"])),
)
whens = st.one_of(
    st.builds(lambda to: ("state_changed", {"new_state": to}), st.sampled_from(PHASES)),
    st.sampled_from(
        [("state_changed", {}), ("card_created", {}), ("commented", {}), ("card_updated", {}), ("won", {})]
    ),
)
graphs = st.lists(st.tuples(whens, st.lists(doings, min_size=1, max_size=4)), min_size=1, max_size=7)


@effort(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graph=graphs, start=st.sampled_from(PHASES))
def test_every_graph_of_rules_comes_to_an_end(business, owner, workflow, graph, start):
    names = [phase.name for phase in workflow.phases.all()]

    def named(written):
        return {key: names[value] if isinstance(value, int) else value for key, value in written.items()}

    Rule.objects.all().delete()
    Run.objects.all().delete()
    for (trigger, when), actions in graph:
        document = {"trigger": trigger, "conditions": named(when), "actions": [named(one) for one in actions]}
        Rule.create(business, document, by=actor(owner))
    card = make_card(workflow.phases.first())
    card = Card.objects.get(pk=card.pk)
    card.move(workflow.phases.get(name=names[start]), by=actor(owner))
    assert not Run.objects.filter(state=RUNNING).exists(), "somebody is still at it"
    turns = Run.objects.filter(state__in=TURN).values("chain", "rule").annotate(times=Count("pk"))
    assert all(turn["times"] == 1 for turn in turns), "a rule acts once on what follows from one event"
    for chain in Run.objects.values("chain").annotate(done=Sum("step")):
        assert chain["done"] <= settings.RULES_ACTIONS
