"""Intake forms: public pages whose answers become a contact and a card, and what came through them."""

import uuid
from datetime import timedelta

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
from accounts.verbs import Stale, refusal, refuse_unknown, verb
from boards.models.attachment import LONGEST_NAME, Content, type_of
from boards.models.card import Card
from boards.models.field import Field, clean_choices
from boards.models.phase import Phase
from boards.models.workflow import Workflow
from contacts.models import Contact

MOST_FORMS = 100  # of a business
MOST_QUESTIONS = 50  # of a form
MOST_STEPS = 6
AN_HOUR = 200  # submissions of one form
DAY_MEGABYTES = 100  # of files that one form takes in a day, so that no stranger fills the business's room

KINDS = [
    ("text", "Short text"),
    ("long_text", "Long text"),
    ("email", "E-mail"),
    ("phone", "Phone"),
    ("number", "Number"),
    ("money", "Amount of money"),
    ("date", "Date"),
    ("one", "One choice, as buttons"),
    ("list", "One choice, as a list"),
    ("many", "Several choices"),
    ("yes_no", "Yes or no"),
    ("file", "Files"),
]
CHOOSING = ("one", "list", "many")
TARGETS = [
    ("note", "A note on the card"),
    ("name", "The contact's whole name"),
    ("given_name", "The contact's given name"),
    ("family_name", "The contact's family name"),
    ("email", "The contact's e-mail"),
    ("phone", "The contact's phone"),
    ("company", "The contact's company"),
    ("job_title", "The contact's job title"),
    ("address", "The contact's address"),
    ("card_name", "The card's name"),
    ("description", "The card's description"),
    ("due_date", "The card's due date"),
    ("value", "The card's value"),
    ("files", "The card's files"),
    ("field", "A field of the workflow"),
]
# Where the answers of each kind of question may go; the first is where they go when nothing else is said.
GOES_TO = {
    "text": "note name given_name family_name company job_title address card_name description field".split(),
    "long_text": "note address description".split(),
    "email": ["email", "note"],
    "phone": ["phone", "note"],
    "number": ["note", "field"],
    "money": ["value", "note"],
    "date": ["due_date", "note", "field"],
    "one": "note card_name description field".split(),
    "list": "note card_name description field".split(),
    "many": ["note", "description"],
    "yes_no": ["note", "field"],
    "file": ["files"],
}
# Which kinds of questions fill in which kind of field.
FILLS = {"text": ("text", "one", "list"), "number": ("number",), "date": ("date",), "yes_no": ("yes_no",)}
FILLS["choice"] = ("one", "list")
ONCE = [target for target, _ in TARGETS if target not in ("note", "description", "files", "field")]
CALLED = "{form}, {name}"


class IntakeFormQuerySet(models.QuerySet):
    """Reads forms."""

    def for_list(self):
        """Return forms with what a line about them shows."""
        came = Submission.objects.filter(form=models.OuterRef("pk")).order_by().values("form")
        counts = {
            "sent": came.annotate(n=models.Count("pk")).values("n"),
            "stuck": came.filter(card=None).exclude(reason="").annotate(n=models.Count("pk")).values("n"),
            "last_sent": came.annotate(last=models.Max("sent_at")).values("last"),
        }
        return self.select_related("workflow", "phase").annotate(
            **{name: models.Subquery(rows) for name, rows in counts.items()}
        )


class IntakeForm(models.Model):
    """A public page with questions; what is sent becomes a card in a phase of its workflow. Off until it is opened."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="forms")
    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="forms")
    phase = models.ForeignKey(
        Phase, models.SET_NULL, null=True, blank=True, related_name="+", help_text="Left empty: the first."
    )
    title = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, editable=False)
    introduction = models.TextField(max_length=1000, blank=True, validators=[MaxLengthValidator(1000)])
    headline = models.CharField(max_length=120, blank=True)
    steps = models.TextField("what happens next", max_length=1000, blank=True, validators=[MaxLengthValidator(1000)])
    button = models.CharField("word on the button", max_length=40, default="Send")
    small_print = models.CharField("beside the button", max_length=300, blank=True)
    thanks = models.TextField(max_length=1000, blank=True, validators=[MaxLengthValidator(1000)])
    card_name = models.CharField("what its cards are called", max_length=120, default=CALLED)
    tint = models.PositiveSmallIntegerField(
        "colour", default=5, validators=[MinValueValidator(1), MaxValueValidator(8)]
    )
    opened_at = models.DateTimeField("open to the public since", null=True, blank=True, editable=False)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = IntakeFormQuerySet.as_manager()

    FIELDS = ("phase title introduction headline steps button small_print thanks card_name tint").split()

    class Meta:
        verbose_name = "form"
        ordering = [Lower("title"), "id"]
        constraints = [
            models.UniqueConstraint(fields=["business", "slug"], name="form_address_once"),
        ]

    def __str__(self):
        return self.title

    @classmethod
    @verb("form.create")
    def create(cls, workflow, *, questions=(), by: Actor, **fields):
        """Make a form that nobody can fill in yet. questions: what `add_question` takes, in order."""
        refuse_unknown(fields, cls.FIELDS)
        Business.objects.select_for_update(no_key=True).get(pk=workflow.business_id)
        workflow.refuse_archived()
        forms = cls.objects.filter(business=workflow.business_id)
        if forms.count() >= MOST_FORMS:
            raise ValidationError(f"A business has at most {MOST_FORMS} forms.", code="max_forms")
        form = cls(business_id=workflow.business_id, workflow=workflow, created_by_id=by.user_id, **fields)
        form._check()
        form.slug = form._free_slug()
        form.save(force_insert=True)
        record("form.created", form, by, workflow=str(workflow.pk), form=form.title)
        for question in questions:
            form.add_question(**question, by=by)
        return form

    @verb("form.update")
    def update(self, *, by: Actor, **changes):
        """Change what is given of FIELDS; its address stays."""
        refuse_unknown(changes, self.FIELDS)
        self._lock()
        before = {key: getattr(self, key) for key in changes}
        for key, value in changes.items():
            setattr(self, key, value)
        self._check()
        changed = [key for key in changes if getattr(self, key) != before[key]]
        if not changed:
            return
        self._touch(*changed)
        words = [str(self._meta.get_field(key).verbose_name) for key in changed]
        told = {"before": {key: _told(before[key]) for key in changed}}
        told |= {"after": {key: _told(getattr(self, key)) for key in changed}}
        record("form.updated", self, by, workflow=str(self.workflow_id), form=self.title, changed=words, **told)

    @verb("form.switch")
    def open(self, *, by: Actor):
        """Let the public fill it in; raises ValidationError for one without questions. Doing it again is no news."""
        self._lock()
        if self.opened_at:
            return
        self.workflow.refuse_archived()
        if not self.questions.exists():
            raise ValidationError("Add a question first: an empty form is nothing to send.", code="empty")
        self.opened_at, self.opened_by_id = timezone.now(), by.user_id
        self._touch("opened_at", "opened_by")
        record("form.opened", self, by, workflow=str(self.workflow_id), form=self.title)

    @verb("form.switch")
    def close(self, *, by: Actor):
        """Take nothing more; its page says so. Doing it again is no news."""
        self._lock()
        if not self.opened_at:
            return
        self.opened_at = self.opened_by = None
        self._touch("opened_at", "opened_by")
        record("form.closed", self, by, workflow=str(self.workflow_id), form=self.title)

    @verb("form.delete")
    def delete_for_good(self, *, by: Actor):
        """Delete a closed form with what was sent through it; cards and contacts stay."""
        self._lock()
        if self.opened_at:
            raise ValidationError("Close the form first, then delete it.", code="form_open")
        sent = self.submissions.count()
        record("form.deleted", self, by, workflow=str(self.workflow_id), form=self.title, submissions=sent)
        self.delete()
        self.business.contents.forget_unused()

    # Questions ----------------------------------------------------------------------------------------

    @verb("form.update")
    def add_question(self, *, by: Actor, **asked) -> "Question":
        """Add a question at the end: any of Question.FIELDS. Raises ValidationError for one that makes no sense."""
        refuse_unknown(asked, Question.FIELDS)
        self._lock()
        questions = list(self.questions.all())
        if len(questions) >= MOST_QUESTIONS:
            raise ValidationError(f"A form asks at most {MOST_QUESTIONS} questions.", code="many")
        question = Question(business_id=self.business_id, form=self, position=len(questions), **asked)
        question.refuse_nonsense(beside=questions)
        question.save(force_insert=True)
        self._changed(f"added “{question.label}”", by)
        return question

    @verb("form.update")
    def change_question(self, question: "Question", *, by: Actor, **changes):
        """Change what is given of a question's FIELDS; what was answered before stays as it was."""
        refuse_unknown(changes, Question.FIELDS)
        questions = self._lock_questions(question)
        question = next(one for one in questions if one.pk == question.pk)
        before = {key: getattr(question, key) for key in changes}
        for key, value in changes.items():
            setattr(question, key, value)
        question.refuse_nonsense(beside=[one for one in questions if one.pk != question.pk])
        if all(getattr(question, key) == before[key] for key in changes):
            return
        question.save(update_fields=[*changes, "target", "choices"])
        self._changed(f"changed “{question.label}”", by)

    @verb("form.update")
    def move_question(self, question: "Question", position: int, *, by: Actor):
        """Put a question at a place, counted from 0 without it (beyond the end: the end)."""
        if position < 0:
            raise ValidationError("A place is 0 or more.", code="position")
        questions = self._lock_questions(question)
        before = next(at for at, one in enumerate(questions) if one.pk == question.pk)
        me = questions.pop(before)
        after = min(position, len(questions))
        if after == before:
            return
        questions.insert(after, me)
        self._number(questions)
        self._changed(f"moved “{me.label}” to place {after + 1}", by)

    @verb("form.update")
    def remove_question(self, question: "Question", *, by: Actor):
        """Ask it no more; what was answered before is kept with what was sent."""
        questions = self._lock_questions(question)
        self._number([one for one in questions if one.pk != question.pk])
        self._changed(f"took out “{question.label}”", by)
        question.delete()

    @verb("form.update")
    def ask(self, questions: list[dict], *, by: Actor):
        """Ask these questions and no others, in this order: any of Question.FIELDS, with the id of one that is there.

        Raises ValidationError for one that makes no sense, with its place among them as `question`.
        """
        self._lock()
        if len(questions) > MOST_QUESTIONS:
            raise ValidationError(f"A form asks at most {MOST_QUESTIONS} questions.", code="many")
        known = {question.pk: question for question in self.questions.all()}
        before = [question.as_told() for question in known.values()]
        asked = [
            known.pop(told.get("id"), None) or Question(business_id=self.business_id, form=self) for told in questions
        ]
        for position, (question, told) in enumerate(zip(asked, questions, strict=True)):
            refuse_unknown(told, ("id", *Question.FIELDS))
            for key, value in {**told, "position": position}.items():
                if key != "id":
                    setattr(question, key, value)
        for position, question in enumerate(asked):
            try:
                question.refuse_nonsense(beside=[one for one in asked if one is not question])
            except ValidationError as error:
                error.question = position
                raise
        if before == [question.as_told() for question in asked]:
            return
        Question.objects.filter(pk__in=known).delete()
        for question in asked:
            question.save()
        self._changed("all of them", by)

    # Asking -------------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Answer whether the public may fill it in now."""
        return self.opened_at is not None and self.workflow.archived_at is None

    @property
    def is_flooded(self) -> bool:
        """Answer whether it was sent too often within an hour."""
        return self.submissions.filter(sent_at__gt=timezone.now() - timedelta(hours=1)).count() >= AN_HOUR

    @property
    def first_phase(self) -> Phase | None:
        """Return the phase in which its cards appear."""
        return self.phase or self.workflow.phases.order_by("section", "position").first()

    @property
    def path(self) -> list[tuple[str, str]]:
        """Return what happens next as the page tells it: each line's title and what follows its colon."""
        lines = [line.partition(":") for line in self.steps.splitlines() if line.strip()]
        return [(title.strip(), says.strip()) for title, _, says in lines]

    def called(self, name: str, company: str) -> str:
        """Return what the card of somebody is called."""
        words = {"{form}": self.title, "{name}": name or company or "somebody", "{company}": company or name}
        said = self.card_name
        for sign, word in words.items():
            said = said.replace(sign, word)
        return " ".join(said.split())[:300] or self.title

    # Under the lock -----------------------------------------------------------------------------------

    def _lock(self) -> None:
        self.refresh_from_db(from_queryset=IntakeForm.objects.select_for_update(no_key=True))

    def _lock_questions(self, question) -> "list[Question]":
        self._lock()
        questions = list(self.questions.all())
        if question.pk not in {one.pk for one in questions}:
            raise Stale("This question was taken out a moment ago.")
        return questions

    def _number(self, questions) -> None:
        for position, one in enumerate(questions):
            one.position = position
        Question.objects.bulk_update(questions, ["position"])

    def _changed(self, what: str, by: Actor) -> None:
        self._touch()
        record("form.questions_changed", self, by, workflow=str(self.workflow_id), form=self.title, what=what)

    def _touch(self, *fields) -> None:
        self.updated_at = timezone.now()
        self.save(update_fields=[*fields, "updated_at"])

    def _check(self) -> None:
        for key in self.FIELDS:
            if isinstance(getattr(self, key), str):
                setattr(self, key, getattr(self, key).strip())
        if self.phase and self.phase.workflow_id != self.workflow_id:
            raise refusal("phase", "That phase belongs to another workflow.", "other_workflow")
        if len(self.path) > MOST_STEPS:
            raise refusal("steps", f"At most {MOST_STEPS} lines.", "many")
        self.clean_fields(exclude=["business", "workflow", "phase", "slug", "opened_by", "created_by"])

    def _free_slug(self) -> str:
        stem = slugify(self.title)[:50].strip("-") or "form"
        taken = set(
            IntakeForm.objects.filter(business=self.business_id, slug__startswith=stem).values_list("slug", flat=True)
        )
        numbers = (f"{stem}-{number}" for number in range(2, MOST_FORMS + 3))
        return next(slug for slug in (stem, *numbers) if slug not in taken)


class Question(models.Model):
    """Something a form asks, and where the answer goes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="+")
    form = models.ForeignKey(IntakeForm, models.CASCADE, related_name="questions")
    position = models.PositiveSmallIntegerField(default=0, editable=False)
    label = models.CharField("question", max_length=200)
    kind = models.CharField("kind of answer", max_length=10, choices=KINDS, default="text")
    help = models.CharField("hint below it", max_length=300, blank=True)
    required = models.BooleanField("has to be answered", default=False)
    half = models.BooleanField("half as wide", default=False)
    choices = models.JSONField(default=list, blank=True)
    target = models.CharField("where the answer goes", max_length=12, choices=TARGETS, blank=True)
    field = models.ForeignKey(Field, models.SET_NULL, null=True, blank=True, related_name="+")

    FIELDS = ("label", "kind", "help", "required", "half", "choices", "target", "field")

    class Meta:
        ordering = ["position", "id"]

    def __str__(self):
        return self.label

    def as_told(self) -> tuple:
        """Return which one it is and all that it says."""
        return (self.pk, *(getattr(self, key) for key in self.FIELDS if key != "field"), self.field_id)

    @property
    def goes_to(self) -> str:
        """Return in words where its answers go."""
        if self.target == "field":
            return f"The field {self.field.name}" if self.field else dict(TARGETS)["note"]
        return dict(TARGETS)[self.target]

    def refuse_nonsense(self, beside) -> None:
        """Raise ValidationError, field by field, for what makes no sense. beside: the form's other questions."""
        self.label, self.help = self.label.strip(), self.help.strip()
        self.choices = clean_choices(self.choices) if self.kind in CHOOSING else []
        if self.kind in GOES_TO and not self.target:
            self.target = GOES_TO[self.kind][0]
            if self._is_taken(beside):
                self.target = "note"
        if self.target != "field":
            self.field = None
        self.clean_fields(exclude=["business", "form", "field"])
        if self.kind in CHOOSING and len(self.choices) < 2:
            raise refusal("choices", "Give at least two choices, one on each line.", "choices")
        if self.target not in GOES_TO[self.kind]:
            said = f"The answer to “{self.get_kind_display()}” cannot become “{self.get_target_display().lower()}”."
            raise refusal("target", said, "target")
        if self._is_taken(beside):
            raise refusal("target", "Another question fills that in already.", "target_taken")
        if self.target == "field":
            self._check_field()

    def _is_taken(self, beside) -> bool:
        return self.target in ONCE and any(one.target == self.target for one in beside)

    def _check_field(self) -> None:
        if self.field is None or self.field.workflow_id != self.form.workflow_id:
            raise refusal("field", "Choose a field of the workflow.", "field")
        if self.kind not in FILLS[self.field.kind]:
            said = f"{self.field.name} takes {self.field.get_kind_display().lower()}: choose another kind of answer."
            raise refusal("field", said, "field")
        if self.field.kind == "choice" and (unknown := set(self.choices) - set(self.field.choices)):
            raise refusal("choices", f"{self.field.name} knows no “{sorted(unknown)[0]}”.", "choices")


class SubmissionQuerySet(models.QuerySet):
    """Reads what was sent."""

    def for_list(self):
        """Return submissions with what a line about them shows."""
        return self.select_related("form", "contact", "card")

    def stuck(self):
        """Return those that no card came of."""
        return self.filter(card=None).exclude(reason="")


class Submission(models.Model):
    """What somebody sent through a form, as it was, and where it went.

    answers: in the order of the questions, {"label", "kind", "target", "field", "value"}; a value is a text, a number
    of minor units for money, a day as 2027-03-31, true or false, or a list. reason: why there is no card of it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="submissions")
    form = models.ForeignKey(IntakeForm, models.CASCADE, related_name="submissions")
    key = models.CharField(max_length=64, editable=False)
    answers = models.JSONField(default=list)
    contact = models.ForeignKey(Contact, models.SET_NULL, null=True, blank=True, related_name="submissions")
    card = models.ForeignKey(Card, models.SET_NULL, null=True, blank=True, related_name="submissions")
    reason = models.CharField("why there is no card", max_length=400, blank=True)
    sent_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        ordering = ["-sent_at", "id"]
        constraints = [models.UniqueConstraint(fields=["form", "key"], name="submitted_once")]
        indexes = [models.Index(fields=["form", "-sent_at"], name="submission_list")]

    def __str__(self):
        return self.who

    @property
    def facts(self) -> dict:
        """Return the answers that go to a place of their own, by that place."""
        facts = {answer["target"]: answer["value"] for answer in self.answers if answer["target"] in ONCE}
        return {target: value for target, value in facts.items() if value not in (None, "")}

    @property
    def who(self) -> str:
        """Return what to call the sender."""
        facts = self.facts
        name = facts.get("name") or " ".join(facts[key] for key in ("given_name", "family_name") if key in facts)
        return (name or facts.get("company") or facts.get("email") or facts.get("phone") or "somebody")[:200]

    @verb("submission.delete")
    def delete_for_good(self, *, by: Actor):
        """Delete what was sent, with its files; the card and the contact that came of it stay."""
        self.refresh_from_db(from_queryset=Submission.objects.select_for_update(no_key=True))
        record("submission.deleted", self, by, workflow=str(self.form.workflow_id), form=self.form.title, who=self.who)
        self.delete()
        self.business.contents.forget_unused()


class SubmittedFile(models.Model):
    """A file that came with a submission; the card that came of it shares its bytes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="+")
    submission = models.ForeignKey(Submission, models.CASCADE, related_name="files")
    content = models.ForeignKey(Content, models.RESTRICT, related_name="submitted")
    name = models.CharField(max_length=LONGEST_NAME)
    position = models.PositiveSmallIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self):
        return self.name

    @property
    def type(self) -> str:
        """Return what it is sent as."""
        return type_of(self.name)


def _told(value):
    return {"id": str(value.pk), "name": str(value)} if isinstance(value, models.Model) else value
