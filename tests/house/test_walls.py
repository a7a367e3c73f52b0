"""Every address under a business, everybody, both methods: made from the URL configuration, so nothing is forgotten."""

import re
import uuid

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.policy import RANK, TABLE
from tests.house.counting import queries
from tests.house.world import OPEN_TO_MEMBERS, addresses, build, grow

pytestmark = pytest.mark.django_db

ADDRESSES = addresses()
EACH = pytest.mark.parametrize("address", ADDRESSES, ids=str)
ROLES = ("viewer", "staff", "manager", "owner")

# A POST that its view's own verb allows may still be refused by the verb it calls: where → the lowest role.
STRICTER_INSIDE = {"undo": "staff"}  # taking back a change asks for the permission to make it
# What looking may write: table → why.
LOOKING_WRITES = {"boards_workflow": "when the board was last looked at, at most once a minute, no news"}


@pytest.fixture(scope="module")
def _worlds(django_db_setup, django_db_blocker):
    """Build both worlds once: a thousand tests look at them, each takes back what it did."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield build("Inside", 100), build("Outside", 500)
        transaction.set_rollback(True)


@pytest.fixture
def world(_worlds, db):
    """The business whose walls are tested."""
    return _worlds[0]


@pytest.fixture
def elsewhere(_worlds, db):
    """Another business, with rows of its own."""
    return _worlds[1]


def client_of(member=None, **headers):
    client = Client(headers=headers)
    if member:
        client.force_login(member.user)
    return client


def ask(client, method, path):
    """Send a request and take back whatever it changed."""
    with transaction.atomic():
        answer = getattr(client, method)(path)
        transaction.set_rollback(True)
    return answer


def unmarked(answer, *words):
    """Return a page without what differs each time it is shown, and without the words of its address."""
    text = answer.content.decode()
    text = re.sub(r'nonce="[^"]*"|name="csrfmiddlewaretoken" value="[^"]*"|"X-CSRFToken": "[^"]*"', "", text)
    for word in words:
        text = text.replace(word, "")
    return text


# The samples ------------------------------------------------------------------------------------------


def test_there_are_addresses_to_test():
    assert len(ADDRESSES) > 40


@pytest.mark.one_database
@EACH
def test_every_part_of_an_address_has_a_sample(address, world):
    missing = {part for part in address.parts if part != "business" and address.row(part) not in world.rows}
    assert not missing, f"tests/house/world.py does not know how to fill {missing}"


@EACH
def test_every_view_says_which_verb_it_is(address):
    verb = getattr(address.view, "verb", None)
    assert verb in TABLE or str(address) in OPEN_TO_MEMBERS, f"{address} is guarded by nothing"


# Who comes in -----------------------------------------------------------------------------------------


@pytest.mark.one_database
@EACH
@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_is_sent_to_sign_in(address, method, world):
    path = address.path(world)
    answer = ask(client_of(), method, path)
    assert answer.status_code == 302
    assert answer.url.startswith(reverse("account_login"))
    answer = ask(client_of(hx_request="true"), method, path)
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer["HX-Redirect"].startswith(reverse("account_login"))


@pytest.mark.one_database
@EACH
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_cannot_tell_a_business_from_none(address, method, world, elsewhere):
    stranger = client_of(elsewhere.people["owner"])
    path = address.path(world)
    there = ask(stranger, method, path)
    nowhere = ask(stranger, method, address.path(world, business="nobody-is-here"))
    assert (there.status_code, nowhere.status_code) == (404, 404)
    assert unmarked(there, world.business.slug) == unmarked(nowhere, "nobody-is-here")


@EACH
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_member_comes_in_from_the_verbs_role_upwards(address, method, world):
    lowest = TABLE[address.view.verb].role
    inside = STRICTER_INSIDE.get(address.name, lowest) if method == "post" else lowest
    for role in ROLES:
        answer = ask(client_of(world.people[role]), method, address.path(world))
        said = f"{role} gets {answer.status_code} for {method} {address}"
        if answer.status_code == 405:
            continue
        assert answer.status_code < 500, said
        if RANK[role] < RANK[inside]:
            assert answer.status_code == 403, said
        else:
            assert answer.status_code != 403, said
            assert method == "post" or answer.status_code != 404, said


@pytest.mark.one_database
@EACH
def test_somebody_who_left_is_a_stranger(address, world):
    member = world.people["manager"]
    client = client_of(member)
    type(member).objects.filter(pk=member.pk).delete()
    assert ask(client, "get", address.path(world)).status_code == 404
    assert ask(client, "post", address.path(world)).status_code == 404


@pytest.mark.one_database
@EACH
def test_somebody_who_may_not_sign_in_any_more_is_nobody(address, world):
    member = world.people["owner"]
    client = client_of(member)
    type(member.user).objects.filter(pk=member.user_id).update(is_active=False)
    assert ask(client, "get", address.path(world)).status_code == 302


# What can be named ------------------------------------------------------------------------------------


INSIDE = ("version", "place")  # what they name has the same name in every workflow


def named(address):
    """Return the parts that name a row."""
    return [part for part in address.parts if part not in ("business", "part", *INSIDE)]


NAMING = pytest.mark.parametrize("address", [address for address in ADDRESSES if named(address)], ids=str)


@NAMING
@pytest.mark.parametrize("method", ["get", "post"])
def test_rows_of_another_business_are_not_there(address, method, world, elsewhere):
    owner = client_of(world.people["owner"])
    for part in named(address):
        path = address.path(world, **{part: elsewhere.rows[address.row(part)]})
        answer = ask(owner, method, path)
        assert answer.status_code in (404, 405), f"{part}: {method} {path} answers {answer.status_code}"


@pytest.mark.parametrize("address", [address for address in ADDRESSES if len(named(address)) > 1], ids=str)
@pytest.mark.parametrize("method", ["get", "post"])
def test_rows_of_another_card_or_workflow_are_not_there(address, method, world):
    owner = client_of(world.people["owner"])
    for part in named(address):
        path = address.path(world, **{part: world.siblings[address.row(part)]})
        answer = ask(owner, method, path)
        assert answer.status_code in (404, 405), f"{part}: {method} {path} answers {answer.status_code}"


@NAMING
@pytest.mark.parametrize("method", ["get", "post"])
def test_rows_that_never_were_are_not_there(address, method, world):
    owner = client_of(world.people["owner"])
    made_up = {
        "number": 2**31 - 1,
        "archived": 2**31 - 1,
        "sequence": 2**62,
        "workflow": "never-was",
        "order": 2**31 - 1,
        "step": 2**62,
        "version": "9.9",
        "place": 2**31 - 1,
    }
    huge = {
        "number": 10**40,
        "archived": 10**40,
        "sequence": 10**40,
        "workflow": "x" * 5000,
        "order": 10**40,
        "step": 10**40,
        "version": "9" * 5000,
        "place": 10**40,
    }
    for samples in (made_up, huge):
        for part in [*named(address), *(part for part in INSIDE if part in address.parts)]:
            answer = ask(owner, method, address.path(world, **{part: samples.get(address.row(part), uuid.uuid4())}))
            assert answer.status_code in (404, 405), f"{part} of {address} answers {answer.status_code}"


# Looking ----------------------------------------------------------------------------------------------


@EACH
def test_looking_changes_nothing(address, world):
    client = client_of(world.people["owner"])
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(address.path(world))
    assert answer.status_code in (200, 302, 405), f"{address} answers {answer.status_code}"
    writes = [query["sql"] for query in captured if re.match(r"INSERT|UPDATE|DELETE", query["sql"])]
    assert not [sql for sql in writes if not any(f'"{table}"' in sql for table in LOOKING_WRITES)]


def test_no_page_takes_more_queries_with_more_in_it(world):
    client = client_of(world.people["owner"])
    grow(world, 3)
    pages = [address for address in ADDRESSES if client.get(address.path(world)).status_code == 200]
    little = {page: queries(client, page.path(world)) for page in pages}
    grow_again = 30
    grow(world, grow_again)
    grown = {}
    for page in pages:
        much = queries(client, page.path(world))
        if much > little[page]:
            grown[str(page)] = f"{little[page]} → {much}"
    assert not grown
