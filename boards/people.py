"""What is done for each contact: where they are, what is open, what was paid, when it was touched last."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, F, Max, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce, Greatest

from accounts.templatetags.house import moon
from boards.models import Card, Phase
from contacts.models import Contact

# What a contact brings: work on the path of a live workflow is open; what was won stays won in the archive.
OPEN = Q(phase__section=Phase.PATH, archived_at=None, workflow__archived_at=None)
WON = Q(phase__section=Phase.WIN)
SORTS = ("name", "open", "won", "touched")
MOST_CARDS = 20  # of a kind, on a contact's page


@dataclass(frozen=True)
class Asked:
    """Which contacts a person asked to see, and in which order, as it stands in the address."""

    text: str = ""
    label: str = ""
    sort: str = "name"
    archived: bool = False

    @classmethod
    def from_query(cls, query, labels) -> Asked:
        """Read a query string; what makes no sense there is not asked for. labels: those of the business."""
        sort, known = query.get("sort", ""), {str(label.pk) for label in labels}
        return cls(
            text=" ".join(query.get("q", "").replace("\x00", "").split())[:200],
            label=query.get("label", "") if query.get("label") in known else "",
            sort=sort if sort.removeprefix("-") in SORTS else "name",
            archived=query.get("archived") == "1",
        )

    @property
    def is_narrow(self) -> bool:
        """Answer whether some contacts are left out."""
        return bool(self.text or self.label)

    @property
    def query(self) -> dict[str, str]:
        """Return what was asked as the parts of a query string."""
        sort = "" if self.sort == "name" else self.sort
        asked = {"q": self.text, "label": self.label, "sort": sort, "archived": "1" if self.archived else ""}
        return {key: value for key, value in asked.items() if value}

    @property
    def heads(self) -> dict[str, dict[str, str]]:
        """Return for the head of each column how it is sorted now and what a click asks for: names up, figures down."""
        heads = {}
        for by in SORTS:
            way = {by: "ascending", f"-{by}": "descending"}
            first, other = way if by == "name" else reversed(way)
            heads[by] = {"now": way.get(self.sort, ""), "next": other if self.sort == first else first}
        return heads

    def narrow(self, contacts):
        """Return those of the contacts that are wanted, in order."""
        contacts = contacts.archived() if self.archived else contacts.live()
        contacts = contacts.matching(self.text)
        if self.label:
            contacts = contacts.filter(labels=self.label)
        return in_order(contacts, self.sort)


def in_order(contacts, sort: str):
    """Return contacts by one of SORTS, with a minus backwards; those alike by name."""
    by, is_back = sort.removeprefix("-"), sort.startswith("-")
    if by == "name":
        return contacts.order_by(*(f"-{key}" if is_back else key for key in ("sort_name", "id")))
    cards = Card.objects.filter(contact=OuterRef("pk")).order_by().values("contact")
    return contacts.annotate(by=_BY[by](cards)).order_by("-by" if is_back else "by", "sort_name", "id")


def _total(which):
    return lambda cards: Coalesce(Subquery(cards.filter(which).annotate(n=Sum("value")).values("n")), 0)


def _touched(cards):
    # SQLite's greatest of something and nothing is nothing.
    last = Subquery(cards.annotate(n=Max("updated_at")).values("n"))
    return Greatest(Coalesce(last, F("updated_at")), F("updated_at"))


_BY = {"open": _total(OPEN), "won": _total(WON), "touched": _touched}


def with_work(contacts: list[Contact]) -> list[Contact]:
    """Give each contact its open and won value, when it was touched, and the phase it is `at`, in four queries."""
    mine = Card.objects.filter(contact__in=contacts)
    figures = mine.values("contact").annotate(
        open=Sum("value", filter=OPEN), won=Sum("value", filter=WON), touched=Max("updated_at")
    )
    figures = {row["contact"]: row for row in figures.order_by()}
    # Open work says more than what is done, what is done more than what came to nothing.
    live = Card.objects.on_board().filter(contact=OuterRef("pk"), workflow__archived_at=None)
    latest = live.order_by("phase__section", "-entered_at", "-number").values("pk")[:1]
    at = dict(Contact.objects.filter(pk__in=[c.pk for c in contacts]).values_list("pk", Subquery(latest)))
    cards = with_moons(Card.objects.filter(pk__in=filter(None, at.values())).select_related("phase", "workflow"))
    standing = {card.pk: card for card in cards}
    for contact in contacts:
        row = figures.get(contact.pk, {})
        contact.open, contact.won = row.get("open") or 0, row.get("won") or 0
        contact.touched = max(contact.updated_at, row.get("touched") or contact.updated_at)
        contact.at = standing.get(at.get(contact.pk))
    return contacts


def with_moons(cards) -> list[Card]:
    """Return cards of any workflows whose phases know how full their moons are, in one more query."""
    cards = list(cards)
    paths = Phase.objects.filter(workflow__in={card.workflow_id for card in cards}, section=Phase.PATH)
    lengths = dict(paths.order_by().values_list("workflow").annotate(Count("pk")))
    for card in cards:
        length = lengths.get(card.workflow_id, 0)
        index = length if card.phase.is_win else card.phase.position
        card.phase.moon = "off" if card.phase.section == Phase.CANCELLED else moon(index, length + 1)
    return cards


def cards_of(contact: Contact, most: int = MOST_CARDS) -> dict:
    """Return a contact's cards across workflows by kind, open ones first, at most so many of a kind; six queries."""
    cards = contact.cards.filter(business_id=contact.business_id)
    counts = cards.aggregate(
        workflows=Count("workflow", distinct=True),
        won=Count("pk", filter=WON),
        **{name: Count("pk", filter=which) for name, which, _ in _KINDS},
    )
    groups = []
    for name, which, order in _KINDS:
        if counts[name]:
            shown = cards.filter(which).select_related("phase", "workflow").order_by(order, "-number")
            groups.append({"name": name, "cards": list(shown[:most]), "count": counts[name]})
    with_moons(card for group in groups for card in group["cards"])
    total = sum(group["count"] for group in groups)
    shown = sum(len(group["cards"]) for group in groups)
    return {**counts, "groups": groups, "total": total, "hidden": total - shown}


_PUT_AWAY = ~Q(archived_at=None) | ~Q(workflow__archived_at=None)
_KINDS = [
    ("Open", Q(phase__section=Phase.PATH) & ~_PUT_AWAY, "-entered_at"),
    ("Won", Q(phase__section=Phase.WIN) & ~_PUT_AWAY, "-entered_at"),
    ("Closed", Q(phase__section=Phase.CANCELLED) & ~_PUT_AWAY, "-entered_at"),
    ("Archived", _PUT_AWAY, "-updated_at"),
]
