"""When … if … then …"""

import logging
import uuid
from collections import defaultdict
from contextlib import suppress
from functools import cache
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property

from accounts.actor import Actor
from accounts.events import record
from accounts.models import Business
from accounts.statements import Blank, Prepared
from accounts.verbs import Stale, in_one, refusal, refuse_unknown, verb
from automations.document import Document
from automations.inputs import KINDS, Input, Missing, Where
from automations.rulesets import rules_of
from automations.triggers import by_event
from boards.models import Card, Definition, Phase, Workflow

log = logging.getLogger(__name__)

ON, WATCH, OFF = "on", "watch", "off"
STATES = [(ON, "On"), (WATCH, "Watches only"), (OFF, "Off")]


class RuleQuerySet(models.QuerySet):
    """Reads rules."""

    def armed(self):
        """Return those that are on, or only watch, in workflows that are in use."""
        return self.exclude(state=OFF).filter(models.Q(workflow=None) | models.Q(workflow__archived_at=None))

    def set_off_by(self, event) -> list["Rule"]:
        """Return the rules that an event sets off, as far as it alone can tell, oldest first; asked once an event."""
        if not hasattr(event, "_rules"):
            rules = _waiting(event) if event.name in by_event else []
            event._rules = [rule for rule in rules if rule.is_set_off_by(event)]
        return event._rules

    def of_design(self):
        """Return those that a design brought along."""
        return self.filter(definition__isnull=False)

    def in_order(self):
        """Return them in the order in which they act: the oldest first, then those of a design as it lists them."""
        return self.order_by("place", "created_at", "pk")


def _waiting(event) -> list["Rule"]:
    """Return the rules that an event may set off: all of the business, or those that heed its card."""
    asked = {"business": event.business_id}
    if event.subject_kind == "card":
        asked |= {"card": event.subject_id, "workflow": UUID(event.details["workflow"])}
    return _waiting_for(event.name, event.subject_kind == "card").all(**asked)


@cache
def _waiting_for(name: str, on_card: bool) -> Prepared:
    """Return the question which rules an event of this name may set off: every move asks it.

    A rule of a design heeds the cards that run under its major version.
    """
    may = models.Q(business=Blank("business"), trigger__in=by_event[name])
    if on_card:
        version = Card.objects.filter(pk=Blank("card")).values("major")
        may &= models.Q(workflow=None) | models.Q(workflow=Blank("workflow"))
        may &= models.Q(definition=None) | models.Q(definition__major__in=version)
    return Prepared(lambda: Rule.objects.armed().filter(may).in_order())


class Rule(models.Model):
    """A rule of a business: kept as the document it was written as, read when it is asked."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="rules")
    workflow = models.ForeignKey(Workflow, models.CASCADE, null=True, blank=True, related_name="rules")
    # Where it comes from, if a design brought it along: the version that says it, and its place among the rulesets.
    definition = models.ForeignKey(
        Definition, models.CASCADE, null=True, blank=True, editable=False, related_name="rules"
    )
    place = models.PositiveIntegerField(default=0, editable=False)
    name = models.CharField(max_length=120)
    document = models.JSONField(help_text="As it was written or imported.")
    trigger = models.CharField(max_length=40, editable=False)
    state = models.CharField(max_length=5, choices=STATES, default=ON)
    version = models.PositiveIntegerField(default=1, editable=False)
    armed_at = models.DateTimeField("heeds moments since", default=timezone.now, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = RuleQuerySet.as_manager()

    phase = None  # the phase whose own rule it is; such a rule has no row

    FIELDS = ("name", "document", "workflow")

    class Meta:
        ordering = ["name", "id"]
        indexes = [models.Index(fields=["business", "trigger"], condition=~models.Q(state=OFF), name="rule_armed")]

    def __str__(self):
        return self.name

    @classmethod
    @verb("rule.create")
    def create(cls, business, document, *, name: str = "", workflow=None, state: str = ON, by: Actor):
        """Make a rule from its document; what the document names that is not there yet is no reason to refuse it.

        name, workflow: where the document does not say. Raises ValidationError at the part that makes no sense, and
        when the business has RULES_MOST rules.
        """
        Business.objects.select_for_update(no_key=True).get(pk=business.pk)
        if business.rules.count() >= settings.RULES_MOST:
            raise ValidationError(f"A business has at most {settings.RULES_MOST} rules.", code="too_many")
        rule = cls(business=business, name=name, workflow=workflow, state=state, created_by_id=by.user_id)
        rule._write(document)
        rule.save(force_insert=True)
        record("rule.created", rule, by, rule=rule.name)
        return rule

    @verb("rule.update")
    def update(self, *, version: int | None = None, by: Actor, **changes):
        """Change what is given of FIELDS; runs that wait finish as they began.

        Raises ValidationError, Stale when somebody else changed what it says since `version`.
        """
        refuse_unknown(changes, self.FIELDS)
        self._lock()
        self._refuse_of_design()
        self._refuse_changed_since(version)
        self._change(changes, by)

    def _change(self, changes: dict, by: Actor) -> None:
        before = self._as_told()
        document = changes.pop("document", self.document)
        for key, value in changes.items():
            setattr(self, key, value)
            if key in document:  # what it says of itself stays true
                document = {**document, key: str(value or "")}
        self._write(document)
        after = self._as_told()
        changed = [key for key in before if before[key] != after[key]]
        if not changed:
            return
        if {"document", "workflow"} & set(changed):
            self.version += 1
        # What it did not wait for until now, it has not missed.
        if before["workflow"] != after["workflow"] or before["document"]["trigger"] != after["document"]["trigger"]:
            self.armed_at = timezone.now()
        self.updated_at = timezone.now()
        self.save()
        told = {"before": {key: before[key] for key in changed}, "after": {key: after[key] for key in changed}}
        record("rule.updated", self, by, rule=self.name, changed=changed, **told)

    @verb("rule.switch")
    def switch(self, state: str, *, by: Actor):
        """Switch the rule on or off, or let it only watch. Switched on, it heeds what comes from now on."""
        if state not in dict(STATES):
            raise refusal("state", "A rule is on, watches or is off.", "rule_state")
        self._lock()
        before = self.state
        if before == state:
            return
        self.state, self.updated_at = state, timezone.now()
        if before == OFF:
            self.armed_at = timezone.now()
        self.save(update_fields=["state", "armed_at", "updated_at"])
        words = dict(STATES)
        record("rule.switched", self, by, rule=self.name, before=words[before].lower(), after=words[state].lower())

    @verb("rule.create")
    def copy(self, *, by: Actor):
        """Make another rule of the same document, switched off."""
        copied = self.document | ({"name": f"{self.name} (copy)"[:120]} if "name" in self.document else {})
        return Rule.create(
            self.business, copied, name=f"{self.name} (copy)"[:120], workflow=self.workflow, state=OFF, by=by
        )

    @verb("rule.delete")
    def delete_for_good(self, *, version: int | None = None, by: Actor):
        """Delete the rule; what it did stays told, runs that wait are cancelled when their time comes. Raises Stale."""
        self._lock()
        self._refuse_of_design()
        self._refuse_changed_since(version)
        self._go(by)

    def _go(self, by: Actor) -> None:
        record("rule.deleted", self, by, rule=self.name)
        self.delete()

    # Of a design -------------------------------------------------------------------------------------

    @classmethod
    @verb("rule.create")
    def take_from(cls, definition: Definition, *, by: Actor):
        """Make the rules of a design what the newest version of its major says; doing it again is no news.

        Whether a rule is on stays as people switched it, also from one major to the next. The rules of older majors
        stay as long as a card runs under them.
        """
        workflow = Workflow.objects.select_for_update(no_key=True).get(pk=definition.workflow_id)
        newest = workflow.definitions.filter(major=definition.major).first()
        rules = cls.objects.of_design().filter(workflow=workflow, definition__major=newest.major)
        standing = defaultdict(list)
        for rule in rules.in_order().select_for_update(of=("self",)):
            standing[rule.document["trigger"]["name"]].append(rule)
        states = {} if standing else cls._states_before(newest)
        for place, (name, document) in rules_of(newest):
            same = standing[name].pop(0) if standing[name] else None
            rule = same or cls(business_id=workflow.business_id, workflow=workflow, state=states.get(name, ON))
            rule._follow(newest, place, name, document, by)
        for rule in (one for left in standing.values() for one in left):
            rule._go(by)
        cls._let_go_of(workflow, by)

    def _follow(self, definition: Definition, place: int, name: str, document: dict, by: Actor) -> None:
        """Be what a ruleset says."""
        is_new, self.definition, self.place = self._state.adding, definition, place
        if not is_new:
            self.save(update_fields=["definition", "place"])
            self._change({"document": document}, by)
            return
        self.name = name[:120]
        self._write(document)
        self.save(force_insert=True)
        record("rule.created", self, by, rule=self.name)

    @classmethod
    def _states_before(cls, definition: Definition) -> dict[str, str]:
        """Return which rulesets people switched, by name, under the major before."""
        earlier = cls.objects.of_design().filter(
            workflow=definition.workflow_id, definition__major__lt=definition.major
        )
        return {
            rule.document["trigger"]["name"]: rule.state for rule in earlier.order_by("definition__major", "-place")
        }

    @classmethod
    def let_go(cls) -> int:
        """Delete the rules of designs under which no card runs any more; return how many there were."""
        old = cls.objects.of_design().filter(definition__major__lt=models.F("workflow__major"))
        workflows = Workflow.objects.filter(pk__in=old.values("workflow")).select_related("business")
        return sum(in_one(lambda one=one: cls._let_go_of(one, Actor.system(one.business))) for one in workflows)

    @classmethod
    def _let_go_of(cls, workflow: Workflow, by: Actor) -> int:
        old = cls.objects.of_design().filter(workflow=workflow, definition__major__lt=workflow.major)
        runs_under = Card.objects.filter(workflow=workflow, major=models.OuterRef("definition__major"))
        done = list(old.exclude(models.Exists(runs_under)).exclude(runs__state__in=("running", "waiting")))
        for rule in done:
            rule._go(by)
        return len(done)

    def _refuse_of_design(self) -> None:
        """Raise ValidationError for a rule that a design brought along: its text is changed there."""
        if self.definition_id:
            says = f"{self.name} is part of the design of {self.workflow}. Change it there; here it can be switched."
            raise ValidationError(says, code="of_design")

    # On a card ---------------------------------------------------------------------------------------

    @verb("rule.press")
    def press(self, card, *, by: Actor):
        """Press the rule's button on a card; raises ValidationError where it has none. Returns the event."""
        card.lock_row()
        if self not in Rule.buttons_of(card):
            raise ValidationError("This button is not there any more.", code="button")
        return card.record("card.button_pressed", by, rule=str(self.pk), label=self.button)

    @property
    def button(self) -> str:
        """Return what its button says; "" for a rule that has none."""
        return str(self.read.options.get("label") or "") if self.trigger == "button" else ""

    @property
    def calls(self) -> bool:
        """Answer whether it calls an address by itself."""
        return any(one.get("type") == "webhook" for one in self.document.get("actions", []))

    @classmethod
    def buttons_of(cls, card) -> list["Rule"]:
        """Return the rules that have a button on a card."""
        rules = cls.objects.armed().filter(business=card.business_id, trigger="button")
        return list(rules.filter(models.Q(workflow=None) | models.Q(workflow=card.workflow_id)))

    @classmethod
    def of_phase(cls, phase: Phase, name: str, to: Phase | None, reason=None) -> "Rule":
        """Return the rule that a phase is by itself: its cards go to the next phase, or to `to`."""
        written = {"type": "move_card", "to": str(to.pk) if to else "next"}
        written |= {"reason": str(reason.pk)} if reason else {}
        rule = cls(business_id=phase.business_id, workflow_id=phase.workflow_id, name=name[:120], trigger="reported")
        rule.document = {"trigger": "reported", "actions": [written]}
        rule.phase = phase
        return rule

    @cached_property
    def read(self) -> Document:
        """Return the document as it is worked with."""
        return Document.read(self.document)

    @property
    def where(self) -> Where:
        """Return where the names in the document are looked up."""
        return Where(self.business, self.workflow_id)

    @property
    def problems(self) -> list[str]:
        """Return what the document names that is not there (any more), in words."""
        return self.read.check(self.where)

    def is_set_off_by(self, event) -> bool:
        """Answer whether an event is what the rule waits for, as far as the event alone can tell."""
        try:
            return self.read.is_set_off_by(event, self)
        except Exception:  # asked in the transaction of a person, whom no broken rule may hold up: its Run will say so
            log.exception("Rule %s cannot be read", self.pk)
            return True

    def actor(self, event=None) -> Actor:
        """Return the rule as the one who does it."""
        by = Actor("rule", "" if self.phase else str(self.pk), self.name, self.business_id)
        return by.because_of(event) if event else by

    def exported(self) -> dict:
        """Return the rule as its document says it, with its name and state beside."""
        workflow = {"workflow": self.workflow.name} if self.workflow else {}
        return {"name": self.name, "state": self.state, **workflow, "rule": self.document}

    @property
    def says_all_of_itself(self) -> bool:
        """Answer whether its document alone brings back its name and its workflow."""
        named = self.document.get("name")
        with suppress(ValidationError):  # a rule that this version does not know has no short name
            named = named or _in_short(self.read)
        return named == self.name and (not self.workflow or "workflow" in self.document)

    def _lock(self) -> None:
        self.refresh_from_db(from_queryset=Rule.objects.select_for_update(of=("self",)))

    def _refuse_changed_since(self, version: int | None) -> None:
        if version not in (None, self.version):
            raise Stale(f"Somebody changed {self.name} while you were at it. Nothing was changed.")

    def _as_told(self) -> dict:
        return {"name": self.name, "workflow": str(self.workflow or ""), "document": self.document}

    def _write(self, document) -> None:
        """Take a document, and from it what is asked of the database; raises ValidationError."""
        self.__dict__.pop("read", None)
        self.document = document
        read = self.read
        self.trigger = read.trigger.key
        if document.get("workflow"):
            self.workflow = _workflow(document["workflow"], self.where)
        if self.workflow and self.workflow.business_id != self.business_id:
            raise refusal("workflow", "This workflow does not exist.", "foreign")
        if self.definition_id is None:  # those of a design were examined before it was published
            read.check(self.where)
        self.name = str(document.get("name") or self.name or _in_short(read)).strip()[:120]
        self.clean_fields(exclude=["business", "workflow", "definition", "created_by"])


def _workflow(named, where):
    try:
        return KINDS["workflow"](named, where, Input("workflow", "workflow", "workflow"))
    except Missing as gone:
        raise ValidationError({"workflow": gone}) from None


def _in_short(read: Document) -> str:
    """Return a name for a rule that was given none."""
    return f"When {read.trigger.label}"
