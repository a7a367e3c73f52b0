"""The world outside, on this machine."""

import email
import email.policy
import socket

import pytest
from aiosmtpd.controller import Controller

from tests.automations.receiver import listening


@pytest.fixture
def receiver(settings):
    """Return a stranger's server that we may call (a Receiver)."""
    with listening() as receiver:
        settings.OUTBOUND_ALLOWED_HOSTS = [f"127.0.0.1:{receiver.port}"]
        yield receiver


class Letterbox:
    """What a mail server has taken, and what it answers: "250 OK", or a refusal."""

    def __init__(self):
        self.letters, self.answer = [], "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name for it
        """Take a letter, or refuse it."""
        if self.answer.startswith("250"):
            letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
            letter.receivers = envelope.rcpt_tos
            self.letters.append(letter)
        return self.answer


@pytest.fixture
def letterbox(settings):
    """Return a real mail server's Letterbox; mails go there."""
    box = Letterbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    options = {"host": "127.0.0.1", "port": port, "timeout": 5}
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}}
    settings.DEFAULT_FROM_EMAIL = "Phasewise <post@phasewise.test>"
    yield box
    server.stop()
