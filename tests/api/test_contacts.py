"""Contacts over the API: made, read, changed, deleted, found by an outside system's id."""

import datetime as dt
import uuid
from functools import partial

import pytest

from accounts.actor import Actor
from contacts.models import Contact, ContactLabel
from tests.api.program import program_of
from tests.at_once import at_once
from tests.factories import actor, make_business, make_card, make_contact

pytestmark = pytest.mark.django_db
CONTACTS = "/contacts/v4/contacts"

FULL = {
    "name": {"first": "Ines", "last": "Brunet"},
    "emails": {
        "items": [
            {"email": "shop@example.org", "tag": "WORK"},
            {"email": "Ines@example.org", "tag": "HOME", "primary": True},
        ]
    },
    "phones": {"items": [{"phone": "+31 20 555 0147", "tag": "MOBILE", "countryCode": "NL"}, {"phone": "020 777"}]},
    "addresses": {
        "items": [
            {
                "tag": "BILLING",
                "address": {"addressLine": "Prinsengracht 88", "postalCode": "1015 DZ", "city": "Amsterdam"},
            }
        ]
    },
    "company": "Crust & Co.",
    "jobTitle": "Baker",
    "birthdate": "1980-02-29",
    "locale": "nl-NL",
    "extendedFields": {"items": {"custom.shoe": 38, "vip": True, "hat": "M"}},
    "notes": "Likes **oak**",
    "source": "Fair",
    "externalId": "crm-7",
}


def at(contact) -> str:
    return f"{CONTACTS}/{getattr(contact, 'pk', contact)}"


def made(program, **info) -> dict:
    answer = program.post(CONTACTS, {"info": info})
    assert answer.status == 200, answer.body
    return answer.body["contact"]


def four_at_once(member, ask) -> list:
    """Let four programs ask at the same moment; return what they were answered."""
    return at_once(*[partial(ask, program_of(member)) for _ in range(4)])


# Making -----------------------------------------------------------------------------------------------


def test_a_contact_is_made_with_everything_a_program_knows_of_it(program, business, owner):
    ContactLabel.find_or_create(business, "VIP", by=actor(owner))
    answer = program.post(CONTACTS, {"info": FULL | {"labelKeys": {"items": ["custom.vip"]}}})
    assert answer.status == 200
    contact = answer.body["contact"]
    assert program.get(at(contact["id"])).body == answer.body
    assert answer.headers["ETag"] == '"1"'
    assert contact["revision"] == 1
    assert contact["source"] == {"sourceType": "OTHER"}
    assert contact["lastActivity"] == {"activityDate": contact["updatedDate"], "activityType": "CONTACT_CREATED"}
    assert contact["createdDate"].endswith("Z")
    assert contact["primaryInfo"] == {"email": "ines@example.org", "phone": "+31 20 555 0147"}
    info = contact["info"]
    ids = [item.pop("id") for part in ("emails", "phones", "addresses") for item in info[part]["items"]]
    assert len({uuid.UUID(one) for one in ids}) == 5
    assert info == {
        "name": {"first": "Ines", "last": "Brunet"},
        "emails": {
            "items": [
                {"tag": "HOME", "email": "ines@example.org", "primary": True},
                {"tag": "WORK", "email": "shop@example.org", "primary": False},
            ]
        },
        "phones": {
            "items": [
                {
                    "tag": "MOBILE",
                    "countryCode": "NL",
                    "phone": "+31 20 555 0147",
                    "e164Phone": "+31205550147",
                    "primary": True,
                },
                {"tag": "UNTAGGED", "phone": "020 777", "primary": False},
            ]
        },
        "addresses": {
            "items": [{"tag": "BILLING", "address": {"formattedAddress": "Prinsengracht 88\n1015 DZ Amsterdam"}}]
        },
        "labelKeys": {"items": ["custom.vip"]},
        "extendedFields": {"items": {"custom.shoe": 38, "vip": True, "hat": "M"}},
        "company": "Crust & Co.",
        "jobTitle": "Baker",
        "birthdate": "1980-02-29",
        "locale": "nl-NL",
        "notes": "Likes **oak**",
        "source": "Fair",
        "externalId": "crm-7",
    }
    assert business.events.first().actor_kind == "token"


def test_what_is_not_set_is_left_out_and_lists_are_there_empty(program):
    contact = made(program, name={"first": "Ines"})
    assert contact["primaryInfo"] == {}
    assert contact["info"] == {
        "name": {"first": "Ines"},
        "emails": {"items": []},
        "phones": {"items": []},
        "addresses": {"items": []},
        "labelKeys": {"items": []},
        "extendedFields": {"items": {}},
    }


def test_an_item_keeps_its_id_whatever_else_changes(program):
    contact = made(program, emails={"items": [{"email": "a@example.org"}]})
    change = {"emails": {"items": [{"email": "b@example.org"}, {"email": "a@example.org", "tag": "WORK"}]}}
    now = program.patch(at(contact["id"]), {"revision": 1, "info": change}).body["contact"]
    ids = {item["email"]: item["id"] for item in now["info"]["emails"]["items"]}
    assert ids["a@example.org"] == contact["info"]["emails"]["items"][0]["id"]
    assert ids["b@example.org"] != ids["a@example.org"]


def test_without_anything_to_know_somebody_by_there_is_no_contact(program):
    for info in ({}, {"notes": "somebody"}, {"name": {"first": " "}}, {"emails": {"items": []}}):
        answer = program.post(CONTACTS, {"info": info})
        assert (answer.status, answer.code) == (400, "INSUFFICIENT_CONTACT_DATA")
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    ("info", "wrong"),
    [
        ({"name": {"first": "x" * 1001}}, {"info.name.first": "MAX_LENGTH"}),
        ({"company": "x" * 1001}, {"info.company": "MAX_LENGTH"}),
        ({"emails": {"items": [{"email": f"{'x' * 320}@a.de"}]}}, {"info.emails.items.0.email": "MAX_LENGTH"}),
        ({"emails": {"items": [{"email": "nobody"}]}}, {"info.emails.items.0.email": "FORMAT"}),
        ({"emails": {"items": [{"email": "a@b.de", "tag": "FAX"}]}}, {"info.emails.items.0.tag": "FORMAT"}),
        ({"phones": {"items": [{"phone": "1" * 51}]}}, {"info.phones.items.0.phone": "MAX_LENGTH"}),
        ({"emails": {"items": [{"email": f"{n}@b.de"} for n in range(51)]}}, {"info.emails.items": "MAX_LENGTH"}),
        ({"name": {"first": "x"}, "birthdate": "1980-02-30"}, {"info.birthdate": "FORMAT"}),
        ({"name": {"first": "x"}, "birthdate": "2999-01-01"}, {"info.birthdate": "BIRTHDATE"}),
        ({"name": {"first": "x"}, "locale": "Dutch, really"}, {"info.locale": "FORMAT"}),
        ({"name": {"first": "x"}, "picture": {"id": "7"}}, {"info.picture": "UNKNOWN_FIELD"}),
        ({"name": {"first": "x", "middle": "y"}}, {"info.name.middle": "UNKNOWN_FIELD"}),
        ({"name": {"first": "x"}, "extendedFields": {"items": {"a b": 1}}}, {"info.extendedFields.items": "EXTENDED"}),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_made(program, info, wrong):
    answer = program.post(CONTACTS, {"info": info})
    assert answer.status == 400
    assert answer.fields == wrong
    assert not Contact.objects.exists()


def test_a_label_that_does_not_exist_is_not_put_on(program):
    answer = program.post(CONTACTS, {"info": {"name": {"first": "x"}, "labelKeys": {"items": ["custom.x"]}}})
    assert (answer.status, answer.code) == (404, "LABEL_NOT_FOUND")
    assert not Contact.objects.exists()


def test_only_one_can_be_primary(program):
    two = [{"email": f"{n}@example.org", "primary": True} for n in range(2)]
    answer = program.post(CONTACTS, {"info": {"emails": {"items": two}}})
    assert (answer.status, answer.code) == (400, "CANNOT_HAVE_MULTIPLE_PRIMARY_INFO")


def test_an_e_mail_in_use_refuses_and_says_whose_it_is(program, business):
    known = make_contact(business, emails=[("a@example.org", "")], phones=[("020 555", "")])
    for info in (
        {"emails": {"items": [{"email": "A@example.org"}]}},
        {"phones": {"items": [{"phone": "(020) 555"}]}},
    ):
        answer = program.post(CONTACTS, {"info": info})
        assert (answer.status, answer.code) == (409, "DUPLICATE_CONTACT_EXISTS")
        assert answer.data["duplicateContactId"] == str(known.pk)
        assert program.post(CONTACTS, {"info": info, "allowDuplicates": True}).status == 200
    both = {"emails": {"items": [{"email": "b@example.org"}]}, "phones": {"items": [{"phone": "020 555"}]}}
    assert program.post(CONTACTS, {"info": both}).status == 200


def test_under_an_idempotency_key_one_contact_is_made(program, business):
    body = {"info": {"name": {"first": "Ines"}}}
    first, again = (program.post(CONTACTS, body, Idempotency_Key="k-1") for _ in range(2))
    assert first.body == again.body
    assert again.headers["Idempotency-Replayed"] == "true"
    other = program.post(CONTACTS, {"info": {"name": {"first": "Ada"}}}, Idempotency_Key="k-1")
    assert (other.status, other.code) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert business.contacts.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "ask",
    [
        lambda program: program.post(CONTACTS, {"info": {"emails": {"items": [{"email": "race@example.org"}]}}}),
        lambda program: program.post(CONTACTS, {"info": {"name": {"first": "Ines"}, "externalId": "crm-1"}}),
    ],
)
def test_of_several_at_the_same_moment_one_is_made_and_the_others_refused(owner, business, ask):
    assert sorted(answer.status for answer in four_at_once(owner, ask)) == [200, 409, 409, 409]
    assert business.contacts.count() == 1


# Reading ----------------------------------------------------------------------------------------------


def test_only_what_is_wanted_is_answered(program):
    contact = made(program, **FULL)
    got = program.get(f"{at(contact['id'])}?fields=info.name.first&fields=primaryInfo").body["contact"]
    assert got == {
        "id": contact["id"],
        "revision": 1,
        "info": {"name": {"first": "Ines"}},
        "primaryInfo": {"email": "ines@example.org", "phone": "+31 20 555 0147"},
    }
    basic = program.get(f"{at(contact['id'])}?fieldsets=BASIC").body["contact"]
    assert set(basic) == {"id", "revision", "info", "primaryInfo"}
    assert program.get(f"{at(contact['id'])}?fieldsets=FULL&fields=id").body["contact"] == contact
    answer = program.get(f"{at(contact['id'])}?fields=info.secret")
    assert (answer.status, answer.code) == (400, "UNSUPPORTED_FIELD")


def test_an_archived_contact_can_be_got_but_not_changed(program, business, owner):
    contact = make_contact(business)
    contact.archive(by=actor(owner))
    assert program.get(at(contact)).body["contact"]["archivedDate"].endswith("Z")
    answer = program.patch(at(contact), {"revision": 2, "info": {"company": "Oak"}})
    assert (answer.status, answer.code) == (409, "CONTACT_ARCHIVED")


# Changing ---------------------------------------------------------------------------------------------


def test_only_what_is_sent_changes_and_null_empties(program):
    contact = made(program, **FULL)
    answer = program.patch(at(contact["id"]), {"revision": 1, "info": {"company": None, "name": {"last": "Roig"}}})
    assert answer.status == 200
    now = answer.body["contact"]
    assert (now["revision"], answer.headers["ETag"]) == (2, '"2"')
    assert now["lastActivity"]["activityType"] == "GENERAL"
    before = contact["info"]
    assert now["info"] == {key: before[key] for key in before if key != "company"} | {
        "name": {"first": "Ines", "last": "Roig"}
    }
    now = program.patch(
        at(contact["id"]), {"revision": 2, "info": {"birthdate": None, "emails": None, "phones": {"items": []}}}
    ).body["contact"]
    assert "birthdate" not in now["info"]
    assert now["primaryInfo"] == {}


def test_extended_fields_of_others_stay(program):
    contact = made(program, **FULL)
    change = {"extendedFields": {"items": {"hat": None, "coat": "L"}}}
    now = program.patch(at(contact["id"]), {"revision": 1, "info": change}).body["contact"]
    assert now["info"]["extendedFields"]["items"] == {"custom.shoe": 38, "vip": True, "coat": "L"}
    now = program.patch(at(contact["id"]), {"revision": 2, "info": {"extendedFields": None}}).body["contact"]
    assert now["info"]["extendedFields"]["items"] == {}


def test_an_old_revision_is_refused_with_the_present_contact(program, business, owner):
    contact = make_contact(business)
    contact.update(company="Hers", by=actor(owner))
    answer = program.patch(at(contact), {"revision": 1, "info": {"company": "Ours"}})
    assert (answer.status, answer.code) == (409, "CONTACT_ALREADY_CHANGED")
    assert answer.data["contact"]["revision"] == 2
    assert answer.data["contact"]["info"]["company"] == "Hers"
    answer = program.patch(at(contact), {"info": {"company": "Ours"}}, If_Match='"1"')
    assert (answer.status, answer.code) == (412, "CONTACT_ALREADY_CHANGED")
    assert program.patch(at(contact), {"info": {"company": "Ours"}}, If_Match='"2"').status == 200


def test_an_update_must_say_what_was_read(program, business):
    answer = program.patch(at(make_contact(business)), {"info": {"company": "Ours"}})
    assert (answer.status, answer.fields) == (400, {"revision": "REQUIRED"})


def test_an_update_to_somebody_elses_mail_is_a_duplicate_too(program, business):
    known = make_contact(business, emails=[("a@example.org", "")])
    other = make_contact(business, emails=[("b@example.org", "")])
    body = {"revision": 1, "info": {"emails": {"items": [{"email": "a@example.org"}]}}}
    answer = program.patch(at(other), body)
    assert (answer.status, answer.code, answer.data["duplicateContactId"]) == (
        409,
        "DUPLICATE_CONTACT_EXISTS",
        str(known.pk),
    )
    assert program.patch(at(other), body | {"allowDuplicates": True}).status == 200


# Deleting ---------------------------------------------------------------------------------------------


def test_deleting_is_final_told_as_archived_and_deleted_and_leaves_the_cards(program, business, workflow):
    contact = make_contact(business)
    card = make_card(workflow.phases.first(), contact=contact)
    assert (program.delete(at(contact)).status, program.get(at(contact)).status) == (200, 404)
    card.refresh_from_db()
    assert card.contact_id is None
    told = list(business.events.filter(subject_id=contact.pk).order_by("sequence").values_list("name", flat=True))
    assert told[-2:] == ["contact.archived", "contact.deleted"]
    answer = program.delete(at(contact))
    assert (answer.status, answer.code) == (404, "CONTACT_NOT_FOUND")


def test_what_was_changed_since_is_not_deleted(program, business, owner):
    contact = make_contact(business)
    contact.update(company="Hers", by=actor(owner))
    assert program.delete(at(contact), If_Match='"1"').status == 412
    assert business.contacts.get().archived_at is None


# External ids -----------------------------------------------------------------------------------------


def test_what_another_system_calls_so_is_made_then_changed(program, business):
    path = f"{CONTACTS}/by-external-id/crm/7 a"
    first = program.put(path, {"info": {"name": {"first": "Ines"}, "company": "Oak"}})
    assert (first.status, first.body["created"]) == (200, True)
    again = program.put(path, {"info": {"name": {"first": "Inés"}}})
    assert again.body == {"id": first.body["id"], "created": False}
    got = program.get(path)
    assert got.body["contact"]["info"]["name"] == {"first": "Inés"}
    assert got.body["contact"]["info"]["company"] == "Oak"
    assert got.body["contact"]["info"]["externalId"] == "crm/7 a"
    assert program.get(f"{CONTACTS}/by-external-id/crm/8").code == "CONTACT_NOT_FOUND"
    listed = program.get(f"{CONTACTS}?externalId=crm/7 a").body["contacts"]
    assert [one["id"] for one in listed] == [first.body["id"]]
    assert business.contacts.count() == 1


def test_an_external_id_that_is_taken_is_refused(program, business):
    make_contact(business, external_id="crm-7")
    other = make_contact(business)
    for answer in (
        program.post(CONTACTS, {"info": {"company": "Oak", "externalId": "crm-7"}}),
        program.patch(at(other), {"revision": 1, "info": {"externalId": "crm-7"}}),
    ):
        assert (answer.status, answer.code) == (409, "EXTERNAL_ID_TAKEN")


def test_an_archived_contact_is_not_changed_by_a_put(program, business, owner):
    make_contact(business, external_id="crm-7").archive(by=actor(owner))
    answer = program.put(f"{CONTACTS}/by-external-id/crm-7", {"info": {"company": "Oak"}})
    assert (answer.status, answer.code) == (409, "CONTACT_ARCHIVED")


def test_a_put_does_not_make_a_second_card_of_somebody_known(program, business):
    known = make_contact(business, emails=[("a@example.org", "")])
    answer = program.put(
        f"{CONTACTS}/by-external-id/crm-7", {"info": {"emails": {"items": [{"email": "a@example.org"}]}}}
    )
    assert (answer.code, answer.data["duplicateContactId"]) == ("DUPLICATE_CONTACT_EXISTS", str(known.pk))


@pytest.mark.django_db(transaction=True)
def test_two_puts_at_the_same_moment_make_one_contact(owner, business):
    answers = four_at_once(
        owner, lambda program: program.put(f"{CONTACTS}/by-external-id/7", {"info": {"company": "Oak"}})
    )
    assert [answer.status for answer in answers] == [200] * 4
    assert sum(answer.body["created"] for answer in answers) == 1
    assert business.contacts.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_several_who_delete_at_the_same_moment_one_does(owner, business):
    contact = make_contact(business)
    statuses = sorted(answer.status for answer in four_at_once(owner, lambda program: program.delete(at(contact))))
    assert statuses[0] == 200
    assert set(statuses[1:]) <= {404, 409}
    assert business.events.filter(name="contact.deleted").count() == 1


# Doors ------------------------------------------------------------------------------------------------

OPERATIONS = [
    ("GET", "", None, "CONTACT_VIEW"),
    ("POST", "", {"info": {"company": "Oak"}}, "CONTACT_MANAGE"),
    ("POST", "/query", {}, "CONTACT_VIEW"),
    ("GET", "/{id}", None, "CONTACT_VIEW"),
    ("PATCH", "/{id}", {"revision": 1, "info": {"company": "Oak"}}, "CONTACT_MANAGE"),
    ("DELETE", "/{id}", None, "CONTACT_MANAGE"),
    ("GET", "/by-external-id/crm-7", None, "CONTACT_VIEW"),
    ("PUT", "/by-external-id/crm-7", {"info": {"company": "Oak"}}, "CONTACT_MANAGE"),
    ("POST", "/{id}/labels", {"labelKeys": []}, "CONTACT_MANAGE"),
    ("DELETE", "/{id}/labels", {"labelKeys": []}, "CONTACT_MANAGE"),
    ("POST", "/{id}/merge", {"targetContactRevision": 1, "sourceContactIds": ["{other}"]}, "CONTACT_MANAGE"),
    ("POST", "/{id}/preview-merge", {"sourceContactIds": ["{other}"]}, "CONTACT_VIEW"),
]


@pytest.mark.parametrize(("method", "path", "body", "scope"), OPERATIONS)
def test_each_operation_asks_for_its_scope_and_no_other(business, owner, method, path, body, scope):
    contact = make_contact(business, external_id="crm-7")
    other = make_contact(business)
    path = CONTACTS + path.replace("{id}", str(contact.pk))
    body = body and {key: [str(other.pk)] if value == ["{other}"] else value for key, value in body.items()}
    others = [one for one in ("CONTACT_VIEW", "CONTACT_MANAGE", "CARD_MANAGE") if one != scope]
    refused = program_of(owner, *others)(method, path, body)
    assert (refused.status, refused.code) == (403, "PERMISSION_DENIED")
    assert program_of(owner, scope)(method, path, body).status == 200


@pytest.mark.parametrize(("method", "path", "body", "scope"), [one for one in OPERATIONS if "{id}" in one[1]])
def test_a_token_of_another_business_finds_nothing(business, foreigner, stranger, method, path, body, scope):
    contact = make_contact(business)
    own = make_contact(stranger.business)
    body = body and {key: [str(own.pk)] if value == ["{other}"] else value for key, value in body.items()}
    answer = foreigner(method, CONTACTS + path.replace("{id}", str(contact.pk)), body)
    assert (answer.status, answer.code) == (404, "CONTACT_NOT_FOUND")
    assert business.contacts.get().revision == 1


def test_what_only_a_manager_may_a_program_of_staff_may_not(business, staff):
    contact = make_contact(business)
    program = program_of(staff)
    assert program.delete(at(contact)).status == 403
    body = {"targetContactRevision": 1, "sourceContactIds": [str(make_contact(business).pk)]}
    assert program.post(f"{at(contact)}/merge", body).status == 403
    assert program.post(CONTACTS, {"info": {"company": "Oak"}}).status == 200


# Lists ------------------------------------------------------------------------------------------------


@pytest.fixture
def three(business, owner):
    """Ada, Ben and Cem, made in this order."""
    ContactLabel.find_or_create(business, "VIP", by=actor(owner))
    names = [("Ada", "Zuse", "a@example.org"), ("Ben", "Young", "b@example.org"), ("Cem", "Xu", "c@example.org")]
    for day, (given, family, email) in enumerate(names, start=1):
        contact = make_contact(business, given, family, emails=[(email, "")], labels=["VIP"] if day == 1 else [])
        Contact.objects.filter(pk=contact.pk).update(created_at=dt.datetime(2020, 5, day, tzinfo=dt.UTC))
    make_contact(make_business(), "Foreign")


def names(answer) -> list[str]:
    assert answer.status == 200, answer.body
    return [contact["info"]["name"]["first"] for contact in answer.body["contacts"]]


def test_the_newest_come_first_unless_asked_otherwise(program, three):
    assert names(program.get(CONTACTS)) == ["Cem", "Ben", "Ada"]
    assert names(program.get(f"{CONTACTS}?sort.fieldName=info.name.first&sort.order=ASC")) == ["Ada", "Ben", "Cem"]
    assert names(program.get(f"{CONTACTS}?sort.fieldName=info.name.last&sort.order=ASC")) == ["Cem", "Ben", "Ada"]
    assert names(program.post(f"{CONTACTS}/query", {})) == ["Cem", "Ben", "Ada"]
    query = {"sort": [{"fieldName": "primaryInfo.email"}]}
    assert names(program.post(f"{CONTACTS}/query", {"query": query})) == ["Ada", "Ben", "Cem"]
    query = {"sort": {"fieldName": "info.name.last", "order": "ASC"}}
    assert names(program.post(f"{CONTACTS}/query", {"query": query})) == ["Cem", "Ben", "Ada"]


def test_a_list_comes_in_parts_and_says_how_many_there_are(program, three):
    answer = program.get(f"{CONTACTS}?paging.limit=2&paging.offset=2")
    assert names(answer) == ["Ada"]
    assert answer.body["pagingMetadata"] == {"count": 1, "offset": 2, "total": 3}
    answer = program.post(f"{CONTACTS}/query", {"query": {"paging": {"limit": 1, "offset": 1}}})
    assert names(answer) == ["Ben"]
    assert answer.body["pagingMetadata"] == {"count": 1, "offset": 1, "total": 3}
    for query, count in (("limit=0", 0), ("limit=3", 3), ("limit=4", 3), ("offset=3", 0), ("offset=9", 0)):
        answer = program.get(f"{CONTACTS}?paging.{query}")
        assert (len(names(answer)), answer.body["pagingMetadata"]["total"]) == (count, 3)


def test_a_page_has_an_end(program):
    for answer in (
        program.get(f"{CONTACTS}?paging.limit=1001"),
        program.get(f"{CONTACTS}?paging.limit=-1"),
        program.get(f"{CONTACTS}?paging.offset=-1"),
        program.get(f"{CONTACTS}?paging.offset={2**70}"),
        program.post(f"{CONTACTS}/query", {"query": {"paging": {"limit": 1001}}}),
    ):
        assert (answer.status, answer.code) == (400, "ILLEGAL_LIMIT")
    for answer in (
        program.get(f"{CONTACTS}?sort.fieldName=info.notes"),
        program.post(f"{CONTACTS}/query", {"query": {"sort": [{"fieldName": "business__slug"}]}}),
    ):
        assert (answer.status, answer.code) == (400, "UNSUPPORTED_SORT_FIELD")


def test_archived_contacts_are_listed_by_themselves(program, business, three, owner):
    business.contacts.get(given_name="Ben").archive(by=actor(owner))
    assert names(program.get(CONTACTS)) == ["Cem", "Ada"]
    assert names(program.get(f"{CONTACTS}?fetchArchived=true")) == ["Ben"]
    assert names(program.post(f"{CONTACTS}/query", {"fetchArchived": True})) == ["Ben"]


def test_words_and_filters_narrow_a_query(program, three):
    def ask(**body):
        return names(program.post(f"{CONTACTS}/query", body))

    assert ask(search="zuse ada") == ["Ada"]
    assert ask(search="B@EXAMPLE") == ["Ben"]
    assert ask(query={"filter": {"info.labelKeys.items": {"$hasSome": ["custom.vip"]}}}) == ["Ada"]
    assert ask(query={"filter": {"createdDate": {"$gte": "2020-05-02T00:00:00Z"}}}) == ["Cem", "Ben"]
    assert ask(search="c@", query={"filter": {"info.name.first": {"$ne": "Ada"}}}) == ["Cem"]
    assert ask(query={"filter": {"$or": [{"primaryInfo.email": "a@example.org"}, {"info.name.last": "Xu"}]}}) == [
        "Cem",
        "Ada",
    ]
    wanted = {"query": {"fields": ["info.name.first"], "filter": {"info.name.first": "Ada"}}}
    (contact,) = program.post(f"{CONTACTS}/query", wanted).body["contacts"]
    assert set(contact) == {"id", "revision", "info"}


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ([], "MALFORMED_FILTER"),
        (None, "MALFORMED_FILTER"),
        ({"$or": {}}, "MALFORMED_FILTER"),
        ({"business": "x"}, "UNSUPPORTED_FILTER_FIELD"),
        ({"info.company": {"$like": "x"}}, "UNSUPPORTED_FILTER_OPERATOR"),
        ({"id": "x"}, "UNSUPPORTED_FILTER_VALUE"),
    ],
)
def test_what_is_no_filter_is_refused_with_its_code(program, document, code):
    answer = program.post(f"{CONTACTS}/query", {"query": {"filter": document}})
    assert (answer.status, answer.code) == (400, code)


def test_a_search_is_not_endless(program):
    answer = program.post(f"{CONTACTS}/query", {"search": "x" * 101})
    assert (answer.status, answer.fields) == (400, {"search": "MAX_LENGTH"})


def test_a_page_asks_the_same_number_of_questions_however_many_contacts(
    program, business, django_assert_num_queries, owner
):
    program.get(CONTACTS)  # the token's last use is written once a minute
    for count in (1, 12):
        for number in range(count):
            make_contact(business, emails=[(f"{count}-{number}@example.org", "")], phones=[("020", "")], labels=["VIP"])
        # The token and its maker; the page, its e-mails, phones, addresses and labels; the count, where the page is full.
        with django_assert_num_queries(7):
            program.get(CONTACTS)
        with django_assert_num_queries(7):
            program.post(f"{CONTACTS}/query", {"search": "ines"})
        with django_assert_num_queries(8):
            program.get(f"{CONTACTS}?paging.limit={count}")


# Labels of a contact ----------------------------------------------------------------------------------


def test_labels_are_put_on_and_taken_off(program, business, owner):
    for name in ("VIP", "Press"):
        ContactLabel.find_or_create(business, name, by=actor(owner))
    contact = make_contact(business, labels=["VIP"])
    answer = program.post(f"{at(contact)}/labels", {"labelKeys": ["custom.press"]})
    assert answer.body["contact"]["info"]["labelKeys"]["items"] == ["custom.press", "custom.vip"]
    assert answer.body["contact"]["revision"] == 2
    answer = program.delete(f"{at(contact)}/labels", {"labelKeys": ["custom.press", "custom.vip"]})
    assert answer.body["contact"]["info"]["labelKeys"]["items"] == []
    answer = program.post(f"{at(contact)}/labels", {"labelKeys": ["custom.none"]})
    assert (answer.status, answer.code) == (404, "LABEL_NOT_FOUND")
    assert program.post(f"{at(contact)}/labels", {"labelKeys": []}, If_Match='"1"').status == 412


# Merging ----------------------------------------------------------------------------------------------


def test_a_merge_is_previewed_then_made_and_the_source_leads_to_the_target(program, business, workflow):
    target = make_contact(business, emails=[("a@example.org", "")])
    source = make_contact(business, "Inés", company="Oak", emails=[("b@example.org", "")])
    card = make_card(workflow.phases.first(), contact=source)
    body = {"targetContactRevision": 1, "sourceContactIds": [str(source.pk)]}
    preview = program.post(f"{at(target)}/preview-merge", body).body["contact"]
    assert business.contacts.count() == 2
    answer = program.post(f"{at(target)}/merge", body)
    assert answer.status == 200
    assert answer.body["contact"]["info"] == preview["info"]
    assert [item["email"] for item in preview["info"]["emails"]["items"]] == ["a@example.org", "b@example.org"]
    card.refresh_from_db()
    assert card.contact_id == target.pk
    assert program.get(at(source)).body["contact"]["id"] == str(target.pk)
    assert program.patch(at(source), {"revision": 1, "info": {}}).status == 404


def test_a_merge_that_cannot_be_is_refused(program, business, owner):
    target, source = make_contact(business), make_contact(business)

    def merge(**body):
        return program.post(f"{at(target)}/merge", {"targetContactRevision": 1} | body)

    assert merge(sourceContactIds=[str(target.pk)]).code == "ILLEGAL_SOURCE_CONTACTS"
    assert merge(sourceContactIds=[str(source.pk)] * 2).code == "ILLEGAL_SOURCE_CONTACTS"
    assert merge(sourceContactIds=[str(uuid.uuid4())]).code == "CONTACT_NOT_FOUND"
    assert merge(sourceContactIds=[]).fields == {"sourceContactIds": "TOO_SHORT"}
    assert merge(sourceContactIds=[str(source.pk)], targetContactRevision=None).fields == {
        "targetContactRevision": "REQUIRED"
    }
    target.update(company="Oak", by=actor(owner))
    stale = merge(sourceContactIds=[str(source.pk)])
    assert (stale.status, stale.code) == (409, "CONTACT_ALREADY_CHANGED")
    assert stale.data["contact"]["revision"] == 2
    assert business.contacts.count() == 2


# Many at once -----------------------------------------------------------------------------------------

BULK = "/contacts/v4/bulk/contacts"


def outcomes(answer) -> list:
    assert answer.status == 200, answer.body
    items = [one["itemMetadata"] for one in answer.body["results"]]
    return [True if one["success"] else one["error"]["details"]["applicationError"]["code"] for one in items]


def test_many_are_deleted_each_by_itself(program, business):
    ids = [str(make_contact(business).pk) for _ in range(2)] + [str(uuid.uuid4())]
    answer = program.post(f"{BULK}/delete", {"contactIds": ids}, Idempotency_Key="k")
    assert outcomes(answer) == [True, True, "CONTACT_NOT_FOUND"]
    assert answer.body["bulkActionMetadata"] == {"totalSuccesses": 2, "totalFailures": 1}
    assert not business.contacts.exists()
    again = program.post(f"{BULK}/delete", {"contactIds": ids}, Idempotency_Key="k")
    assert again.body["results"][:2] == answer.body["results"][:2]


def test_many_are_changed_each_by_itself(program, business, owner):
    one, two, three = (make_contact(business, emails=[(f"{n}@example.org", "")]) for n in range(3))
    two.update(company="Hers", by=actor(owner))
    info = {"company": "Oak"}
    taken = {"emails": {"items": [{"email": "0@example.org"}]}}
    changes = [
        {"id": str(one.pk), "info": info},
        {"id": str(two.pk), "revision": 1, "info": info},
        {"id": str(three.pk), "info": taken},
    ]
    answer = program.post(f"{BULK}/update", {"contacts": changes})
    assert outcomes(answer) == [True, "CONTACT_ALREADY_CHANGED", "DUPLICATE_CONTACT_EXISTS"]
    assert [item["itemMetadata"]["id"] for item in answer.body["results"]] == [str(c.pk) for c in (one, two, three)]
    assert sorted(business.contacts.values_list("company", flat=True)) == ["", "Hers", "Oak"]


def test_many_are_labelled_at_once(program, business, owner):
    for name in ("VIP", "Press"):
        ContactLabel.find_or_create(business, name, by=actor(owner))
    ids = [str(make_contact(business, labels=["VIP"]).pk) for _ in range(2)]
    body = {"contactIds": ids, "labelKeysToAdd": ["custom.press"], "labelKeysToRemove": ["custom.vip"]}
    assert outcomes(program.post(f"{BULK}/add-remove-labels", body)) == [True, True]
    assert {tuple(c.labels.values_list("name", flat=True)) for c in business.contacts.all()} == {("Press",)}
    body["labelKeysToAdd"] = ["custom.none"]
    assert program.post(f"{BULK}/add-remove-labels", body).code == "LABEL_NOT_FOUND"


def test_a_bulk_has_an_end_and_takes_no_filter(program):
    many = [str(uuid.uuid4()) for _ in range(501)]
    assert program.post(f"{BULK}/delete", {"contactIds": many}).fields == {"contactIds": "MAX_LENGTH"}
    answer = program.post(f"{BULK}/delete", {"filter": {"info.company": "Oak"}})
    assert answer.fields["filter"] == "UNKNOWN_FIELD"


def test_bulks_ask_for_the_scope_and_reach_no_other_business(business, owner, foreigner):
    contact = make_contact(business)
    bodies = {
        "delete": {"contactIds": [str(contact.pk)]},
        "update": {"contacts": [{"id": str(contact.pk), "info": {"company": "x"}}]},
        "add-remove-labels": {"contactIds": [str(contact.pk)]},
    }
    looking = program_of(owner, "CONTACT_VIEW")
    for name, body in bodies.items():
        assert looking.post(f"{BULK}/{name}", body).status == 403
        assert outcomes(foreigner.post(f"{BULK}/{name}", body)) == ["CONTACT_NOT_FOUND"]
    assert business.contacts.get().revision == 1


def test_the_actor_of_a_programs_change_is_its_token(program, business):
    contact = made(program, company="Oak")
    event = business.events.get(subject_id=contact["id"])
    assert (event.actor_kind, event.actor_name) == ("token", "CRM")
    assert Actor.system(business).kind != event.actor_kind


def test_a_star_says_that_any_revision_will_do(program, business):
    contact = make_contact(business)
    path = f"/contacts/v4/contacts/{contact.pk}"
    assert program.patch(path, {"info": {"company": "Oak & Sons"}}).status == 400
    assert program.patch(path, {"info": {"company": "Oak & Sons"}}, If_Match="*").status == 200
