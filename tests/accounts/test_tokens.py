"""API tokens: made once, shown once, kept as a hash, shut out at once."""

import datetime as dt
import io

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from accounts.models import Event, Token
from accounts.policy import SCOPES, may
from tests.factories import actor, make_business

pytestmark = pytest.mark.django_db
SHOP = {"name": "Web shop", "scopes": ["CARD_VIEW", "CARD_MANAGE"], "lifetime": "90"}


def at(name, business, *args):
    return reverse(name, args=[business.slug, *args])


# The page ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_the_secret_is_shown_once_and_kept_nowhere(browse, business, owner, headers):
    client = browse(owner, **headers)
    answer = client.post(at("token_create", business), SHOP)

    secret = answer.context["secret"]
    assertContains(answer, secret)
    assert "no-store" in answer["Cache-Control"]
    token = Token.objects.get()
    assert secret not in str(vars(token)) + str([vars(event) for event in Event.objects.all()])
    assert (token.maker, token.scopes) == (owner.user, ["CARD_MANAGE", "CARD_VIEW"])
    assert token.expires_at - timezone.now() > dt.timedelta(days=89)
    page = client.get(at("tokens", business))
    assertNotContains(page, secret)
    assertContains(page, token.hint)
    assert Token.authenticate(secret)[0] == token


def test_the_list_tells_what_each_may_who_made_it_and_when_it_was_used(browse, business, owner, token):
    page = browse(owner).get(at("tokens", business))
    for words in ("Test", "everything a program may", "Maren Holt", "never used", "never stops by itself"):
        assertContains(page, words)
    Token.authenticate(token[1])
    assertContains(browse(owner).get(at("tokens", business)), "last used")


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"name": ""}, "name", "required"),
        ({"name": "x" * 81}, "name", "at most 80"),
        ({"scopes": []}, "scopes", "at least one"),
        ({"scopes": ["EVERYTHING"]}, "scopes", "valid choice"),
        ({"lifetime": "-5"}, "lifetime", "valid choice"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(browse, business, owner, typed, field, said):
    answer = browse(owner).post(at("token_create", business), SHOP | typed)
    assert answer.status_code == 422
    assert said in str(answer.context["form"].errors[field])
    assert not Token.objects.exists()


def test_a_form_sent_twice_makes_one(browse, business, owner):
    client = browse(owner)
    client.post(at("token_create", business), SHOP)
    answer = client.post(at("token_create", business), SHOP)
    assert "There is a token of this name" in str(answer.context["form"].errors["name"])
    assert Token.objects.count() == 1


def test_a_name_is_free_again_once_its_token_is_revoked(browse, business, owner):
    client = browse(owner)
    client.post(at("token_create", business), SHOP)
    client.post(at("token_revoke", business, Token.objects.get().pk))
    assert client.post(at("token_create", business), SHOP).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_a_revoked_token_opens_nothing_from_then_on(browse, business, owner, token, headers):
    answer = browse(owner, **headers).post(at("token_revoke", business, token[0].pk))
    assert answer.status_code == (200 if headers else 302)
    assert Token.authenticate(token[1]) is None
    assert Event.objects.first().name == "token.revoked"
    assertContains(browse(owner).get(at("tokens", business)), "Revoked and expired: 1")


def test_only_owners_and_managers_come_here(browse, business, manager, staff, viewer, stranger, token):
    assert browse(manager).get(at("tokens", business)).status_code == 200
    for member, status in ((staff, 403), (viewer, 403), (stranger, 404)):
        client = browse(member)
        assert client.get(at("tokens", business)).status_code == status
        assert client.post(at("token_create", business), SHOP).status_code == status
        assert client.post(at("token_revoke", business, token[0].pk)).status_code == status
    assert Token.objects.count() == 1
    assert Token.objects.get().is_live


def test_tokens_of_others_are_not_found(browse, owner, business, stranger):
    theirs, _ = Token.create(stranger.business, name="x", scopes=["CARD_VIEW"], maker=stranger.user, by=actor(stranger))
    assert browse(owner).post(at("token_revoke", business, theirs.pk)).status_code == 404


def test_twenty_tokens_cost_no_more_queries_than_two(browse, business, owner):
    client = browse(owner)

    def count():
        with CaptureQueriesContext(connection) as queries:
            client.get(at("tokens", business))
        return len(queries)

    def make(name):
        Token.create(business, name=name, scopes=["CARD_VIEW"], maker=owner.user, by=actor(owner))

    make("a"), make("b")
    few = count()
    for number in range(20):
        make(str(number))
    assert count() == few


# The key in the lock ----------------------------------------------------------------------------------
def test_a_token_acts_for_its_business_within_its_scopes(business, owner):
    token, secret = Token.create(business, name="Shop", scopes=["CARD_VIEW"], maker=owner.user, by=actor(owner))
    found, who = Token.authenticate(secret)
    assert found == token
    assert (who.kind, who.name, who.business_id) == ("token", "Shop", business.pk)
    assert may(who, "card.view")
    assert not may(who, "card.move")
    assert not may(who, "member.invite")  # people are nothing for programs


@pytest.mark.parametrize("secret", ["", "pw_", "pw_nonsense", "\x00", "ü" * 1000])
def test_a_made_up_secret_opens_nothing(secret, token):
    assert Token.authenticate(secret) is None


def test_an_expired_token_opens_nothing(business, owner):
    soon = timezone.now() + dt.timedelta(days=30)
    _, secret = Token.create(
        business, name="Shop", scopes=["CARD_VIEW"], maker=owner.user, expires_at=soon, by=actor(owner)
    )
    assert Token.authenticate(secret)
    with time_machine.travel(soon + dt.timedelta(seconds=1)):
        assert Token.authenticate(secret) is None


def test_an_expiry_in_the_past_is_refused(business, owner):
    with pytest.raises(ValidationError, match="still to come"):
        Token.create(
            business, name="x", scopes=["CARD_VIEW"], maker=owner.user, expires_at=timezone.now(), by=actor(owner)
        )


def test_a_token_is_worth_nothing_once_its_maker_is_gone(browse, business, owner, manager):
    _, secret = Token.create(business, name="Shop", scopes=["CARD_VIEW"], maker=manager.user, by=actor(manager))
    manager.remove(by=actor(owner))
    assert Token.authenticate(secret) is None
    assertContains(browse(owner).get(at("tokens", business)), "has left: it opens nothing")


def test_a_token_is_worth_nothing_while_its_maker_may_not_sign_in(token, owner):
    owner.user.is_active = False
    owner.user.save()
    assert Token.authenticate(token[1]) is None


def test_a_token_may_never_more_than_its_maker_may_now(business, owner, manager):
    _, secret = Token.create(business, name="Shop", scopes=list(SCOPES), maker=manager.user, by=actor(manager))
    assert may(Token.authenticate(secret)[1], "workflow.create")
    manager.change_role("staff", by=actor(owner))
    who = Token.authenticate(secret)[1]
    assert not may(who, "workflow.create")
    assert may(who, "card.move")


def test_last_use_is_written_at_most_once_a_minute(token):
    _, secret = token
    with time_machine.travel("2026-11-20 12:00", tick=False):
        with CaptureQueriesContext(connection) as first:
            Token.authenticate(secret)
        with CaptureQueriesContext(connection) as second:
            Token.authenticate(secret)
    assert [sum("UPDATE" in query["sql"] for query in queries) for queries in (first, second)] == [1, 0]
    with time_machine.travel("2026-11-20 12:01:01", tick=False):
        Token.authenticate(secret)
    assert Token.objects.get().last_used_at.minute == 1


def test_staff_cannot_make_one_by_the_verb_either(business, staff):
    with pytest.raises(PermissionDenied):
        Token.create(business, name="x", scopes=["CARD_VIEW"], maker=staff.user, by=actor(staff))


# From the shell ---------------------------------------------------------------------------------------
def run(*args):
    out, err = io.StringIO(), io.StringIO()
    call_command("token", *args, stdout=out, stderr=err)
    return out.getvalue()


def test_the_command_prints_the_secret_alone_on_its_line(business, owner, manager):
    said = run("brightside", "--scopes", "all")
    token, _ = Token.authenticate(said.strip())
    assert said == said.strip() + "\n"
    assert (token.maker, token.name, set(token.scopes)) == (owner.user, "From the shell", set(SCOPES))


def test_the_command_takes_some_scopes_a_name_and_a_maker(business, owner, manager):
    secret = run("brightside", "--scopes", "CARD_VIEW, EVENT_REPORT", "--name", "CRM", "--email", manager.user.email)
    token, _ = Token.authenticate(secret.strip())
    assert (token.maker, token.name, token.scopes) == (manager.user, "CRM", ["CARD_VIEW", "EVENT_REPORT"])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nowhere", "--scopes", "all"], "no business"),
        (["brightside", "--scopes", "EVERYTHING"], "scope"),
        (["brightside", "--scopes", ""], "scope"),
        (["brightside", "--scopes", "all", "--email", "eve@example.test"], "no member"),
        (["brightside", "--scopes", "all", "--name", "x" * 81], "80"),
    ],
)
def test_the_command_says_what_is_wrong(business, args, said):
    with pytest.raises(CommandError, match=said) as refusal:
        run(*args)
    assert refusal.value.returncode == 1
    assert not Token.objects.exists()


def test_a_maker_of_another_business_is_none(business, stranger):
    make_business()
    with pytest.raises(CommandError, match="no member"):
        run("brightside", "--scopes", "all", "--email", stranger.user.email)
