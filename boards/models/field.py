"""Fields that a workflow's cards have beside those that all cards have."""

import datetime as dt
import uuid
from decimal import Decimal, InvalidOperation

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.actor import Actor
from accounts.events import record
from accounts.models import Business
from accounts.verbs import refusal, verb
from boards.models.workflow import Workflow

KINDS = [("text", "Text"), ("number", "Number"), ("date", "Date"), ("choice", "Choice"), ("yes_no", "Yes or no")]
MOST_FIELDS = 40


class Field(models.Model):
    """A custom field of a workflow; its values stand in Card.custom under the field's id."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="fields")
    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="fields")
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=10, choices=KINDS, default="text")
    choices = models.JSONField(default=list, blank=True)
    position = models.PositiveSmallIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint("workflow", Lower("name"), name="field_once")]

    def __str__(self):
        return self.name

    @classmethod
    @verb("field.create")
    def create(cls, workflow, *, name: str, kind: str = "text", choices=(), by: Actor):
        """Add a field at the end; raises ValidationError for a name that is taken or a choice without choices."""
        workflow = Workflow.objects.select_for_update().get(pk=workflow.pk)
        count = workflow.fields.count()
        if count >= MOST_FIELDS:
            raise ValidationError(f"A workflow holds at most {MOST_FIELDS} fields.", code="too_many")
        field = cls(business_id=workflow.business_id, workflow=workflow, name=name.strip(), kind=kind, position=count)
        field.choices = clean_choices(choices)
        field._check()
        field.save(force_insert=True)
        record("field.created", field, by, workflow=str(workflow.pk), field=field.name)
        return field

    @verb("field.update")
    def update(self, *, name: str | None = None, choices=None, by: Actor):
        """Rename, or change the choices; the kind stays, so that what was filled in keeps its meaning."""
        now = Field.objects.select_for_update().get(pk=self.pk)
        self.kind = now.kind
        self.name = now.name if name is None else name.strip()
        self.choices = now.choices if choices is None else clean_choices(choices)
        if (self.name, self.choices) == (now.name, now.choices):
            return
        self._check()
        self.save(update_fields=["name", "choices"])
        record("field.updated", self, by, workflow=str(self.workflow_id), before=now.name, after=self.name)

    @verb("field.delete")
    def remove(self, *, by: Actor):
        """Delete the field; what cards hold in it is no longer shown or asked for."""
        key = f"field:{self.pk}"
        for phase in self.workflow.phases.all():
            if key in phase.required:
                phase.update(required=[fact for fact in phase.required if fact != key], by=by)
        record("field.deleted", self, by, workflow=str(self.workflow_id), field=self.name)
        self.delete()

    def read(self, value):
        """Return a typed or sent value as it is stored, None for nothing; raises ValidationError in words."""
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        return getattr(self, f"_read_{self.kind}")(value)

    def show(self, value) -> str:
        """Return a stored value in words."""
        if value is None:
            return ""
        if self.kind == "yes_no":
            return "Yes" if value else "No"
        return str(value)

    def _read_text(self, value):
        value = str(value).strip()
        if len(value) > 500:
            raise ValidationError(f"{self.name}: at most 500 characters.", code="field")
        return value

    def _read_number(self, value):
        try:
            number = Decimal(str(value).strip().replace(",", "."))
        except InvalidOperation:
            number = None
        if number is None or not number.is_finite() or abs(number) >= 10**12:
            raise ValidationError(f"{self.name}: give a number.", code="field")
        return float(number) if number % 1 else int(number)

    def _read_date(self, value):
        try:
            return dt.date.fromisoformat(str(value).strip()).isoformat()
        except ValueError:
            raise ValidationError(f"{self.name}: give a date like 2027-03-31.", code="field") from None

    def _read_choice(self, value):
        if value not in self.choices:
            raise ValidationError(f"{self.name}: choose one of {', '.join(self.choices)}.", code="field")
        return value

    def _read_yes_no(self, value):
        if isinstance(value, bool):
            return value
        words = {"yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "0": False}
        if str(value).strip().lower() not in words:
            raise ValidationError(f"{self.name}: answer yes or no.", code="field")
        return words[str(value).strip().lower()]

    def _check(self):
        self.clean_fields(exclude=["business", "workflow"])
        if self.kind == "choice" and not self.choices:
            raise ValidationError({"choices": "Give at least one choice."})
        if Field.objects.filter(workflow_id=self.workflow_id, name__iexact=self.name).exclude(pk=self.pk).exists():
            raise refusal("name", f"This workflow has a field “{self.name}” already.", "exists")


def clean_choices(choices) -> list[str]:
    """Return choices without blanks and repeats, at most fifty of eighty characters."""
    return list(dict.fromkeys(str(choice).strip()[:80] for choice in choices if str(choice).strip()))[:50]
