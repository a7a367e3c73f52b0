"""What ended long ago is forgotten, a little at a time: runs, deliveries, calls that came in, what people were told.

Nothing that waits is, nothing that failed and of which somebody's notice is unread, and nothing by which it is known
that something was done already.
"""

from datetime import timedelta
from itertools import count

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import Business
from accounts.verbs import writing
from automations.models import Delivery, Notification, Received, Run
from automations.models.inlet import KNOWN
from automations.models.notification import TROUBLE
from automations.models.run import DONE, FAILED, RUNNING, WAITING

BATCH = 500  # rows at once: others write in between
MOST = 20  # batches of a kind and business; the rest at the next hour


def forget_old(now=None) -> int:
    """Delete what ended longer ago than it is kept; return how many rows there were."""
    now = now or timezone.now()
    before = now - timedelta(days=settings.LOGS_KEPT_DAYS)
    gone = _delete(Received.objects.filter(Q(at__lt=before) | Q(at__lt=now - KNOWN, body="")))
    for business in Business.objects.order_by("pk"):
        for rows in (_runs(business, before), _deliveries(business, before), _notices(business, before)):
            gone += _delete(rows)
    return gone


def _runs(business: Business, before) -> QuerySet:
    """Return the runs that say nothing any more that must be known.

    Where their event may be told again, or their chain go on, they say which rules have had their turn. A run of a moment
    says that it was heeded, as long as it could come again: of a card that is there, unless the moment was a day that
    came round, or the card has moved on for good because its time in a phase was up.
    """
    ended = _told(business.runs).filter(began_at__lt=before, touched_at__lt=before)
    ended = ended.exclude(state__in=(RUNNING, WAITING))
    goes_on = Run.objects.filter(chain=OuterRef("chain"), state__in=(RUNNING, WAITING, FAILED))
    ended = ended.exclude(Exists(goes_on.exclude(pk=OuterRef("pk"))))
    unseen = _unseen(business, "rule.failed").values_list("event__details__run", flat=True)
    never_again = Q(due="") | Q(card=None) | Q(rule=None, phase=None) | Q(rule__trigger="schedule")
    never_again |= Q(phase__isnull=False, state=DONE)
    return ended.filter(never_again).exclude(pk__in=list(unseen)).order_by("began_at")


def _deliveries(business: Business, before) -> QuerySet:
    ended = _told(business.deliveries).filter(created_at__lt=before, finished_at__lt=before)
    unseen = _unseen(business, "delivery.given_up").values_list("event__subject_id", flat=True)
    return ended.exclude(state__in=Delivery.OPEN).exclude(pk__in=list(unseen)).order_by("created_at")


def _notices(business: Business, before) -> QuerySet:
    return business.notifications.filter(created_at__lt=before, read_at__isnull=False).order_by("created_at")


def _told(rows) -> QuerySet:
    """Return those whose event, if they have one, is not told again."""
    return rows.filter(Q(event=None) | Q(event__told_at__isnull=False))


def _unseen(business: Business, name: str) -> QuerySet:
    """Return the notices of a kind of failure that somebody has still to read."""
    return Notification.objects.unread().filter(business=business, kind=TROUBLE, event__name=name).order_by()


def _delete(rows: QuerySet) -> int:
    """Delete rows in batches, each in a transaction of its own; what somebody holds is left for the next time."""
    gone = 0
    for batch in count(1):
        with writing(), transaction.atomic():
            found = [row.pk for row in rows.only("pk").select_for_update(of=("self",), skip_locked=True)[:BATCH]]
            rows.model.objects.filter(pk__in=found).delete()
        gone += len(found)
        if len(found) < BATCH or batch == MOST:
            return gone
