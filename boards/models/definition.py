"""Every version of a workflow's design, as the document it was published as."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.text import slugify

from accounts.actor import Actor
from accounts.models import Business
from boards.checking import sound
from boards.documents import CUSTOM, TYPE, Shelf, is_step, short
from boards.models.workflow import OWN_ENTITY, Workflow


class DefinitionQuerySet(models.QuerySet):
    """Reads definitions."""

    def for_list(self):
        """Return definitions as lists show them, without their documents, newest first."""
        return self.select_related("workflow").defer("document")

    def before(self, definition) -> "Definition | None":
        """Return the version that came before one, among those of one workflow."""
        earlier = models.Q(major=definition.major, minor__lt=definition.minor) | models.Q(major__lt=definition.major)
        return self.filter(earlier).first()

    def newest_minors(self) -> dict[int, int]:
        """Return the newest minor version of each major one, among those of one workflow."""
        return dict(self.order_by().values_list("major").annotate(models.Max("minor")))

    def latest(self):
        """Return the newest version of each workflow."""
        newest = Definition.objects.filter(workflow=models.OuterRef("workflow")).values("pk")[:1]
        return self.filter(pk=models.Subquery(newest))


class Definition(models.Model):
    """One version of a workflow's design; never edited.

    document: as it was put, without the version and the business, which stand here. steps: what it calls the phases, by
    their ids, so that what it says of them holds under any name that they get later.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="definitions")
    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="definitions")
    major = models.PositiveSmallIntegerField(editable=False)
    minor = models.PositiveIntegerField(editable=False)
    name = models.CharField(max_length=120, editable=False)  # these two as the document says, or else leaves them
    description = models.TextField(max_length=300, blank=True, default="", editable=False)
    document = models.JSONField(editable=False)
    steps = models.JSONField(default=dict, editable=False)
    comment = models.TextField(max_length=2000, blank=True, editable=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    author_name = models.CharField(max_length=200, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    warnings = ()  # what was told when it was published

    objects = DefinitionQuerySet.as_manager()

    class Meta:
        ordering = ["-major", "-minor"]
        constraints = [models.UniqueConstraint(fields=["workflow", "major", "minor"], name="definition_once")]
        indexes = [models.Index(fields=["business", "-created_at"], name="definition_list")]

    def __str__(self):
        return f"{self.workflow} {self.version}"

    @classmethod
    def write(
        cls, workflow, document: dict, major: int, minor: int, *, steps: list[dict], comment: str, by: Actor
    ) -> "Definition":
        """Keep a version; part of Workflow.publish, which holds the workflow's lock. steps: those that it became."""
        definition = cls(business_id=workflow.business_id, workflow=workflow, major=major, minor=minor)
        definition.steps = {step["id"]: step["name"] for step in steps}
        definition.document, definition.comment = document, comment[:2000]
        said = document.get("description")
        definition.name = document.get("name") or workflow.name
        definition.description = short(workflow.description) if said is None else said
        definition.author_id, definition.author_name = by.user_id, by.name[:200]
        definition.save(force_insert=True)
        return definition

    @classmethod
    def of_event(cls, event) -> "Definition | None":
        """Return the version whose publication an event tells of; None when its workflow is gone."""
        major, _, minor = event.details["version"].partition(".")
        return cls.objects.filter(workflow=event.subject_id, major=major, minor=minor).first()

    @property
    def version(self) -> str:
        """Return its number as people and programs say it."""
        return f"{self.major}.{self.minor}"

    @property
    def file(self) -> dict:
        """Return it as it is carried out in a file."""
        return {"version": self.version, "versionComment": self.comment, **self.document}

    @property
    def file_name(self) -> str:
        """Return what its file is called: order-cc-1.4.json."""
        own, subtype = self.document["entityType"], self.document["entitySubtype"]
        ref = subtype if own == OWN_ENTITY else f"{own} {subtype}"
        return f"{slugify(ref.replace('_', ' '))}-{self.version}.json"

    @classmethod
    def numbered(cls, workflow, version: str) -> "Definition | None":
        """Return the version of a workflow that people call so, None when there is none."""
        major, _, minor = version.partition(".")
        if not (major.isdecimal() and minor.isdecimal() and len(version) < 12):
            return None
        return cls.objects.filter(workflow=workflow, major=int(major), minor=int(minor)).first()

    @property
    def beside_the_steps(self) -> dict:
        """Return what the design holds that no phase keeps."""
        document = sound(self.document)
        return {
            "rulesets": document["rulesets"],
            "settings": {key: value for key, value in document.get("settings", {}).items() if key != TYPE},
            "unplaced": [status for status in document["statuses"] if not is_step(status, document)],
        }


def shelf_of(workflow) -> Shelf:
    """Return what documents, and people, call the rows of a workflow and of its business."""
    business = workflow.business
    statuses, fields = _texts(business.status_library, "name"), _texts(workflow.fields, "name")
    triggers, members = _texts(business.trigger_library, "key", "name"), _texts(business.memberships, "user__name")
    called = {pk: names[-1] for rows in (statuses, triggers, members) for pk, *names in rows}
    return Shelf(
        statuses=dict(statuses),
        triggers={pk: key for pk, key, _ in triggers},
        fields=dict(fields),
        members={pk: pk for pk, _ in members},
        called=called | {f"{CUSTOM}{pk}": name for pk, name in fields},
    )


def _texts(rows, *columns: str) -> list[tuple[str, ...]]:
    return [(str(pk), *said) for pk, *said in rows.values_list("pk", *columns)]
