"""The limits of a business and a workflow: off unless somebody sets them, and then on every path."""

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Business
from boards.models import Card, Phase, Reason, Workflow
from tests.factories import actor, make_card, make_contact, make_workflow

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(workflow):
    """The phases of the workflow, in order: five on the path, then the win."""
    return list(workflow.phases.all())


@pytest.fixture
def lost(workflow, business, owner):
    """A phase for work that ended badly."""
    Reason.create(business, name="Too expensive", by=actor(owner))
    return Phase.create(workflow, name="Lost", stage="cancelled", by=actor(owner))


@pytest.fixture
def ines(business):
    """A contact."""
    return make_contact(business)


def limit(workflow, owner, **limits):
    workflow.update(**limits, by=actor(owner))


def code_of(refusal) -> str:
    return refusal.value.error_list[0].code if hasattr(refusal.value, "error_list") else _first(refusal.value).code


def _first(error):
    return next(iter(error.error_dict.values()))[0]


def end(card, lost, business, owner):
    card.move(lost, closing={"reason": business.reason_library.first()}, by=actor(owner))


# One active card of a contact -------------------------------------------------------------------------


def test_a_contact_has_as_many_cards_as_anybody_makes_unless_the_workflow_says_otherwise(path, ines):
    for _ in range(3):
        make_card(path[0], contact=ines)


def test_a_second_active_card_of_a_contact_is_refused_in_words(workflow, path, ines, owner):
    limit(workflow, owner, one_card_per_contact=True)
    make_card(path[0], "Oak table", contact=ines)
    with pytest.raises(ValidationError) as refusal:
        make_card(path[3], contact=ines)
    assert code_of(refusal) == "contact_attached"
    assert refusal.value.message_dict == {
        "contact": ["Ines Brunet has an active card in Lead funnel already: Oak table."]
    }
    assert Card.objects.count() == 1


def test_cards_without_a_contact_and_of_others_are_not_counted(workflow, business, path, ines, owner):
    limit(workflow, owner, one_card_per_contact=True)
    other = make_workflow(business, "Other")
    make_card(other.phases.first(), contact=ines)
    make_card(path[0], contact=make_contact(business, "Ida"))
    make_card(path[0])
    make_card(path[0])
    make_card(path[0], contact=ines)


def test_a_card_that_is_won_cancelled_archived_or_deleted_frees_its_contact(
    workflow, business, path, lost, ines, owner
):
    limit(workflow, owner, one_card_per_contact=True)
    make_card(path[0], contact=ines).move(path[-1], by=actor(owner))
    end(make_card(path[0], contact=ines), lost, business, owner)
    make_card(path[0], contact=ines).archive(by=actor(owner))
    gone = make_card(path[0], contact=ines)
    gone.archive(by=actor(owner))
    gone.delete_for_good(by=actor(owner))
    make_card(path[-1], contact=ines)
    make_card(path[0], contact=ines)


def test_no_way_back_to_the_path_gets_around_it(workflow, business, path, lost, ines, owner):
    limit(workflow, owner, one_card_per_contact=True)
    by = actor(owner)
    won, archived, cancelled = (make_card(path[0], contact=None) for _ in range(3))
    won.move(path[-1], by=by)
    end(cancelled, lost, business, owner)
    won.update(contact=ines, by=by)
    cancelled.update(contact=ines, by=by)
    archived.update(contact=ines, by=by)
    archived.archive(by=by)
    make_card(path[1], contact=ines)
    for deed in (
        lambda: won.move(path[0], by=by),
        lambda: cancelled.move(path[0], by=by),
        lambda: archived.restore(by=by),
        lambda: archived.restore(path[2], by=by),
        lambda: lost.delete_to(path[0], by=by),
        lambda: make_card(path[2]).update(contact=ines, by=by),
        lambda: _filled_in(path, ines, by),
    ):
        with pytest.raises(ValidationError) as refusal:
            deed()
        assert code_of(refusal) == "contact_attached"
    archived.restore(path[-1], by=by)
    assert archived.phase == path[-1]


def _filled_in(path, ines, by):
    path[3].update(required=["contact"], by=by)
    make_card(path[2]).move(path[3], facts={"contact": ines}, by=by)


def test_moving_and_changing_the_card_itself_is_not_its_second(workflow, path, ines, owner):
    limit(workflow, owner, one_card_per_contact=True)
    card = make_card(path[0], contact=ines)
    card.move(path[1], by=actor(owner))
    card.update(name="Oak table", contact=ines, by=actor(owner))
    card.archive(by=actor(owner))
    card.restore(by=actor(owner))


def test_a_limit_that_comes_later_leaves_the_cards_that_are_there(workflow, path, ines, owner):
    two = [make_card(path[0], contact=ines), make_card(path[0], contact=ines)]
    limit(workflow, owner, one_card_per_contact=True, most_active_cards=1)
    for card in two:
        card.move(path[1], by=actor(owner))
        card.update(name="Still here", by=actor(owner))


# The most active cards of a workflow ------------------------------------------------------------------


def test_a_full_workflow_takes_no_further_card(workflow, business, path, lost, owner):
    limit(workflow, owner, most_active_cards=2)
    by = actor(owner)
    first, second = make_card(path[0]), make_card(path[4])
    with pytest.raises(ValidationError, match="Lead funnel holds at most 2 active cards") as refusal:
        make_card(path[2])
    assert code_of(refusal) == "max_active_cards"
    first.move(path[-1], by=by)
    third = make_card(path[2])
    third.archive(by=by)
    make_card(path[2])
    make_card(path[-1], "won at once")
    for deed in (lambda: first.move(path[0], by=by), lambda: third.restore(by=by)):
        with pytest.raises(ValidationError) as refusal:
            deed()
        assert code_of(refusal) == "max_active_cards"
    end(second, lost, business, owner)
    first.move(path[0], by=by)
    with pytest.raises(ValidationError) as refusal:
        lost.delete_to(path[0], by=by)
    assert code_of(refusal) == "max_active_cards"


def test_a_workflow_can_be_made_with_its_limits(business, owner):
    workflow = Workflow.create(business, name="New", one_card_per_contact=True, most_active_cards=7, by=actor(owner))
    workflow.refresh_from_db()
    assert (workflow.one_card_per_contact, workflow.most_active_cards) == (True, 7)


def test_of_many_lines_all_or_none_become_cards(workflow, path, owner):
    limit(workflow, owner, most_active_cards=2)
    with pytest.raises(ValidationError):
        Card.create_many(path[0], ["a", "b", "c"], by=actor(owner))
    assert Card.objects.count() == 0


@pytest.mark.parametrize("most", [0, -1, 2**31, "many"])
def test_a_limit_that_makes_no_sense_is_refused(workflow, owner, most):
    with pytest.raises(ValidationError) as refusal:
        limit(workflow, owner, most_active_cards=most)
    assert "most_active_cards" in refusal.value.message_dict


# Workflows and phases of a business -------------------------------------------------------------------


def test_a_business_makes_and_brings_back_no_more_workflows_than_it_may_have(business, owner):
    make_workflow(business, "One")
    away = make_workflow(business, "Two")
    away.archive(by=actor(owner))
    business.update(most_workflows=2, by=actor(owner))
    make_workflow(business, "Three")
    for deed in (lambda: make_workflow(business, "Four"), lambda: away.restore(by=actor(owner))):
        with pytest.raises(ValidationError, match="at most 2 workflows") as refusal:
            deed()
        assert code_of(refusal) == "max_workflows"
    assert Workflow.objects.live().count() == 2


def test_a_workflow_has_no_more_phases_on_its_path_than_the_business_says(business, workflow, path, lost, owner):
    business.update(most_phases=5, by=actor(owner))
    workflow.refresh_from_db()
    steps = [{"name": f"Step {n}", "stage": "processing"} for n in range(6)]
    for deed in (
        lambda: Phase.create(workflow, name="Six", by=actor(owner)),
        lambda: Phase.objects.get(pk=lost.pk).update(stage="processing", by=actor(owner)),
        lambda: Workflow.create(business, name="Long", steps=steps, by=actor(owner)),
    ):
        with pytest.raises(ValidationError, match="at most 5 phases") as refusal:
            deed()
        assert code_of(refusal) == "max_phases"
    Workflow.create(
        business, name="Just so", steps=[*steps[:5], {"name": "Done", "stage": "completed"}], by=actor(owner)
    )
    business.update(most_phases=6, by=actor(owner))
    Phase.create(Workflow.objects.get(pk=workflow.pk), name="Six", by=actor(owner))


@pytest.mark.parametrize("most", [0, 201, None])
def test_phases_are_limited_within_reason(business, owner, most):
    with pytest.raises(ValidationError) as refusal:
        business.update(most_phases=most, by=actor(owner))
    assert "most_phases" in refusal.value.message_dict
    assert Business.objects.get(pk=business.pk).most_phases == 60


# The page ---------------------------------------------------------------------------------------------

PAGE = "/brightside/workflows/lead-funnel/"


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_a_manager_sets_and_lifts_the_limits_on_the_workflow_s_page(workflow, path, manager, browse, headers):
    make_card(path[0])
    client = browse(manager)
    assert "1 active card now" in client.get(PAGE).content.decode()
    sent = {"one_card_per_contact": "on", "most_active_cards": "40"}
    answer = client.post(f"{PAGE}limits/", sent, headers=headers, follow=True)
    assert "Saved the limits." in answer.content.decode()
    assert 'value="40"' in answer.content.decode()
    workflow.refresh_from_db()
    assert (workflow.one_card_per_contact, workflow.most_active_cards) == (True, 40)
    client.post(f"{PAGE}limits/", {"most_active_cards": ""}, headers=headers)
    workflow.refresh_from_db()
    assert (workflow.one_card_per_contact, workflow.most_active_cards) == (False, None)


@pytest.mark.parametrize("most", ["0", "-3", "1000001", "many"])
def test_a_limit_that_makes_no_sense_comes_back_with_the_reason(workflow, manager, browse, most):
    answer = browse(manager).post(f"{PAGE}limits/", {"most_active_cards": most}, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert f'value="{most}"' in answer.content.decode()
    workflow.refresh_from_db()
    assert workflow.most_active_cards is None


def test_who_may_not_change_the_limits_reads_them(workflow, owner, staff, browse):
    assert "None: there can be as many cards" in browse(staff).get(PAGE).content.decode()
    limit(workflow, owner, most_active_cards=40)
    assert "There are at most 40 active cards." in browse(staff).get(PAGE).content.decode()
    assert browse(staff).post(f"{PAGE}limits/", {}).status_code == 403


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_what_a_limit_refuses_is_said_on_the_board(workflow, path, owner, staff, browse, headers):
    limit(workflow, owner, most_active_cards=1)
    make_card(path[0])
    url = f"/brightside/boards/lead-funnel/phases/{path[1].pk}/add/"
    answer = browse(staff).post(url, {"name": "One too many"}, headers=headers, follow=True)
    assert "holds at most 1 active card, and" in answer.content.decode()
    assert Card.objects.count() == 1
