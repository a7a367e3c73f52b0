"""What the measures act on: a business, its people, and boards of any length made in one go."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from django.db import connection, transaction
from django.utils import timezone
from fractional_indexing import generate_n_keys_between

from accounts.models import Business, Membership, User
from boards.models import Assignment, Card, CardLabel, Workflow
from contacts.models import Contact
from tests.benchmarks.server import Server
from tests.benchmarks.visitor import Visitor
from tests.factories import make_workflow

PEOPLE = 8
_numbers = count(1)


@dataclass
class Stage:
    """A server, a business and its people."""

    server: Server
    business: Business
    people: list[Membership]
    quick: bool

    @classmethod
    def set_up(cls, server: Server, *, quick: bool) -> "Stage":
        """Found a business of eight people on the server's database."""
        users = [User.objects.create_user(f"person{n}@example.test", name=f"Person {n}") for n in range(PEOPLE)]
        business = Business.objects.found(users[0], name="Long Columns", slug="long-columns")
        for user in users[1:]:
            Membership.objects.create(business=business, user=user, role="staff")
        return cls(server, business, list(business.memberships.select_related("user")), quick)

    def visitor(self, person: int = 0) -> Visitor:
        """Return one of the people, signed in, with a connection of their own."""
        return Visitor(self.server.port, self.people[person].user)

    def board(self, *columns: int, dressed: bool = False) -> Workflow:
        """Return a new board whose columns hold so many cards; dressed: with all that a card can wear."""
        workflow = make_workflow(self.business, f"Board {next(_numbers)}")
        phases = list(workflow.phases.all())[: len(columns)]
        cards = []
        for phase, length in zip(phases, columns, strict=True):
            for rank in generate_n_keys_between(None, None, length):
                cards.append(Card(business=self.business, workflow=workflow, phase=phase, rank=rank))
        first = Business.objects.get(pk=self.business.pk).last_card + 1
        for number, card in enumerate(cards, start=first):
            card.number = number
            card.name = f"Card {number} with a name of middling length"[:40].ljust(40, "e")
            card.search = card.name.casefold()
        with transaction.atomic():
            if dressed:
                self._dress(workflow, cards)
            else:
                Card.objects.bulk_create(cards, batch_size=500)
            Business.objects.filter(pk=self.business.pk).update(last_card=first + len(cards) - 1)
            for phase in phases:
                mine = [card for card in cards if card.phase_id == phase.pk]
                phase.tally(len(mine), sum(card.value or 0 for card in mine))
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:  # as autovacuum does within the minute, for cards that came in one go
                cursor.execute("ANALYZE boards_card")
        return workflow

    def path(self, workflow: Workflow, *rest: str) -> str:
        """Return the address of a board or of a place under it."""
        return "/".join(["", self.business.slug, "boards", workflow.slug, *rest, ""])

    def _dress(self, workflow, cards) -> None:
        """Write the cards as a business that works with them has them."""
        names = [f"{given} {family}" for given in "Ada Ben Cleo Dan Eva".split() for family in "Ash Birch Cole".split()]
        contacts = [
            Contact(business=self.business, name=name, search=name.casefold(), sort_name=name.casefold())
            for name in names
        ]
        Contact.objects.bulk_create(contacts)
        labels, today = list(workflow.labels.all()), timezone.localdate()
        for n, card in enumerate(cards):
            card.contact = contacts[n % len(contacts)] if n % 5 else None
            card.value = 10_000 * (n % 97) if n % 3 else None
            card.due_date = today + timedelta(days=n % 60 - 10) if n % 2 else None
            card.comment_count, card.item_count, card.done_count = n % 4, 5 * (n % 2), n % 3 * (n % 2)
        Card.objects.bulk_create(cards, batch_size=500)
        worn = [
            CardLabel(card=card, label=labels[(n + k) % len(labels)])
            for n, card in enumerate(cards)
            for k in range(n % 3)
        ]
        CardLabel.objects.bulk_create(worn, batch_size=500)
        given = [
            Assignment(card=card, member=self.people[(n + k) % PEOPLE])
            for n, card in enumerate(cards)
            for k in range(n % 3)
        ]
        Assignment.objects.bulk_create(given, batch_size=500)
