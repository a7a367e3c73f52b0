"""Workflows to start from, so that the first minute is not blank."""

from dataclasses import dataclass

from accounts.templatetags.house import moon

NEW, PROCESSING = "new", "processing"


@dataclass(frozen=True, slots=True)
class Starter:
    """A ready-made workflow: its phases with their stage group, the win phase's name, and some labels."""

    key: str
    name: str
    says: str
    type: str
    phases: tuple[tuple[str, str], ...]
    win: str
    labels: tuple[tuple[str, int], ...] = ()

    @property
    def preview(self) -> list[dict]:
        """Return the phases as a page shows them before they exist, the win phase last."""
        names = [*(name for name, _ in self.phases), self.win]
        return [{"name": name, "moon": moon(index, len(names))} for index, name in enumerate(names)]


STARTERS = {
    starter.key: starter
    for starter in (
        Starter(
            "sales",
            "Sales",
            "From the first call to the paid invoice.",
            "sales",
            (
                ("Customer contacted me", NEW),
                ("Contact made with customer", PROCESSING),
                ("Price quote sent", PROCESSING),
                ("Invoice sent", PROCESSING),
                ("Invoice paid", PROCESSING),
            ),
            "Won",
            (("Rush", 1), ("Referral", 4), ("Returning customer", 6)),
        ),
        Starter(
            "recruitment",
            "Recruitment",
            "From the application to the first day.",
            "recruitment",
            (
                ("New candidate", NEW),
                ("Screening", PROCESSING),
                ("Interview", PROCESSING),
                ("Trial day", PROCESSING),
                ("Offer sent", PROCESSING),
            ),
            "Hired",
            (("Full time", 5), ("Part time", 3), ("Apprentice", 7)),
        ),
        Starter(
            "repair",
            "Repair",
            "What comes in broken goes out whole.",
            "service",
            (
                ("Reported", NEW),
                ("Diagnosed", PROCESSING),
                ("Waiting for parts", PROCESSING),
                ("In repair", PROCESSING),
                ("Ready for pickup", PROCESSING),
            ),
            "Returned",
            (("Warranty", 5), ("Urgent", 1), ("Loan unit out", 2)),
        ),
        Starter(
            "order",
            "Order",
            "From the order to the doorstep.",
            "fulfilment",
            (
                ("Order received", NEW),
                ("Awaiting payment", PROCESSING),
                ("Packing", PROCESSING),
                ("Shipped", PROCESSING),
            ),
            "Delivered",
            (("Gift", 8), ("Fragile", 2), ("Express", 1)),
        ),
    )
}
