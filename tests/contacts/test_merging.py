"""Merging contacts: one person's cards become one, nothing is lost, and everybody can see what became of what."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.verbs import Stale
from boards.models import Order, OrderType
from contacts.merging import MOST_SOURCES, heir_of, merge, outcome, what_moves
from contacts.models import Contact, ContactLabel
from tests.factories import actor, make_business, make_card, make_contact


@pytest.fixture
def by(manager):
    return actor(manager)


@pytest.fixture
def target(business, by):
    return make_contact(
        business,
        emails=[("ines@example.org", "work")],
        phones=[("+31 20 555", "mobile")],
        labels=["VIP"],
        notes="Likes oak",
        extended={"shoe": 38},
        by=by,
    )


@pytest.fixture
def source(business, by):
    return make_contact(
        business,
        "Inés",
        "Brunet-Roig",
        company="Crust & Co.",
        emails=[("INES@example.org", "home"), ("shop@example.org", "")],
        phones=[("0031 (20) 555", ""), ("020 777", "work", "NL")],
        addresses=[("Prinsengracht 88\nAmsterdam", "billing")],
        labels=["VIP", "Press"],
        notes="Pays late",
        birthdate=dt.date(1980, 2, 29),
        extended={"shoe": 40, "hat": "M"},
        external_id="shop-7",
        by=by,
    )


def test_the_target_keeps_all_it_has_and_takes_over_what_it_lacks(business, target, source, by):
    merge(target, [source], by=by)
    one = business.contacts.get()
    assert (one.pk, one.name, one.company, one.birthdate) == (
        target.pk,
        "Ines Brunet",
        "Crust & Co.",
        dt.date(1980, 2, 29),
    )
    assert list(one.emails.values_list("email", "tag")) == [("ines@example.org", "work"), ("shop@example.org", "")]
    assert list(one.phones.values_list("phone", "country")) == [("+31 20 555", ""), ("020 777", "NL")]
    assert [address.tag for address in one.addresses.all()] == ["billing"]
    assert set(one.labels.values_list("name", flat=True)) == {"VIP", "Press"}
    assert one.notes == "Likes oak\n\nPays late"
    assert one.extended == {"shoe": 38, "hat": "M"}
    assert one.external_id == "shop-7"


def test_the_preview_is_what_happens_and_writes_nothing(business, target, source, by):
    events = business.events.count()
    made = outcome(target, [source])
    assert {key for key, *_ in made.gains} == {
        "company", "notes", "emails", "phones", "addresses", "labels", "birthdate", "extended", "external id"
    }  # fmt: skip
    assert ("emails", "ines@example.org (work)", "ines@example.org (work), shop@example.org") in made.gains
    assert (business.events.count(), business.contacts.count()) == (events, 2)
    merge(target, [source], by=by)
    assert outcome(business.contacts.get(), []).gains == []
    assert {key: getattr(business.contacts.get(), key) for key in made.fields} == made.fields


def test_cards_and_orders_move_along_with_a_line_in_their_own_history(business, workflow, target, source, by):
    card = make_card(workflow.phases.first(), "Kitchen", contact=source)
    put_away = make_card(workflow.phases.first(), "Stool", contact=source)
    put_away.archive(by=by)
    kind = OrderType.create(business, name="Made", code="MTO", workflows=[workflow], by=by)
    order = Order.open(kind, name="Door", contact=source, by=by)
    order.cancel(by=by)
    assert what_moves(source) == ["3 cards", "1 order"]
    merge(target, [source], by=by)
    assert target.cards.count() == 3
    assert target.orders.get() == order
    told = business.events.filter(subject_id=card.pk).order_by("sequence").last()
    assert (told.name, told.details["before"]["contact"]["name"]) == ("card.updated", "Inés Brunet-Roig")
    assert told.details["after"]["contact"] == {"id": str(target.pk), "name": "Ines Brunet"}
    assert told.cause.name == "contact.merged"
    assert type(card).objects.get(pk=card.pk).revision == card.revision + 1


def test_the_ledger_says_into_whom_each_source_went(business, target, source, by):
    merge(target, [source], by=by)
    told = list(business.events.order_by("sequence"))[-3:]
    assert [event.name for event in told] == ["contact.merged", "contact.deleted", "contact.updated"]
    assert told[0].sentence == "merged Inés Brunet-Roig into Ines Brunet"
    assert told[0].details["sources"] == [
        {
            "id": str(source.pk),
            "name": "Inés Brunet-Roig",
            "left": {"given name": "Inés", "family name": "Brunet-Roig", "extended shoe": "40"},
        }
    ]
    assert told[1].subject_id == source.pk
    assert told[1].details["into"] == {"id": str(target.pk), "name": "Ines Brunet"}


def test_a_page_that_was_open_before_the_merge_can_still_catch_up(business, target, source, by):
    target.update(company="Before", by=by)
    merge(target, [source], by=by)
    one = business.contacts.get()
    assert one.told_at(1)["company"] == ""
    assert one.told_at(1)["emails"] == ["ines@example.org (work)"]


def test_of_several_sources_the_first_comes_first(business, target, by):
    others = [make_contact(business, company=name, emails=[(f"{name}@example.org", "")]) for name in ("b", "a")]
    merge(target, others, by=by)
    one = business.contacts.get()
    assert one.company == "b"
    assert [mail.email for mail in one.emails.all()] == ["ines@example.org", "b@example.org", "a@example.org"]


def test_nothing_to_gain_is_still_a_merge(business, target, by):
    merge(target, [make_contact(business)], by=by)
    one = business.contacts.get()
    assert one.revision == 2
    assert one.as_told() == target.as_told()


def test_an_archived_source_goes_too_an_archived_target_takes_nothing(business, target, source, by):
    source.archive(by=by)
    target.archive(by=by)
    with pytest.raises(ValidationError, match="archived"):
        merge(target, [source], by=by)
    assert business.contacts.count() == 2
    target.restore(by=by)
    merge(target, [source], by=by)
    assert business.contacts.count() == 1


def test_what_makes_no_sense_is_refused(business, target, source, by):
    for sources, code in (
        ([], "merge_sources"),
        ([source, source], "merge_sources"),
        ([source, target], "merge_itself"),
    ):
        with pytest.raises(ValidationError) as refused:
            merge(target, sources, by=by)
        assert refused.value.code == code
    many = [Contact(business=business) for _ in range(MOST_SOURCES + 1)]
    with pytest.raises(ValidationError, match="one to 20"):
        merge(target, many, by=by)


def test_more_than_a_contact_can_hold_is_refused_and_nothing_is_lost(business, target, by):
    full = make_contact(business, emails=[(f"{n}@example.org", "") for n in range(50)])
    with pytest.raises(ValidationError, match="at most 50"):
        merge(target, [full], by=by)
    long = make_contact(business, notes="x" * 19_995)
    with pytest.raises(ValidationError, match="20000"):
        merge(target, [long], by=by)
    assert business.contacts.count() == 3
    assert not business.events.filter(name="contact.merged").exists()


def test_an_old_revision_and_a_source_that_is_gone_are_stale(business, target, source, by):
    target.update(company="Crust", by=by)
    with pytest.raises(Stale, match="Priya Nair changed"):
        merge(target, [source], revision=1, by=by)
    source.archive(by=by)
    business.contacts.get(pk=source.pk).delete_for_good(by=by)
    with pytest.raises(Stale, match="deleted"):
        merge(target, [source], by=by)


def test_staff_and_strangers_merge_nothing(business, target, source, staff, stranger):
    with pytest.raises(PermissionDenied):
        merge(target, [source], by=actor(staff))
    with pytest.raises(ValueError, match="another business"):
        merge(target, [source], by=actor(stranger))


def test_a_contact_of_another_business_is_no_source(business, target, by):
    theirs = make_contact(make_business())
    with pytest.raises(Stale):
        merge(target, [theirs], by=by)
    assert Contact.objects.filter(pk=theirs.pk).exists()


def test_a_label_worn_by_both_stays_once(business, target, source, by):
    merge(target, [source], by=by)
    assert ContactLabel.objects.get(name="VIP").contacts.count() == 1


def test_who_was_merged_away_has_an_heir_through_as_many_merges_as_there_were(business, by, stranger):
    first, second, third, gone = (make_contact(business) for _ in range(4))
    merge(second, [first], by=by)
    merge(third, [second], by=by)
    assert heir_of(business, first.pk) == heir_of(business, second.pk) == third
    assert heir_of(stranger.business, first.pk) is None
    gone.archive(by=by)
    gone.delete_for_good(by=by)
    assert heir_of(business, gone.pk) is None
    third = business.contacts.get()
    third.archive(by=by)
    third.delete_for_good(by=by)
    assert heir_of(business, first.pk) is None
