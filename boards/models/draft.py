"""A design that is being worked on while the board goes on running as it was."""

import uuid
from copy import deepcopy
from dataclasses import replace

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property

from accounts.actor import Actor
from accounts.models import Business
from accounts.verbs import Stale, refusal, verb
from boards import checking, comparing, definitions, documents
from boards.definitions import blank_step, cancelled_of, in_order, merged, path_of, place_in_group, win_of
from boards.documents import renamed
from boards.models.definition import shelf_of
from boards.models.phase import Phase
from boards.models.workflow import OWN_ENTITY, Workflow

POINTERS = ("status", "trigger", "default_assignee", "timeout_to")
# What is said of documents that other systems run by rulesets alone: on a board of ours people make and move cards.
OF_RULESETS = ("CREATE_RULESET_MISSING", "CREATED_STATUS_MISSING", "UNUSED_CATEGORY_FOUND")


class Draft(models.Model):
    """The next design of a workflow, one at a time; a draft is nobody's news before it is published, so it has no events."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="drafts")
    workflow = models.OneToOneField(Workflow, models.CASCADE, related_name="draft")
    design = models.JSONField(editable=False)
    based_on = models.JSONField(editable=False, help_text="The running design when the draft was begun.")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    FIXES = ("set_step", "add_step", "drop_ruleset", "drop_rule")

    put = None  # the document it was read from, where a program put one, and what could be read of it
    put_sound = None

    class Meta:
        ordering = ["-updated_at", "id"]

    def __str__(self):
        return f"Draft of {self.workflow}"

    # Reading --------------------------------------------------------------------------------------------

    @classmethod
    def of(cls, workflow) -> "Draft":
        """Return the draft of a workflow, or one that is as the workflow runs and stands nowhere yet."""
        draft = cls._found(workflow)
        return draft if draft and draft.design != draft.based_on else cls.running(workflow)

    @classmethod
    def running(cls, workflow) -> "Draft":
        """Return the running design as a draft that stands nowhere."""
        running = design_of(workflow)
        return cls(business_id=workflow.business_id, workflow=workflow, design=deepcopy(running), based_on=running)

    @classmethod
    def of_document(cls, workflow, document: dict, moves=None) -> "Draft":
        """Return what a document, as far as it can be read, means for a workflow: a draft that stands nowhere.

        moves: as in documents.read.
        """
        draft = cls.running(workflow)
        draft.put, draft.put_sound = document, checking.sound(document)
        draft.design = documents.read(draft.put_sound, draft.based_on, shelf_of(workflow), moves)
        return draft

    @property
    def document(self) -> dict:
        """Return the design as the document that is published."""
        return self._written(shelf_of(self.workflow))

    def _written(self, shelf) -> dict:
        return self.put or documents.write(self.design | self.workflow.entity_of(self.design), shelf)

    @property
    def is_begun(self) -> bool:
        """Answer whether anything is kept of it."""
        return not self._state.adding

    @property
    def mark(self) -> str:
        """Return what tells this state of a draft from those before and after it."""
        return self.updated_at.isoformat() if self.is_begun else "running"

    def refuse_edited_since(self, mark: str | None) -> None:
        """Raise ValidationError when the draft, as read under its lock, is not as somebody saw it; None saw nothing."""
        if mark is not None and mark != self.mark:
            said = "The draft was changed a moment ago. Nothing was done: look at what it changes now."
            raise ValidationError(said, code="draft_changed")

    @property
    def is_news(self) -> bool:
        """Answer whether publishing it would keep a version that says something new."""
        return self.design != self.based_on or self.newest is None or bool(self.changes_on_the_board)

    @cached_property
    def newest(self):
        """Return the newest version that is kept, or None."""
        return self.workflow.definitions.first()

    @cached_property
    def changes_on_the_board(self) -> list[str]:
        """Return in words what was changed on the board itself since the newest version, beside any draft."""
        if self.newest is None:
            return []
        running = documents.write(self.based_on | self.workflow.entity_of(self.based_on), self.shelf)
        return documents.compare(self.newest.document, running, self.shelf)

    @property
    def is_stale(self) -> bool:
        """Answer whether the running design has changed since the draft was begun."""
        return self.is_begun and self.design != self.based_on != design_of(self.workflow)

    @property
    def changes(self) -> list[str]:
        """Return in words what publishing would change."""
        return self._told(self.design)

    @property
    def changes_meanwhile(self) -> list[str]:
        """Return in words what has changed on the running board since the draft was begun."""
        return self._told(design_of(self.workflow))

    def _told(self, design) -> list[str]:
        cards = {str(pk): count for pk, count in self.workflow.phases.values_list("pk", "card_count")}
        return comparing.changes(self.based_on, design, called=self.shelf.called, cards=cards)

    @cached_property
    def shelf(self) -> documents.Shelf:
        """Return what documents and people call the rows that steps point to, as it was when it was first asked."""
        return shelf_of(self.workflow)

    def step(self, step_id) -> dict | None:
        """Return a step of the draft, or None."""
        return next((step for step in self.design["steps"] if step["id"] == str(step_id)), None)

    def removed(self, step_id) -> dict | None:
        """Return a step that is to go, or None."""
        return next((gone for gone in self.design["removed"] if gone["id"] == str(step_id)), None)

    def problems(self, *, finish_old: bool = False) -> list[definitions.Problem]:
        """Return what is wrong with the draft as things stand on the board, errors first.

        finish_old: cards on their way finish in the phases that go.
        """
        counted = self.workflow.phases.annotate(all_cards=models.Count("cards"))
        rows = counted.values("pk", "section", "card_count", "all_cards")
        cards = {str(row["pk"]): row["card_count"] for row in rows}
        all_cards = {str(row["pk"]): row["all_cards"] for row in rows}
        stay = {str(row["pk"]) for row in rows if finish_old and row["section"] == Phase.PATH}
        leaving = {pk: count for pk, count in all_cards.items() if pk not in stay}
        found = [
            *definitions.problems(self.design, cards=cards, all_cards=leaving, most=self.business.most_phases),
            *self._crossings(all_cards),
            *self._taken_entity(),
        ]
        found += self._problems_of_document({_mark(problem) for problem in found})
        return sorted(found, key=lambda problem: problem.severity != "error")

    def _problems_of_document(self, told):
        """Yield what is wrong with the document it is published as, but for what was told of the board already."""
        document = self._written(self.shelf)
        is_plain_board = not self.put and (not document["rulesets"] or document["entityType"] == OWN_ENTITY)
        found = checking.check(document, self.shelf)
        sound = self.put_sound or checking.sound(document)
        for inspect in definitions.inspectors:
            found += inspect(self.workflow, sound)
        for problem in found:
            if _mark(problem) not in told and not (is_plain_board and problem.code in OF_RULESETS):
                yield replace(problem, steps=problem.steps or self._steps_named(problem.attributes))

    def _steps_named(self, attributes) -> tuple[tuple[str, str], ...]:
        """Return the steps that a problem is about: there one can jump."""
        about = [attributes.get("status"), *attributes.get("statuses", ())]
        about += [row["name"] for row in attributes.get("categories", ())]
        return tuple((step["id"], step["name"]) for step in self.design["steps"] if step["name"] in about)

    def _taken_entity(self):
        """Yield that programs find another workflow already under the name that the design bears."""
        if not self.design["entity_type"]:
            return
        entity = self.workflow.entity_of(self.design)
        twin = self.workflow.business.workflows.filter(**entity).exclude(pk=self.workflow.pk).first()
        if twin:
            ref = "::".join(entity.values())
            yield definitions.Problem("ENTITY_TAKEN", f"{ref} is {twin} already.", (), "error", {"name": ref})

    def _crossings(self, all_cards):
        """Yield steps with cards that go over between the path and the cancelled ones: nobody said why they ended."""
        was = {step["id"]: step["stage"] == "cancelled" for step in self.based_on["steps"]}
        for step in self.design["steps"]:
            crossed = was.get(step["id"], step["stage"] == "cancelled") != (step["stage"] == "cancelled")
            if crossed and all_cards.get(step["id"]):
                said = f"{step['name']} holds cards, so it cannot become {definitions.STAGE_NAMES[step['stage']]}. Move them first."
                told = {"status": step["name"], "cards": all_cards[step["id"]]}
                yield definitions.Problem("CARDS_INSIDE", said, ((step["id"], step["name"]),), "error", told)

    # Changing -------------------------------------------------------------------------------------------

    @classmethod
    @verb("draft.change")
    def begin(cls, workflow, *, by: Actor) -> "Draft":
        """Begin a draft from the running design, or go on with the one that is there."""
        workflow = Workflow.objects.select_for_update(no_key=True).get(pk=workflow.pk)
        workflow.refuse_archived()
        draft = cls._found(workflow)
        if draft is None or draft.design == draft.based_on:
            fresh = cls.running(workflow)
            fresh.pk, fresh.author_id, fresh.changed_by_id = draft.pk if draft else fresh.pk, by.user_id, by.user_id
            fresh.save(force_insert=draft is None, force_update=draft is not None)
            return fresh
        return draft

    @verb("draft.change")
    def describe(self, *, name: str, type: str, by: Actor):
        """Give the workflow another name or type."""
        self.lock()
        self.design |= {"name": name.strip(), "type": type}
        checked = Workflow(name=self.design["name"], type=type)
        checked.clean_fields(exclude=["business", "slug", "archived_by"])
        self._keep(by)

    @verb("draft.change")
    def add_step(self, *, name: str, stage="processing", status=None, description="", by: Actor) -> str:
        """Add a step at the end of its stage group, perhaps from the library; return its id."""
        self.lock()
        new = blank_step(str(uuid.uuid4()), name.strip(), stage, description=description)
        new["status"] = str(status.pk) if status else None
        self._check(new)
        self._put(new, place_in_group(path_of(self.design), stage))
        self._keep(by)
        return new["id"]

    @verb("draft.change")
    def move_step(self, step_id, position: int, *, stage: str = "", by: Actor):
        """Put a step at a place of the path (or of the cancelled ones), counted from 0 without it.

        stage: the stage group it was dropped in; without one it joins a neighbour's, so that groups stay together.
        Raises ValidationError for the win, which is always last.
        """
        self.lock()
        step = self._own(step_id)
        if step["win"]:
            raise ValidationError("The win step is always last.", code="win_phase")
        if position < 0:
            raise ValidationError("A position is counted from 0.", code="position")
        crosses = "cancelled" in (stage, step["stage"]) and stage not in ("", step["stage"])
        if stage and (stage not in definitions.STAGE_ORDER or crosses):
            raise ValidationError("A step is not dragged there. Change its stage group instead.", code="stage")
        others = [one for one in self._section(step) if one is not step]
        if step["stage"] != "cancelled":
            step["stage"] = stage or self._stage_between(step, others, position)
        self._put(step, position)
        self._keep(by)

    @verb("draft.change")
    def set_step(self, step_id, *, by: Actor, **changes):
        """Change the name or settings of a step; ids of rows are given as strings, None for nothing."""
        self.lock()
        if set(changes) - set(definitions.SETTINGS):
            raise ValueError(f"unknown settings {sorted(set(changes) - set(definitions.SETTINGS))}")
        step = self._own(step_id)
        was, called = step["stage"], step["name"]
        step |= {key: value.strip() if isinstance(value, str) else value for key, value in changes.items()}
        self._check(step)
        if step["name"] != called:
            self.design["rulesets"] = renamed(self.design, {called: step["name"]})
        if step["win"] and step["stage"] != "completed":
            raise ValidationError({"stage": "The win step is always Completed."})
        if step["stage"] != was:
            others = [one for one in path_of(self.design) if one is not step]
            later = definitions.STAGE_ORDER[step["stage"]] > definitions.STAGE_ORDER[was]
            first = next((i for i, one in enumerate(others) if one["stage"] == step["stage"]), None)
            self._put(step, first if later and first is not None else place_in_group(others, step["stage"]))
        self._keep(by)

    @verb("draft.change")
    def remove_step(self, step_id, *, to=None, by: Actor):
        """Take a step out; once published, its cards go to the step `to`. A step that never was on the board is simply gone."""
        self.lock()
        step = self._own(step_id)
        if step["win"]:
            raise ValidationError("The win step cannot be deleted.", code="win_phase")
        if to is not None and (str(to) == step["id"] or not self.step(to)):
            raise refusal("to", "That step is gone. Choose another.", "cards_need_phase")
        self.design["steps"].remove(step)
        for other in self.design["steps"]:
            if other["timeout_to"] == step["id"]:
                other["timeout_to"] = None
        for gone in self.design["removed"]:
            if gone["to"] == step["id"]:
                gone["to"] = str(to) if to else None
        if any(old["id"] == step["id"] for old in self.based_on["steps"]):
            gone = {"id": step["id"], "name": step["name"], "to": str(to) if to else None}
            self.design["removed"].append(gone)
        self._keep(by)

    @verb("draft.change")
    def send_cards(self, step_id, to, *, by: Actor):
        """Say to which step the cards of one go that is on its way out."""
        self.lock()
        gone = self.removed(step_id)
        if not gone:
            raise Stale("That step is not on its way out any more.")
        if not self.step(to):
            raise refusal("to", "That step is gone. Choose another.", "cards_need_phase")
        gone["to"] = str(to)
        self._keep(by)

    @verb("draft.change")
    def keep_step(self, step_id, *, by: Actor):
        """Take a removal back: the step stands where it stood, as the running board has it."""
        self.lock()
        gone = self.removed(step_id)
        old = {step["id"]: step for step in self.based_on["steps"]}
        if not gone or gone["id"] not in old:
            raise Stale("That step is not on its way out any more.")
        self.design["removed"].remove(gone)
        step = deepcopy(old[gone["id"]])
        before = [one["id"] for one in self.based_on["steps"]]
        earlier = set(before[: before.index(step["id"])])
        section = self._section(step)
        self._put(step, sum(one["id"] in earlier for one in section))
        self._keep(by)

    @verb("draft.change")
    def drop_ruleset(self, place: int, name: str, *, by: Actor):
        """Take a ruleset out, by its place; its name says that it is still the one that is meant."""
        self.lock()
        self._ruleset(place, name)
        del self.design["rulesets"][place]
        self._keep(by)

    @verb("draft.change")
    def drop_rule(self, place: int, name: str, rule: int, *, by: Actor):
        """Take one rule out of a ruleset, by its place among the others."""
        self.lock()
        rules = self._ruleset(place, name)["rules"]
        if rule >= len(rules):
            raise Stale("That rule was taken out a moment ago. Nothing was changed.")
        del rules[rule]
        self._keep(by)

    @verb("draft.change")
    def set_ruleset(self, ruleset: dict, place: int | None = None, *, was: dict | None = None, by: Actor):
        """Add a ruleset, or put it in the place of another; raises ValidationError for what is wrong with it.

        was: the one that somebody saw there; Stale when it says something else now, or another stands there.
        """
        self.lock()
        if place is not None and was is not None and self._ruleset(place, was["name"]) != was:
            raise Stale(f"The ruleset {was['name']} was changed a moment ago. Nothing was changed.")
        known = {_error(problem) for problem in self.problems()}
        rulesets = self.design["rulesets"]
        if place is None:
            rulesets.append(ruleset)
        elif place < len(rulesets):
            rulesets[place] = ruleset
        else:
            raise Stale("That ruleset was taken out a moment ago. Nothing was changed.")
        wrong = [problem for problem in self.problems() if _error(problem) and _error(problem) not in known]
        if wrong:
            raise ValidationError([problem.text for problem in wrong], code="problems")
        self._keep(by)

    @classmethod
    @verb("draft.change")
    def adopt(cls, workflow, document: dict, *, seen: str | None = None, by: Actor) -> "Draft":
        """Make the draft of a workflow what a valid document says, in place of any that is there.

        The workflow keeps the name by which programs know it. A draft that says what is running is none and not kept.
        seen: the mark of the draft that somebody saw and gives up for it; raises ValidationError when it has changed.
        """
        workflow = Workflow.objects.select_for_update(no_key=True).get(pk=workflow.pk)
        cls.of(workflow).refuse_edited_since(seen)
        self = cls.begin(workflow, by=by)
        running = design_of(self.workflow)
        read = documents.read(checking.sound(document), running, shelf_of(self.workflow))
        entity = {key: read[key] for key in ("entity_type", "entity_subtype")}
        others = self.workflow.business.workflows.exclude(pk=self.workflow.pk)
        if self.workflow.ref or others.filter(**entity).exists():
            entity = self.workflow.entity_of(running)
            read["rulesets"] = [documents.moved(ruleset, document, entity) for ruleset in read["rulesets"]]
        self.design, self.based_on = read | entity, running
        self._keep(by)
        return self if self.design != running else cls.running(workflow)

    def mend(self, fix: dict, *, by: Actor):
        """Do what a problem offers to put it right."""
        if fix["do"] not in self.FIXES:
            raise ValueError(f"{fix['do']} puts nothing right")
        return getattr(self, fix["do"])(**fix["with"], by=by)

    @verb("draft.change")
    def go_on(self, *, by: Actor):
        """Carry the draft's changes over onto the running design, which has changed since it was begun."""
        self.lock()
        running = design_of(self.workflow)
        now, mine = _names(running), _names(self.design)
        called = {name: now.get(pk, name) for pk, name in _names(self.based_on).items() if mine.get(pk) == name}
        base, design = (one | {"rulesets": renamed(one, called)} for one in (self.based_on, self.design))
        self.design, self.based_on = merged(base, design, running), running
        self._keep(by)

    @verb("draft.change")
    def discard(self, *, by: Actor):
        """Throw the draft away; doing it again is no news."""
        Draft.objects.filter(pk=self.pk).delete()

    # Publishing -----------------------------------------------------------------------------------------

    def apply(self, by: Actor, *, finish_old: bool = False) -> None:
        """Make the running design what the draft says, through the phases' own verbs; part of Workflow.publish."""
        phases = {str(phase.pk): phase for phase in self.workflow.phases.all()}
        running = {step["id"]: step for step in _steps_of(self.workflow)}
        rows = self._rows()
        for step in self.design["steps"]:
            if step["id"] not in phases:
                told = {key: _row(rows, key, step[key]) for key in definitions.SETTINGS if key != "timeout_to"}
                phases[step["id"]] = Phase.create(self.workflow, **told, id=step["id"], by=by)
        for step in self.design["steps"]:
            was = running.get(step["id"], step | {"timeout_to": None})
            changed = [key for key in definitions.SETTINGS if was[key] != step[key]]
            if changed:
                known = rows | {"timeout_to": phases}
                phases[step["id"]].update(**{key: _row(known, key, step[key]) for key in changed}, by=by)
        for gone in self.design["removed"]:
            phase = phases.pop(gone["id"])
            if finish_old and phase.is_on_path:
                phase.retire(by=by)
            else:
                phase.delete_to(phases.get(gone["to"]), by=by)
        for section in (path_of(self.design), cancelled_of(self.design)):
            self._reorder([phases[step["id"]] for step in section], by)

    def _reorder(self, wanted: list[Phase], by: Actor) -> None:
        """Move as few phases as it takes for them to stand in the wanted order; those that are going stay between."""
        if not wanted:
            return
        section = Phase.objects.filter(workflow=self.workflow, section=Phase.CANCELLED if wanted[0].is_cancelled else 0)
        standing = list(section.order_by("position", "id").values_list("pk", flat=True))
        known = {phase.pk: phase for phase in wanted}
        ids = definitions.woven([*known], standing)
        moving = set(definitions.movers(standing, ids))
        for i, pk in enumerate(ids):
            if pk in moving:
                standing.remove(pk)
                place = standing.index(ids[i - 1]) + 1 if i else 0
                standing.insert(place, pk)
                phase = known.get(pk) or section.get(pk=pk)
                phase.refresh_from_db(fields=["section", "position"])
                phase.move(place, by=by)

    def _rows(self) -> dict:
        """Return the rows that steps may point to, by what points to them and their id."""
        wanted = {key: {step[key] for step in self.design["steps"] if step[key]} for key in POINTERS[:3]}
        business = self.workflow.business
        return {
            "status": _by_id(business.status_library.filter(pk__in=wanted["status"])),
            "trigger": _by_id(business.trigger_library.filter(pk__in=wanted["trigger"])),
            "default_assignee": _by_id(business.memberships.filter(pk__in=wanted["default_assignee"])),
        }

    # What the verbs share -------------------------------------------------------------------------------

    @classmethod
    def _found(cls, workflow) -> "Draft | None":
        draft = cls.objects.select_related("author", "changed_by").filter(workflow=workflow).first()
        if draft:
            draft.workflow = workflow
            draft._forget_gone_fields()
        return draft

    def lock(self) -> None:
        """Lock the draft and read it as it is now, so that two people's edits both count."""
        if not self.is_begun:
            return
        now = Draft.objects.select_for_update(of=("self",)).filter(pk=self.pk).first()
        if now is None:
            raise Stale("This draft was published or thrown away a moment ago. Nothing was changed.")
        self.design, self.based_on, self.updated_at = now.design, now.based_on, now.updated_at
        self._forget_gone_fields()

    def _forget_gone_fields(self) -> None:
        """Ask no longer for custom fields that were deleted: that happens at once, outside of any draft."""
        known = _field_keys(self.workflow)
        for design in (self.design, self.based_on):
            for step in design["steps"]:
                step["required"] = _known(step["required"], known)

    def _keep(self, by: Actor) -> None:
        """Write the draft, or forget it when it says what the running board says."""
        self.changed_by_id, self.updated_at = by.user_id, timezone.now()
        if self.design == self.based_on:
            Draft.objects.filter(pk=self.pk).delete()
            return
        self.save(update_fields=["design", "based_on", "changed_by", "updated_at"])

    def _own(self, step_id) -> dict:
        step = self.step(step_id)
        if step is None:
            raise Stale("That step was taken out a moment ago. Nothing was changed.")
        return step

    def _ruleset(self, place: int, name: str) -> dict:
        rulesets = self.design["rulesets"]
        if place >= len(rulesets) or rulesets[place]["name"] != name:
            raise Stale(f"The ruleset {name} was changed a moment ago. Nothing was changed.")
        return rulesets[place]

    def _section(self, step) -> list[dict]:
        return cancelled_of(self.design) if step["stage"] == "cancelled" else path_of(self.design)

    def _put(self, step: dict, position: int) -> None:
        """Put a step, new or not, at a place of its section (beyond the end: the end)."""
        path = [one for one in path_of(self.design) if one is not step]
        cancelled = [one for one in cancelled_of(self.design) if one is not step]
        if not step["win"]:
            (cancelled if step["stage"] == "cancelled" else path).insert(position, step)
        self.design["steps"] = in_order(path, win_of(self.design), cancelled)

    def _stage_between(self, step, others, position) -> str:
        """Return the stage group a step takes between its new neighbours: its own when it fits there, else theirs."""
        before = others[min(position, len(others)) - 1]["stage"] if others and position else ""
        after = others[position]["stage"] if position < len(others) else "completed"
        order = definitions.STAGE_ORDER
        fits = (not before or order[before] <= order[step["stage"]]) and order[step["stage"]] <= order[after]
        return step["stage"] if fits else before or after

    def _check(self, step: dict) -> None:
        """Raise ValidationError where a phase would refuse these settings."""
        plain = {key: step[key] for key in definitions.SETTINGS if key not in POINTERS}
        phase = Phase(business_id=self.business_id, workflow=self.workflow, **plain)
        phase._check_settings()
        phase.clean_fields(exclude=["business", "workflow", *POINTERS])
        step["checklist_lines"] = phase.checklist_lines


def design_of(workflow) -> dict:
    """Return the running design of a workflow as a document."""
    published = workflow.definitions.first()
    kept = published.beside_the_steps if published else {"rulesets": [], "settings": {}, "unplaced": []}
    about = {key: getattr(workflow, key) for key in ("name", "type", "description", "entity_type", "entity_subtype")}
    design = {**about, "steps": _steps_of(workflow), "removed": [], **kept}
    now = _names(design)
    called = {name: now.get(pk, name) for pk, name in published.steps.items()} if published else {}
    return design | {"rulesets": renamed(design, called)}


def _steps_of(workflow) -> list[dict]:
    known = _field_keys(workflow)
    steps = []
    for phase in workflow.phases.filter(last_major=None):
        step = {key: getattr(phase, key) for key in definitions.SETTINGS if key not in POINTERS}
        step |= {key: _text(getattr(phase, f"{key}_id")) for key in POINTERS}
        steps.append({"id": str(phase.pk), **step, "required": _known(phase.required, known), "win": phase.is_win})
    return steps


def _names(design) -> dict[str, str]:
    """Return the names of a design's steps, by their ids."""
    return {step["id"]: step["name"] for step in design["steps"]}


def _error(problem) -> tuple | None:
    """Return what tells an error from others, None for a warning."""
    return (problem.code, str(problem.attributes)) if problem.severity == "error" else None


def _mark(problem) -> tuple[str, str]:
    """Return what two problems share that say the same."""
    return problem.code, problem.attributes.get("name", "").casefold()


def _field_keys(workflow) -> set[str]:
    return {f"field:{pk}" for pk in workflow.fields.values_list("pk", flat=True)}


def _known(required, known) -> list[str]:
    return [key for key in required if not key.startswith("field:") or key in known]


def _text(pk) -> str | None:
    return None if pk is None else str(pk)


def _by_id(rows) -> dict:
    return {str(row.pk): row for row in rows}


def _row(rows: dict, key: str, value):
    """Return a setting as a phase takes it: where it points to a row, the row."""
    if key not in POINTERS or value is None:
        return value
    if value not in rows[key]:
        raise ValidationError(f"The {definitions.SETTINGS[key]} of a step is gone. Choose another.", code="gone")
    return rows[key][value]
