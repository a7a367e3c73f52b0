"""The world outside, on this machine."""

import pytest

from tests.automations.receiver import listening


@pytest.fixture
def receiver(settings):
    """Return a stranger's server that we may call (a Receiver)."""
    with listening() as receiver:
        settings.OUTBOUND_ALLOWED_HOSTS = [f"127.0.0.1:{receiver.port}"]
        yield receiver
