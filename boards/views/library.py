"""The libraries of a business: statuses, triggers, closing reasons. What is in use is retired, never deleted."""

from dataclasses import dataclass
from functools import partial

from django.core.exceptions import ValidationError
from django.db.models import Count, F, Q
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.answers import done, refused
from accounts.policy import allowed, may
from accounts.verbs import Stale
from boards.forms.library import NewReasonForm, NewStatusForm, ReasonForm, StatusForm, TriggerForm
from boards.models import Reason, Status, Trigger


@dataclass(frozen=True, slots=True)
class Shelf:
    """One of the libraries: where it is, what stands in it and in which groups, how it is written and counted."""

    place: str
    noun: str
    title: str
    says: str
    model: type
    form: type
    new_form: type
    groups: tuple[tuple[str, str, str], ...]  # key, name, what it means
    searched: tuple[str, ...]
    counts: dict
    group_field: str = ""


STATUSES = Shelf(
    "statuses",
    "status",
    "Statuses",
    "The names that steps of workflows are picked from.",
    Status,
    StatusForm,
    NewStatusForm,
    (
        ("new", "New", "Where every card starts."),
        ("processing", "Processing", "Work between hello and done."),
        ("completed", "Completed", "Done, and done well."),
        ("cancelled", "Cancelled", "Work that ended badly, kept for reports."),
    ),
    ("name", "description", "public_name"),
    {
        "used": Count("phases"),
        "workflows": Count("phases__workflow", distinct=True),
        "bearers": Count("phases", filter=Q(phases__name=F("name"))),
    },
    "stage",
)
TRIGGERS = Shelf(
    "triggers",
    "trigger",
    "Triggers",
    "What can be reported about a card: by a button, a program, a webhook. A step may wait for one and then move on.",
    Trigger,
    TriggerForm,
    TriggerForm,
    (("", "", ""),),
    ("name", "key", "description"),
    {"used": Count("phases"), "workflows": Count("phases__workflow", distinct=True)},
)
REASONS = Shelf(
    "reasons",
    "reason",
    "Closing reasons",
    "Why work was cancelled. Whoever cancels a card chooses one.",
    Reason,
    ReasonForm,
    NewReasonForm,
    (
        ("customer", "Caused by the customer", "They changed their mind, did not pay, could not be reached."),
        ("us", "Caused by us", "We could not deliver what was asked for."),
    ),
    ("name",),
    {"used": Count("closings")},
    "caused_by",
)


@allowed("library.view")
def library(request):
    """Open the libraries at their first shelf."""
    return redirect("statuses", request.business.slug)


@allowed("library.view")
def statuses(request):
    """List the statuses by stage group; ?q= searches, ?show=retired shows those that are not offered any more."""
    return _page(request, STATUSES)


@require_POST
@allowed("status.create")
def add_status(request):
    """Put a status into the library."""
    return _add(request, STATUSES)


@require_POST
@allowed("status.update")
def update_status(request, status):
    """Change a status, and if wished the phases that bear its name."""
    return _update(request, STATUSES, status)


@require_POST
@allowed("status.retire")
def retire_status(request, status):
    """Offer a status no more."""
    return _retire(request, STATUSES, status)


@require_POST
@allowed("status.restore")
def restore_status(request, status):
    """Offer a status again."""
    return _bring_back(request, STATUSES, status)


@allowed("library.view")
def triggers(request):
    """List the triggers with their keys."""
    return _page(request, TRIGGERS)


@require_POST
@allowed("trigger.create")
def add_trigger(request):
    """Put a trigger into the library."""
    return _add(request, TRIGGERS)


@require_POST
@allowed("trigger.update")
def update_trigger(request, trigger):
    """Change what a trigger is called and means."""
    return _update(request, TRIGGERS, trigger)


@require_POST
@allowed("trigger.retire")
def retire_trigger(request, trigger):
    """Offer a trigger no more."""
    return _retire(request, TRIGGERS, trigger)


@require_POST
@allowed("trigger.restore")
def restore_trigger(request, trigger):
    """Offer a trigger again."""
    return _bring_back(request, TRIGGERS, trigger)


@allowed("library.view")
def reasons(request):
    """List the closing reasons by whose doing they are."""
    return _page(request, REASONS)


@require_POST
@allowed("reason.create")
def add_reason(request):
    """Put a closing reason into the library."""
    return _add(request, REASONS)


@require_POST
@allowed("reason.update")
def update_reason(request, reason):
    """Change a closing reason."""
    return _update(request, REASONS, reason)


@require_POST
@allowed("reason.retire")
def retire_reason(request, reason):
    """Offer a closing reason no more."""
    return _retire(request, REASONS, reason)


@require_POST
@allowed("reason.restore")
def restore_reason(request, reason):
    """Offer a closing reason again."""
    return _bring_back(request, REASONS, reason)


# What they share --------------------------------------------------------------------------------------


def _page(request, shelf):
    piece = "#shelf" if request.htmx.target == "shelf" else ""
    return render(request, f"boards/library.html{piece}", _context(request, shelf))


def _add(request, shelf):
    form = shelf.new_form(request.POST, group=request.POST.get(shelf.group_field, ""))
    said = f"{request.POST.get('name', '').strip()} is in the library."
    return _answer(request, shelf, form, partial(shelf.model.create, request.business), said)


def _update(request, shelf, pk):
    entry = _find(request, shelf, pk)
    form = shelf.form(request.POST, entry=entry)
    return _answer(request, shelf, form, entry.update, "Saved.", entry=entry)


def _retire(request, shelf, pk):
    entry = _find(request, shelf, pk)
    entry.retire(by=request.actor)
    said = f"{entry} is offered no more. What uses it stays as it is."
    return done(request, _here(request, shelf), said, pieces=_piece(request, shelf))


def _bring_back(request, shelf, pk):
    entry = _find(request, shelf, pk)
    entry.bring_back(by=request.actor)
    return done(request, _here(request, shelf), f"{entry} is offered again.", pieces=_piece(request, shelf))


def _find(request, shelf, pk):
    entries = shelf.model.objects.filter(business=request.business).annotate(**shelf.counts)
    return get_object_or_404(entries, pk=pk)


def _answer(request, shelf, form, change, said, entry=None):
    """Call a verb with what the form says; answer the shelf as it is now, or with what is wrong in the form."""
    if form.is_valid():
        try:
            change(**form.cleaned_data, by=request.actor)
        except Stale as error:
            return refused(request, error, _here(request, shelf), pieces=_piece(request, shelf))
        except ValidationError as error:
            _add_errors(form, error)
        else:
            saved = str(entry.pk) if entry else form.group or "new"
            return done(request, _here(request, shelf), said, pieces=_piece(request, shelf, saved=saved))
    piece = "#shelf" if request.htmx else ""
    context = _context(request, shelf, wrong=(str(entry.pk) if entry else None, form))
    return render(request, f"boards/library.html{piece}", context, status=422)


def _add_errors(form, error):
    """Put what a verb said of fields at those fields; the rest, and what the form does not show, is said above it."""
    at_fields = getattr(error, "error_dict", {None: error})
    for name, errors in at_fields.items():
        form.add_error(name if name in form.fields else None, errors)


def _piece(request, shelf, saved="") -> str:
    return render_to_string("boards/library.html#shelf", _context(request, shelf) | {"saved": saved}, request)


def _context(request, shelf, wrong=(None, None)) -> dict:
    """Return what the page shows; wrong: the id of the entry (none: a new one) and the form that was refused."""
    refused_pk, form = wrong
    asked = request.GET if request.method == "GET" else {}
    text = " ".join(asked.get("q", "").replace("\x00", "").split())[:80]
    is_retired = asked.get("show") == "retired"
    opened = refused_pk or asked.get("open", "")
    library = shelf.model.objects.filter(business=request.business)
    entries = library.exclude(retired_at=None) if is_retired else library.live()
    for word in text.split():
        entries = entries.filter(_any(shelf, word))
    entries = list(entries.annotate(**shelf.counts).order_by(*shelf.model._meta.ordering))
    may_change = may(request.actor, f"{shelf.noun}.update")
    for entry in entries:
        if str(entry.pk) == opened and may_change:
            entry.form = form or shelf.form(entry=entry)
            entry.where = _where(entry) if shelf.noun != "reason" else []
    new = form if form and not refused_pk else None
    groups = [_group(shelf, group, entries, new, "" if entries else text) for group in shelf.groups]
    return {
        "shelf": shelf,
        "groups": groups,
        "count": len(entries),
        "text": text,
        "is_retired": is_retired,
        "retired": library.exclude(retired_at=None).count(),
        "may_create": may(request.actor, f"{shelf.noun}.create"),
        "may_change": may_change,
    }


def _group(shelf, group, entries, new, text) -> dict:
    """Return a group as the page shows it, with the form of a new entry; what was searched in vain stands in it."""
    key, name, says = group
    mine = [entry for entry in entries if not key or getattr(entry, shelf.group_field) == key]
    form = new if new and new.group in (key, "") else shelf.new_form(group=key, text=text)
    return {"key": key, "name": name, "says": says, "entries": mine, "form": form}


def _any(shelf, word) -> Q:
    """Return the question whether a word stands in any of the searched fields."""
    question = Q()
    for name in shelf.searched:
        question |= Q(**{f"{name}__icontains": word})
    return question


def _where(entry) -> list:
    """Return the phases that use an entry, with their workflows, for the one that is opened."""
    return list(entry.phases.select_related("workflow").order_by("workflow__name", "section", "position")[:30])


def _here(request, shelf) -> str:
    return reverse(shelf.place, args=[request.business.slug])
