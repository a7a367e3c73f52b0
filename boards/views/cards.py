"""The card: its page and panel, and the verbs its forms post to."""

from functools import partial

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.answers import done, toast
from accounts.policy import allowed
from accounts.verbs import Stale
from boards.forms.cards import PARTS, AssignForm, CommentForm, FilesForm, ItemForm, ItemsForm, LabelChoice, LabelForm
from boards.forms.entering import OwnFieldsForm
from boards.models import Attachment, Comment, Item, Label, Order
from boards.views.board import board_context, tile
from boards.views.panel import EVERYTHING, draw, find_card, history, panel_context
from contacts.picking import ContactChoice

ALONE = {"panel": "panel", "card-labels": "labels"}  # what htmx may ask for by itself


@allowed("card.view")
def card(request, number):
    """Show a card: over its board, or the panel alone when the board asks for it; `?label=<id>` to change a label."""
    return _page(request, find_card(request, number))


@allowed("card.view")
def older(request, number):
    """Show what happened to a card before `?before=<sequence>`; without htmx the card's page with all of it."""
    card = find_card(request, number)
    before = request.GET.get("before", "")
    if not before.isdecimal() or len(before) > 18:
        raise Http404("No such moment")
    people = list(request.business.memberships.select_related("user"))
    context = panel_context(request, card) | {"activity": history(request, card, people, int(before))}
    piece = "#entries" if request.htmx else ""
    return render(request, f"boards/card.html{piece}", context if piece else _board(request, card) | context)


# Fields -----------------------------------------------------------------------------------------------


@require_POST
@allowed("card.update")
def update(request, number, part):
    """Change one part of a card: its name, description, due date, value, source or contact."""
    if part not in PARTS:
        raise Http404("No such part")
    card = find_card(request, number)
    form = PARTS[part](request.POST, card=card, currency=request.business.currency)
    try:
        form.full_clean()
        changes = _contact(request) if part == "contact" else _cleaned(form)
        event = card.update(**changes, was=form.was, by=request.actor)
    except ValidationError as error:
        return _refused(request, card, error, part, form=form)
    return _done(request, card, form.said.format(card=card) if event else "", part, event=event)


@require_POST
@allowed("card.assign")
def assign(request, number):
    """Make members responsible; whoever a colleague added or took off meanwhile stays so."""
    card = find_card(request, number)
    form = AssignForm(request.POST, business=request.business)
    try:
        chosen = _cleaned(form)
        event = card.assign(chosen["members"], was=chosen["was"], by=request.actor)
    except ValidationError as error:
        return _refused(request, card, error, "people")
    names = ", ".join(str(member) for member in chosen["members"])
    return _done(request, card, f"Assigned to {names or 'nobody'}" if event else "", "people", event=event)


@require_POST
@allowed("card.update")
def fields(request, number):
    """Fill in the fields that the card's workflow adds."""
    card = find_card(request, number)
    form = OwnFieldsForm(request.POST, card=card)
    try:
        event = card.fill_fields(form.values(), by=request.actor)
    except ValidationError as error:
        return _refused(request, card, error, "fields", form=form)
    return _done(request, card, "Changed the fields" if event else "", "fields", event=event)


# Labels -----------------------------------------------------------------------------------------------


@require_POST
@allowed("card.add_label")
def add_label(request, number):
    """Put a label on."""
    card, label = _card_and_label(request, number)
    return _try(request, card, partial(card.add_label, label), f"Label {label} put on", "labels")


@require_POST
@allowed("card.remove_label")
def remove_label(request, number):
    """Take a label off."""
    card, label = _card_and_label(request, number)
    return _try(request, card, partial(card.remove_label, label), f"Label {label} taken off", "labels")


@require_POST
@allowed("label.create")
def create_label(request, number):
    """Make a label of the workflow and put it on."""
    card = find_card(request, number)
    form = LabelForm(request.POST, auto_id="label-new-%s")
    try:
        label = Label.create(card.workflow, **_cleaned(form), by=request.actor)
        event = card.add_label(label, by=request.actor)
    except ValidationError as error:
        return _refused(request, card, error, "labels", form=form)
    return _done(request, card, f"Label {label} made and put on", "labels", event=event)


@require_POST
@allowed("label.update")
def update_label(request, number, label):
    """Rename or recolour a label of the workflow, on every card that wears it."""
    card = find_card(request, number)
    label = get_object_or_404(card.workflow.labels, pk=label)
    form = LabelForm(request.POST, auto_id="label-%s")
    try:
        label.update(**_cleaned(form), by=request.actor)
    except ValidationError as error:
        return _refused(request, card, error, "labels", form=form, name=f"label-{label.pk}")
    return _done(request, card, f"Label {label} changed on every card", "labels")


# Checklist --------------------------------------------------------------------------------------------


@require_POST
@allowed("card.add_item")
def add_items(request, number):
    """Add a line to the checklist, or several."""
    card = find_card(request, number)
    form = ItemsForm(request.POST)
    try:
        Item.add_many(card, _cleaned(form)["text"].splitlines(), by=request.actor)
    except ValidationError as error:
        return _refused(request, card, error, "adder", form=form)
    return _done(request, card, "", "progress", "items", "adder")


@require_POST
@allowed("card.change_item")
def tick_item(request, number, item):
    """Tick a line when `done` is sent, else untick it."""
    item = _item(request, number, item)
    return _try(request, item.card, partial(item.tick, bool(request.POST.get("done"))), "", "progress", "next")


@require_POST
@allowed("card.change_item")
def rename_item(request, number, item):
    """Change the words of a line."""
    item = _item(request, number, item)
    form = ItemForm(request.POST)
    try:
        event = item.rename(_cleaned(form)["text"], by=request.actor)
    except ValidationError as error:
        return _refused(request, item.card, error, "items", form=form, name=f"item-{item.pk}")
    return _done(request, item.card, "Line changed" if event else "", "items", event=event)


@require_POST
@allowed("card.remove_item")
def remove_item(request, number, item):
    """Take a line off the checklist."""
    item = _item(request, number, item)
    return _try(request, item.card, item.remove, f"Removed “{item}”", "progress", "items", "next")


# Comments ---------------------------------------------------------------------------------------------


@require_POST
@allowed("card.comment")
def comment(request, number):
    """Say something."""
    card = find_card(request, number)
    form = CommentForm(request.POST, auto_id="comment-%s")
    try:
        Comment.write(card, _cleaned(form)["text"], by=request.actor)
    except ValidationError as error:
        return _refused(request, card, error, "foot", form=form)
    return _done(request, card, "", "foot")


@require_POST
@allowed("comment.update")
def update_comment(request, number, comment):
    """Change what was said."""
    card, comment = _card_and_comment(request, number, comment)
    form = CommentForm(request.POST)
    try:
        comment.update(_cleaned(form)["text"], by=request.actor)
    except ValidationError as error:
        return _refused(request, card, error, "activity", form=form, name=f"comment-{comment.pk}")
    return _done(request, card, "Comment changed")


@require_POST
@allowed("comment.delete")
def delete_comment(request, number, comment):
    """Take back what was said."""
    card, comment = _card_and_comment(request, number, comment)
    return _try(request, card, comment.remove, "Comment deleted")


# Files ------------------------------------------------------------------------------------------------


@require_POST
@allowed("card.attach")
def attach(request, number):
    """Put files on the card, all that were chosen or none."""
    card = find_card(request, number)
    form = FilesForm(request.POST, request.FILES)
    try:
        files = Attachment.attach(card, _cleaned(form)["files"], by=request.actor)
    except ValidationError as error:
        return _refused(request, card, error, "files", form=form)
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return _done(request, card, f"Attached {files[0]}{more}", "files")


@never_cache
@allowed("card.view")
def download(request, number, attachment):
    """Send a file to be saved: it is a stranger's, so no browser may open it as if it were a page of ours."""
    files = Attachment.objects.select_related("content").filter(card__business=request.business, card__number=number)
    file = get_object_or_404(files, pk=attachment)
    saved = {"Content-Disposition": content_disposition_header(True, file.name), "X-Content-Type-Options": "nosniff"}
    return HttpResponse(file.content.data, content_type=file.type, headers=saved)


@require_POST
@allowed("attachment.delete")
def delete_file(request, number, attachment):
    """Take a file off the card, for good."""
    card = find_card(request, number)
    file = get_object_or_404(card.attachments, pk=attachment)
    return _try(request, card, file.remove, f"Deleted {file}", "files")


# Archive ----------------------------------------------------------------------------------------------


@require_POST
@allowed("card.archive")
def archive(request, number):
    """Take the card off the board."""
    card = find_card(request, number)
    sent = request.POST.get("revision", "")
    seen = int(sent) if sent.isdecimal() and len(sent) < 10 else None
    return _try(request, card, partial(card.archive, revision=seen), f"{card} archived", *EVERYTHING)


@require_POST
@allowed("card.restore")
def restore(request, number):
    """Bring the card back to where it was."""
    card = find_card(request, number)
    return _try(request, card, card.restore, f"{card} is back on the board", *EVERYTHING)


# Orders -----------------------------------------------------------------------------------------------


@require_POST
@allowed("order.open")
def open_order(request, number):
    """Open an order of a type around the card, which becomes its step in this workflow."""
    card = find_card(request, number)
    kinds = request.business.ordertype_library.filter(stages__workflow=card.workflow)
    kind = next((kind for kind in kinds if str(kind.pk) == request.POST.get("type")), None)
    facts = {"name": card.name, "contact": card.contact, "due_date": card.due_date, "card": card}
    try:
        if kind is None:
            raise ValidationError("This order type is not there any more. Choose another.")
        order = Order.open(kind, **facts, by=request.actor)
    except ValidationError as error:
        return _refused(request, card, error, "order")
    return _done(request, card, f"Opened {order.code}", "order")


# Answers ----------------------------------------------------------------------------------------------


def _page(request, card, *, forms=None, status=200):
    """Answer with the whole page, or with the panel alone when htmx asked for it."""
    context = panel_context(request, card, forms=forms)
    piece = ALONE.get(request.htmx.target)
    if piece:
        return render(request, f"boards/card.html#{piece}", context)
    return render(request, "boards/card.html", _board(request, card) | context, status=status)


def _board(request, card) -> dict:
    return board_context(request, card.workflow)


def _try(request, card, verb, said: str, *parts):
    """Call a verb that takes no form, and answer."""
    try:
        event = verb(by=request.actor)
    except ValidationError as error:
        return _refused(request, card, error, *parts)
    return _done(request, card, said, *parts, event=event)


def _done(request, card, said: str, *parts, event=None):
    """Answer a change: the pieces it touched, the history, the tile on the board, and a toast when there is news to tell."""
    to = reverse("card", args=[request.business.slug, card.number])
    if not request.htmx:
        return done(request, to, said, event=event) if said else redirect(to)
    card = find_card(request, card.number)
    pieces = draw(request, card, *dict.fromkeys([*parts, "activity"])) + tile(request, card)
    return HttpResponse(pieces + (toast(request, said, event=event) if said else ""))


def _refused(request, card, error, *parts, form=None, name=""):
    """Answer a refusal at the field it is about, with what was typed and what is true now; else in a toast.

    form: the form that was sent; name: what it is called in the panel, the part's name when not given.
    """
    status = 409 if isinstance(error, Stale) else 422
    card = find_card(request, card.number)
    forms = None
    if card.archived_at or card.workflow.archived_at:
        form = None  # it is read-only now, so there is no form to show it at; the browser keeps what was typed
    if form is not None:
        _put(error, form)
        form.card = card
        forms = {name or parts[0]: form}
    if not request.htmx:
        if form is None:
            messages.error(request, " ".join(error.messages))
        return _page(request, card, forms=forms, status=status)
    parts = (*parts, "state") if form is not None else EVERYTHING
    pieces = draw(request, card, *parts, forms=forms)
    said = "" if form is not None else toast(request, " ".join(error.messages), kind="error")
    return HttpResponse(pieces + said, status=status)


def _put(error: ValidationError, form) -> None:
    """Put a refusal of a verb on the form it was sent with."""
    form.is_stale = isinstance(error, Stale)
    if form.errors:
        return
    at_fields = hasattr(error, "error_dict") and set(error.error_dict) <= set(form.fields)
    form.add_error(None, error if at_fields else ValidationError(error.messages))


def _cleaned(form) -> dict:
    """Return what a form brought; raises ValidationError, field by field."""
    if not form.is_valid():
        raise ValidationError(form.errors.as_data())
    return form.cleaned_data


# Finding ----------------------------------------------------------------------------------------------


def _contact(request) -> dict:
    """Return the chosen contact as a change; what was only jotted down is looked up or made."""
    sent = request.POST.copy()
    sent.setdefault("new_contact", sent.get("q", ""))
    return {"contact": ContactChoice(sent, business=request.business).chosen(by=request.actor)}


def _card_and_label(request, number):
    card = find_card(request, number)
    form = LabelChoice(request.POST, workflow=card.workflow)
    if not form.is_valid():
        raise Http404("No such label")
    return card, form.cleaned_data["label"]


def _item(request, number, pk) -> Item:
    items = Item.objects.select_related("card", "card__workflow")
    return get_object_or_404(items, card__business=request.business, card__number=number, pk=pk)


def _card_and_comment(request, number, pk):
    card = find_card(request, number)
    return card, get_object_or_404(card.comments, pk=pk)
