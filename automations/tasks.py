"""What the worker does by the clock: thin, safe to do twice, the rows keep the state."""

from django.tasks import task

from accounts.events import tell_again
from accounts.models import Receipt
from automations.progress import time_is_up


@task()
def sweep() -> None:
    """Tell what a crash left untold, move on the cards whose time in a phase is up, forget old receipts."""
    tell_again()
    time_is_up()
    Receipt.forget_old()
