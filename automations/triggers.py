"""What sets a rule off: events of the ledger, and moments that come. A trigger is one `trigger(...)` below.

What happened is asked here, of the event alone, so that a rule nobody set off costs next to nothing; conditions
about how the card stands are asked afterwards and leave a Run when they do not hold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db.models import F

from automations.conditions import Fact, Named, stage_of
from automations.inputs import Input, is_yes
from automations.moments import Moment, before_due, overdue, scheduled, waited, waiting
from boards.documents import CREATE
from boards.models import Phase, Submission


@dataclass(frozen=True, slots=True)
class Trigger:
    """Something that sets rules off.

    label: as the editor says it after "When". events: the ledger's names of it. facts: what may be asked of it.
    inputs: what it needs to know. is_set_off: answers from an event, and the rule it may set off, whether it does.
    moments: yields the moments of a rule that came between two times; past: the same from the ledger, for a replay.
    cards: narrows cards to those that stand as one does that has just set it off.
    is_over: answers from an event whether the reason of a moment that came is gone, so that a mail about it may not leave.
    """

    key: str
    label: str
    events: tuple[str, ...]
    facts: dict[str, Fact]
    inputs: tuple[Input, ...]
    is_set_off: Callable
    moments: Callable[..., Iterable[Moment]] | None
    past: Callable[..., Iterable[Moment]] | None
    cards: Callable
    is_over: Callable

    @property
    def is_about_contacts(self) -> bool:
        """Answer whether it is about contacts and not about cards."""
        return any(event.startswith("contact.") for event in self.events)


triggers: dict[str, Trigger] = {}
by_event: dict[str, list[str]] = defaultdict(list)  # the keys of the triggers that each event may set off

WHO = Fact(
    "by",
    "choice",
    "who did it",
    lambda event: Named(event.actor_kind, event.actor_name),
    (("member", "a person"), ("token", "a program"), ("rule", "a rule"), ("form", "a form")),
)


def _always(event, rule):
    return True


def _on_board(cards):
    return cards.filter(archived_at=None)


def _in_section(section):
    return lambda cards: _on_board(cards).filter(phase__section=section)


def has_left(event) -> bool:
    """Answer whether a card has left its place."""
    return event.name in ("card.moved", "card.archived")


def _is_settled(event) -> bool:
    """Answer whether a card needs no longer be done by its day."""
    if event.name == "card.updated":
        return "due date" in event.details["changed"]
    return event.name == "card.archived" or (
        event.name == "card.moved" and event.details["after"]["section"] != Phase.PATH
    )


def trigger(
    key,
    label,
    *events,
    facts=(),
    inputs=(),
    is_set_off=_always,
    moments=None,
    past=None,
    cards=_on_board,
    is_over=has_left,
) -> None:
    """Declare a trigger."""
    if key in triggers:
        raise ValueError(f"the trigger {key} is declared twice")
    known = {fact.name: fact for fact in ((*facts, WHO) if events else facts)}
    triggers[key] = Trigger(
        key, label, events, known, tuple(inputs), is_set_off, moments, past or moments, cards, is_over
    )
    for event in events:
        by_event[event].append(key)


def _told(detail):
    return lambda event: Named.told(event.details.get(detail))


def _stage(detail):
    """Return the stage group of the phase that an event names, as it is now; nothing when the phase is gone."""

    def find(event):
        phase = Phase.objects.filter(business_id=event.business_id, pk=event.details[detail]["id"]).first()
        return phase and stage_of(phase)

    return find


def _changed(event):
    return [name.replace(" ", "_") for name in event.details["changed"]] + event.details["changed"]


def _newly_assigned(event):
    told = event.details
    people = zip(told["after"], told["names"], strict=False)
    return [Named(pk, name) for pk, name in people if pk not in told["before"]]


def _phase_of(card):
    return Named.row(card.phase)


def _form_of(card):
    submission = card.submissions.select_related("form").first()
    return submission and Named.row(submission.form, submission.form.slug)


def _entered(*, section=None):
    def question(event, rule):
        before, after = event.details["before"], event.details["after"]
        return before["id"] != after["id"] and (section is None or before["section"] != section == after["section"])

    return question


def _where(event):
    """Return the phase in which a card is when something happens to it."""
    told = event.details
    return Named.told(told["after"] if event.name == "card.moved" else told["phase"])


def _comes(event, rule):
    """Answer whether an event has the awaited name; or, where entering counts as well, whether its card enters a phase."""
    called, enters = str(rule.read.options.get("name")), is_yes(rule.read.options.get("entering"))
    if event.name == "card.signalled":
        return event.details["event"] == called
    if event.name == "card.created":
        return enters or called.casefold() == CREATE
    return enters and event.details["before"]["id"] != event.details["after"]["id"]


NEW_STATE = Fact("new_state", "phase", "phase it entered", _told("after"), now=_phase_of)
OLD_STATE = Fact("old_state", "phase", "phase it left", _told("before"))
NEW_STAGE = Fact("new_stage", "stage", "stage group it entered", _stage("after"), now=lambda card: stage_of(card.phase))
OLD_STAGE = Fact("old_stage", "stage", "stage group it left", _stage("before"))
LABEL = Fact("which_label", "label", "label", _told("label"))
CHANGED = Fact("changed", "words", "changed fields", _changed)

trigger(
    "card_created",
    "a card is created",
    "card.created",
    facts=[Fact("new_state", "phase", "phase it was created in", _told("phase"), now=_phase_of)],
)
trigger(
    "state_changed",
    "a card changes its phase",
    "card.moved",
    facts=[NEW_STATE, OLD_STATE, NEW_STAGE, OLD_STAGE],
    is_set_off=_entered(),
)
trigger(
    "won",
    "a card is won",
    "card.moved",
    facts=[OLD_STATE, OLD_STAGE, NEW_STATE],
    is_set_off=_entered(section=Phase.WIN),
    cards=_in_section(Phase.WIN),
)
trigger(
    "cancelled",
    "a card is cancelled",
    "card.moved",
    facts=[OLD_STATE, OLD_STAGE, NEW_STATE],
    is_set_off=_entered(section=Phase.CANCELLED),
    cards=_in_section(Phase.CANCELLED),
)
trigger("card_updated", "a card is changed", "card.updated", "card.fields_filled", facts=[CHANGED])
trigger("label_added", "a label is added to a card", "card.label_added", facts=[LABEL])
trigger("label_removed", "a label is taken off a card", "card.label_removed", facts=[LABEL])
trigger(
    "assigned",
    "a card is assigned",
    "card.assigned",
    facts=[Fact("new_assignee", "members", "new people", _newly_assigned)],
    is_set_off=lambda event, rule: bool(set(event.details["after"]) - set(event.details["before"])),
)
trigger(
    "commented",
    "somebody comments on a card",
    "card.commented",
    facts=[
        Fact("text", "text", "comment", lambda event: event.details["text"]),
        Fact("author", "text", "author", lambda event: event.actor_name),
    ],
)
trigger(
    "checklist_complete",
    "the checklist of a card is complete",
    "card.item_checked",
    is_set_off=lambda event, rule: event.details["left"] == 0,
    cards=lambda cards: _on_board(cards).filter(item_count__gt=0, done_count=F("item_count")),
)
trigger("archived", "a card is archived", "card.archived", cards=lambda cards: cards.exclude(archived_at=None))
trigger("restored", "a card is restored", "card.restored", facts=[Fact("new_state", "phase", "phase", _told("phase"))])
trigger(
    "reported",
    "something is reported about a card",
    "card.reported",
    facts=[
        Fact(
            "trigger",
            "trigger",
            "what was reported",
            lambda event: Named(event.details["trigger"], event.details["label"]),
        ),
        Fact("reported_in", "phase", "phase", _told("phase"), now=_phase_of),
    ],
)
trigger(
    "signalled",
    "a card gets an event",
    "card.signalled",
    "card.created",
    "card.moved",
    facts=[Fact("signalled_in", "phase", "phase", _where, now=_phase_of)],
    inputs=[
        Input("name", "text", "called", help="Create comes by itself when a card is created."),
        Input("entering", "yes_no", "or enters the phase", required=False, default="no"),
    ],
    is_set_off=_comes,
)
trigger(
    "form_submitted",
    "somebody sends a form",
    "form.submitted",
    "submission.card_made",
    facts=[
        Fact("form", "form", "form", _told("form"), now=_form_of),
        Fact("sender", "text", "who sent it", lambda event: event.details["who"]),
    ],
    # One that no card came of has nothing to act on; when somebody makes the card after all, its turn comes.
    is_set_off=lambda event, rule: event.details["number"] is not None,
    cards=lambda cards: _on_board(cards).filter(pk__in=Submission.objects.exclude(card=None).values("card")),
)
trigger("contact_created", "a contact is created", "contact.created")
trigger("contact_updated", "a contact is changed", "contact.updated", facts=[CHANGED])
trigger(
    "button",
    "somebody presses a button on the card",
    "card.button_pressed",
    inputs=[Input("label", "text", "button")],
    is_set_off=lambda event, rule: event.details["rule"] == str(rule.pk),
)

PHASE = Input("phase", "phases", "phase")
AT = Input("at", "clock", "at", required=False, default="08:00", help="Where the due date names no time of day.")
trigger(
    "waiting",
    "a card waits in a phase",
    inputs=[PHASE, Input("for", "span", "for")],
    moments=waiting,
    past=waited,
)
trigger(
    "due_soon",
    "a card is due soon",
    inputs=[Input("in", "span", "in"), AT],
    moments=before_due,
    is_over=_is_settled,
)
trigger(
    "overdue",
    "a card is overdue",
    inputs=[Input("by", "span", "by", required=False, default="0 days"), AT],
    moments=overdue,
    is_over=_is_settled,
)
trigger(
    "schedule",
    "a day and time come round",
    inputs=[
        Input("every", "choice", "every", choices=(("day", "day"), ("week", "week"), ("month", "month"))),
        Input("at", "clock", "at", required=False, default="08:00"),
        Input("on", "lines", "on", required=False, help="Days of the week: mon, tue …; or the day of the month."),
        Input("in", "phases", "for each card in", required=False, help="Left empty, it acts once, about no card."),
    ],
    moments=scheduled,
)
