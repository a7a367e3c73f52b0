"""What Django admin shows: every model, and businesses in which there is one of everything."""

from allauth.account.models import EmailAddress as SignInAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Event, Receipt, Token, Untold
from automations.models import (
    Delivery,
    Inlet,
    Letterhead,
    MailTemplate,
    Notification,
    Preference,
    Rule,
    Run,
    Timer,
    Webhook,
    Worker,
)
from automations.occasion import Occasion
from boards.intake import submit
from boards.models import (
    Attachment,
    Comment,
    Draft,
    Field,
    IntakeForm,
    Item,
    Order,
    OrderType,
    Phase,
    Reason,
    Status,
    Trigger,
)
from contacts.models import Contact, ContactLabel
from tests.factories import actor, make_business, make_card, make_workflow

OURS = [
    model
    for app in ("accounts", "contacts", "boards", "automations")
    for model in apps.get_app_config(app).get_models()
]
REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)


def names(models):
    return [model._meta.label for model in models]


def url(row_or_model, page="changelist"):
    meta = row_or_model._meta
    args = [row_or_model.pk] if page in ("change", "delete") else []
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=args)


def furnish(count):
    """Make businesses in which there is one of everything."""
    for _ in range(count):
        business = make_business()
        owner = business.memberships.get()
        by = actor(owner)
        business.invite(f"new@{business.slug}.test", "staff", by=by)
        token, _ = Token.create(business, name="Shop", scopes=["CARD_VIEW"], maker=owner.user, by=by)
        Untold.objects.create(business=business, event=Event.objects.filter(business=business).last())
        Receipt.once(token, "k1", "a fingerprint", lambda: "{}")
        label = ContactLabel.find_or_create(business, "VIP", by=by)
        contact = Contact.create(
            business,
            given_name="Ines",
            emails=[("ines@example.test", "work")],
            phones=[("+49 30 1234", "")],
            addresses=[("Hauptstr. 1", "billing")],
            labels=[label],
            by=by,
        )
        workflow = make_workflow(business)
        labels, phase = workflow.labels.all()[:1], workflow.phases.first()
        card = make_card(phase, "Oak table", by=by, contact=contact, labels=labels, assignees=[owner], value=100)
        Item.add(card, "Measure", by=by).tick(True, by=by)
        Comment.write(card, "Done?", by=by)
        Attachment.attach(card, [ContentFile(b"a drawing", "drawing.pdf")], by=by)
        lost = Phase.create(workflow, name="Lost", stage="cancelled", by=by)
        reason = Reason.create(business, name="Changed their mind", caused_by="customer", by=by)
        make_card(phase, "Ash bench", by=by).move(lost, closing={"reason": reason}, by=by)
        Status.create(business, name="Polishing", by=by)
        Trigger.create(business, name="Wood arrived", by=by)
        Field.create(workflow, name="Wood", by=by)
        workflow.publish(Draft.running(workflow), by=by)
        Draft.begin(workflow, by=by)
        form = IntakeForm.create(workflow, title="Enquiry", questions=[{"label": "Photo", "kind": "file"}], by=by)
        form.open(by=by)
        submit(form, "once", {form.questions.get(): [ContentFile(b"a photo", "sill.jpg")]}, by=by)
        kind = OrderType.create(business, name="Repair", code="REP", workflows=[workflow], by=by)
        Order.open(kind, name="Wobbly chair", contact=contact, by=by)
        document = {"trigger": "card_created", "actions": [{"type": "archive_card"}]}
        rule = Rule.create(business, document, name="Tidy", by=by)
        Run.note(rule, Occasion.at(card, due="once"), "skipped", reason="It is new.")
        Timer.objects.create(business=business, card=card, trigger="paid", at=timezone.now(), reported_by="Shop")
        hook = Webhook.create(business, name="Shop", url="https://example.com/", events=["card.moved"], by=by)
        Delivery.queue_test(hook, by=by)
        MailTemplate.create(business, name="Hello", subject="Hello", body="Hello {{ customer.name }}", by=by)
        Letterhead.of(business).update(sender="Brightside", by=by)
        paid = Trigger.create(business, name="Deposit paid", by=by)
        Inlet.create(business, name="Bank", trigger=paid, path="card", by=by).receive('{"card": 1}')
        Notification.tell([owner], "rule", "once", "Package lost", by=Actor.system(business), card=card)
        Preference.of(owner).update(ways={"rule": "never"}, by=by)
        SignInAddress.objects.create(user=owner.user, email=owner.user.email)
        Authenticator.objects.create(user=owner.user, type="totp", data={"secret": "hush-hush"})
        LogEntry.objects.log_actions(owner.user.pk, [card], CHANGE, "Renamed", single_object=True)
        Group.objects.create(name=business.slug)
        Worker.objects.create(name=f"machine {business.slug}")
