"""The verbs of a contact: made, changed, put away, brought back, deleted."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import Event
from accounts.verbs import Stale
from contacts.models import Contact, ContactLabel
from tests.factories import actor, make_business, make_contact


def names(found):
    return [contact.name for contact in found]


def test_the_name_is_made_of_its_parts_or_of_whatever_there_is(business, staff):
    by = actor(staff)
    assert make_contact(business, "Ines", "Brunet").name == "Ines Brunet"
    assert make_contact(business, "", "", company="Crust & Co.").name == "Crust & Co."
    assert make_contact(business, "", "", emails=[("Ada@Example.org", "work")]).name == "ada@example.org"
    assert make_contact(business, "", "", phones=[("+31 20 555", "")]).name == "+31 20 555"
    with pytest.raises(ValidationError, match="at least a name"):
        Contact.create(business, notes="somebody", by=by)


def test_every_word_must_occur_somewhere_whatever_the_capitals(business):
    make_contact(business, "Jürgen", "MÜLLER", company="Möbel Straße", emails=[("j@example.org", "")])
    make_contact(business, "Ödön", "Ångström", phones=[("+36 (1) 555-0147", "")])
    search = business.contacts.matching
    assert names(search("müller jürgen")) == ["Jürgen MÜLLER"]
    assert names(search("MÖBEL strasse")) == ["Jürgen MÜLLER"]
    assert names(search("jürgen ångström")) == []
    assert names(search("ÖDÖN")) == ["Ödön Ångström"]
    assert names(search("o\u0308do\u0308n a\u030angstro\u0308m")) == ["Ödön Ångström"]
    assert names(search("3615550147")) == ["Ödön Ångström"]
    assert names(search("100%")) == []
    assert names(search("a_b")) == []
    assert len(search("x\x00y")) == 0
    assert len(search("  ")) == 2


def test_words_do_not_run_from_one_part_into_the_next(business):
    make_contact(business, "Ann", "Lee", company="Dover")
    assert names(business.contacts.matching("leedover")) == []
    assert names(business.contacts.called("ann LEE")) == ["Ann Lee"]
    assert names(business.contacts.called("Ann")) == []


def test_a_change_keeps_what_was_not_given_and_is_told_with_before_and_after(business, staff):
    contact = make_contact(business, emails=[("a@example.org", ""), ("b@example.org", "work")], notes="Likes oak")
    contact.update(company="Crust", emails=[("b@example.org", "home")], by=actor(staff))
    contact = business.contacts.get()
    assert (contact.given_name, contact.notes, contact.email, contact.revision) == (
        "Ines",
        "Likes oak",
        "b@example.org",
        2,
    )
    event = Event.objects.about(contact).first()
    assert event.details["changed"] == ["company", "emails"]
    assert event.details["before"]["emails"] == ["a@example.org", "b@example.org (work)"]
    assert event.details["after"] == {"company": "Crust", "emails": ["b@example.org (home)"]}


def test_a_new_tag_alone_is_a_change_too(business, staff):
    contact = make_contact(business, phones=[("020 555", "")])
    contact.update(phones=[("020 555", "mobile")], by=actor(staff))
    assert Event.objects.about(contact).first().details["changed"] == ["phones"]


def test_the_same_again_is_no_news(business, staff):
    contact = make_contact(business, emails=[("a@example.org", "")])
    before = business.events.count()
    contact.update(given_name=" Ines ", emails=[("A@example.org", "")], by=actor(staff))
    assert (business.events.count(), contact.revision) == (before, 1)


def test_a_change_on_an_old_page_is_refused_and_says_who_was_first(business, staff, manager):
    contact = make_contact(business)
    contact.update(company="Hers", by=actor(manager))
    with pytest.raises(Stale, match="Priya Nair changed Ines Brunet"):
        business.contacts.get().update(company="His", revision=1, by=actor(staff))
    assert business.contacts.get().company == "Hers"


def test_a_change_does_not_bring_an_archived_contact_back(business, staff):
    contact, same = make_contact(business), business.contacts.get()
    contact.archive(by=actor(staff))
    with pytest.raises(ValidationError, match="archived"):
        same.update(company="Crust", by=actor(staff))
    assert business.contacts.get().archived_at


def test_bad_parts_change_nothing(business, staff):
    contact = make_contact(business)
    for bad in (
        {"emails": [("not an address", "")]},
        {"phones": [("1" * 51, "")]},
        {"given_name": "x" * 201},
        {"notes": "a\x00b"},
        {"emails": [("a\x00@example.org", "")]},
        {"given_name": "", "family_name": ""},
    ):
        with pytest.raises(ValidationError):
            business.contacts.get().update(by=actor(staff), **bad)
    now = business.contacts.get()
    assert (now.revision, now.name, now.notes) == (contact.revision, "Ines Brunet", "")


def test_archive_restore_delete_are_each_told_once(business, staff, manager):
    contact = make_contact(business)
    with pytest.raises(ValidationError, match="Archive the contact first"):
        contact.delete_for_good(by=actor(manager))
    for verb in (contact.archive, contact.archive, contact.restore, contact.restore, contact.archive):
        verb(by=actor(staff))
    with pytest.raises(PermissionDenied):
        contact.delete_for_good(by=actor(staff))
    contact.delete_for_good(by=actor(manager))
    told = list(business.events.order_by("sequence").values_list("name", flat=True))[1:]
    assert told == [f"contact.{word}" for word in ("created", "archived", "restored", "archived", "deleted")]


def test_what_was_deleted_meanwhile_cannot_be_changed(business, staff, manager):
    contact, same = make_contact(business), business.contacts.get()
    contact.archive(by=actor(staff))
    contact.delete_for_good(by=actor(manager))
    with pytest.raises(Stale, match="deleted"):
        same.update(company="x", by=actor(staff))


def test_a_viewer_and_a_stranger_change_nothing(business, viewer, stranger):
    contact = make_contact(business)
    with pytest.raises(PermissionDenied):
        contact.update(company="x", by=actor(viewer))
    with pytest.raises(ValueError, match="another business"):
        contact.update(company="x", by=actor(stranger))


# Lookalikes ----------------------------------------------------------------------------------------------


def test_somebody_with_the_same_mail_phone_or_name_is_a_lookalike(business):
    known = make_contact(
        business, "Jürgen", "Öztürk", emails=[("a@example.org", ""), ("b@example.org", "")], phones=[("+31 20 555", "")]
    )
    make_contact(business, "Nobody", "Else")
    look = Contact.lookalikes
    assert list(look(business, name="  jürgen   ÖZTÜRK ")) == [known]
    assert list(look(business, emails=["", " B@EXAMPLE.ORG"])) == [known]
    assert list(look(business, phones=["0031-20-555"])) == [known]
    assert list(look(business, name="Jürgen", emails=[""], phones=["", "--"])) == []
    assert list(look(business, name="Jürgen Öztürk", but=known)) == []


def test_lookalikes_stay_in_the_business_and_out_of_the_archive(business, staff):
    theirs = make_business()
    make_contact(theirs, emails=[("a@example.org", "")])
    assert list(Contact.lookalikes(business, name="Ines Brunet", emails=["a@example.org"])) == []
    mine = make_contact(business)
    mine.archive(by=actor(staff))
    assert list(Contact.lookalikes(business, name="Ines Brunet")) == []


def test_a_jotted_contact_is_found_before_it_is_made(business, staff):
    by = actor(staff)
    made = Contact.find_or_create(business, "  Ines  de Brunet ", by=by)
    assert (made.given_name, made.family_name) == ("Ines de", "Brunet")
    assert Contact.find_or_create(business, "INES DE BRUNET", by=by) == made
    assert Contact.find_or_create(business, "Ada@Example.org", by=by).email == "ada@example.org"
    assert Contact.find_or_create(business, "+31 (20) 555-0147", by=by).phone == "+31 (20) 555-0147"
    assert Contact.find_or_create(business, "0031205550147", by=by).phone == "+31 (20) 555-0147"
    assert Contact.find_or_create(business, "Crust", by=by).given_name == "Crust"
    assert business.contacts.count() == 4


def test_when_two_are_called_alike_a_person_must_choose(business, staff):
    make_contact(business)
    make_contact(business)
    with pytest.raises(ValidationError, match="Several contacts match"):
        Contact.find_or_create(business, "ines brunet", by=actor(staff))


# Labels --------------------------------------------------------------------------------------------------


def test_a_label_is_made_once_whatever_its_capitals_and_script(business, staff):
    by = actor(staff)
    label = ContactLabel.find_or_create(business, " Küche ", by=by)
    assert (label.name, label.key) == ("Küche", "küche")
    assert ContactLabel.find_or_create(business, "KÜCHE", by=by) == label
    assert ContactLabel.find_or_create(business, "🪵", by=by).key
    assert ContactLabel.find_or_create(business, "مطبخ", by=by).name == "مطبخ"
    assert business.contact_labels.count() == 3
    for bad in ("", "  ", "x" * 51, "a\x00"):
        with pytest.raises(ValidationError):
            ContactLabel.find_or_create(business, bad, by=by)


def test_a_renamed_label_keeps_its_key_and_frees_its_name(business, staff):
    by = actor(staff)
    label = ContactLabel.find_or_create(business, "Kitchen", by=by)
    label.update(name="Kitchens", tint=3, by=by)
    other = ContactLabel.find_or_create(business, "Kitchen", by=by)
    assert (label.key, label.name, label.tint) == ("kitchen", "Kitchens", 3)
    assert other != label
    with pytest.raises(ValidationError, match="already"):
        other.update(name="KITCHENS", by=by)
    with pytest.raises(ValidationError):
        business.contact_labels.get(pk=other.pk).update(tint=9, by=by)


def test_a_deleted_label_comes_off_its_contacts_and_is_told(business, staff, manager):
    label = ContactLabel.find_or_create(business, "Kitchen", by=actor(staff))
    contact = make_contact(business, labels=[label])
    with pytest.raises(PermissionDenied):
        label.delete_everywhere(by=actor(staff))
    label.delete_everywhere(by=actor(manager))
    assert list(contact.labels.all()) == []
    event = business.events.first()
    assert (event.name, event.details) == ("contact_label.deleted", {"label": "Kitchen", "contacts": 1})


def test_a_label_of_another_business_is_a_bug(business):
    theirs = make_business()
    label = ContactLabel.objects.create(business=theirs, key="x", name="x")
    with pytest.raises(ValueError, match="another business"):
        make_contact(business, labels=[label])


def test_long_texts_have_an_end_whoever_writes_them(business, owner):
    for parts in ({"notes": "x" * 20_001}, {"addresses": [("x" * 1001, "")]}):
        with pytest.raises(ValidationError):
            make_contact(business, by=actor(owner), **parts)
