"""Order types with their chains of workflows, and the orders that run through them."""

from datetime import date
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.answers import done, refused
from accounts.markdown import render as markdown
from accounts.models import Event
from accounts.policy import allowed, may
from accounts.templatetags.house import day
from boards.forms.orders import NewOrderForm, OrderForm, OrderTypeForm
from boards.journeys import look_at_orders
from boards.models import Comment, Order, OrderType
from boards.search import as_uuid

A_PAGE = 30  # orders on a page of the list
MOST_EVENTS = 30  # of the timeline, at first and each time earlier ones are asked for
UNSAID = ("card.reordered", "card.comment_changed")  # noise: the feed has it
STATES = {"running": "Running", "completed": "Completed", "cancelled": "Cancelled"}

# Order types ------------------------------------------------------------------------------------------


@allowed("order.view")
def order_types(request):
    """List the order types with their chains, retired ones last."""
    kinds = list(request.business.ordertype_library.for_list())
    context = {
        "kinds": [kind for kind in kinds if not kind.retired_at],
        "retired": [kind for kind in kinds if kind.retired_at],
        "may_design": may(request.actor, "order_type.create"),
        "may_open": may(request.actor, "order.open"),
    }
    return render(request, "boards/order_types.html", context)


@allowed("order_type.create")
def new_type(request):
    """Make an order type with its chain."""
    return _type_form(request, None)


@allowed("order_type.update")
def order_type(request, order_type):
    """Change an order type: its name, its code, its chain."""
    return _type_form(request, get_object_or_404(request.business.ordertype_library, pk=order_type))


@require_POST
@allowed("order_type.retire")
def retire_type(request, order_type):
    """Open no more orders of this kind."""
    kind = get_object_or_404(request.business.ordertype_library, pk=order_type)
    kind.retire(by=request.actor)
    return done(request, _types(request), f"{kind.name} is retired. Orders that run go on.")


@require_POST
@allowed("order_type.restore")
def restore_type(request, order_type):
    """Offer a retired order type again."""
    kind = get_object_or_404(request.business.ordertype_library, pk=order_type)
    kind.bring_back(by=request.actor)
    return done(request, _types(request), f"{kind.name} is back.")


def _type_form(request, kind: OrderType | None):
    """Show the form of an order type, reshape its chain when a button of that was pressed, or save it."""
    form = OrderTypeForm(request.POST or None, business=request.business, kind=kind)
    context = {"form": form, "kind": kind}
    if request.method == "POST" and form.is_shaping:
        context |= {"touched": form.reshape(), "is_reshaped": True}
        return render(request, f"boards/order_type.html{'#chain' if request.htmx else ''}", context)
    if form.is_valid():
        try:
            if kind:
                kind.update(**form.told(), by=request.actor)
            else:
                kind = OrderType.create(request.business, **form.told(), by=request.actor)
        except ValidationError as error:
            _put(form, error)
        else:
            return done(request, _types(request), f"{kind.name} is saved.")
    return render(request, "boards/order_type.html", context, status=422 if form.errors else 200)


# Orders -----------------------------------------------------------------------------------------------


@allowed("order.view")
def orders(request):
    """List orders, the running ones first of all: `?show=completed|cancelled`, `?type=<id>`, `?q=…`."""
    mine = request.business.orders
    show = request.GET.get("show", "")
    show = show if show in STATES else "running"
    kinds = list(request.business.ordertype_library.all())
    kind = next((kind for kind in kinds if str(kind.pk) == request.GET.get("type")), None)
    text = " ".join(request.GET.get("q", "").replace("\x00", "").split())[:200]
    found = getattr(mine, show)().for_list().matching(text)
    if kind:
        found = found.filter(type=kind)
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    counts = {state: getattr(mine, state)().count() for state in STATES}
    context = {
        "page": page,
        "journeys": look_at_orders(page.object_list),
        "states": [(state, name, counts[state]) for state, name in STATES.items()],
        "show": show,
        "text": text,
        "kind": kind,
        "kinds": kinds,
        "any": any(counts.values()),
        "may_open": may(request.actor, "order.open"),
        "may_design": may(request.actor, "order_type.create"),
    }
    return render(request, f"boards/orders.html{'#list' if request.htmx.target == 'orders' else ''}", context)


@allowed("order.open")
def new_order(request):
    """Open an order: of which type, for whom, by when, and where it starts."""
    kinds = request.business.ordertype_library.live().filter(stages__isnull=False).distinct()
    asked = as_uuid((request.POST or request.GET).get("type"))
    kind = kinds.filter(pk=asked).first() if asked else kinds.first()
    form = NewOrderForm(request.POST or None, business=request.business, kinds=kinds, kind=kind)
    context = {"form": form, "kind": kind}
    if request.htmx.target == "start":
        return render(request, "boards/order_new.html#start", context)
    if request.method == "POST" and form.is_picking:
        return render(request, "boards/order_new.html", context | {"is_picking": True})
    if form.is_valid():
        try:
            sent = form.cleaned_data
            facts = {"name": sent["name"], "due_date": sent["due_date"], "start": sent["start"]}
            order = Order.open(sent["type"], **facts, contact=form.whom(by=request.actor), by=request.actor)
        except ValidationError as error:
            _put(form, error)
        else:
            return done(request, _place(request, order), f"Opened {order.code}.")
    return render(request, "boards/order_new.html", context, status=422 if form.errors else 200)


@allowed("order.view")
def order(request, order):
    """Show an order at one glance: its track, its facts, its one timeline; `?before=<sequence>` for what was earlier."""
    order = _find(request, order)
    before = request.GET.get("before", "")
    if before and not (before.isascii() and before.isdecimal() and len(before) < 19):
        raise Http404("No such moment")
    context = _context(request, order, before=int(before) if before else None)
    piece = "#entries" if request.htmx.target == "earlier" else ""
    return render(request, f"boards/order.html{piece}", context)


@require_POST
@allowed("order.update")
def update_order(request, order):
    """Change an order's name, contact or due date."""
    order = _find(request, order)
    form = OrderForm(request.POST, business=request.business, contact=order.contact)
    if form.is_picking:
        return render(request, "boards/order.html", _context(request, order, form=form) | {"is_picking": True})
    if form.is_valid():
        try:
            order.update(**form.cleaned_data, contact=form.whom(by=request.actor), by=request.actor)
        except ValidationError as error:
            if not _find(request, order.number).is_running:  # it ended meanwhile, so there is no form to say it in
                return refused(request, error, _place(request, order))
            _put(form, error)
        else:
            return done(request, _place(request, order), f"{order.code} is saved.")
    order = _find(request, order.number)
    return render(request, "boards/order.html", _context(request, order, form=form), status=422)


@require_POST
@allowed("order.advance")
def advance_order(request, order):
    """Go on where an order waits: its card is won but the next step could not open, or its card is gone."""
    order = _find(request, order)
    journey = look_at_orders([order])[0]
    won = journey.at.card if journey.at and journey.waits_for == "won" else None
    return _answer(request, order, lambda by: order.advance(won, by=by), f"{order.code} goes on.")


@require_POST
@allowed("order.skip")
def skip_step(request, order, step):
    """Leave a step out."""
    order = _find(request, order)
    step = get_object_or_404(order.steps.select_related("workflow"), pk=step)
    return _answer(request, order, lambda by: order.skip(step, by=by), f"{step.workflow.name} is left out.")


@require_POST
@allowed("order.cancel")
def cancel_order(request, order):
    """Stop an order."""
    order = _find(request, order)
    return _answer(request, order, order.cancel, f"{order.code} is cancelled. Its open cards are in the archive.")


def _find(request, order) -> Order:
    """Return the business's order of this number or id, or raise Http404."""
    asked = Q(pk=order) if isinstance(order, UUID) else Q(number=order)
    return get_object_or_404(request.business.orders.for_list(), asked)


def _answer(request, order, verb, said: str):
    """Call a verb of an order that takes no form, and answer."""
    try:
        verb(by=request.actor)
    except ValidationError as error:
        return refused(request, error, _place(request, order))
    return done(request, _place(request, order), said)


def _context(request, order, *, form=None, before: int | None = None) -> dict:
    seen = {"name": order.name, "due_date": order.due_date}
    journey = look_at_orders([order])[0]
    return {
        "order": order,
        "journey": journey,
        "form": form or OrderForm(initial=seen, business=request.business, contact=order.contact),
        "is_changing": form is not None,
        "timeline": _timeline(request, journey, before),
        "may_change": order.is_running and may(request.actor, "order.update"),
        "is_latest": before is None,
    }


def _timeline(request, journey, before: int | None) -> dict:
    """Return what happened to an order and to all its cards, newest first, and where earlier things begin."""
    order = journey.order
    at = dict(order.cards.values_list("pk", "workflow__name"))
    about = Q(subject_kind="order", subject_id=order.pk) | Q(subject_kind="card", subject_id__in=at)
    told = Event.objects.filter(about, business=request.business).exclude(name__in=UNSAID).order_by("-sequence")
    if before is not None:
        told = told.filter(sequence__lt=before)
    events = list(told[: MOST_EVENTS + 1])
    earlier = events[MOST_EVENTS - 1].sequence if len(events) > MOST_EVENTS else None
    events = events[:MOST_EVENTS]
    said = [as_uuid(event.details["comment"]) for event in events if event.name == "card.commented"]
    comments = Comment.objects.filter(card__order=order).in_bulk(said)
    entries = []
    for event in events:
        event.workflow = at.get(event.subject_id)
        if event.name == "card.commented":
            comment = comments.get(as_uuid(event.details["comment"]))
            if comment is None:  # deleted; its deletion is told by itself
                continue
            event.says = markdown(comment.text)
        elif event.name == "order.updated":
            event.changes = list(_changes(event.details))
        entries.append(event)
    return {"entries": entries, "earlier": earlier}


def _changes(details: dict):
    """Give each changed fact of an order as (name, before, after) in words."""
    for key, before in details["before"].items():
        after = details["after"].get(key, "")
        if before != after:
            said = [day(date.fromisoformat(one)) if key == "due_date" and one else one for one in (before, after)]
            yield key.replace("_", " "), *(one or "nothing" for one in said)


def _place(request, order) -> str:
    return reverse("order", args=[request.business.slug, order.number])


def _put(form, error: ValidationError) -> None:
    """Put a refusal of a verb on the fields it is about; what the form has no field for is said above it."""
    told = error.error_dict if hasattr(error, "error_dict") else {None: error.error_list}
    for name, errors in told.items():
        form.add_error(name if name in form.fields else None, errors)


def _types(request) -> str:
    return reverse("order_types", args=[request.business.slug])
