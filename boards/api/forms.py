"""Intake forms over the API: what they say and ask, and what was sent through them."""

from contextlib import contextmanager
from typing import Annotated, Literal
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.urls import reverse
from ninja import Query, Router
from pydantic import Field

from accounts.openapi import code, refuses
from accounts.rest import (
    Id,
    Made,
    Moment,
    Nothing,
    Offset,
    Pagination,
    ReadOnly,
    Refused,
    Shape,
    YesOrNo,
    find,
    in_millis,
    operation,
    paged,
    text,
    words,
)
from accounts.verbs import in_one
from boards.api.shapes import COLORS, Color
from boards.api.workflows import find_workflow
from boards.intake import say
from boards.models import IntakeForm, Question
from boards.models.intake import KINDS, MOST_QUESTIONS, TARGETS

router = Router(tags=["Forms"])

code("FORM_NOT_FOUND", 404, why="there is no such form in this business")
code("QUESTION_NOT_FOUND", 404, why="the form asks no such question")
code("FIELD_NOT_FOUND", 404, why="the workflow has no such field")
code("MAX_FORMS_REACHED", 403, why="the business has as many forms as it may")
code("UNSUPPORTED_QUESTION", 400, why="a question makes no sense; `data` says which, counted from 0")
code("FORM_OPEN", 409, why="a form is closed before it is deleted")
code("FORM_EMPTY", 400, why="a form without questions cannot be opened")
NAMED = "PHASE_NOT_FOUND FIELD_NOT_FOUND UNSUPPORTED_QUESTION WORKFLOW_ARCHIVED FORM_EMPTY"
refuses("form.create", f"WORKFLOW_NOT_FOUND MAX_FORMS_REACHED {NAMED}")
refuses("form.update", f"QUESTION_NOT_FOUND {NAMED}")
refuses("form.delete", "FORM_OPEN")
CODES = {"max_forms": (403, "MAX_FORMS_REACHED"), "form_open": (409, "FORM_OPEN"), "empty": (400, "FORM_EMPTY")}

Page = Annotated[int, Field(ge=1, le=200)]
Choices = Annotated[list[words(80, 1)], Field(max_length=50)]
WORDS = ("title", "introduction", "headline", "steps", "button", "small_print", "thanks", "card_name")


class AskedQuestion(Shape):
    """A question of a form, and where its answer goes; without a target where answers of its kind usually go."""

    id: UUID | None = None
    label: text(Question, "label", 1) = Field(examples=["Your name"])
    kind: Literal[tuple(kind for kind, _ in KINDS)] = "text"
    help: text(Question, "help") = ""
    required: YesOrNo = False
    half: YesOrNo = Field(False, description="Half as wide, beside the next one.")
    choices: Choices = []
    target: Literal[tuple(target for target, _ in TARGETS)] | None = Field(None, examples=["name"])
    field_id: UUID | None = Field(None, description="The field of the workflow that the target `field` means.")


class FormFields(Shape):
    """A form: its page, its questions in order, and where its cards appear."""

    workflow_id: UUID
    phase_id: UUID | None = Field(None, description="Where its cards appear; without one in the first phase.")
    title: text(IntakeForm, "title", 1) = Field(examples=["Job application"])
    introduction: text(IntakeForm, "introduction") = None
    headline: text(IntakeForm, "headline") = None
    steps: text(IntakeForm, "steps") = Field(None, description="What happens next, a line each.")
    button: text(IntakeForm, "button", 1) = None
    small_print: text(IntakeForm, "small_print") = None
    thanks: text(IntakeForm, "thanks") = None
    card_name: text(IntakeForm, "card_name", 1) = Field(None, examples=["{name}"])
    color: Color = None
    is_open: YesOrNo = Field(None, description="Whether the public may fill it in; a new form is closed.")
    questions: Annotated[list[AskedQuestion], Field(max_length=MOST_QUESTIONS)] = None
    id: ReadOnly = None
    address: ReadOnly = None
    created_date: ReadOnly = None
    updated_date: ReadOnly = None


class FormPatch(FormFields):
    """What changes of a form: what is left out stays. Questions come all together, those that stay with their ids."""

    workflow_id: ReadOnly = None
    title: text(IntakeForm, "title", 1) = Field(None, examples=["Job application"])


class NewForm(Shape):
    """A form to make."""

    form: FormFields


class ChangedForm(Shape):
    """What changes of a form."""

    form: FormPatch


class QuestionShape(Shape):
    """A question."""

    id: Id
    label: str
    kind: str
    help: str
    required: bool
    half: bool
    choices: list[str]
    target: str
    field_id: Id | None = None


class FormShape(Shape):
    """A form."""

    id: Id
    workflow_id: Id
    phase_id: Id | None = None
    title: str
    introduction: str
    headline: str
    steps: str
    button: str
    small_print: str
    thanks: str
    card_name: str
    color: Color
    is_open: bool
    address: str = Field(description="Where people fill it in; with embed/ behind it, inside a frame of your own page.")
    questions: list[QuestionShape]
    created_date: Moment
    updated_date: Moment


class FormAnswer(Shape):
    """A form."""

    form: FormShape


class WantedForms(Shape):
    """Which forms to list, by title."""

    workflow_id: UUID | None = None
    limit: Page = 50
    offset: Offset = 0


class Forms(Shape):
    """A part of the list of forms."""

    forms: list[FormShape]
    pagination: Pagination


class AnswerShape(Shape):
    """An answer, as it was given: its value, and the same in words."""

    label: str
    kind: str
    target: str
    value: str | int | bool | list[str] | None = None
    text: str


class SubmissionShape(Shape):
    """What somebody sent, and where it went; without a card, why."""

    id: Id
    form_id: Id
    sent_date: Moment
    sender: str
    answers: list[AnswerShape]
    contact_id: Id | None = None
    card_id: Id | None = None
    reason: str


class WantedSubmissions(Shape):
    """Which submissions to list, newest first."""

    without_card: bool = Field(False, description="Only those that wait without a card.")
    limit: Page = 50
    offset: Offset = 0


class Submissions(Shape):
    """A part of what was sent."""

    submissions: list[SubmissionShape]
    pagination: Pagination


def find_form(request, form) -> IntakeForm:
    """Return the business's form, or refuse with 404."""
    forms = request.business.forms.select_related("workflow", "business").prefetch_related("questions")
    return find(forms, "FORM_NOT_FOUND", pk=form)


@operation(router, "GET", "/forms", verb="form.view", answers=Forms)
def list_forms(request, wanted: Query[WantedForms]):
    """List the forms of the business."""
    rows = request.business.forms.select_related("workflow", "business").prefetch_related("questions")
    rows = rows.filter(workflow=wanted.workflow_id) if wanted.workflow_id else rows
    shown = [_shape(request, form) for form in rows[wanted.offset : wanted.offset + wanted.limit]]
    return {"forms": shown, "pagination": paged(wanted.limit, wanted.offset, rows.count(), len(shown))}


@operation(router, "POST", "/forms", verb="form.create", answers=Made, inside="form", codes=CODES)
def create_form(request, body: NewForm):
    """Create a form; nobody can fill it in until it is opened."""
    workflow = find_workflow(request, body.form.workflow_id)
    fields, questions = _fields(workflow, body.form), _questions(workflow, body.form)

    def create():
        form = IntakeForm.create(workflow, **fields, by=request.actor)
        if questions:
            form.ask(questions, by=request.actor)
        if body.form.is_open:
            form.open(by=request.actor)
        return form

    with _which_question():
        return {"id": str(in_one(create).pk)}


@operation(router, "GET", "/forms/{form}", verb="form.view", answers=FormAnswer)
def get_form(request, form: UUID):
    """Get a form with its questions."""
    return {"form": _shape(request, find_form(request, form))}


@operation(router, "PATCH", "/forms/{form}", verb="form.update", answers=Nothing, inside="form", codes=CODES)
def update_form(request, form: UUID, body: ChangedForm):
    """Change a form, its questions, or open and close it. A null takes the phase away; its address stays."""
    found = find_form(request, form)
    fields, questions = _fields(found.workflow, body.form), _questions(found.workflow, body.form, found)

    def change():
        if fields:
            found.update(**fields, by=request.actor)
        if questions is not None:
            found.ask(questions, by=request.actor)
        if body.form.is_open is not None:
            (found.open if body.form.is_open else found.close)(by=request.actor)

    with _which_question():
        in_one(change)
    return {}


@operation(router, "DELETE", "/forms/{form}", verb="form.delete", answers=Nothing, codes=CODES)
def delete_form(request, form: UUID):
    """Delete a closed form with what was sent through it; its cards and contacts stay."""
    find_form(request, form).delete_for_good(by=request.actor)
    return {}


@operation(router, "GET", "/forms/{form}/submissions", verb="submission.view", answers=Submissions)
def list_submissions(request, form: UUID, wanted: Query[WantedSubmissions]):
    """List what was sent through a form, each answer as it was given."""
    rows = find_form(request, form).submissions.all()
    rows = rows.stuck() if wanted.without_card else rows
    page = rows[wanted.offset : wanted.offset + wanted.limit]
    shown = [_submission(one, request.business.currency) for one in page]
    return {"submissions": shown, "pagination": paged(wanted.limit, wanted.offset, rows.count(), len(shown))}


# How it gets there ------------------------------------------------------------------------------------


def _fields(workflow, sent) -> dict:
    """Return what a program says of a form, as its verbs take it."""
    fields = {key: getattr(sent, key) for key in WORDS if getattr(sent, key) is not None}
    if sent.color is not None:
        fields["tint"] = COLORS.index(sent.color) + 1
    if "phase_id" in sent.model_fields_set:
        fields["phase"] = find(workflow.phases, "PHASE_NOT_FOUND", pk=sent.phase_id) if sent.phase_id else None
    return fields


def _questions(workflow, sent, form=None) -> list[dict] | None:
    """Return the questions as `IntakeForm.ask` takes them; None when none were sent."""
    if sent.questions is None:
        return None
    known = {question.pk for question in form.questions.all()} if form else set()
    questions = []
    for one in sent.questions:
        if one.id is not None and one.id not in known:
            raise Refused(404, "QUESTION_NOT_FOUND", "The form asks no such question.")
        told = {key: getattr(one, key) for key in Question.FIELDS if key not in ("target", "field")}
        told |= {"id": one.id, "target": one.target or "", "field": None}
        if one.field_id is not None:
            told["field"] = find(workflow.fields, "FIELD_NOT_FOUND", pk=one.field_id)
        questions.append(told)
    return questions


@contextmanager
def _which_question():
    """Say of a question that makes no sense which one it is, counted from 0, and why."""
    try:
        yield
    except ValidationError as error:
        if not hasattr(error, "question"):
            raise
        part = next(iter(getattr(error, "error_dict", {})), "")
        raise Refused(
            400, "UNSUPPORTED_QUESTION", " ".join(error.messages), question=error.question, part=part
        ) from None


def _shape(request, form: IntakeForm) -> dict:
    site = settings.BASE_URL.rstrip("/") or request.build_absolute_uri("/").rstrip("/")
    phase = {"phaseId": str(form.phase_id)} if form.phase_id else {}
    return {
        "id": str(form.pk),
        "workflowId": str(form.workflow_id),
        **phase,
        "title": form.title,
        "introduction": form.introduction,
        "headline": form.headline,
        "steps": form.steps,
        "button": form.button,
        "smallPrint": form.small_print,
        "thanks": form.thanks,
        "cardName": form.card_name,
        "color": COLORS[form.tint - 1],
        "isOpen": form.is_open,
        "address": site + reverse("intake", args=[request.business.slug, form.slug]),
        "questions": [_question(question) for question in form.questions.all()],
        "createdDate": in_millis(form.created_at),
        "updatedDate": in_millis(form.updated_at),
    }


def _question(question: Question) -> dict:
    field = {"fieldId": str(question.field_id)} if question.field_id else {}
    told = {key: getattr(question, key) for key in Question.FIELDS if key != "field"}
    return {"id": str(question.pk), **told, **field}


def _submission(submission, currency: str) -> dict:
    went = {"contactId": submission.contact_id, "cardId": submission.card_id}
    return {
        "id": str(submission.pk),
        "formId": str(submission.form_id),
        "sentDate": in_millis(submission.sent_at),
        "sender": submission.who,
        "answers": [
            {key: answer[key] for key in ("label", "kind", "target", "value")} | {"text": say(answer, currency)}
            for answer in submission.answers
        ],
        **{key: str(pk) for key, pk in went.items() if pk},
        "reason": submission.reason,
    }
