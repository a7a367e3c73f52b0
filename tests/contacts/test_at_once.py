"""Contacts changed by several at the same moment, on real databases: one wins, the others are told, nothing is lost."""

import pytest

from accounts.verbs import Stale
from boards.models import Card
from contacts.merging import merge
from contacts.models import Contact, ContactLabel
from tests.at_once import at_once, bugs
from tests.factories import actor, make_card, make_contact

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def by(manager):
    return actor(manager)


@pytest.mark.parametrize("_", range(3))
def test_of_two_merges_in_opposite_directions_one_happens(business, workflow, by, _):
    one, two = (make_contact(business, emails=[(f"{n}@example.org", "")]) for n in "ab")
    for contact in (one, two):
        make_card(workflow.phases.first(), contact=contact)
    answers = at_once(lambda: merge(one, [two], by=by), lambda: merge(two, [one], by=by))
    assert not bugs(answers)
    assert sum(isinstance(answer, Stale) for answer in answers) == 1
    left = business.contacts.get()
    assert {card.contact_id for card in Card.objects.all()} == {left.pk}
    assert left.emails.count() == 2


@pytest.mark.parametrize("_", range(3))
def test_what_is_done_to_cards_while_their_contact_is_merged_is_not_lost(business, workflow, by, _):
    first, second, *_ = workflow.phases.all()
    target, source = make_contact(business), make_contact(business, company="Oak")
    card = make_card(first, contact=source)
    answers = at_once(
        lambda: merge(target, [source], by=by),
        lambda: card.move(second, by=by),
        lambda: make_card(first, "New", by=by, contact=source),
        lambda: Contact.objects.get(pk=source.pk).update(job_title="Baker", by=by),
        lambda: Contact.objects.get(pk=target.pk).update(locale="nl", by=by),
    )
    assert not [bug for bug in bugs(answers) if not isinstance(bug, Contact.DoesNotExist)]
    left = business.contacts.get()
    assert (left.pk, left.company, left.locale) == (target.pk, "Oak", "nl")
    now = Card.objects.get(pk=card.pk)
    assert (now.contact_id, now.phase_id) == (target.pk, second.pk), answers
    assert not Card.objects.filter(name="New").exclude(contact=target).exists()


def test_a_card_about_somebody_who_is_deleted_at_that_moment_is_refused_in_words(business, workflow, by):
    contact = make_contact(business)
    contact.archive(by=by)
    Contact.objects.get(pk=contact.pk).delete_for_good(by=by)
    with pytest.raises(Stale, match="deleted"):
        make_card(workflow.phases.first(), "Late", by=by, contact=contact)
    assert not Card.objects.exists()


def test_labels_put_on_by_several_are_all_there(business, by):
    contact = make_contact(business)
    labels = [ContactLabel.find_or_create(business, name, by=by) for name in "abcdef"]
    answers = at_once(
        *(lambda label=label: Contact.objects.get(pk=contact.pk).relabel(add=[label], by=by) for label in labels)
    )
    assert not bugs(answers)
    assert contact.labels.count() == 6
    assert Contact.objects.get(pk=contact.pk).revision == 7
