"""Trying a rule without effects: on a card, on all cards as they stand, on what happened in the past."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.verbs import writing
from automations.actions.registry import Until
from automations.models.rule import Rule
from automations.models.run import RUNNING, Run
from automations.occasion import Occasion
from boards.models import Card


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
    trial = Trial()
    with writing(), transaction.atomic():
        run = Run._of(rule, occasion, RUNNING)
        run.event = run.chain = None
        run.due = f"trial {uuid.uuid4()}"
        run.save(force_insert=True)
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
    occasion.look_again()
    return trial
