"""What follows by itself from what happened: rules act, a reported trigger moves a card on, webhooks and people are told."""

from contextlib import suppress
from html import unescape

from django.db import transaction
from django.utils.html import strip_tags

from accounts.actor import Actor
from accounts.events import catalogue, recorded, wants
from accounts.policy import MANAGER, OWNER
from accounts.verbs import Stale, writing
from automations.models import Delivery, MailTemplate, Notification, Rule, Run, Webhook
from automations.models.delivery import TAKES_BACK, WAITING
from automations.models.notification import ASSIGNED, COMMENT, MENTION, TROUBLE
from automations.occasion import Occasion
from automations.payloads import told_events
from automations.progress import move_on
from automations.running import consider
from automations.triggers import by_event
from boards.models import Assignment, Card, Definition, Phase, Submission

TROUBLES = "rule.failed rule.stopped webhook.disabled delivery.given_up card.report_failed event.set_aside".split()


@wants(lambda event: bool(Rule.objects.set_off_by(event)))
def run_rules(sender, event, **kwargs):
    """Ask every rule that an event sets off; one that fails does not keep the others from their turn."""
    busy = None
    for rule in Rule.objects.set_off_by(event):
        try:
            consider(rule, Occasion.of(event))
        except Exception as error:
            busy = error
    if busy:
        raise busy  # the event is told again


@wants(lambda event: not Rule.objects.set_off_by(event))
def note_unheard(sender, event, **kwargs):
    """Leave a line in the log of an event that was sent to a card and that no rule waits for."""
    Run.note_unheard(event)


def _waited_for(event) -> bool:
    """Answer whether the phase in which something was reported waits for it."""
    phase, trigger = event.details["phase"]["id"], event.details["trigger"]
    return Phase.objects.filter(business=event.business_id, pk=phase, trigger__key=trigger).exists()


@wants(_waited_for)
def progress(sender, event, **kwargs):
    """Move a card on when its phase waits for what was reported."""
    card = (
        Card.objects.select_related("phase__trigger", "business").filter(pk=event.subject_id, archived_at=None).first()
    )
    if card is None or str(card.phase_id) != event.details["phase"]["id"]:
        return  # it has left the phase since: told twice, or moved by somebody
    waits_for = card.phase.trigger
    if waits_for is not None and waits_for.key == event.details["trigger"]:
        move_on(card, waits_for.name, event=event)


@wants(lambda event: Webhook.objects.listening(event))
def tell_webhooks(sender, event, **kwargs):
    """Queue a call of each webhook that chose this event."""
    card = event.subject_id if event.subject_kind == "card" else None
    by = _who(event)
    for webhook in Webhook.objects.listening(event):
        said = webhook.write(event)
        with writing(), transaction.atomic():
            alive = Card.objects.filter(pk=card).exists()  # its last event may be that it was deleted
            about = {"webhook": webhook, "event": event, "card_id": card if alive else None, "to": webhook.url}
            Delivery.queue(event.business, Delivery.CALL, f"event {event.pk} {webhook.pk}", by=by, **about, **said)


def _may_take_back(event) -> bool:
    """Answer whether mails about a card wait when something happens to it that may take them back."""
    changed = event.details["changed"] if event.name == "card.updated" else ["due date"]
    return "due date" in changed and WAITING.first(card=event.subject_id)


@wants(_may_take_back)
def take_back(sender, event, **kwargs):
    """Stop the mails about a card that still wait when what they tell of is taken back, or over."""
    by = Actor("system", "", event.actor_name, event.business_id)
    for mail, why in Delivery.objects.taken_back_by(event):
        with suppress(Stale):  # it has just left
            mail.stop(why, by=by)


def _newly_named(event) -> set[str]:
    """Return the user ids whom a comment mentions, or the memberships to whom a card was given."""
    details = event.details
    return set(details["mentions"]) if "mentions" in details else set(details["after"]) - set(details["before"])


@wants(_newly_named)
def notify_named(sender, event, **kwargs):
    """Tell members that they were mentioned, or that a card is theirs now."""
    card = Card.objects.filter(pk=event.subject_id).first()
    if card is None:
        return
    named, by = _newly_named(event), _who(event)
    members = event.business.memberships.select_related("user", "business")
    if event.name == "card.assigned":
        members, kind, said = members.filter(pk__in=named), ASSIGNED, f"{event.actor_name} gave you {card.name}"
    else:
        members, kind = members.filter(user__in=named), MENTION
        said = f"{event.actor_name} mentioned you on {card.name}: {event.details['text']}"
    with writing(), transaction.atomic():
        Notification.tell(members, kind, f"event {event.pk}", said, by=by, card=card, event=event)


def _has_people(event) -> bool:
    """Answer whether somebody, and no rule, did something to a card that is somebody's."""
    return event.actor_kind != "rule" and Assignment.objects.filter(card=event.subject_id).exists()


@wants(_has_people)
def notify_of_comment(sender, event, **kwargs):
    """Tell those whose card it is of a comment, unless it mentions them, which they are told."""
    card = Card.objects.filter(pk=event.subject_id).first()
    if card is None:
        return
    rows = card.assignments.select_related("member__user", "member__business")
    members = [row.member for row in rows.exclude(member__user__in=event.details["mentions"])]
    said = f"{event.actor_name} commented on {card.name}: {event.details['text']}"
    with writing(), transaction.atomic():
        Notification.tell(members, COMMENT, f"event {event.pk}", said, by=_who(event), card=card, event=event)


def notify_of_trouble(sender, event, **kwargs):
    """Tell owners and managers what stopped working by itself."""
    if event.actor_kind == "member":
        return  # somebody switched it off, and knows
    if Delivery.objects.filter(pk=event.subject_id, member__isnull=False).exists():
        return  # a mail about a mail that told a member something would be given up as well, and so on
    members = event.business.memberships.filter(role__in=(OWNER, MANAGER)).select_related("user", "business")
    said = strip_tags(str(event.sentence))
    said = f"{event.subject_name} {said}" if event.subject_kind == "rule" else said[:1].upper() + said[1:]
    with writing(), transaction.atomic():
        Notification.tell(members, TROUBLE, f"event {event.pk}", unescape(said), by=_who(event), event=event)


@wants(lambda event: event.details["number"] is None)
def notify_of_stuck(sender, event, **kwargs):
    """Tell owners and managers of an enquiry that arrived and became no card, so that nobody waits for an answer."""
    submission = Submission.objects.filter(pk=event.subject_id, card=None).first()
    if submission is None:
        return
    said = f"{event.details['who']} sent {event.details['form']['name']}, but no card came of it: {submission.reason}"
    members = event.business.memberships.filter(role__in=(OWNER, MANAGER)).select_related("user", "business")
    with writing(), transaction.atomic():
        said = said[:1].upper() + said[1:]
        Notification.tell(members, TROUBLE, f"event {event.pk}", said, by=_who(event), event=event)


def _who(event) -> Actor:
    """Return who did it, as far as an event knows."""
    user = int(event.actor_id) if event.actor_kind == "member" else None
    return Actor(event.actor_kind, event.actor_id, event.actor_name, event.business_id, user_id=user)


def lay_down_rules(sender, event, **kwargs):
    """Make the rules that a published design brings along."""
    design = Definition.of_event(event)
    if design is not None:
        by = Actor("system", "", event.actor_name, event.business_id)
        Rule.take_from(design, by=by.because_of(event))


def stock_templates(sender, event, **kwargs):
    """Give a new business letters to begin with."""
    MailTemplate.stock(event.business, by=Actor.system(event.business))


def listen():
    """Subscribe, once, when the floor is ready."""
    recorded.connect(stock_templates, sender=catalogue["business.founded"], dispatch_uid="stock_templates")
    recorded.connect(lay_down_rules, sender=catalogue["workflow.published"], dispatch_uid="lay_down_rules")
    for name in ("card.commented", "card.assigned"):
        recorded.connect(notify_named, sender=catalogue[name], dispatch_uid=f"notify_named {name}")
    recorded.connect(notify_of_comment, sender=catalogue["card.commented"], dispatch_uid="notify_of_comment")
    for name in TROUBLES:
        recorded.connect(notify_of_trouble, sender=catalogue[name], dispatch_uid=f"notify_of_trouble {name}")
    for name in {*TAKES_BACK, "card.archived", "card.updated"}:
        recorded.connect(take_back, sender=catalogue[name], dispatch_uid=f"take_back {name}")
    for kind in told_events():
        recorded.connect(tell_webhooks, sender=kind, dispatch_uid=f"tell_webhooks {kind.name}")
    recorded.connect(note_unheard, sender=catalogue["card.signalled"], dispatch_uid="note_unheard")
    recorded.connect(notify_of_stuck, sender=catalogue["form.submitted"], dispatch_uid="notify_of_stuck")
    recorded.connect(progress, sender=catalogue["card.reported"], dispatch_uid="progress")
    for name in by_event:
        recorded.connect(run_rules, sender=catalogue[name], dispatch_uid=f"rules {name}")
