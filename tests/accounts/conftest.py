"""The people of the back room."""

import pytest


@pytest.fixture
def administrator(db):
    """A platform administrator who is a member nowhere."""
    from tests.factories import UserFactory

    return UserFactory(name="Root Admin", email="root@example.test", is_staff=True, is_superuser=True)


@pytest.fixture
def back_room(administrator, client):
    """The administrator's browser."""
    client.force_login(administrator)
    return client
