"""How a delivery leaves the building, once: a call or a mail, and what came of it. Never inside a transaction."""

import smtplib
from dataclasses import dataclass, field
from email.utils import formataddr, parseaddr

from django.apps import apps
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.tasks import task
from django.utils import timezone

from automations.outbound import Refused, Unreachable, post
from automations.signing import sign

SHOWN = 2000  # characters of an answer that the log keeps


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt.

    said: why it failed, in words. is_final: trying again would not help. is_gone: the receiver wants no more (410).
    is_put_off: it was not tried, since enough has left for now. shown: what the log keeps of it.
    """

    is_sent: bool
    said: str = ""
    retry_after: str = ""
    is_slow: bool = False
    is_final: bool = False
    is_gone: bool = False
    is_put_off: bool = False
    shown: dict = field(default_factory=dict)


@task()
def deliver(delivery: str) -> None:
    """Carry a delivery if it is due; what comes of it is kept in its row."""
    apps.get_model("automations", "Delivery").carry(delivery)


@task()
def send_event(timer: str) -> None:
    """Send a card an event that was taken in, if that was not done already."""
    for row in apps.get_model("automations", "Timer").objects.filter(pk=timer):
        row.fire()


def call(delivery, secrets: list[str]) -> Outcome:
    """Post a delivery to its URL, signed anew for this attempt; its id and body are the same each time."""
    headers = {"Content-Type": delivery.headers.get("Content-Type", "application/json")}
    headers |= sign(secrets, delivery.message_id, timezone.now(), delivery.body)
    shown = {"headers": {name: value for name, value in headers.items() if name != "webhook-signature"}}
    try:
        answer = post(delivery.to, delivery.body.encode(), headers)
    except Refused as error:
        return Outcome(False, str(error), shown=shown)
    except Unreachable as error:
        return Outcome(False, str(error), is_slow=error.slow, shown=shown)
    shown |= {"status": answer.status, "answer": answer.text[:SHOWN], "milliseconds": answer.milliseconds}
    return Outcome(
        is_sent=answer.is_success,
        said="" if answer.is_success else f"It answered {answer.status}.",
        retry_after=answer.retry_after,
        is_slow=answer.status in (429, 502, 504),
        is_gone=answer.status == 410,
        shown=shown,
    )


def mail(delivery) -> Outcome:
    """Hand a delivery to the mail server; its Message-ID is the same each time."""
    _, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    host = address.rpartition("@")[2]
    headers = {
        "Message-ID": f"<{delivery.message_id}@{host}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    if "list" in delivery.headers:
        headers["List-Id"] = f"<{delivery.headers['list']}.{host}>"
    sender = " ".join(delivery.headers.get("sender", "").split())  # one line, as every header
    letter = EmailMultiAlternatives(
        delivery.subject,
        delivery.body,
        formataddr((sender, address)),
        [delivery.to],
        reply_to=[reply_to] if (reply_to := delivery.headers.get("reply_to")) else None,
        headers=headers,
    )
    if delivery.html:
        letter.attach_alternative(delivery.html, "text/html")
    try:
        letter.send()
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        return _refused_by_server(code, said)
    except smtplib.SMTPResponseException as error:
        return _refused_by_server(error.smtp_code, error.smtp_error)
    except (OSError, smtplib.SMTPException) as error:
        return Outcome(False, f"The mail server could not be reached: {error}"[:300], is_slow=True)
    return Outcome(True)


def _refused_by_server(code: int, said: bytes | str) -> Outcome:
    """Return what a mail server's refusal means: from 500 on it is meant for good."""
    said = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return Outcome(False, f"The mail server refused it: {code} {said}"[:300], is_final=code >= 500)
