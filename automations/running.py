"""Rules at work: asked on an occasion, held in check, set going, taken up again."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.events import record
from accounts.verbs import writing
from automations.inputs import Missing
from automations.models.rule import WATCH, Rule
from automations.models.run import FAILED, RUNNING, SKIPPED, STOPPED, TURN, WATCHED, Run
from automations.models.timer import Timer
from automations.moments import Asked
from automations.occasion import Occasion
from automations.triggers import triggers
from automations.trying import rehearse

log = logging.getLogger(__name__)

BATCH = 200  # at one look; the rest at the next


def consider(rule: Rule, occasion: Occasion) -> Run | None:
    """Ask a rule on an occasion and let it act; return the Run that says what came of it.

    None when it was asked before. Whatever the rule does wrong stays in its Run.
    """
    try:
        return _consider(rule, occasion)
    except OperationalError:
        raise  # the database is busy or away: the event is told again
    except Exception as error:
        log.exception("Rule %s could not be asked", rule.name)
        reason = f"Something went wrong inside Phasewise ({type(error).__name__})."
        return Run.note(rule, occasion, FAILED, reason=reason)


def _consider(rule: Rule, occasion: Occasion) -> Run | None:
    if reason := rule.read.why_not(occasion):
        return Run.note(rule, occasion, SKIPPED, reason=reason)
    if reason := _limit(rule, occasion):
        return _stop(rule, occasion, reason)
    if rule.state == WATCH:
        trial = rehearse(rule, occasion)
        return Run.note(rule, occasion, WATCHED, reason=trial.error, steps=trial.steps)
    run = Run.note(rule, occasion, RUNNING)
    if run is None:
        return Run.note(rule, occasion, STOPPED, reason="It has acted on what began this already.")
    run.go_on(occasion)
    return run


def _limit(rule: Rule, occasion: Occasion) -> str:
    """Return which limit keeps a rule from acting, in words; "" for none."""
    if depth_of(occasion.event) >= settings.RULES_DEPTH:
        return f"{settings.RULES_DEPTH} rules have followed from one another."
    hour = timezone.now() - timedelta(hours=1)
    runs = Run.objects.filter(business=rule.business_id, state__in=TURN, began_at__gt=hour, rule__isnull=False)
    if not rule.phase and runs.count() >= settings.RULES_AN_HOUR:
        return f"The rules of this business have acted {settings.RULES_AN_HOUR} times within an hour."
    return ""


def _stop(rule: Rule, occasion: Occasion, reason: str) -> Run | None:
    """Note that a limit was reached, and tell it once an hour for each rule."""
    hour = timezone.now() - timedelta(hours=1)
    told = Run.objects.filter(rule=rule.pk, state=STOPPED, began_at__gt=hour).exists()
    run = Run.note(rule, occasion, STOPPED, reason=reason)
    if run and run.rule_id and not told:
        card = {"card": run.card_name, "number": run.card.number if run.card else None}
        with writing(), transaction.atomic():
            record("rule.stopped", rule, run.actor, rule=rule.name, why=reason, run=str(run.pk), **card)
    return run


def depth_of(event) -> int:
    """Return how many rules acted one after the other until this happened."""
    depth = 0
    while event is not None and event.cause_id and depth < settings.RULES_DEPTH:
        depth += event.actor_kind == "rule"
        event = event.cause
    return depth


def heed_moments(now=None) -> int:
    """Ask the rules for which a moment came; return how many occasions there were.

    A moment has a name, and a Run of that name means that it was heeded; who was away heeds it late, once.
    """
    now = now or timezone.now()
    clocked = [key for key, trigger in triggers.items() if trigger.moments]
    rules = Rule.objects.armed().filter(trigger__in=clocked).select_related("business", "workflow")
    count = 0
    for rule in rules.order_by("created_at", "pk"):
        try:
            count += _heed(rule, now)
        except Exception:  # one that fails does not hold up the others
            log.exception("The moments of rule %s could not be read", rule.name)
    return count


def _heed(rule: Rule, now) -> int:
    asked = Asked(rule.business, rule.workflow_id, rule.armed_at, now, latest=True)
    try:
        moments = rule.read.moments(asked, rule.where)
    except Missing:
        return 0  # it names a phase that is gone, which its page says
    heeded = Run.objects.filter(Q(card=None) | Q(card__archived_at=None), rule=rule).exclude(due="")
    heeded = set(heeded.values_list("due", flat=True))
    fresh = sorted((one for one in moments if one.name not in heeded), key=lambda one: one.at)[:BATCH]
    for one in fresh:
        consider(rule, Occasion(rule.business_id, card_id=one.card_id, why=one.why, due=one.name))
    return len(fresh)


def wake() -> int:
    """Let the runs go on whose wait is over; return how many there were."""
    return _each(Run.objects.due()[:BATCH], Run.wake)


def fire_timers() -> int:
    """Report what was planned for a time that has come; return how many there were."""
    return _each(Timer.objects.due()[:BATCH], Timer.fire)


def take_up() -> int:
    """Go on with the runs that somebody's death interrupted; return how many there were."""
    return _each(Run.objects.interrupted()[:BATCH], Run.take_up)


def _each(rows, deed) -> int:
    """Do something with each row; one that fails does not hold up the others."""
    count = 0
    for row in rows:
        count += 1
        try:
            deed(row)
        except Exception:
            log.exception("%s %s could not go on", row._meta.verbose_name, row.pk)
    return count
