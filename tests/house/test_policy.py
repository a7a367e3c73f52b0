"""The one table, row by row."""

from itertools import combinations, pairwise
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied

from accounts.actor import Actor
from accounts.policy import RANK, ROLES, SCOPES, TABLE, Grant, allowed, may, require

BUSINESS = uuid4()
ROWS = sorted(TABLE)
ALL = frozenset(SCOPES)


def member(role):
    return Actor("member", "1", "Somebody", BUSINESS, role)


def token(role, scopes):
    return Actor("token", "1", "Program", BUSINESS, role, frozenset(scopes))


EACH_ROLE = pytest.mark.parametrize("role", [role for role, _ in ROLES])


@EACH_ROLE
def test_a_person_may_from_their_role_upwards(role):
    may_now = {verb for verb in ROWS if may(member(role), verb)}
    assert may_now == {verb for verb in ROWS if RANK[role] >= RANK[TABLE[verb].role]}


@EACH_ROLE
def test_a_program_may_with_the_scope_and_never_more_than_its_maker(role):
    for verb in ROWS:
        grant = TABLE[verb]
        is_granted = RANK[role] >= RANK[grant.role] and bool(grant.scope)
        assert may(token(role, ALL), verb) == is_granted, verb
        assert may(token(role, {grant.scope} - {""}), verb) == is_granted, verb
        assert not may(token(role, ALL - {grant.scope}), verb), verb
        assert not may(token(role, ()), verb), verb


def test_somebody_without_a_role_may_nothing():
    for nobody in (member(""), token("", ALL), Actor("customer", "1", "Nobody we know", BUSINESS)):
        assert not [verb for verb in ROWS if may(nobody, verb)], nobody


@pytest.mark.parametrize("kind", ["system", "admin", "rule", "form"])
def test_the_house_itself_may_everything(kind):
    assert not [verb for verb in ROWS if not may(Actor(kind, "", "Phasewise", BUSINESS), verb)]


def test_more_scopes_never_take_anything_away():
    for fewer in map(frozenset, combinations(SCOPES, 2)):
        for role, _ in ROLES:
            could = {verb for verb in ROWS if may(token(role, fewer), verb)}
            assert could <= {verb for verb in ROWS if may(token(role, ALL), verb)}
            parts = (verb for scope in fewer for verb in ROWS if may(token(role, {scope}), verb))
            assert could == set(parts), "scopes add up, no more"


def test_a_higher_role_may_all_that_a_lower_one_may():
    by_rank = sorted(RANK, key=RANK.get)
    for lower, higher in pairwise(by_rank):
        assert {v for v in ROWS if may(member(lower), v)} < {v for v in ROWS if may(member(higher), v)}


def test_a_viewer_looks_and_leaves_and_nothing_else():
    assert {verb for verb in ROWS if may(member("viewer"), verb) and not verb.endswith(".view")} == {"member.leave"}


def test_scopes_to_look_only_look():
    looking = {scope for scope in SCOPES if scope.endswith("_VIEW")}
    assert not [verb for verb in ROWS if may(token("owner", looking), verb) and not verb.endswith(".view")]


def test_no_program_touches_people_tokens_or_the_business():
    for verb in ROWS:
        if verb.partition(".")[0] in ("business", "member", "token"):
            assert not TABLE[verb].scope, verb


def test_what_cannot_be_undone_needs_a_manager():
    own = {"comment.delete", "attachment.delete"}  # of one's own
    final = {verb for verb in ROWS if verb.endswith((".delete", ".remove"))} - own
    assert not {verb for verb in final if RANK[TABLE[verb].role] < RANK["manager"]}


def test_every_scope_and_role_of_the_table_exists():
    assert {grant.role for grant in TABLE.values()} <= set(RANK)
    assert {grant.scope for grant in TABLE.values() if grant.scope} <= set(SCOPES)


def test_an_unknown_verb_is_a_bug():
    with pytest.raises(KeyError):
        may(member("owner"), "card.fly")
    with pytest.raises(KeyError):
        allowed("card.fly")


def test_a_refusal_says_who_may_and_what():
    for verb in ROWS:
        with pytest.raises(PermissionDenied) as refusal:
            require(member(""), verb)
        assert TABLE[verb].says in str(refusal.value), verb
        assert "Nothing was changed." in str(refusal.value), verb


def test_the_table_is_made_of_grants():
    assert all(isinstance(grant, Grant) for grant in TABLE.values())
