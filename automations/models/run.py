"""What a rule did on one occasion, and why it did not."""

import logging
import uuid
from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, models, transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts.actor import Actor
from accounts.events import record
from accounts.models import Business, Event
from accounts.verbs import Stale, in_one, verb, writing
from automations.actions.registry import Deed, Until
from automations.document import Document, action_of
from automations.inputs import is_yes
from automations.models.rule import ON, Rule
from automations.occasion import Occasion
from boards.models import Card, Phase

log = logging.getLogger(__name__)

RUNNING, WAITING, DONE, SKIPPED, FAILED, STOPPED, WATCHED, CANCELLED = (
    "running waiting done skipped failed stopped watched cancelled".split()
)
STATES = [
    (RUNNING, "Running"),
    (WAITING, "Waiting"),
    (DONE, "Done"),
    (SKIPPED, "Skipped"),
    (FAILED, "Failed"),
    (STOPPED, "Stopped"),
    (WATCHED, "Watched"),
    (CANCELLED, "Cancelled"),
]
TURN = [RUNNING, WAITING, DONE, FAILED, WATCHED, CANCELLED]  # states of a run that used up the rule's turn
WHERE_IT_STANDS = ("phase", "stage", "workflow")  # kinds of facts that a move changes
TRIES = 5  # times a run that somebody's death interrupted at a step is taken up again
INTERRUPTED = timedelta(seconds=60)  # without a sign of life, after which a run is taken up by somebody else


class RunQuerySet(models.QuerySet):
    """Reads runs."""

    def for_list(self):
        """Return runs with what a line about them shows, newest first."""
        return self.select_related("rule", "card").order_by("-began_at", "-pk")

    def acted(self):
        """Return the runs of rules that did something, or began to."""
        return self.filter(rule__isnull=False, state__in=TURN)

    def by_rule(self, business, since) -> dict:
        """Return for each rule of a business how often it acted since a moment, when last, what failed and waits."""
        rows = self.acted().filter(business=business, began_at__gte=since).order_by()
        counted = rows.values("rule").annotate(
            count=models.Count("pk"),
            last=models.Max("began_at"),
            failed=models.Count("pk", filter=models.Q(state=FAILED)),
            waiting=models.Count("pk", filter=models.Q(state=WAITING)),
        )
        return {row["rule"]: row for row in counted}

    def due(self):
        """Return those whose wait is over."""
        return self.filter(state=WAITING, wakes_at__lte=timezone.now()).order_by("wakes_at")

    def interrupted(self):
        """Return those that began to run and of which nothing was heard since, by the database's clock."""
        return self.filter(state=RUNNING, touched_at__lte=Now() - INTERRUPTED).order_by("touched_at")

    def in_chain(self, chain_id):
        """Return the runs that one root event led to."""
        return self.filter(chain=chain_id)


class Run(models.Model):
    """One evaluation of a rule: done, or how far it has come, or why it was not, in words.

    The actions are those of the document as it was then; `step` says how many are done. Each is done in one
    transaction with its count, so that whoever dies in between neither loses nor repeats one.
    attempts: by people. interruptions: how often it was taken up at the step where it stands, counted when it is taken.
    touched_at: its last sign of life, by the database's clock.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="runs")
    rule = models.ForeignKey(Rule, models.SET_NULL, null=True, blank=True, related_name="runs")
    phase = models.ForeignKey(
        Phase, models.SET_NULL, null=True, blank=True, related_name="runs", help_text="Whose own rule it was."
    )
    name = models.CharField("rule's name", max_length=120)
    version = models.PositiveIntegerField("rule's version", default=1)
    card = models.ForeignKey(Card, models.SET_NULL, null=True, blank=True, related_name="runs")
    card_name = models.CharField(max_length=300, blank=True)
    event = models.ForeignKey(Event, models.SET_NULL, null=True, blank=True, related_name="+")
    chain = models.ForeignKey(
        Event, models.SET_NULL, null=True, blank=True, related_name="+", help_text="The event that began it all."
    )
    due = models.CharField("moment", max_length=120, blank=True, help_text="The name of the moment that came.")
    state = models.CharField(max_length=10, choices=STATES, default=RUNNING)
    reason = models.TextField(blank=True)
    actions = models.JSONField(default=list)
    premise = models.JSONField(default=dict, help_text="Trigger and conditions that are asked again after a wait.")
    step = models.PositiveSmallIntegerField("actions done", default=0)
    steps = models.JSONField("what was done", default=list)
    stood_in = models.ForeignKey(Phase, models.SET_NULL, null=True, blank=True, related_name="+")
    wakes_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=1)
    interruptions = models.PositiveSmallIntegerField(default=0)
    began_at = models.DateTimeField(default=timezone.now)
    touched_at = models.DateTimeField(db_default=Now())

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-began_at"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "event"], name="run_once_an_event"),
            models.UniqueConstraint(
                fields=["rule", "chain"], condition=models.Q(state__in=TURN), name="run_once_a_chain"
            ),
            models.UniqueConstraint(fields=["rule", "due"], condition=~models.Q(due=""), name="run_once_a_moment"),
            models.UniqueConstraint(fields=["phase", "event"], name="phase_once_an_event"),
            models.UniqueConstraint(
                fields=["phase", "chain"], condition=models.Q(state__in=TURN), name="phase_once_a_chain"
            ),
            models.UniqueConstraint(fields=["phase", "due"], condition=~models.Q(due=""), name="phase_once_a_moment"),
        ]
        indexes = [
            models.Index(fields=["business", "-began_at"], name="run_newest"),
            models.Index(fields=["rule", "-began_at"], name="run_of_rule"),
            models.Index(fields=["wakes_at"], condition=models.Q(state=WAITING), name="run_waits"),
            models.Index(fields=["touched_at"], condition=models.Q(state=RUNNING), name="run_runs"),
        ]

    def __str__(self):
        return f"{self.name}: {self.card_name or self.due or self.state}"

    # Beginning ----------------------------------------------------------------------------------------

    @classmethod
    def note(cls, rule: Rule, occasion: Occasion, state: str, *, reason: str = "", steps=()) -> "Run | None":
        """Write what came of an occasion; None when that was written already, or the turn in this chain is used up."""
        run = cls._of(rule, occasion, state)
        run.reason, run.steps = reason, list(steps)
        try:
            in_one(lambda: run._begin(rule, occasion))
        except IntegrityError:
            return None
        occasion.event = run.event
        return run

    def _begin(self, rule: Rule, occasion: Occasion) -> None:
        """Write it; a moment that came begins a chain, and what failed before it began is told."""
        if occasion.event is None and self.state == RUNNING and not rule.phase:
            self._begin_chain(rule, occasion)
        self.save(force_insert=True)
        if self.state == FAILED:
            self._tell(occasion, self.actor)

    @classmethod
    def note_unheard(cls, event: Event) -> None:
        """Write, once, that no rule waited for an event that was sent to a card."""
        about, told = Occasion.of(event), event.details
        run = cls(pk=uuid.uuid5(uuid.NAMESPACE_OID, f"event {event.pk}"), business_id=event.business_id, event=event)
        run.name, run.state = told["event"][:120], SKIPPED
        run.reason = f"No rule waits for this event in {told['phase']['name']}."
        run.card, run.card_name, run.chain_id = about.card, event.subject_name, event.root_id or event.pk
        with suppress(IntegrityError):
            in_one(lambda: run.save(force_insert=True))

    @classmethod
    def rehearsal(cls, rule: Rule, occasion: Occasion) -> "Run":
        """Write a run that takes nobody's turn, in a transaction that is rolled back."""
        run = cls._of(rule, occasion, RUNNING)
        run.event, run.chain, run.due = None, None, f"rehearsal {run.pk}"
        run.save(force_insert=True)
        return run

    @classmethod
    def _of(cls, rule: Rule, occasion: Occasion, state: str) -> "Run":
        card, event = occasion.card, occasion.event
        return cls(
            business_id=rule.business_id,
            rule=None if rule.phase else rule,
            phase=rule.phase,
            name=rule.name,
            version=rule.version,
            card=card,
            card_name=card.name if card else (occasion.contact.name if occasion.contact else ""),
            event=event,
            chain_id=(event.root_id or event.pk) if event else None,
            due=occasion.due,
            state=state,
            actions=rule.document.get("actions", []),
            premise=_premise(rule.document),
            stood_in=card.phase if card else None,
        )

    def _begin_chain(self, rule: Rule, occasion: Occasion) -> None:
        """Record that a moment came, as the event from which all that follows can be traced."""
        by, why = rule.actor(), occasion.why
        if occasion.card:
            self.event = occasion.card.record("card.came_due", by, why=why)
        else:
            self.event = record("rule.came_due", rule, by, why=why)
        self.chain = self.event

    # Going on -----------------------------------------------------------------------------------------

    @property
    def actor(self) -> Actor:
        """Return the rule as the one who does it, because of what happened."""
        by = Actor("rule", str(self.rule_id or ""), self.name, self.business_id)
        return by.because_of(self.event) if self.event else by

    @property
    def occasion(self) -> Occasion:
        """Return the occasion anew."""
        return Occasion(self.business_id, self.event, self.card_id, due=self.due)

    @property
    def is_over(self) -> bool:
        """Answer whether nothing more comes of it by itself."""
        return self.state not in (RUNNING, WAITING)

    def go_on(self, occasion: Occasion | None = None) -> None:
        """Do one action after the other until it is done, waits or cannot go on."""
        occasion = occasion or self.occasion
        while self.state == RUNNING:
            self.take_step(occasion, by=self.actor)

    @verb("rule.act")
    def take_step(self, occasion: Occasion, *, by: Actor):
        """Do the next action together with its count; what refuses it ends the run, in words, and nothing else."""
        self._lock()
        if self.state != RUNNING:
            return
        if self.step >= len(self.actions):
            self._end(DONE)
            return
        occasion.look_again()
        if self.phase_id and (occasion.card is None or occasion.card.phase_id != self.phase_id):
            self._end(CANCELLED, "It has left the phase.")
            return
        if self._spent():
            self._end(STOPPED, f"More than {settings.RULES_ACTIONS} actions followed from one event.")
            return
        try:
            with transaction.atomic():
                said = self.do(self.step, occasion, by=by)
        except Stale as news:
            self._end(CANCELLED, " ".join(news.messages))
        except ValidationError as refusal:
            self._fail(" ".join(refusal.messages), occasion, by)
        except OperationalError:
            raise
        except Exception as error:
            log.exception("Run %s of rule %s could not do action %s", self.pk, self.name, self.step)
            self._fail(f"Something went wrong inside Phasewise ({type(error).__name__}).", occasion, by)
        else:
            self._count(said, occasion)

    def do(self, step: int, occasion: Occasion, *, by: Actor, on_trial: bool = False, shown: list | None = None):
        """Do one of its actions, and nothing else; return what it says. Raises ValidationError."""
        written = self.actions[step]
        action = action_of(written)
        deed = Deed(occasion, by, self, f"{self.pk}:{step}", on_trial, shown if shown is not None else [])
        return action.do(deed, **action.read(written, occasion))

    @verb("run.retry")
    def retry(self, *, by: Actor):
        """Try a failed run again, from the action that failed. Returns whether it was begun."""
        self._lock()
        if self.state != FAILED:
            raise ValidationError("Only what failed can be tried again.", code="state")
        self.state, self.reason, self.attempts, self.interruptions = RUNNING, "", self.attempts + 1, 0
        self._keep("state", "reason", "attempts", "interruptions")
        transaction.on_commit(lambda: Run.objects.get(pk=self.pk).go_on(), robust=True)
        return True

    @verb("run.cancel")
    def cancel(self, *, by: Actor):
        """Let a run that waits go on no more. Doing it again is no news."""
        self._lock()
        if self.state == WAITING:
            self._end(CANCELLED, f"{by.name} stopped it.")

    def wake(self) -> None:
        """Go on after a wait that is over, unless its reason is gone."""
        if self._take(Run.objects.due()):
            in_one(self._wake)
            self.go_on()

    def _wake(self) -> None:
        self._lock()
        if self.state != WAITING or self.wakes_at > timezone.now():
            return
        self.state, self.wakes_at, self.interruptions = RUNNING, None, 0
        try:
            with transaction.atomic():
                gone = self._reason_is_gone() or self._no_longer_so()
        except OperationalError:
            raise
        except Exception as error:  # or it would wait for ever
            log.exception("Run %s of rule %s could not be asked again", self.pk, self.name)
            self._fail(f"Something went wrong inside Phasewise ({type(error).__name__}).", self.occasion, self.actor)
            return
        if gone:
            self.state, self.reason = CANCELLED, gone
        self._keep("state", "wakes_at", "reason", "interruptions")

    def take_up(self) -> None:
        """Go on where somebody's death interrupted; what was interrupted again and again is set aside."""
        if self._take(Run.objects.interrupted()):
            self.go_on()

    def _take(self, standing) -> bool:
        """Take it if it still stands among these; it counts from now on, whatever becomes of the worker."""
        with writing():
            count = models.F("interruptions") + 1
            taken = standing.filter(pk=self.pk).update(interruptions=count, touched_at=Now())
        if taken:
            in_one(self._set_aside_if_hopeless)
        return bool(taken)

    def _set_aside_if_hopeless(self) -> None:
        self._lock()
        if self.interruptions > TRIES and not self.is_over:
            self._fail(f"It was interrupted {TRIES} times.", self.occasion, self.actor)

    def _lock(self) -> None:
        self.refresh_from_db(from_queryset=Run.objects.select_for_update(of=("self",)))

    # Under the lock -----------------------------------------------------------------------------------

    def _count(self, said: str | Until, occasion: Occasion) -> None:
        """Note that an action is done, and wait if it says so."""
        self.step, self.interruptions = self.step + 1, 0
        waits = isinstance(said, Until)
        self.steps = [*self.steps, said.says if waits else str(said)]
        if waits:
            self.state, self.wakes_at = WAITING, said.at
            self.stood_in = occasion.card.phase if occasion.card else None
            self._expect(occasion)
        elif self.step >= len(self.actions):
            self.state = DONE
        self._keep("step", "steps", "state", "wakes_at", "stood_in", "interruptions", "premise")

    def _expect(self, occasion: Occasion) -> None:
        """Take down which of the conditions must hold still when the wait is over."""
        if not self.premise:
            return
        places = WHERE_IT_STANDS if self._minds_no_move else ()
        read = Document.asking(**self.premise)
        self.premise["conditions"] = read.asked_again(occasion, but=lambda fact: fact.kind in places)

    def _end(self, state: str, reason: str = "") -> None:
        self.state, self.reason = state, reason
        self._keep("state", "reason", "wakes_at")

    def _fail(self, why: str, occasion: Occasion, by: Actor) -> None:
        """Note why it could not go on, and tell it."""
        self._end(FAILED, why)
        self._tell(occasion, by)

    def _tell(self, occasion: Occasion, by: Actor) -> None:
        """Tell that it failed: on the card for a phase's own rule, else about the rule."""
        card = occasion.card
        if self.rule_id:
            told = {"card": card.name if card else self.card_name, "number": card.number if card else None}
            record("rule.failed", self.rule, by, rule=self.name, error=self.reason, run=str(self.pk), **told)
        elif card is not None and self.phase_id:
            with suppress(ValidationError):  # it was put away meanwhile: there is nobody to tell
                card.hold_back(self._towards(card), self.reason, by=by)

    def _spent(self) -> bool:
        if self.chain_id is None:
            return False
        done = Run.objects.in_chain(self.chain_id).aggregate(done=models.Sum("step"))["done"]
        return done >= settings.RULES_ACTIONS

    def _reason_is_gone(self) -> str:
        """Return why a run that waited must not go on, in words."""
        rule, card = self.rule, self.occasion.card
        if rule is None:
            return "The rule was deleted."
        if rule.state != ON:
            return "The rule was switched off."
        if not self.stood_in_id:
            return ""
        if card is None:
            return "The card was deleted."
        if card.archived_at:
            return "The card was archived."
        if card.workflow.archived_at:
            return "The workflow was archived."
        if card.phase_id != self.stood_in_id and not self._minds_no_move:
            return f"It has moved on to {card.phase.name}."
        return ""

    def _no_longer_so(self) -> str:
        """Return which condition holds no more, in words, now that a wait is over."""
        why = Document.asking(**self.premise).why_not(self.occasion) if self.premise else ""
        return f"No longer so: {why}" if why else ""

    @property
    def _minds_no_move(self) -> bool:
        """Answer whether the wait that it is in goes on wherever the card goes."""
        return is_yes(self.actions[self.step - 1].get("even_if_moved"))

    def _towards(self, card: Card) -> Phase:
        """Return where a phase's own rule was to take the card."""
        to = self.actions[0]["to"]
        return (card.next_phase if to == "next" else Phase.objects.filter(pk=to).first()) or card.phase

    def _keep(self, *fields) -> None:
        self.touched_at = Now()
        self.save(update_fields=[*fields, "touched_at"])


def _premise(document: dict) -> dict:
    """Return what is asked again after a wait; nothing where a document asks nothing, or does not wait."""
    waits = any(isinstance(one, dict) and one.get("type") == "wait" for one in document.get("actions", []))
    return {key: document[key] for key in ("trigger", "conditions")} if waits and document.get("conditions") else {}
