"""A business in which there is one of everything an address can name, and how each part of an address is filled."""

from dataclasses import dataclass
from typing import Any

from django.core.files.base import ContentFile
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Business, Event, Token, Untold
from automations.models import Delivery, Inlet, MailTemplate, Notification, Rule, Timer, Webhook
from automations.occasion import Occasion
from automations.running import consider
from boards.intake import submit
from boards.models import (
    Attachment,
    Card,
    Comment,
    Definition,
    Draft,
    Field,
    IntakeForm,
    Item,
    Order,
    OrderType,
    Reason,
    Status,
    Trigger,
)
from contacts.models import Contact, ContactLabel
from tests.factories import actor, join, make_business, make_card, make_workflow

# Views under a business that need no permission: where → why.
OPEN_TO_MEMBERS: dict[str, str] = {}

# What an address must be asked with, by its name.
ASKED = {"card_older": "?before=99999"}


@dataclass
class World:
    """One business and its rows."""

    business: Any
    people: dict
    rows: dict
    siblings: dict  # rows of another workflow, or on another card, of the same business


def build(name: str, first_number: int) -> World:
    """Make a business with one of everything; numbers start late, so that those of two worlds never meet."""
    business = make_business(name, name.lower())
    Business.objects.filter(pk=business.pk).update(
        last_card=first_number, last_event=first_number, last_order=first_number
    )
    owner = business.memberships.get()
    people = {role: join(business, role) for role in ("manager", "staff", "viewer")} | {"owner": owner}
    by = actor(owner)
    workflow = make_workflow(business, f"{name} funnel")
    label = workflow.labels.first()
    contact_label = ContactLabel.find_or_create(business, "VIP", by=by)
    contact = Contact.create(
        business, given_name="Ines", emails=[("ines@example.test", "")], labels=[contact_label], by=by
    )
    phase = workflow.phases.first()
    card = make_card(phase, f"{name} table", by=by, contact=contact, labels=[label], assignees=[people["staff"]])
    moved = card.move(phase, by=by) or card.update(name=f"{name} desk", by=by)
    rows = {
        "workflow": workflow.slug,
        "workflow_id": workflow.pk,
        "phase": phase.pk,
        "label": label.pk,
        "number": card.number,
        "sequence": moved.sequence,
        "item": Item.add(card, "Measure", by=by).pk,
        "comment": Comment.write(card, "Oak or ash?", by=by).pk,
        "attachment": _attach(card, by),
        "contact": contact.pk,
        "contact_label": contact_label.pk,
        "member": people["viewer"].pk,
        "invitation": business.invite(f"new@{name.lower()}.test", "staff", by=by)[0].pk,
        "token": Token.create(business, name="Shop", scopes=["CARD_VIEW"], maker=owner.user, by=by)[0].pk,
        "part": "name",
        "status": Status.create(business, name="Sanding", by=by).pk,
        "trigger": Trigger.create(business, name="Deposit arrived", by=by).pk,
        "reason": Reason.create(business, name="Weather", by=by).pk,
        "archived": _archived(make_card(phase, by=by), by).number,
        "field": Field.create(workflow, name="Wood", by=by).pk,
    }
    webhook = Webhook.create(business, name="Shop", url="https://example.com/", events=["card.moved"], by=by)
    letter = MailTemplate.create(business, name="Hello", subject="Hello", body="Hello {{ customer.name }}", by=by)
    rows |= {
        "webhook": webhook.pk,
        "call": Delivery.queue_test(webhook, by=by).pk,
        "template": letter.pk,
        "inlet": Inlet.create(
            business, name="Bank", trigger=Trigger.objects.get(pk=rows["trigger"]), path="card", by=by
        ).pk,
        "mail": letter.send_test(card, "ines@example.test", by=by).pk,
    }
    other = make_workflow(business, f"{name} repairs", "repair")
    theirs = make_card(other.phases.first(), by=by)
    siblings = {
        "workflow": other.slug,
        "workflow_id": other.pk,
        "phase": other.phases.first().pk,
        "label": other.labels.first().pk,
        "number": theirs.number,
        "item": Item.add(theirs, "Measure", by=by).pk,
        "comment": Comment.write(theirs, "Oak or ash?", by=by).pk,
        "attachment": _attach(theirs, by),
        "archived": _archived(make_card(other.phases.first(), by=by), by).number,
        "field": Field.create(other, name="Wood", by=by).pk,
    }
    rows |= _published(workflow, 1, by)
    siblings |= _published(other, 2, by)
    rows |= _form(workflow, f"{name} enquiry", by)
    siblings |= _form(other, f"{name} repair", by)
    kind = OrderType.create(business, name="Made to order", code="MTO", workflows=[workflow, other], by=by)
    rows["order_type"] = kind.pk
    for named in (rows, siblings):
        order = Order.open(kind, name=f"{name} kitchen", contact=contact, by=by)
        named |= {"order": order.number, "order_id": order.pk, "step": order.steps.get(position=1).pk}
    _give_rulesets(workflow, by)
    rows |= _rule(business, workflow, Card.objects.get(pk=card.pk), by)
    # What is done last must not stand in the way of the undo.
    rows["sequence"] = Card.objects.get(pk=card.pk).update(name=f"{name} bench", by=by).sequence
    return World(business, people, rows, siblings)


def _write_out(world: World, card, said: str, by) -> None:
    """Make more of what leaves the building, and of what people are told."""
    Notification.tell(world.business.memberships.all(), "rule", said, said, by=Actor.system(world.business), card=card)
    letter = MailTemplate.objects.get(pk=world.rows["template"])
    inlet = Inlet.objects.get(pk=world.rows["inlet"])
    inlet.receive(f'{{"card": {card.number}}}')
    if world.business.inlets.count() < 18:
        Inlet.create(world.business, name=said, trigger=inlet.trigger, path="card", by=by)
    if world.business.webhooks.count() < 18:
        Webhook.create(world.business, name=said, url="https://example.com/", events=["card.created"], by=by)
    MailTemplate.create(world.business, name=f"Letter {said}", subject="Hello", body="Hello", by=by)
    about = {"kind": Delivery.MAIL, "to": "ines@example.test", "card": card, "by": by, **letter.write(card)}
    Delivery.queue(world.business, key=f"mail {said}", **about)
    call = {"subject": "card.moved", "body": "{}", "to": "https://example.com/", "card": card, "by": by}
    Delivery.queue(world.business, Delivery.CALL, f"call {said}", webhook_id=world.rows["webhook"], **call)
    # What was set aside, of each kind.
    given_up = {"state": Delivery.GIVEN_UP, "finished_at": timezone.now()}
    for kind in (Delivery.MAIL, Delivery.CALL):
        lost = Delivery.queue(world.business, kind, f"lost {kind} {said}", **call)
        Delivery.objects.filter(pk=lost.pk).update(**given_up)
    event = Event.objects.filter(business=world.business, untold=None).first()
    Untold.objects.create(business=world.business, event=event, set_aside_at=timezone.now())
    Timer.objects.create(
        business=world.business, card=card, trigger="paid", at=timezone.now(), set_aside_at=timezone.now()
    )
    Rule.objects.get(pk=world.rows["rule"]).runs.create(business=world.business, card=card, due=said, state="failed")


def _rule(business, workflow, card, by, name="Chase") -> dict:
    """Make a rule that has acted on a card; return the ids of the rule and of its run."""
    document = {
        "trigger": "state_changed",
        "conditions": [{"field": "new_state", "op": "is", "value": str(workflow.phases.all()[1].pk)}],
        "actions": [{"type": "add_comment", "text": "Seen"}],
    }
    rule = Rule.create(business, document, name=name, workflow=workflow, by=by)
    return {"rule": rule.pk, "run": consider(rule, Occasion.at(card, "a sample", "sample")).pk}


def _attach(card, by):
    return Attachment.attach(card, [ContentFile(b"a drawing", "drawing.pdf")], by=by)[0].pk


def _form(workflow, title, by) -> dict:
    """Make a form through which something was sent; return the ids of what an address can name of it."""
    asked = [{"label": "E-mail", "kind": "email"}, {"label": "Photos", "kind": "file"}]
    form = IntakeForm.create(workflow, title=title, questions=asked, by=by)
    form.open(by=by)
    mail, photos = form.questions.all()
    sent = submit(form, "once", {mail: "nadia@osei.test", photos: [ContentFile(b"a photo", "sill.jpg")]}, by=by)
    return {"form": form.pk, "question": mail.pk, "submission": sent.pk, "file": sent.files.get().pk}


def _ask_and_send(world, said, by) -> None:
    """Ask one more question, send that form once more, and make another."""
    form = IntakeForm.objects.get(pk=world.rows["form"])
    form.add_question(label=said, by=by)
    sent = {
        question: [ContentFile(b"1", "1.jpg"), ContentFile(b"2", "2.jpg")]
        for question in form.questions.filter(kind="file")
    }
    submit(form, said, sent, by=by)
    _form(form.workflow, said, by)


def _published(workflow, times: int, by) -> dict:
    """Publish a design with rulesets, as often as it has rulesets; return the newest version and the last ruleset."""
    for number in range(times):
        draft = Draft.begin(workflow, by=by)
        draft.set_ruleset({"name": f"Look{number}", "triggers": [], "rules": []}, by=by)
        version = workflow.publish(draft, by=by).version
    return {"version": version, "place": times - 1}


def _give_rulesets(workflow, by, count=1) -> None:
    """Publish a design with so many rulesets, each with a button, and make its rules."""
    first = workflow.publish(Draft.running(workflow), by=by)
    workflow.refresh_from_db()
    shown = [{"label": "Paid", "type": "PRIMARY", "confirm": True}]
    rulesets = [
        {
            "name": f"Paid{number}",
            "triggers": [{"status": workflow.phases.first().name}],
            "rules": [{"name": "add_comment", "props": {"text": "Paid"}}],
            "userActions": [{"eventName": f"Paid{number}", "context": shown}],
        }
        for number in range(count)
    ]
    second = workflow.publish(Draft.of_document(workflow, first.document | {"rulesets": rulesets}), by=by)
    Rule.take_from(second, by=by)


def _archived(card, by):
    card.archive(by=by)
    return card


def grow(world: World, count: int) -> None:
    """Make much more of everything in a world."""
    business, by = world.business, actor(world.people["owner"])
    workflow = business.workflows.get(slug=world.rows["workflow"])
    card = business.cards.get(number=world.rows["number"])
    labels = list(workflow.labels.all())
    for number in range(count):
        member = join(business, "staff", name=f"Person {number}")
        contact = Contact.create(
            business,
            given_name=f"Ines {number}",
            emails=[(f"ines{number}@example.test", "")],
            phones=[(f"030 {number}", "")],
            by=by,
        )
        new = make_card(
            workflow.phases.all()[number % 3],
            by=by,
            contact=contact,
            labels=labels,
            assignees=[member],
            value=100 + number,
        )
        Item.add(card, f"Step {number}", by=by)
        Comment.write(card, f"Note {number} for @{member.user.name}", by=by)
        _attach(card, by)
        if number % 3 == 0:
            new.archive(by=by)
        business.invite(f"more{number}@example.test", "viewer", by=by)
        Token.create(business, name=f"Shop {number}", scopes=["CARD_VIEW"], maker=member.user, by=by)
        make_workflow(business, f"Workflow {number}", "order")
        status = Status.create(business, name=f"Status {count} {number}", by=by)
        trigger = Trigger.create(business, name=f"Trigger {count} {number}", by=by)
        workflow.phases.all()[number % 3].update(status=status, trigger=trigger, by=by)
        Reason.create(business, name=f"Reason {count} {number}", by=by)
        _write_out(world, card, f"{count} {number}", by)
        _rule(business, workflow, new, by, f"Chase {number}")
        _ask_and_send(world, f"{count} {number}", by)
        kind = OrderType.create(
            business, name=f"Kind {number} of {count}", code=f"K{count}-{number}", workflows=[workflow], by=by
        )
        Order.open(kind, name=f"Order {number}", contact=contact, by=by)
        Order.open(OrderType.objects.get(pk=world.rows["order_type"]), name=f"More {number}", by=by)
        new.order or new.archived_at or Order.open(kind, name=new.name, card=new, by=by)
    _give_rulesets(business.workflows.get(pk=workflow.pk), by, count)
    card.assign(business.memberships.all(), by=by)
    theirs = Contact.objects.get(pk=world.rows["contact"])
    for phase in workflow.phases.all()[:3]:
        for _ in range(5):
            make_card(phase, by=by, contact=theirs)
    _add_versions(workflow, count)
    assert Event.objects.filter(business=business).count() > 5 * count


def _add_versions(workflow, count: int) -> None:
    """Write more versions of a workflow that has one, as if it had been published again and again."""
    for newest in workflow.definitions.all()[:1]:
        told = {name: getattr(newest, name) for name in ("business", "workflow", "document", "steps", "name")}
        more = range(newest.minor + 1, newest.minor + count + 1)
        Definition.objects.bulk_create(Definition(major=newest.major, minor=minor, **told) for minor in more)


# Addresses --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Address:
    """One URL pattern under a business."""

    route: str
    name: str
    view: Any
    parts: tuple[str, ...]

    def __str__(self):
        return self.route

    def row(self, part: str) -> str:
        """Return which row of a world fills a part; `pk` is whatever the address is about."""
        if part == "number" and "/archive/<" in self.route:
            return "archived"
        if f"<uuid:{part}>" in self.route and part == "workflow":
            return "workflow_id"
        if f"<uuid:{part}>" in self.route and part == "order":
            return "order_id"
        if part != "pk":
            return part
        return "contact_label" if "contacts/labels/" in self.route else "contact"

    def path(self, world: World, **others) -> str:
        """Return the path with the rows of a world, some of them replaced."""
        path = self.route
        for part, converter in self.parts_with_converters():
            value = world.business.slug if part == "business" else world.rows[self.row(part)]
            path = path.replace(converter, str(others.get(part, value)))
        return f"/{path}{ASKED.get(self.name, '')}"

    def parts_with_converters(self):
        """Return each part of the route with how it is written there."""
        for piece in self.route.split("<")[1:]:
            inside = piece.split(">")[0]
            yield inside.split(":")[-1], f"<{inside}>"


def addresses() -> list[Address]:
    """Return every address under a business, from the URL configuration."""
    return [found for found in _walk(get_resolver().url_patterns, "") if "business" in found.parts]


def _walk(patterns, prefix):
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            parts = tuple(piece.split(">")[0].split(":")[-1] for piece in route.split("<")[1:])
            yield Address(route, pattern.name or "", pattern.callback, parts)
