"""Intake forms as their makers see them: the list, the builder with its preview, and what was sent in."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import escape
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.answers import done, refused
from accounts.policy import allowed, may
from boards import intake
from boards.forms.intake import AnswerForm, IntakeFormForm, NewIntakeForm, QuestionForm, QuestionPlaceForm
from boards.models import IntakeForm, SubmittedFile

A_PAGE = 50  # submissions
NEW = "new"


@allowed("form.view")
def forms(request):
    """List the forms, with what came through them."""
    context = {
        "forms": request.business.forms.for_list(),
        "may_create": may(request.actor, "form.create"),
        "any_workflow": request.business.workflows.live().exists(),
    }
    return render(request, "boards/forms.html", context)


@allowed("form.create")
def new(request):
    """Make a form that asks for a name and an e-mail, to begin with."""
    asked = NewIntakeForm(
        request.POST or None, business=request.business, initial={"workflow": request.GET.get("workflow")}
    )
    if request.method == "POST" and asked.is_valid():
        first = [
            {"label": "Your name", "target": "name", "required": True},
            {"label": "E-mail", "kind": "email", "required": True},
        ]
        try:
            told = asked.cleaned_data
            made = IntakeForm.create(told["workflow"], title=told["title"], questions=first, by=request.actor)
        except ValidationError as error:
            asked.add_error(None, error)
        else:
            return done(request, _place(request, made), f"Made {made.title}. Ask what you need, then open it.")
    return render(request, "boards/form_new.html", {"asked": asked}, status=422 if asked.errors else 200)


@allowed("form.view")
def form(request, form):
    """Show a form with its questions; ?open=<id> to change a question."""
    piece = "#page" if request.htmx.target == "form-page" else ""
    return render(request, f"boards/form.html{piece}", _context(request, _find(request, form)))


@require_POST
@allowed("form.update")
def update(request, form):
    """Change what a form says and where its cards appear; `do=preview` only shows how it would look."""
    form = _find(request, form)
    sent = IntakeFormForm(request.POST, form=form)
    if request.POST.get("do") == "preview":
        return _preview(request, form, sent)
    if sent.is_valid():
        try:
            form.update(**sent.cleaned_data, by=request.actor)
        except ValidationError as error:
            sent.add_error(None, error.messages)
        else:
            return _say(request, form, "Saved.", saved="settings")
    return _show(request, form, settings_form=sent, status=422)


@require_POST
@allowed("form.switch")
def open_to_public(request, form):
    """Let the public fill it in."""
    form = _find(request, form)
    return _try(request, form, form.open, f"{form.title} is open. Give its address away.")


@require_POST
@allowed("form.switch")
def close(request, form):
    """Take nothing more."""
    form = _find(request, form)
    return _try(request, form, form.close, f"{form.title} is closed, and says so to whoever comes.")


@allowed("form.delete")
def delete(request, form):
    """Ask, then delete a closed form with what was sent through it."""
    form = _find(request, form)
    if request.method == "POST":
        try:
            form.delete_for_good(by=request.actor)
        except ValidationError as error:
            return refused(request, error, _place(request, form))
        return done(request, reverse("forms", args=[request.business.slug]), f"Deleted {form.title}.")
    return render(request, "boards/form_delete.html", {"form": form, "sent": form.submissions.count()})


# Questions --------------------------------------------------------------------------------------------


@require_POST
@allowed("form.update")
def add_question(request, form):
    """Ask one more question."""
    form = _find(request, form)
    sent = QuestionForm(request.POST, form=form)
    return _ask(request, form, sent, NEW, form.add_question, "Added the question.")


@require_POST
@allowed("form.update")
def update_question(request, form, question):
    """Change a question."""
    form = _find(request, form)
    question = get_object_or_404(form.questions, pk=question)
    sent = QuestionForm(request.POST, form=form, question=question)
    return _ask(request, form, sent, str(question.pk), lambda **told: form.change_question(question, **told), "Saved.")


@require_POST
@allowed("form.update")
def move_question(request, form):
    """Put a question at another place: a drop, a key and the buttons all come here."""
    form = _find(request, form)
    sent = QuestionPlaceForm(request.POST)
    if not sent.is_valid():
        return _refuse(request, form, ValidationError("That is not a place a question can have."))
    question = get_object_or_404(form.questions, pk=sent.cleaned_data["question"])
    place = sent.cleaned_data["position"]
    return _try(request, form, lambda by: form.move_question(question, place, by=by), "")


@require_POST
@allowed("form.update")
def remove_question(request, form, question):
    """Ask it no more."""
    form = _find(request, form)
    question = get_object_or_404(form.questions, pk=question)
    said = f"Took out “{question.label}”. What was answered is kept."
    return _try(request, form, lambda by: form.remove_question(question, by=by), said)


# What was sent in -------------------------------------------------------------------------------------


@allowed("submission.view")
def submissions(request, form):
    """List what was sent through a form, newest first; ?show=stuck for those without a card."""
    form = _find(request, form)
    show = "stuck" if request.GET.get("show") == "stuck" else ""
    rows = form.submissions.for_list()
    page = Paginator(rows.stuck() if show else rows, A_PAGE).get_page(request.GET.get("page"))
    context = {"form": form, "page": page, "show": show, "stuck": form.submissions.stuck().count()}
    return render(request, "boards/submissions.html", context)


@allowed("submission.view")
def submission(request, submission):
    """Show what somebody sent, and where it went."""
    found = get_object_or_404(request.business.submissions.for_list(), pk=submission)
    context = {
        "submission": found,
        "answers": [(one, intake.say(one, request.business.currency)) for one in found.answers],
        "files": found.files.select_related("content").defer("content__data"),
        "may_make": not found.card_id and may(request.actor, "submission.make_card"),
        "may_delete": may(request.actor, "submission.delete"),
    }
    return render(request, "boards/submission.html", context)


@require_POST
@allowed("submission.make_card")
def make_card(request, submission):
    """Make the card that could not be made when it was sent."""
    found = get_object_or_404(request.business.submissions, pk=submission)
    here = reverse("submission", args=[request.business.slug, found.pk])
    try:
        found = intake.make_card(found, by=request.actor)
    except ValidationError as error:
        return refused(request, error, here)
    return done(request, reverse("card", args=[request.business.slug, found.card.number]), f"Made {found.card.name}.")


@require_POST
@allowed("submission.delete")
def delete_submission(request, submission):
    """Delete what was sent, with its files."""
    found = get_object_or_404(request.business.submissions.select_related("form"), pk=submission)
    found.delete_for_good(by=request.actor)
    to = reverse("submissions", args=[request.business.slug, found.form_id])
    return done(request, to, "Deleted. Its card and its contact stay.")


@never_cache
@allowed("submission.view")
def download(request, submission, file):
    """Send a file that came with a submission, to be saved and not opened."""
    files = SubmittedFile.objects.select_related("content").filter(submission__business=request.business)
    file = get_object_or_404(files, submission=submission, pk=file)
    saved = {"Content-Disposition": content_disposition_header(True, file.name), "X-Content-Type-Options": "nosniff"}
    return HttpResponse(file.content.data, content_type=file.type, headers=saved)


# What they share --------------------------------------------------------------------------------------


def _find(request, pk) -> IntakeForm:
    return get_object_or_404(request.business.forms.select_related("workflow", "phase", "business"), pk=pk)


def _place(request, form) -> str:
    return reverse("intakeform", args=[request.business.slug, form.pk])


def _try(request, form, verb, said: str):
    """Call a verb that takes no form, and answer."""
    try:
        verb(by=request.actor)
    except ValidationError as error:
        return _refuse(request, form, error)
    return _say(request, form, said)


def _ask(request, form, sent, part: str, verb, said: str):
    """Hand a question to a verb, and answer; or show what is wrong with it."""
    if sent.is_valid():
        try:
            verb(**sent.cleaned_data, by=request.actor)
        except ValidationError as error:
            sent.blame(error)
        else:
            return _say(request, form, said, saved=part)
    return _show(request, form, wrong=(part, sent), status=422)


def _say(request, form, said: str, *, saved=""):
    """Answer a change with the page as it is now."""
    if not request.htmx:
        return done(request, _place(request, form), said) if said else redirect(_place(request, form))
    pieces = render_to_string("boards/form.html#page", _context(request, _find(request, form.pk), saved=saved), request)
    return done(request, "", said, pieces=pieces) if said else HttpResponse(pieces)


def _refuse(request, form, error):
    form = _find(request, form.pk)
    pieces = render_to_string("boards/form.html#page", _context(request, form), request) if request.htmx else ""
    return refused(request, error, _place(request, form), pieces=pieces)


def _show(request, form, *, status, **told):
    piece = "#page" if request.htmx else ""
    context = _context(request, _find(request, form.pk), **told)
    return render(request, f"boards/form.html{piece}", context, status=status)


def _preview(request, form, sent):
    """Show how the form would look with what is typed, as far as that makes sense; nothing is kept."""
    sent.full_clean()
    for name, value in sent.cleaned_data.items():
        setattr(form, name, value)
    return render(request, "boards/form.html#preview", {"form": form, "preview": AnswerForm(form=form)})


def _snippet(form, to: str) -> str:
    """Return what shows a form inside somebody's own page."""
    look = "width: 100%; height: 60rem; border: 0"
    return f'<iframe src="{to}" title="{escape(form.title)}" loading="lazy" style="{look}"></iframe>'


def _context(request, form, *, settings_form=None, wrong=("", None), saved="") -> dict:
    """Return what the page shows; wrong: the question that was refused, and its form."""
    questions, own = list(form.questions.select_related("field")), list(form.workflow.fields.all())
    opened = wrong[0] or request.GET.get("open", "")
    may_change = may(request.actor, "form.update") and not form.workflow.archived_at
    for place, question in enumerate(questions):
        question.place, question.is_last = place, place == len(questions) - 1
        if may_change and str(question.pk) == opened:
            question.editor = wrong[1] or QuestionForm(form=form, question=question, fields=own)
    site = settings.BASE_URL.rstrip("/") or request.build_absolute_uri("/").rstrip("/")
    return {
        "form": form,
        "questions": questions,
        "new_question": wrong[1] if wrong[0] == NEW else QuestionForm(form=form, fields=own),
        "settings": settings_form or IntakeFormForm(form=form),
        "preview": AnswerForm(form=form, questions=questions),
        "address": site + reverse("intake", args=[request.business.slug, form.slug]),
        "snippet": _snippet(form, site + reverse("intake_framed", args=[request.business.slug, form.slug])),
        "sent": form.submissions.count(),
        "stuck": form.submissions.stuck().count(),
        "opened": opened,
        "saved": saved,
        "may_change": may_change,
        "may_switch": may(request.actor, "form.switch"),
        "may_delete": may(request.actor, "form.delete"),
        "may_see": may(request.actor, "submission.view"),
    }
