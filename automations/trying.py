"""Trying a rule without effects: on a card, on all cards as they stand, on what happened in the past."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import batched

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import Event
from accounts.verbs import in_one
from automations.actions.registry import Until
from automations.models.rule import Rule
from automations.models.run import Run
from automations.moments import Asked
from automations.occasion import Occasion
from boards.models import Card

MOST_CARDS, MOST_EVENTS, SHOWN = 5000, 20_000, 20
ALWAYS = datetime(1, 1, 2, tzinfo=UTC)
WITH = ("labels", "closings", "assignments__member__user", "workflow__fields", "contact__labels")  # what is asked for


@dataclass
class Trial:
    """What a rule would do: nothing when `reason` says why not; `error` says what it would stumble over."""

    reason: str = ""
    steps: list[str] = field(default_factory=list)
    shown: list[dict] = field(default_factory=list)
    error: str = ""


def try_on(rule: Rule, card: Card) -> Trial:
    """Return what a rule would do with a card as it stands now; nothing of it stays."""
    occasion = Occasion.at(card)
    reason = rule.read.why_not(occasion)
    return Trial(reason) if reason else rehearse(rule, occasion)


def rehearse(rule: Rule, occasion: Occasion) -> Trial:
    """Do all actions of a rule and take them back; waits are passed over. What leaves is shown, not sent."""
    trial = in_one(lambda: _rehearse(rule, occasion))
    occasion.look_again()
    return trial


def _rehearse(rule: Rule, occasion: Occasion) -> Trial:
    trial, run = Trial(), Run.rehearsal(rule, occasion)
    by = rule.actor(occasion.event)
    for step in range(len(run.actions)):
        occasion.look_again()
        try:
            with transaction.atomic():
                said = run.do(step, occasion, by=by, on_trial=True, shown=trial.shown)
        except ValidationError as refusal:
            trial.error = " ".join(refusal.messages)
            break
        trial.steps.append(said.says if isinstance(said, Until) else said)
    transaction.set_rollback(True)
    return trial


@dataclass
class Matches:
    """Which of the cards, or contacts, a rule would act on; `more` when not all were looked at."""

    count: int = 0
    first: list = field(default_factory=list)
    more: bool = False

    def add(self, row) -> None:
        """Count one, and keep the first to be shown."""
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append(row)


def matching_now(rule: Rule) -> Matches:
    """Return the cards that stand as one does that has just set the rule off, and for which its conditions hold.

    Of what happened only what can be seen of a card as it stands is asked: which phase it entered, not whence.
    """
    found = Matches()
    rule.business.rows_named = {}
    if rule.read.trigger.is_about_contacts:
        rows = rule.business.contacts.live().prefetch_related("labels").order_by("name", "pk")
    else:
        rows = _standing(rule).select_related("phase", "workflow", "contact").prefetch_related(*WITH)
    for number, row in enumerate(rows[: MOST_CARDS + 1]):
        if number == MOST_CARDS:
            found.more = True
            break
        row.business = rule.business
        occasion = Occasion.at(row) if isinstance(row, Card) else Occasion.about(row)
        if not rule.read.why_not(occasion):
            found.add(row)
    return found


def _standing(rule: Rule):
    trigger = rule.read.trigger
    rows = trigger.cards(Card.objects.filter(business=rule.business, workflow__archived_at=None)).order_by("number")
    if rule.workflow_id:
        rows = rows.filter(workflow=rule.workflow_id)
    if rule.definition_id:
        rows = rows.filter(major=rule.definition.major)
    if trigger.moments is None:
        return rows
    asked = Asked(rule.business, rule.workflow_id, ALWAYS, timezone.now(), latest=True)
    return rows.filter(pk__in=[one.card_id for one in rule.read.moments(asked, rule.where)][:MOST_CARDS])


@dataclass
class Replay:
    """How often a rule would have acted since a time, on which cards, and when: the latest first."""

    since: datetime
    times: int = 0
    cards: set = field(default_factory=set)
    first: list[tuple[datetime, Card | None]] = field(default_factory=list)

    def add(self, at: datetime, card: Card | None) -> None:
        """Count one, and keep the latest to be shown."""
        self.times += 1
        if card is not None:
            self.cards.add(card.pk)
        if len(self.first) < SHOWN:
            self.first.append((at, card))


def replay(rule: Rule, days: int = 60) -> Replay:
    """Return how often the rule would have acted in the last days: what happened as it was, the cards as they are now.

    Where more happened than can be read at once, `since` says from when on it was read.
    """
    now = timezone.now()
    found = Replay(now - timedelta(days=days))
    rule.business.rows_named = {}
    if rule.read.trigger.moments is None:
        _replay_events(rule, found)
    else:
        asked = Asked(rule.business, rule.workflow_id, found.since, now)
        moments = sorted(rule.read.moments(asked, rule.where, past=True), key=lambda one: one.at, reverse=True)
        for some in batched(moments, 500):
            cards = _cards(rule, {one.card_id for one in some})
            for one in some:
                if one.card_id is None or one.card_id in cards:
                    _ask(rule, found, one.at, Occasion(rule.business_id), cards.get(one.card_id))
    return found


def _replay_events(rule: Rule, found: Replay) -> None:
    events = Event.objects.filter(business=rule.business, name__in=rule.read.trigger.events, at__gt=found.since)
    for some in batched(events.order_by("-sequence")[:MOST_EVENTS].iterator(500), 500):
        cards = _cards(rule, {event.subject_id for event in some})
        for event in some:
            ours = not rule.workflow_id or event.details.get("workflow") == str(rule.workflow_id)
            if ours and rule.is_set_off_by(event):
                _ask(rule, found, event.at, Occasion.of(event), cards.get(event.subject_id))
    if events.count() > MOST_EVENTS:
        found.since = some[-1].at


def _cards(rule: Rule, keys: set) -> dict:
    rows = Card.objects.filter(business=rule.business, pk__in=keys).prefetch_related(*WITH)
    found = {card.pk: card for card in rows.select_related("phase", "workflow", "contact")}
    for card in found.values():
        card.business = rule.business
    return found


def _ask(rule: Rule, found: Replay, at: datetime, occasion: Occasion, card: Card | None) -> None:
    if card is not None:
        occasion.card_id = card.pk
        occasion.__dict__["card"] = card
    elif occasion.event and occasion.event.subject_kind == "card":
        return  # it was deleted since: nothing can be asked of it
    if not rule.read.why_not(occasion):
        found.add(at, card)
