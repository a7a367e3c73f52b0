"""Labels of a workflow, worn by its cards."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.actor import Actor
from accounts.events import record
from accounts.models import Business
from accounts.verbs import refusal, verb
from boards.models.workflow import Workflow

TINTS = [
    (1, "Red"),
    (2, "Orange"),
    (3, "Yellow"),
    (4, "Green"),
    (5, "Teal"),
    (6, "Blue"),
    (7, "Violet"),
    (8, "Pink"),
]


class Label(models.Model):
    """A name and a tint that cards of one workflow may wear."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="labels")
    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="labels")
    name = models.CharField(max_length=50)
    tint = models.PositiveSmallIntegerField(
        choices=TINTS, default=1, validators=[MinValueValidator(1), MaxValueValidator(8)]
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = [Lower("name"), "id"]
        constraints = [
            models.UniqueConstraint(
                "workflow",
                Lower("name"),
                name="label_once",
                violation_error_message="This workflow has a label of that name already.",
            )
        ]

    def __str__(self):
        return self.name

    @classmethod
    @verb("label.create")
    def create(cls, workflow, *, name: str, tint: int | None = None, by: Actor):
        """Make a label; without a tint it takes the next one. Raises ValidationError for a name that is taken."""
        workflow = Workflow.objects.select_for_update(no_key=True).get(pk=workflow.pk)
        if tint is None:
            tint = 1 + workflow.labels.count() % 8
        label = cls(business_id=workflow.business_id, workflow=workflow, name=name.strip(), tint=tint)
        label._check()
        label.save(force_insert=True)
        record("label.created", label, by, workflow=str(workflow.pk), label=label.name)
        return label

    @verb("label.update")
    def update(self, *, name: str | None = None, tint: int | None = None, by: Actor):
        """Rename or recolour; every card that wears it shows the change."""
        now = Label.objects.select_for_update().get(pk=self.pk)
        before = {"name": now.name, "tint": now.tint}
        self.name = now.name if name is None else name.strip()
        self.tint = now.tint if tint is None else tint
        after = {"name": self.name, "tint": self.tint}
        if before == after:
            return
        self._check()
        self.save(update_fields=["name", "tint"])
        record("label.updated", self, by, workflow=str(self.workflow_id), before=before, after=after)

    @verb("label.delete")
    def delete_everywhere(self, *, by: Actor):
        """Delete the label and take it off every card."""
        Label.objects.select_for_update().get(pk=self.pk)
        record("label.deleted", self, by, workflow=str(self.workflow_id), label=self.name)
        self.delete()

    def _check(self):
        self.full_clean(exclude=["business", "workflow"], validate_constraints=False)
        twins = Label.objects.filter(workflow_id=self.workflow_id, name__iexact=self.name).exclude(pk=self.pk)
        if twins.exists():
            raise refusal("name", f"This workflow has a label “{self.name}” already.", "label_exists")


class CardLabel(models.Model):
    """A label on a card."""

    card = models.ForeignKey("boards.Card", models.CASCADE, related_name="card_labels")
    label = models.ForeignKey(Label, models.CASCADE, related_name="card_labels")

    class Meta:
        ordering = ["label__name"]
        constraints = [models.UniqueConstraint(fields=["card", "label"], name="label_on_card_once")]

    def __str__(self):
        return f"{self.label} on {self.card}"
