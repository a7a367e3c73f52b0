"""The programs that tests ask for by name."""

import pytest


@pytest.fixture
def program(owner):
    """A program that may do everything in Brightside Joinery."""
    from tests.api.program import program_of

    return program_of(owner)


@pytest.fixture
def foreigner(stranger):
    """A program that may do everything, in another business."""
    from tests.api.program import program_of

    return program_of(stranger)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """A server process with a database of its own (a Site)."""
    from tests.api.serving import serving

    with serving(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture
def system(business):
    """Phasewise itself, in Brightside Joinery (an Actor)."""
    from accounts.actor import Actor

    return Actor.system(business)
