"""A process of the business: its phases, from the first contact to the win."""

import uuid
from itertools import count
from re import fullmatch, sub

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.text import slugify

from accounts.actor import Actor
from accounts.events import record
from accounts.models import Business
from accounts.verbs import Stale, own_external_id, refuse_changed_since, refuse_unknown, verb
from boards.definitions import TYPES, Unfit
from boards.models.library import STAGE_TINTS, Status

OWN_ENTITY = "CARD"  # the entity type of a workflow that nobody gave one


class WorkflowQuerySet(models.QuerySet):
    """Reads workflows."""

    def live(self):
        """Return those that are not archived."""
        return self.filter(archived_at=None)

    def with_minor(self):
        """Return them with the minor version of their design beside the major one: None before the first publication."""
        versions = self.model.definitions.rel.related_model.objects
        newest = versions.filter(workflow=models.OuterRef("pk"), major=models.OuterRef("major")).order_by("-minor")
        return self.annotate(minor=models.Subquery(newest.values("minor")[:1]))


class Workflow(models.Model):
    """A process: a sequence of phases that ends in exactly one win phase."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="workflows")
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, editable=False)
    description = models.TextField(max_length=2000, blank=True, validators=[MaxLengthValidator(2000)])
    type = models.CharField(max_length=12, choices=TYPES, default="other")
    entity_type = models.CharField(max_length=40, blank=True, default="")
    entity_subtype = models.CharField(max_length=40, blank=True, default="")
    external_id = models.CharField(max_length=200, blank=True, default="")
    # A card is active while it stands on the path, not archived.
    one_card_per_contact = models.BooleanField(
        "one active card per contact", default=False, help_text="A contact can have one card on the path at a time."
    )
    most_active_cards = models.PositiveIntegerField(
        "most active cards",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1_000_000)],
        help_text="How many cards can stand on the path at a time. Left empty, there is no limit.",
    )
    major = models.PositiveSmallIntegerField("major version of its design", default=0, editable=False)
    revision = models.PositiveIntegerField(default=1, editable=False)
    last_access = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    archived_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )

    objects = WorkflowQuerySet.as_manager()

    FIELDS = ("name", "description", "type", "external_id", "one_card_per_contact", "most_active_cards")

    class Meta:
        ordering = [Lower("name"), "id"]
        constraints = [
            models.UniqueConstraint(fields=["business", "slug"], name="workflow_address_once"),
            models.UniqueConstraint(
                fields=["business", "external_id"], condition=~models.Q(external_id=""), name="workflow_external_once"
            ),
            models.UniqueConstraint(
                fields=["business", "entity_type", "entity_subtype"],
                condition=~models.Q(entity_type=""),
                name="workflow_ref_once",
            ),
        ]

    def __str__(self):
        return self.name

    @classmethod
    @verb("workflow.create")
    def create(cls, business, *, name: str, type="", template=None, steps=(), entity=("", ""), by: Actor, **fields):
        """Make a workflow with its win phase and, from a template or from steps, its phases.

        template: a boards.starters.Starter; it gives labels too, and the type when none is given. fields: others of FIELDS.
        steps: dicts with a `status` of the library, or a `name` and a `stage` group that are put into it, and a `trigger`
        or none; entity: type and subtype by which programs call it. The last step on the path is the win when its stage group is Completed; cancelled ones stand behind it.
        Raises ValidationError for a missing or overlong name, for steps that make no workflow, and when the business
        has as many workflows (max_workflows) or the steps are more (max_phases) than it may have.
        """
        refuse_unknown(fields, cls.FIELDS)
        business = Business.objects.select_for_update(no_key=True).get(pk=business.pk)
        cls._refuse_another(business)
        workflow = cls(business=business, name=name.strip(), **_stripped(fields))
        workflow.type = type or (template.type if template else "other")
        workflow.entity_type, workflow.entity_subtype = entity
        workflow.slug = cls._free_slug(business, workflow.name)
        workflow._check()
        with own_external_id(workflow):
            workflow.save(force_insert=True)
        if steps:
            workflow._lay_out_steps(list(steps), by)
        else:
            workflow._lay_out(template)
        record("workflow.created", workflow, by, workflow=workflow.name, template=template.name if template else "")
        return workflow

    @verb("workflow.update")
    def update(self, *, revision: int | None = None, by: Actor, **changes):
        """Change what is given of FIELDS; its address stays, so that links keep working.

        A limit that is set counts from now on: cards that are too many already may stay.
        """
        refuse_unknown(changes, self.FIELDS)
        now = type(self).objects.select_for_update(no_key=True).get(pk=self.pk)
        refuse_changed_since(now, revision)
        changes = _stripped(changes)
        before = {key: getattr(now, key) for key, value in changes.items() if getattr(now, key) != value}
        if not before:
            return
        for key, value in changes.items():
            setattr(self, key, value)
        self.updated_at, self.revision = timezone.now(), now.revision + 1
        self._check()
        with own_external_id(self):
            self.save(update_fields=[*changes, "updated_at", "revision"])
        after = {key: getattr(self, key) for key in before}
        changed = [key.replace("_", " ") for key in sorted(before)]
        record("workflow.updated", self, by, changed=changed, before=before, after=after)

    @verb("workflow.publish")
    def publish(
        self, draft, *, comment="", major: int | None = None, finish_old=False, seen: str | None = None, by: Actor
    ):
        """Make a draft the running design, all of it or nothing, and keep it as the next version. The draft is gone then.

        major: the major version it shall have, that of now when left out; a new one begins with .0. finish_old: with a
        new one, cards on their way keep the design they run under, and its phases stand until the last has left.
        seen: the mark of the draft that somebody read before.
        Returns the Definition. Raises Stale when the running design has changed since the draft was begun, Unfit for
        its errors, ValidationError (version_stale, version_skipped) for a major that does not come next, and (draft_changed)
        for a draft that is not as it was seen.
        """
        # The workflow is locked first, as every verb of phases does, so nobody changes the design under our eyes.
        workflow = type(self).objects.select_for_update(no_key=True).get(pk=self.pk)
        workflow.refuse_archived()
        draft.workflow = workflow
        draft.lock()
        if draft.is_stale:
            raise Stale(f"{self.name} was changed since this draft was begun. Nothing was published.")
        draft.refuse_edited_since(seen)
        major, minor = workflow.next_version(major)
        finish_old = finish_old and major > workflow.major > 0 and self.cards_on_their_way.exists()
        problems = draft.problems(finish_old=finish_old)
        if any(problem.severity == "error" for problem in problems):
            raise Unfit(problems)
        changes, design = draft.changes, draft.design
        workflow.update(**{key: design[key] for key in ("name", "type", "description")}, by=by)
        workflow._take_version(design, major, finish_old)
        draft.apply(by, finish_old=finish_old)
        kept = {"steps": design["steps"], "comment": comment}
        definition = self.definitions.model.write(workflow, draft.document, major, minor, **kept, by=by)
        definition.warnings = problems
        draft.discard(by=by)
        told = {"workflow": workflow.name, "version": definition.version, "comment": definition.comment}
        record("workflow.published", workflow, by, **told, changes=changes or ["nothing changes on the board"])
        return definition

    def next_version(self, major: int | None = None) -> tuple[int, int]:
        """Return the major and minor version that a publication gets; raises ValidationError for a wrong major."""
        last = self.definitions.first()
        now, newest = (last.major, last.version) if last else (0, "none")
        wanted = major if major is not None else max(now, 1)
        told = {"version": wanted, "newest": newest}
        if wanted < max(now, 1):
            raise ValidationError(f"Version {wanted} is past: {newest} is the newest.", "version_stale", told)
        if wanted > now + 1:
            raise ValidationError(f"Version {now + 1} comes before {wanted}.", "version_skipped", told)
        return wanted, last.minor + 1 if wanted == now else 0

    @property
    def cards_on_their_way(self):
        """Return the cards that are neither won nor cancelled nor archived."""
        return self.cards.filter(archived_at=None, phase__section=self.phases.model.PATH)

    @property
    def ref(self) -> str:
        """Return how programs call it once it has a definition: ORDER::CC."""
        return f"{self.entity_type}::{self.entity_subtype}" if self.entity_type else ""

    def entity_of(self, design: dict) -> dict:
        """Return as which entity a design is published: as it says, else as a board of cards of its own name."""
        if design["entity_type"]:
            return {key: design[key] for key in ("entity_type", "entity_subtype")}
        return {"entity_type": OWN_ENTITY, "entity_subtype": self._free_subtype()}

    def _take_version(self, design: dict, major: int, finish_old: bool) -> None:
        """Be called as its document calls it, and let cards run under the new major version."""
        design |= self.entity_of(design)
        self.entity_type, self.entity_subtype = design["entity_type"], design["entity_subtype"]
        if major != self.major:
            cards = self.cards.exclude(archived_at=None, phase__section=0) if finish_old else self.cards
            cards.update(major=major)
            self.major = major
        self.save(update_fields=["entity_type", "entity_subtype", "major"])

    def _free_subtype(self) -> str:
        """Return a name for programs that no other workflow has: its address in capitals, or that and a number."""
        stem = sub("[^A-Z0-9]+", "_", self.slug.upper()).strip("_")[:34] or "WORKFLOW"
        others = type(self).objects.filter(business=self.business_id, entity_type=OWN_ENTITY)
        taken = set(others.filter(entity_subtype__startswith=stem).values_list("entity_subtype", flat=True))
        return stem if stem not in taken else next(name for n in count(2) if (name := f"{stem}_{n}") not in taken)

    @classmethod
    def join_finished(cls) -> int:
        """Let cards that have finished under an older design belong to the newest; return how many there were."""
        joined = 0
        for workflow in cls.objects.filter(major__gt=1):
            cards = workflow.cards.filter(major__lt=workflow.major).exclude(archived_at=None, phase__section=0)
            joined += cards.update(major=workflow.major)
        return joined

    @verb("workflow.archive")
    def archive(self, *, revision: int | None = None, by: Actor):
        """Put the workflow away with all it holds; doing it again is no news."""
        now = type(self).objects.select_for_update(no_key=True).get(pk=self.pk)
        if now.archived_at:
            return
        refuse_changed_since(now, revision)
        self.archived_at, self.archived_by_id, self.revision = timezone.now(), by.user_id, now.revision + 1
        self.save(update_fields=["archived_at", "archived_by", "revision"])
        record("workflow.archived", self, by, workflow=self.name)

    @verb("workflow.restore")
    def restore(self, *, by: Actor):
        """Bring an archived workflow back; raises ValidationError (max_workflows) when there are enough without it."""
        now = type(self).objects.select_for_update(no_key=True).get(pk=self.pk)
        if not now.archived_at:
            return
        self._refuse_another(Business.objects.select_for_update(no_key=True).get(pk=self.business_id))
        self.archived_at, self.archived_by, self.revision = None, None, now.revision + 1
        self.save(update_fields=["archived_at", "archived_by", "revision"])
        record("workflow.restored", self, by, workflow=self.name)

    @verb("workflow.delete")
    def delete_for_good(self, *, revision: int | None = None, by: Actor):
        """Delete an archived workflow with its phases and cards; raises ValidationError when it is not archived."""
        now = type(self).objects.select_for_update().get(pk=self.pk)
        refuse_changed_since(now, revision)
        if not now.archived_at:
            raise ValidationError("Archive the workflow first, then delete it from the archive.", code="not_archived")
        record("workflow.deleted", self, by, workflow=self.name, cards=self.cards.count())
        self.cards.all().delete()
        self.phases.all().delete()
        self.delete()
        self.business.contents.forget_unused()

    @property
    def win_phase(self):
        """Return the phase in which work counts as done."""
        return self.phases.get(section=self.phases.model.WIN)

    def touch_access(self) -> None:
        """Note that somebody looked at the board, at most once a minute; no news, so no event."""
        now = timezone.now()
        if not self.last_access or (now - self.last_access).total_seconds() > 60:
            type(self).objects.filter(pk=self.pk).update(last_access=now)

    def note_change(self) -> None:
        """Note that its design changed; what changed is in the ledger."""
        type(self).objects.filter(pk=self.pk).update(updated_at=timezone.now())

    def refuse_more_phases(self, count: int) -> None:
        """Raise ValidationError when a section, the path or the cancelled phases, holds more than the business allows."""
        most = self.business.most_phases
        if count > most:
            raise ValidationError(f"A workflow holds at most {most} phases.", code="max_phases")

    def refuse_archived(self) -> None:
        """Raise ValidationError when the workflow has been put away."""
        if self.archived_at:
            raise ValidationError(f"{self.name} is archived. Restore it first.", code="workflow_archived")

    def _check(self) -> None:
        """Raise ValidationError, field by field; what is once in the business the database says when it is written."""
        self.full_clean(exclude=["business", "archived_by"], validate_constraints=False)

    @classmethod
    def _refuse_another(cls, business) -> None:
        """Raise ValidationError when the business has all the workflows it may have; the caller holds its lock."""
        most = business.most_workflows
        if most is not None and cls.objects.live().filter(business=business).count() >= most:
            raise ValidationError(f"There can be at most {most} workflows. Archive one first.", code="max_workflows")

    def _lay_out(self, template):
        """Write the phases and labels the workflow starts with; part of its creation, so no events of their own."""
        Phase = self.phases.model
        steps = template.phases if template else ()
        phases = [
            *(Phase(name=name, stage=stage, position=i) for i, (name, stage) in enumerate(steps)),
            Phase(name=template.win if template else "Win", stage="completed", section=Phase.WIN),
        ]
        library = {(status.name, status.stage): status for status in self.business.status_library.live()}
        for phase in phases:
            phase.business_id, phase.workflow = self.business_id, self
            phase.status = library.get((phase.name, phase.stage))
        Phase.objects.bulk_create(phases)
        Label = self.labels.model
        Label.objects.bulk_create(
            Label(business_id=self.business_id, workflow=self, name=name, tint=tint)
            for name, tint in (template.labels if template else ())
        )

    def _lay_out_steps(self, steps, by):
        """Write the phases that were thought up; what the library lacks is put into it."""
        Phase = self.phases.model
        phases = []
        for step, status in zip(steps, self._find_statuses(steps, by), strict=True):
            trigger = step.get("trigger")
            if any(row is not None and row.business_id != self.business_id for row in (status, trigger)):
                raise ValidationError("This does not exist.", code="foreign")
            is_cancelled = status.stage == "cancelled"
            phases.append(
                Phase(
                    business_id=self.business_id,
                    workflow=self,
                    name=status.name,
                    stage=status.stage,
                    section=Phase.CANCELLED if is_cancelled else Phase.PATH,
                    status=status,
                    trigger=None if is_cancelled else trigger,
                )
            )
        path = [phase for phase in phases if phase.section == Phase.PATH]
        if path and path[-1].stage == "completed":
            win = path.pop()
            win.section, win.trigger = Phase.WIN, None
        else:
            win = Phase(business_id=self.business_id, workflow=self, name="Win", stage="completed", section=Phase.WIN)
        cancelled = [phase for phase in phases if phase.section == Phase.CANCELLED]
        for group in (path, cancelled):
            self.refuse_more_phases(len(group))
            for position, phase in enumerate(group):
                phase.position = position
        Phase.objects.bulk_create([*path, win, *cancelled])

    def _find_statuses(self, steps, by) -> list[Status]:
        """Return the status of each step; raises ValidationError when two steps have the same."""
        library = {status.name.lower(): status for status in Status.objects.filter(business_id=self.business_id)}
        found = []
        for step in steps:
            status = step.get("status")
            if status is None:
                name, stage = step["name"].strip(), step["stage"]
                status = library.get(name.lower())
                if status is None:
                    tint = STAGE_TINTS.get(stage, 1)
                    status = Status.create(self.business, name=name, stage=stage, tint=tint, by=by)
            if status in found:
                raise ValidationError(f"“{status.name}” stands in the steps twice.", code="step_twice")
            found.append(status)
        return found

    @classmethod
    def _free_slug(cls, business, name) -> str:
        """Return an address nobody has: the name, or the name and a number; the caller holds the business's lock."""
        wanted = slugify(name)[:50] or "workflow"
        if fullmatch(r"-*([0-9a-f]-*){32}", wanted):
            wanted = f"workflow-{wanted}"  # it would be taken for the id of another
        taken = set(cls.objects.filter(business=business, slug__startswith=wanted).values_list("slug", flat=True))
        taken |= {"new", "import"}  # there the pages live that make workflows
        tries = (wanted if n == 1 else f"{wanted}-{n}" for n in range(1, len(taken) + 2))
        return next(slug for slug in tries if slug not in taken)


def _stripped(fields: dict) -> dict:
    return {key: value.strip() if isinstance(value, str) else value for key, value in fields.items()}
