"""What the boards themselves do when something has happened: fill libraries, lay out forms, move orders on."""

from accounts.actor import Actor
from accounts.events import catalogue, recorded, wants
from accounts.models import Business
from accounts.verbs import in_one
from boards.models import Card, IntakeForm, Phase, Workflow
from boards.models.library import stock
from boards.starters import STARTERS


def fill_libraries(sender, event, **kwargs):
    """Give a new business its starter set."""
    stock(Business.objects.get(pk=event.business_id))


def _forms_for(event) -> list:
    """Return the forms that come with the starter from which a workflow was made."""
    return [form for one in STARTERS.values() if one.name == event.details["template"] for form in one.forms]


@wants(_forms_for)
def lay_out_forms(sender, event, **kwargs):
    """Give a new workflow the forms of its starter, each to be looked at and then opened."""

    def lay_out():
        workflow = Workflow.objects.select_for_update(no_key=True).filter(pk=event.subject_id, archived_at=None).first()
        if workflow is None or workflow.forms.exists():
            return
        by = Actor.system(workflow.business).because_of(event)
        for form in _forms_for(event):
            IntakeForm.create(workflow, **form.words, questions=form.questions, by=by)

    in_one(lay_out)


@wants(lambda event: event.details["after"]["section"] == Phase.WIN)
def advance_order(sender, event, **kwargs):
    """Open the next step of an order when its card was won."""
    card = (
        Card.objects.select_related("order__type", "business").filter(pk=event.subject_id, order__isnull=False).first()
    )
    if card:
        card.order.advance(card, by=Actor.system(card.business, card.order.type.name).because_of(event))


def listen():
    """Subscribe, once, when the floor is ready."""
    recorded.connect(fill_libraries, sender=catalogue["business.founded"], dispatch_uid="fill_libraries")
    recorded.connect(lay_out_forms, sender=catalogue["workflow.created"], dispatch_uid="lay_out_forms")
    recorded.connect(advance_order, sender=catalogue["card.moved"], dispatch_uid="advance_order")
