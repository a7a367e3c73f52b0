"""Whatever a program sends, it gets an answer that the document knows: some of it here, much of it with bin/fuzz."""

import os

import pytest

from accounts.policy import SCOPES
from tests.api.fuzzing import fuzz
from tests.api.program import token_of
from tests.house.world import build, grow

pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES") or 3)
SEED = int(os.environ.get("FUZZ_SEED") or 1)
ROLES = {
    "owner": SCOPES,
    "manager": SCOPES,
    "staff": SCOPES,
    "viewer": SCOPES,
    "a token that only sees cards": ["CARD_VIEW"],
}


@pytest.mark.parametrize("role", ROLES)
def test_whatever_is_sent_the_answer_is_one_of_those_in_the_document(role, settings, live_server):
    settings.API_REQUESTS_A_MINUTE = 0
    world = build("Inside", 100)
    grow(world, 3)
    member = world.people.get(role) or world.people["owner"]
    found = fuzz(live_server.url, token_of(member, *ROLES[role]), examples=EXAMPLES, seed=SEED)
    print(f"{role}: {found}")
    assert not found.findings, "\n\n".join(f"{name}\n{what}" for name, what in found.findings.items())
    assert 500 not in found.statuses
