"""What the boards themselves do when something has happened: fill a new business's libraries, move orders on."""

from accounts.actor import Actor
from accounts.events import catalogue, recorded, wants
from accounts.models import Business
from boards.models import Card, Phase
from boards.models.library import stock


def fill_libraries(sender, event, **kwargs):
    """Give a new business its starter set."""
    stock(Business.objects.get(pk=event.business_id))


@wants(lambda event: event.details["after"]["section"] == Phase.WIN)
def advance_order(sender, event, **kwargs):
    """Open the next step of an order when its card was won."""
    card = (
        Card.objects.select_related("order__type", "business").filter(pk=event.subject_id, order__isnull=False).first()
    )
    if card:
        card.order.advance(card, by=Actor.system(card.business, card.order.code).because_of(event))


def listen():
    """Subscribe, once, when the floor is ready."""
    recorded.connect(fill_libraries, sender=catalogue["business.founded"], dispatch_uid="fill_libraries")
    recorded.connect(advance_order, sender=catalogue["card.moved"], dispatch_uid="advance_order")
