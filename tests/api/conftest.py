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
