"""The verbs of a contact: made, changed, put away, brought back, deleted."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

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
        {"given_name": "x" * 1001},
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


# What programs keep --------------------------------------------------------------------------------------


def test_birthday_language_and_extended_fields_are_kept_and_told(business, staff):
    contact = make_contact(business)
    contact.update(
        birthdate=dt.date(1980, 2, 29), locale="pt-BR", extended={"custom.shoe": 38, "vip": True}, by=actor(staff)
    )
    event = Event.objects.about(contact).first()
    assert event.details["after"] == {
        "locale": "pt-BR",
        "birthdate": "1980-02-29",
        "extended": {"custom.shoe": 38, "vip": True},
    }
    lines = contact.history(1)[0][0].changes
    assert ("birthdate", "nothing", "1980-02-29") in lines
    assert ("extended", "nothing", "custom.shoe: 38, vip: True") in lines


def test_what_a_program_may_not_keep_is_refused(business, staff):
    contact = make_contact(business)
    for bad in (
        {"birthdate": timezone.localdate() + dt.timedelta(days=1)},
        {"locale": "Portuguese (Brazil)"},
        {"extended": {"": 1}},
        {"extended": {"a\x00": 1}},
        {"extended": {"a": None}},
        {"extended": {"a": [1]}},
        {"extended": {"a": float("inf")}},
        {"extended": {"a": 2**60}},
        {"extended": {"a": "x" * 1001}},
        {"extended": {f"f{n}": n for n in range(101)}},
        {"extended": ["a"]},
        {"emails": [(f"{n}@example.org", "") for n in range(51)]},
        {"phones": [("020 555", "", "Netherlands")]},
    ):
        with pytest.raises(ValidationError):
            business.contacts.get().update(by=actor(staff), **bad)
    assert business.contacts.get().revision == contact.revision


def test_a_number_written_for_the_whole_world_is_known_as_such(business):
    contact = make_contact(business, phones=[("+44 (0)20 7946 0018", ""), ("0031 20 555 0147", ""), ("020 7946", "")])
    assert [phone.e164 for phone in contact.phones.all()] == ["+442079460018", "+31205550147", ""]
    assert [phone.link for phone in contact.phones.all()] == ["tel:+442079460018", "tel:+31205550147", "tel:0207946"]


def test_a_numbers_country_stays_until_another_is_given(business, staff):
    contact = make_contact(business, phones=[("020 555", "", "NL")])
    contact.update(phones=[("020 555", "work"), ("020 777", "")], by=actor(staff))
    assert list(contact.phones.values_list("phone", "country")) == [("020 555", "NL"), ("020 777", "")]
    contact.update(phones=[("020 555", "work", "GB")], by=actor(staff))
    assert Event.objects.about(contact).first().details["after"]["phones"] == ["020 555 (work, GB)"]


def test_only_if_new_a_mail_somebody_has_is_refused_with_its_contact(business, staff):
    by = actor(staff)
    known = make_contact(business, emails=[("a@example.org", "")], phones=[("+31 20 555", "")])
    make = {"only_if_new": True, "by": by, "given_name": "Ada"}
    for parts in ({"emails": [("A@example.org", "")]}, {"phones": [("0031-20-555", "")]}):
        with pytest.raises(ValidationError) as refused:
            Contact.create(business, **parts, **make)
        assert (refused.value.code, refused.value.params["duplicate_contact_id"]) == ("twin", str(known.pk))
    other = Contact.create(business, emails=[("b@example.org", "")], phones=[("+31 20 555", "")], **make)
    with pytest.raises(ValidationError, match="has this e-mail or phone already"):
        other.update(emails=[("a@example.org", "")], only_if_new=True, by=by)
    other.update(phones=[("+31 20 555", "work")], only_if_new=True, by=by)
    known.archive(by=by)
    other.update(emails=[("a@example.org", "")], only_if_new=True, by=by)
    theirs = make_business()
    make_contact(theirs, emails=[("c@example.org", "")])
    assert Contact.create(business, emails=[("c@example.org", "")], **make)


def test_an_external_id_belongs_to_one_contact(business):
    make_contact(business, external_id="shop-7")
    with pytest.raises(ValidationError, match="has this external id"):
        make_contact(business, external_id=" shop-7 ")
    assert make_contact(make_business(), external_id="shop-7")


def test_labels_are_put_on_and_taken_off_beside_the_others(business, staff):
    contact = make_contact(business, labels=["VIP", "Press"])
    press, late = (
        business.contact_labels.get(name="Press"),
        ContactLabel.find_or_create(business, "Late", by=actor(staff)),
    )
    contact.relabel(add=[late], remove=[press], by=actor(staff))
    contact.relabel(add=[late], remove=[press], by=actor(staff))
    assert set(contact.labels.values_list("name", flat=True)) == {"VIP", "Late"}
    assert contact.revision == 2
    assert Event.objects.about(contact).first().details["after"] == {"labels": ["Late", "VIP"]}
