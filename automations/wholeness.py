"""What must always hold, asked of the database as it is: each question yields what is wrong, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from django.apps import apps
from django.db.models import Count, F, Sum
from django.db.models.functions import Length
from fractional_indexing import FIError, validate_order_key

from accounts.models import Business, Event
from automations.models import Delivery, Run
from automations.models.run import DONE, SKIPPED, WAITING, WATCHED
from boards.models import Attachment, Card, CardLabel, Closing, Comment, Item, Phase

OURS = ("accounts", "contacts", "boards", "automations")
NAMED = 20  # violations of a kind told one by one; the rest is counted


def ask(business: Business) -> list[str]:
    """Return everything that is wrong with a business; nothing means all is well."""
    return [line for question in QUESTIONS for line in _the_first(question(business))]


def _the_first(lines: Iterator[str]) -> Iterator[str]:
    more = 0
    for number, line in enumerate(lines):
        if number < NAMED:
            yield line
        else:
            more += 1
    if more:
        yield f"… and {more} more like this"


def do_tallies_hold(business) -> Iterator[str]:
    """Does each phase count the cards that stand in it, and their value?"""
    rows = Card.objects.on_board().filter(business=business).order_by().values("phase_id")
    found = {row["phase_id"]: row for row in rows.annotate(cards=Count("pk"), worth=Sum("value"))}
    for phase in business.phases.select_related("workflow"):
        row = found.get(phase.pk, {"cards": 0, "worth": 0})
        if phase.card_count != row["cards"]:
            yield f"{_phase(phase)} says {phase.card_count} cards, there are {row['cards']}"
        if phase.value_total != (row["worth"] or 0):
            yield f"{_phase(phase)} says it is worth {phase.value_total}, it is {row['worth'] or 0}"


def are_places_in_order(business) -> Iterator[str]:
    """Is every card's place well-formed, its own, and read by the database in the order of its bytes?"""
    before = ("", None)
    cards = (
        Card.objects.filter(business=business).order_by("phase_id", "rank").values_list("phase_id", "rank", "number")
    )
    for phase, rank, number in cards.iterator(chunk_size=2000):
        try:
            validate_order_key(rank)
        except FIError:
            yield f"card {number} stands at a place that is none: {rank!r}"
        if phase == before[0] and rank.encode() <= before[1].encode():
            yield f"card {number} stands at {rank!r}, which is not behind {before[1]!r}"
        before = (phase, rank)


def are_paths_whole(business) -> Iterator[str]:
    """Does each workflow end in exactly one win phase, and are the phases before it numbered without a gap?"""
    for workflow in business.workflows.prefetch_related("phases"):
        phases = list(workflow.phases.all())
        wins = sum(phase.is_win for phase in phases)
        if wins != 1:
            yield f"{workflow} has {wins} win phases"
        places = [phase.position for phase in phases if phase.section == Phase.PATH]
        if places != list(range(len(places))):
            yield f"the phases of {workflow} are numbered {places}"


def are_cards_at_home(business) -> Iterator[str]:
    """Do a card, its phase and its labels belong to one workflow, and has the card a number that was given out?"""
    cards = Card.objects.filter(business=business)
    for card in cards.exclude(workflow=F("phase__workflow")):
        yield f"card {card.number} stands in a phase of another workflow"
    worn = CardLabel.objects.filter(card__business=business).exclude(label__workflow=F("card__workflow"))
    for number in worn.values_list("card__number", flat=True):
        yield f"card {number} wears a label of another workflow"
    for card in cards.filter(number__gt=business.last_card):
        yield f"card {card.number} has a number beyond the last one given out, {business.last_card}"


def do_small_counts_hold(business) -> Iterator[str]:
    """Does each card count its comments, its files, its checklist and what of it is done?"""
    cards = Card.objects.filter(business=business).order_by()
    comments = Comment.objects.filter(card__business=business)
    items = Item.objects.filter(card__business=business)
    counts = {
        "comment_count": _by_card(comments),
        "file_count": _by_card(Attachment.objects.filter(card__business=business)),
        "item_count": _by_card(items),
        "done_count": _by_card(items.exclude(done_at=None)),
    }
    for card in cards.only("number", *counts).iterator(chunk_size=2000):
        for name, found in counts.items():
            said, there = getattr(card, name), found.get(card.pk, 0)
            if said != there:
                yield f"card {card.number} says {name} is {said}, it is {there}"


def do_closings_stand_where_work_ended(business) -> Iterator[str]:
    """Is a card that says why it ended badly in a phase for that? One in the archive is opened when it comes back."""
    closed = Closing.objects.filter(business=business, reopened_at=None, card__archived_at=None)
    for number in closed.exclude(card__phase__section=Phase.CANCELLED).values_list("card__number", flat=True):
        yield f"card {number} says why it ended, but stands where work goes on"


def are_files_whole(business) -> Iterator[str]:
    """Does every file have all of its bytes, and do no bytes lie about that belong to no file?"""
    for content in business.contents.annotate(there=Length("data")).exclude(there=F("size")).defer("data"):
        yield f"a file of {content.size} bytes has {content.there}: {content.pk}"
    for content in business.contents.unused().defer("data"):
        yield f"{content} belong to no file: {content.pk}"


def _by_card(rows) -> dict:
    return dict(rows.order_by().values("card_id").annotate(n=Count("pk")).values_list("card_id", "n"))


def is_the_ledger_without_gaps(business) -> Iterator[str]:
    """Do the events count up from one to the last number given out?"""
    wanted = 1
    sequences = Event.objects.filter(business=business).order_by("sequence").values_list("sequence", flat=True)
    for sequence in sequences.iterator(chunk_size=5000):
        if sequence != wanted:
            yield f"the ledger jumps from event {wanted - 1} to {sequence}"
        wanted = sequence + 1
    if wanted - 1 != business.last_event:
        yield f"the ledger ends with event {wanted - 1}, but {business.last_event} were given out"


def does_the_ledger_tell_of_the_cards(business) -> Iterator[str]:
    """Told from the beginning, does the ledger put each card into the phase, or the archive, in which it is?"""
    told: dict = {}
    events = Event.objects.filter(business=business, subject_kind="card", name__in=FOLDED).order_by("sequence")
    for name, card, details in events.values_list("name", "subject_id", "details").iterator(chunk_size=2000):
        told[card] = FOLDED[name](told.get(card, (None, False)), details)
    cards = Card.objects.filter(business=business).values_list("pk", "number", "phase_id", "archived_at")
    for pk, number, phase, archived_at in cards.iterator(chunk_size=2000):
        if told.get(pk) is None:
            yield f"the ledger does not know of card {number}"
            continue
        told_phase, told_archived = told.pop(pk)
        if told_phase not in (None, str(phase)):
            yield f"card {number} is not in the phase of which the ledger tells"
        if told_archived != bool(archived_at):
            yield f"card {number} is {'' if archived_at else 'not '}archived, the ledger tells otherwise"
    # A workflow that was deleted took its cards along: one event tells of it.
    for pk, state in told.items():
        if state is not None and not _went_with_its_workflow(business, pk):
            yield f"the ledger tells of card {pk}, which is not there"


def _went_with_its_workflow(business, pk) -> bool:
    workflow = Event.objects.filter(business=business, subject_kind="card", subject_id=pk).first().details["workflow"]
    return Event.objects.filter(business=business, name="workflow.deleted", subject_id=workflow).exists()


# What an event makes of a card: (phase, archived), or None when it is gone. Early ledgers named the first phase only.
FOLDED: dict[str, Callable] = {
    "card.created": lambda _, told: (told["phase"]["id"] if isinstance(told["phase"], dict) else None, False),
    "card.moved": lambda was, told: (told["after"]["id"], was[1]),
    "card.archived": lambda was, told: (was[0], True),
    "card.restored": lambda _, told: (told["phase"]["id"], False),
    "card.deleted": lambda *_: None,
}


def do_runs_add_up(business) -> Iterator[str]:
    """Has each run done as many actions as it tells of, all of them when it is done, and a time when it waits?"""
    rows = Run.objects.filter(business=business).exclude(state__in=(SKIPPED, WATCHED)).order_by("began_at", "pk")
    columns = rows.values_list("pk", "name", "state", "step", "steps", "actions", "wakes_at")
    for pk, name, state, step, steps, actions, wakes_at in columns.iterator(chunk_size=2000):
        run = f"run {pk} of {name}"
        if step != len(steps) or step > len(actions):
            yield f"{run} counts {step} actions of {len(actions)} and tells of {len(steps)}"
        elif state == DONE and step != len(actions):
            yield f"{run} is done after {step} actions of {len(actions)}"
        if state == WAITING and wakes_at is None:
            yield f"{run} waits for no time"


def do_deliveries_stand_as_they_say(business) -> Iterator[str]:
    """Has each delivery an end if it has ended, and none if it has not, and was it attempted if it was sent?"""
    rows = Delivery.objects.filter(business=business).order_by("created_at", "pk")
    columns = rows.values_list("pk", "state", "attempts", "most_attempts", "finished_at")
    for pk, state, attempts, most, finished_at in columns.iterator(chunk_size=2000):
        if (finished_at is None) != (state in Delivery.OPEN):
            yield f"delivery {pk} is {state}, but {'has an end' if finished_at else 'never ended'}"
        if state == Delivery.SENT and not attempts:
            yield f"delivery {pk} is sent without an attempt"
        if attempts > most + 1:  # one more is counted to find that there is none left
            yield f"delivery {pk} was attempted {attempts} times of {most}"


def do_timers_tell_once(business) -> Iterator[str]:
    """Was each planned report told of when it was planned, made at most once, not before its time, or else not at all?"""
    planned, reported = set(), Counter()
    events = Event.objects.filter(business=business, name__in=("card.report_planned", "card.reported"))
    for name, card, details in events.values_list("name", "subject_id", "details").iterator(chunk_size=2000):
        if name == "card.reported":
            reported[card] += 1
        else:
            planned.add(details["timer"])
    for timer in business.timers.order_by("at", "pk").iterator(chunk_size=2000):
        if str(timer.pk) not in planned:
            yield f"the ledger does not know of timer {timer.pk}"
        if timer.fired_at and timer.cancelled_at:
            yield f"timer {timer.pk} was both reported and cancelled"
        if timer.fired_at and timer.fired_at < timer.at:
            yield f"timer {timer.pk} was reported before its time"
        if timer.fired_at:
            reported[timer.card_id] -= 1
    for card, count in reported.items():
        if count < 0:
            yield f"more planned reports of card {card} were made than the ledger tells of"


def does_everything_belong_together(business) -> Iterator[str]:
    """Do the rows that a row points to belong to the same business as the row itself?"""
    for model in apps.get_models(include_auto_created=True):
        if model._meta.app_label not in OURS:
            continue
        own, *others = _ways_to_business(model) or [None]
        for other in others:
            apart = model._base_manager.filter(**{own: business.pk}).exclude(**{other: business.pk})
            for row in apart.exclude(**{other: None})[: NAMED + 1]:
                yield f"{model._meta.verbose_name} {row.pk} belongs to another business by its {other.partition('__')[0]}"


def _ways_to_business(model) -> list[str]:
    """Return the look-ups that lead from a model to its business: its own first, then those of what it points to."""
    own, others = [], []
    for field in model._meta.concrete_fields:
        if field.related_model is Business:
            own.append(field.attname)
        elif field.is_relation and any(f.related_model is Business for f in field.related_model._meta.concrete_fields):
            others.append(f"{field.name}__business_id")
    return own + others


QUESTIONS: tuple[Callable[[Business], Iterator[str]], ...] = (
    do_tallies_hold,
    are_places_in_order,
    are_paths_whole,
    are_cards_at_home,
    do_small_counts_hold,
    do_closings_stand_where_work_ended,
    are_files_whole,
    is_the_ledger_without_gaps,
    does_the_ledger_tell_of_the_cards,
    do_runs_add_up,
    do_deliveries_stand_as_they_say,
    do_timers_tell_once,
    does_everything_belong_together,
)


def _phase(phase: Phase) -> str:
    return f"{phase.name} of {phase.workflow.name}"
