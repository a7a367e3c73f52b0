"""What the worker does by the clock: thin, safe to do twice, the rows keep the state."""

import logging

from django.core.management import call_command
from django.tasks import task

from accounts.models import Receipt, Untold
from automations.forgetting import forget_old
from automations.models import Delivery, Notification, Rule, Worker
from automations.progress import time_is_up
from automations.running import fire_timers, heed_moments, take_up, wake
from boards.models import Phase, Workflow

log = logging.getLogger(__name__)


@task()
def sweep() -> None:
    """Tell what a crash left untold, go on with what waited or was interrupted, and move on the cards whose time is up."""
    for deed in (
        Worker.sign_in,
        Untold.tell_again,
        take_up,
        wake,
        Delivery.carry_on,
        Notification.mail_digests,
        fire_timers,
        heed_moments,
        time_is_up,
        Phase.let_go,
        Workflow.join_finished,
        Rule.let_go,
        Receipt.forget_old,
    ):
        try:
            deed()
        except Exception:  # one that fails does not keep the others from their turn
            log.exception("%s failed", deed.__qualname__)


@task()
def forget() -> None:
    """Forget what ended long ago; of the worker's tasks what was done a day ago, and what failed a month ago."""
    forget_old()
    call_command("ox_prune", older_than="1d", verbosity=0)
    call_command("ox_prune", older_than="30d", include_failed=True, verbosity=0)
