"""Every address under a business, everybody, both methods: made from the URL configuration, so nothing is forgotten."""

import re
import uuid

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.policy import RANK, TABLE
from tests.every import every
from tests.house.counting import queries
from tests.house.world import OPEN_TO_MEMBERS, addresses, build, grow

pytestmark = pytest.mark.django_db

ADDRESSES = addresses()
BOTH = pytest.mark.parametrize("method", ["get", "post"])
ROLES = ("viewer", "staff", "manager", "owner")

# A POST that its view's own verb allows may still be refused by the verb it calls: where → the lowest role.
STRICTER_INSIDE = {"undo": "staff"}  # taking back a change asks for the permission to make it
# What looking may write: how the statement begins → why.
LOOKING_WRITES = {
    'UPDATE "boards_workflow" SET "last_access"': "when the board was last looked at, at most once a minute, no news"
}


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


def client_of(member):
    client = Client()
    client.force_login(member.user)
    return client


def ask(client, method, path):
    """Send a request and take back whatever it changed, in the database and in the browser."""
    cookies = client.cookies.copy()
    with transaction.atomic():
        answer = getattr(client, method)(path)
        transaction.set_rollback(True)
    client.cookies = cookies
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
def test_every_part_of_an_address_has_a_sample(world):
    parts = {address.row(part) for address in ADDRESSES for part in address.parts if part != "business"}
    assert parts <= set(world.rows), "tests/house/world.py does not know how to fill them"


def test_every_view_says_which_verb_it_is():
    unguarded = [address for address in ADDRESSES if getattr(address.view, "verb", None) not in TABLE]
    assert set(map(str, unguarded)) <= set(OPEN_TO_MEMBERS)


# Who comes in -----------------------------------------------------------------------------------------


@pytest.mark.one_database
@BOTH
def test_nobody_is_sent_to_sign_in(method, world):
    def check(address):
        path = address.path(world)
        answer = ask(Client(), method, path)
        assert answer.status_code == 302
        assert answer.url.startswith(reverse("account_login"))
        answer = ask(Client(headers={"hx-request": "true"}), method, path)
        assert (answer.status_code, answer.content) == (401, b"")
        assert answer["HX-Redirect"].startswith(reverse("account_login"))

    every(ADDRESSES, check)


@pytest.mark.one_database
@BOTH
def test_a_stranger_cannot_tell_a_business_from_none(method, world, elsewhere):
    stranger = client_of(elsewhere.people["owner"])

    def check(address):
        there = ask(stranger, method, address.path(world))
        nowhere = ask(stranger, method, address.path(world, business="nobody-is-here"))
        assert (there.status_code, nowhere.status_code) == (404, 404)
        assert unmarked(there, world.business.slug) == unmarked(nowhere, "nobody-is-here")

    every(ADDRESSES, check)


@BOTH
@pytest.mark.parametrize("role", ROLES)
def test_a_member_comes_in_from_the_verbs_role_upwards(role, method, world):
    client = client_of(world.people[role])

    def check(address):
        lowest = TABLE[address.view.verb].role
        inside = STRICTER_INSIDE.get(address.name, lowest) if method == "post" else lowest
        answer = ask(client, method, address.path(world))
        if answer.status_code == 405:
            return
        assert answer.status_code < 500
        if RANK[role] < RANK[inside]:
            assert answer.status_code == 403
        else:
            assert answer.status_code != 403
            assert method == "post" or answer.status_code != 404

    every(ADDRESSES, check)


@pytest.mark.one_database
def test_somebody_who_left_is_a_stranger(world):
    member = world.people["manager"]
    client = client_of(member)
    type(member).objects.filter(pk=member.pk).delete()

    def check(address):
        assert ask(client, "get", address.path(world)).status_code == 404
        assert ask(client, "post", address.path(world)).status_code == 404

    every(ADDRESSES, check)


@pytest.mark.one_database
def test_somebody_who_may_not_sign_in_any_more_is_nobody(world):
    member = world.people["owner"]
    client = client_of(member)
    type(member.user).objects.filter(pk=member.user_id).update(is_active=False)

    def check(address):
        assert ask(client, "get", address.path(world)).status_code == 302

    every(ADDRESSES, check)


# What can be named ------------------------------------------------------------------------------------


INSIDE = ("version", "place")  # what they name has the same name in every workflow


def named(address):
    """Return the parts that name a row."""
    return [part for part in address.parts if part not in ("business", "part", *INSIDE)]


NAMING = [address for address in ADDRESSES if named(address)]


@BOTH
def test_rows_of_another_business_are_not_there(method, world, elsewhere):
    owner = client_of(world.people["owner"])

    def check(address):
        for part in named(address):
            path = address.path(world, **{part: elsewhere.rows[address.row(part)]})
            assert ask(owner, method, path).status_code in (404, 405), part

    every(NAMING, check)


@BOTH
def test_rows_of_another_card_or_workflow_are_not_there(method, world):
    owner = client_of(world.people["owner"])

    def check(address):
        for part in named(address):
            path = address.path(world, **{part: world.siblings[address.row(part)]})
            assert ask(owner, method, path).status_code in (404, 405), part

    every([address for address in NAMING if len(named(address)) > 1], check)


@BOTH
def test_rows_that_never_were_are_not_there(method, world):
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

    def check(address):
        for part in [*named(address), *(part for part in INSIDE if part in address.parts)]:
            for samples in (made_up, huge) if address.row(part) in huge else (made_up,):
                path = address.path(world, **{part: samples.get(address.row(part), uuid.uuid4())})
                assert ask(owner, method, path).status_code in (404, 405), part

    every(NAMING, check)


# Looking ----------------------------------------------------------------------------------------------


def test_looking_changes_nothing(world):
    client = client_of(world.people["owner"])

    def check(address):
        with CaptureQueriesContext(connection) as captured:
            answer = ask(client, "get", address.path(world))
        assert answer.status_code in (200, 302, 405)
        writes = [query["sql"] for query in captured if re.match(r"INSERT|UPDATE|DELETE", query["sql"])]
        assert not [sql for sql in writes if not sql.startswith(tuple(LOOKING_WRITES))]

    every(ADDRESSES, check)


@pytest.mark.one_database
def test_no_page_takes_more_queries_with_more_in_it(world):
    client = client_of(world.people["owner"])
    grow(world, 3)
    pages = [address for address in ADDRESSES if client.get(address.path(world)).status_code == 200]
    little = {page: queries(client, page.path(world)) for page in pages}
    grow(world, 24)
    grown = {}
    for page in pages:
        much = queries(client, page.path(world))
        if much > little[page]:
            grown[str(page)] = f"{little[page]} → {much}"
    assert not grown
