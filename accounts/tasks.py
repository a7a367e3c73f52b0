"""What leaves the building for people: thin tasks for the worker; the rows keep the state."""

from django.apps import apps
from django.tasks import task

from accounts.letters import send_invitation


@task(max_attempts=12)  # with growing pauses, more than an hour
def mail_invitation(invitation: str, site: str) -> None:
    """Send the mail of an invitation, unless it was sent, answered or withdrawn meanwhile."""
    row = apps.get_model("accounts", "Invitation").objects.filter(pk=invitation).first()
    if row and row.is_open and not row.sent_at:
        row.check_secret()
        send_invitation(row, site)
        row.mark_sent()
