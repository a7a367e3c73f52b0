"""Whatever a program sends, it gets an answer that the document knows: some of it here, much of it with bin/fuzz."""

import os

import pytest
from django.db import connection

from accounts.policy import SCOPES
from tests.api.fuzzing import fuzz
from tests.api.program import token_of
from tests.house.world import build, grow

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES") or 0)  # for each operation and phase; set by bin/fuzz
SEED = int(os.environ.get("FUZZ_SEED") or 1)
SCOPED = "a token that only sees cards"
ROLES = ("owner", "manager", "staff", "viewer", SCOPED) if EXAMPLES else ("owner", SCOPED)


@pytest.mark.parametrize("role", ROLES)
def test_whatever_is_sent_the_answer_is_one_of_those_in_the_document(role, settings, server):
    settings.API_REQUESTS_A_MINUTE = 0
    world = build("Inside", 100)
    grow(world, 3)
    secret = token_of(world.people.get(role) or world.people["owner"], *(["CARD_VIEW"] if role == SCOPED else SCOPES))
    found = fuzz(server, secret, examples=EXAMPLES or 3, seed=SEED, seconds=None if EXAMPLES else _a_while(role))
    print(f"\n{role}: {found}")
    assert not found.findings, "\n\n".join(f"{name}\n{what}" for name, what in found.findings.items())
    assert found.operations  # how many depends on how quick the machine is
    assert not [status for status in found.statuses if status >= 500]


def _a_while(role) -> float:
    """Return for how many seconds a run of all tests can wait."""
    return (9 if connection.vendor == "sqlite" else 5) / (3 if role == SCOPED else 1)
