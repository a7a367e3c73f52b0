"""The card's panel: what it shows, and the pieces of it that a change redraws."""

import html
import re
from datetime import date, time, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.answers import page_of
from accounts.markdown import render as markdown
from accounts.models import Event
from accounts.policy import may
from accounts.templatetags.house import day, money
from boards.forms.cards import PARTS, LabelForm
from boards.forms.entering import OwnFieldsForm
from boards.models import Card, Comment
from boards.models.attachment import MEGABYTE
from boards.views.board import tile, tile_context, tile_of_move, with_moons

MOST_EVENTS = 20  # of the history, at first and each time older ones are asked for
IN_A_ROW = ("card.item_added", "card.item_checked", "card.attached")  # told once, with how many more
UNSAID = ("card.reordered", "card.comment_changed")  # noise: the feed has it

# Every piece of the panel, by its partial in boards/card.html.
EVERYTHING = (
    "actions where days name labels track state next buttons contact due value people source fields order moves description progress items "
    "adder files activity foot"
).split()


def find_card(request, number: int) -> Card:
    """Return the business's card of this number with what its panel shows, or raise Http404."""
    return get_object_or_404(request.business.cards.for_panel(), number=number)


def panel_context(request, card: Card, *, forms: dict | None = None) -> dict:
    """Return what the panel shows; what only some pieces show is a function, asked for when it is drawn.

    forms: by part, a form that was refused, to be shown instead of a fresh one.
    """
    business, workflow = request.business, card.workflow
    phases = with_moons(workflow)
    here = next(phase for phase in phases if phase.pk == card.phase_id)
    path = [phase for phase in phases if not phase.is_cancelled and (phase.is_of(card.major) or phase is here)]
    is_open = not card.archived_at and not workflow.archived_at
    people = _once(lambda: list(business.memberships.select_related("user").order_by("user__name", "pk")))
    forms = forms or {}
    fresh = {part: form(card=card, currency=business.currency) for part, form in PARTS.items()}
    changing = request.GET.get("label", "")
    now = timezone.now()
    return {
        **tile_context(request),
        "card": card,
        "workflow": workflow,
        "board_url": reverse("board", args=[business.slug, workflow.slug]),
        "card_url": reverse("card", args=[business.slug, card.number]),
        "steps": [phase for phase in phases if not phase.is_past(card.major)],
        "path": path,
        "standing": here,
        "step": path.index(here) + 1 if here in path else 0,
        "next": _after(here, path),
        "endings": [phase for phase in phases if phase.is_cancelled],
        "forms": {**fresh, **forms},
        "own_fields": forms.get("fields") or OwnFieldsForm(card=card),
        "people": people,
        "assigned": [row.member for row in card.assignments.all()],
        "items": _with_refused(card.items.all(), "item", forms),
        "card_labels": _once(lambda: _with_forms(card, forms, changing)),
        "changing_label": changing or any(name.startswith("label-") for name in forms),
        "new_label": forms.get("labels") or LabelForm(auto_id="label-new-%s", initial={"tint": 1}),
        "open_items": card.item_count - card.done_count,
        "files": _once(lambda: _removable(card.attachments.for_list(), request.actor)),
        "contact_cards": lambda: card.contact.cards.on_board().count(),
        "activity": _once(lambda: history(request, card, people(), forms=forms)),
        "days": (now - card.created_at).days,
        "runs_under": card.design if card.major < workflow.major and here.is_on_path else None,
        "may_edit": is_open and may(request.actor, "card.update"),
        "file_bytes": settings.FILE_MEGABYTES * MEGABYTE,
        "may_attach": is_open and may(request.actor, "card.attach"),
        "may_move_card": is_open and may(request.actor, "card.move"),
        "triggers": _once(lambda: list(business.trigger_library.live())),
        "may_report": is_open and may(request.actor, "card.report"),
        "user_actions": _once(lambda: card.user_actions if is_open and may(request.actor, "card.signal") else []),
        "order_steps": _once(lambda: card.order.steps.count()),
        "order_kinds": _once(lambda: business.ordertype_library.live().filter(stages__workflow=workflow)),
        "may_open_order": is_open and not card.order_id and may(request.actor, "order.open"),
        "may_restore": not workflow.archived_at and may(request.actor, "card.restore"),
        "may_delete": may(request.actor, "card.delete"),
    }


def draw(request, card: Card, *parts: str, forms: dict | None = None) -> str:
    """Return pieces of the panel for htmx to put in place, each beside the others."""
    context = {**panel_context(request, card, forms=forms), "oob": True}
    return "".join(render_to_string(f"boards/card.html#{part}", context, request) for part in parts)


def beside(request, card: Card, move: Event | None = None) -> str:
    """Return the card's tile on the board and, when its panel is open, the whole of that as they are now.

    move: the event of the card's move, when that is all that was done.
    """
    panel = draw(request, find_card(request, card.number), *EVERYTHING) if is_shown(request, card) else ""
    return (tile_of_move(request, card, move) if move else tile(request, card)) + panel


def is_shown(request, card: Card) -> bool:
    """Answer whether a request was made from the card's own page, on which its panel is open."""
    return urlsplit(page_of(request)).path == reverse("card", args=[request.business.slug, card.number])


# The history ------------------------------------------------------------------------------------------


def history(request, card: Card, people, before: int | None = None, forms: dict | None = None) -> dict:
    """Return what happened to a card, newest first, comments among it, and where older things begin."""
    told = Event.objects.about(card).exclude(name__in=UNSAID)
    if before is not None:
        told = told.filter(sequence__lt=before)
    events = list(told.select_related("cause")[: MOST_EVENTS + 1])
    older = events[MOST_EVENTS - 1].sequence if len(events) > MOST_EVENTS else None
    events = Event.find_rules(events[:MOST_EVENTS], request.business)
    said = [event.details["comment"] for event in events if event.name == "card.commented"]
    comments = Comment.objects.filter(card=card).select_related("author").in_bulk([UUID(pk) for pk in said])
    _with_refused(comments.values(), "comment", forms or {})
    came = {event.details["submission"] for event in events if event.name == "form.submitted"}
    kept = {str(one.pk): one for one in card.submissions.filter(pk__in=came).only("pk")} if came else {}
    mark = _marker(people)
    entries = []
    for event in events:
        if event.name == "card.commented":
            event.comment = comments.get(UUID(event.details["comment"]))
            if event.comment is None:  # deleted; its deletion is told by itself
                continue
            event.comment.html = mark(markdown(event.comment.text))
            event.comment.is_mine = event.comment.is_changeable_by(request.actor)
        elif event.name == "form.submitted":
            event.submission = kept.get(event.details["submission"])
        elif event.name == "card.moved":
            event.ended = event.details["after"].get("closing")
            event.was_ended = event.details["before"].get("closing")
        elif event.name == "card.updated":
            event.changes = list(_changes(event.details, request.business.currency))
        elif entries and _goes_with(entries[-1], event):
            entries[-1].more = getattr(entries[-1], "more", 0) + 1
            continue
        entries.append(event)
    return {"entries": entries, "older": older}


def _goes_with(newer: Event, event: Event) -> bool:
    """Answer whether an event is one of a row, such as the lines of a checklist that were pasted at once."""
    same = (newer.name, newer.actor_kind, newer.actor_id) == (event.name, event.actor_kind, event.actor_id)
    return same and event.name in IN_A_ROW and newer.at - event.at < timedelta(minutes=10)


def _changes(details: dict, currency: str):
    """Give each changed field as (name, before, after) in words; long texts have no words."""
    for key, before in details["before"].items():
        if key != "description":
            yield key.replace("_", " "), _said(key, before, currency), _said(key, details["after"].get(key), currency)


def _said(key: str, value, currency: str) -> str:
    if value is None or value == "":
        return "nothing"
    if key == "value":
        return money(value, currency)
    if key == "due_date":
        return day(date.fromisoformat(value))
    if key == "due_time":
        return f"{time.fromisoformat(value):%H:%M}"
    return value["name"] if isinstance(value, dict) else str(value)


def _marker(people):
    """Return a function that marks the names of members after an @ in safe HTML, outside of links and code."""
    names = {name for member in people for name in (str(member.user), member.user.get_short_name()) if name}
    if not names:
        return lambda text: text
    longest_first = sorted((html.escape(name, quote=False) for name in names), key=len, reverse=True)
    called = re.compile(rf"@(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)

    def mark(text: SafeString) -> SafeString:
        if "@" not in text:
            return text
        parts, inside = re.split(r"(<(?:[^>\"]|\"[^\"]*\")*>)", text), 0
        for at, part in enumerate(parts):
            if at % 2:
                inside += {"<a": 1, "<c": 1, "</a": -1, "</c": -1}.get(part[: 3 if part[1] == "/" else 2], 0)
            elif not inside:
                parts[at] = called.sub(lambda found: f'<span class="mention">{found[0]}</span>', part)
        return SafeString("".join(parts))

    return mark


# Bits of it -------------------------------------------------------------------------------------------


def _once(ask):
    """Return a function that asks the first time it is called, and remembers."""
    answer = []

    def remember():
        if not answer:
            answer.append(ask())
        return answer[0]

    return remember


def _after(phase, path):
    if phase not in path or phase.is_win:
        return None
    return path[path.index(phase) + 1]


def _with_refused(rows, kind: str, forms: dict):
    """Give each row the form that was refused for it, if there is one."""
    for row in rows:
        row.form = forms.get(f"{kind}-{row.pk}")
    return rows


def _removable(files, by):
    """Give each file whether this person may delete it."""
    for file in files:
        file.is_mine = file.is_removable_by(by)
    return files


def _with_forms(card, forms: dict, changing: str) -> list:
    """Return the workflow's labels, each knowing whether the card wears it; with a form, the one to be changed."""
    worn = {label.pk for label in card.labels.all()}
    labels = list(card.workflow.labels.all())
    for label in labels:
        label.is_worn = label.pk in worn
        label.form = forms.get(f"label-{label.pk}")
        if str(label.pk) == changing:
            label.form = label.form or LabelForm(auto_id="label-%s", initial={"name": label.name, "tint": label.tint})
    return labels
