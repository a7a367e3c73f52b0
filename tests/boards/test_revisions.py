"""Workflows and phases as a program saw them: a revision that counts, and external ids that are given once."""

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Event
from accounts.verbs import Stale
from boards.models import Comment, Phase, Workflow
from tests.factories import actor, make_card, make_workflow

pytestmark = pytest.mark.django_db


@pytest.fixture
def by(owner):
    """The person who does all of it."""
    return actor(owner)


def now(row):
    return type(row).objects.get(pk=row.pk)


def test_every_change_of_a_workflow_raises_its_revision_and_no_news_does_not(workflow, by):
    assert workflow.revision == 1
    workflow.update(name="Leads", by=by)
    workflow.update(name="Leads", by=by)
    workflow.archive(by=by)
    workflow.archive(by=by)
    workflow.restore(by=by)
    assert workflow.revision == now(workflow).revision == 4


def test_every_change_of_a_phase_raises_its_revision_and_a_card_does_not(workflow, by):
    phase = workflow.phases.first()
    phase.update(name="First", stale_days=3, by=by)
    phase.update(name="First", by=by)
    phase.move(2, by=by)
    phase.move(2, by=by)
    make_card(phase).move(workflow.win_phase, by=by)
    assert phase.revision == now(phase).revision == 3


def test_what_was_seen_at_another_revision_is_not_changed(workflow, by):
    phase, other = workflow.phases.all()[:2]
    now(phase).update(name="First", by=by)
    now(workflow).update(name="Leads", by=by)
    before = Event.objects.count()
    for deed in (
        lambda: workflow.update(name="Mine", revision=1, by=by),
        lambda: workflow.archive(revision=1, by=by),
        lambda: phase.update(name="Mine", revision=1, by=by),
        lambda: phase.move(3, revision=1, by=by),
        lambda: phase.delete_to(other, revision=1, by=by),
    ):
        with pytest.raises(Stale, match=r"Somebody changed (First|Leads) a moment ago"):
            deed()
    assert Event.objects.count() == before


def test_what_was_seen_as_it_is_is_changed(workflow, by):
    phase, other = workflow.phases.all()[:2]
    phase.update(name="First", revision=1, by=by)
    phase.move(3, revision=2, by=by)
    phase.delete_to(other, revision=3, by=by)
    workflow.update(name="Leads", revision=1, by=by)
    workflow.archive(revision=2, by=by)
    with pytest.raises(Stale):
        workflow.delete_for_good(revision=2, by=by)
    workflow.delete_for_good(revision=3, by=by)
    assert not Workflow.objects.filter(pk=workflow.pk).exists()


# External ids -----------------------------------------------------------------------------------------


@pytest.fixture
def taken(workflow, by):
    """A workflow, a phase and a card that are called crm-1 elsewhere."""
    phase = workflow.phases.first()
    workflow.update(external_id="crm-1", by=by)
    phase.update(external_id="crm-1", by=by)
    make_card(phase, external_id="crm-1")
    return workflow


@pytest.mark.parametrize("noun", ["workflow", "phase", "card"])
def test_an_external_id_is_given_once_whether_it_is_new_or_changed(taken, business, by, noun):
    phase = taken.phases.last()
    deeds = {
        "workflow": (
            lambda: Workflow.create(business, name="Twin", external_id="crm-1", by=by),
            lambda: make_workflow(business, "Twin").update(external_id=" crm-1 ", by=by),
        ),
        "phase": (
            lambda: Phase.create(taken, name="Twin", external_id="crm-1", by=by),
            lambda: phase.update(external_id="crm-1", by=by),
        ),
        "card": (
            lambda: make_card(phase, external_id="crm-1"),
            lambda: make_card(phase).update(external_id="crm-1", by=by),
        ),
    }
    for deed in deeds[noun]:
        with pytest.raises(ValidationError, match=f"Another {noun} has this external id") as refusal:
            deed()
        assert [error.code for error in refusal.value.error_dict["external_id"]] == ["external_id"]


def test_another_business_may_call_its_rows_the_same_and_none_is_called_nothing(taken, stranger, by):
    other = make_workflow(stranger.business)
    other.update(external_id="crm-1", by=actor(stranger))
    for phase in other.phases.all()[:2]:
        phase.update(external_id="", by=actor(stranger))
    taken.update(external_id="crm-1", by=by)
    taken.update(external_id="", by=by)
    assert now(taken).external_id == ""


def test_who_is_late_with_a_card_hears_what_was_done_to_it(workflow, by, manager):
    card = make_card(workflow.phases.first())
    now(card).update(value=5, by=actor(manager))
    Comment.write(now(card), "Beside it", by=by)
    with pytest.raises(Stale, match="Priya Nair changed it a moment ago"):
        now(card).update(name="Mine", revision=1, by=by)
    now(card).move(workflow.phases.all()[1], by=actor(manager))
    with pytest.raises(Stale, match="Priya Nair moved it to"):
        now(card).update(name="Mine", revision=1, by=by)
