"""Workflows to start from, so that the first minute is not blank."""

from dataclasses import dataclass

from accounts.templatetags.house import moon

NEW, PROCESSING = "new", "processing"


@dataclass(frozen=True, slots=True)
class StarterForm:
    """A ready-made intake form: what it says, and what it asks (each question as IntakeForm.add_question takes it)."""

    words: dict[str, str]
    questions: tuple[dict, ...]


@dataclass(frozen=True, slots=True)
class Starter:
    """A ready-made workflow: its phases with their stage group, the win phase's name, some labels and forms."""

    key: str
    name: str
    says: str
    type: str
    phases: tuple[tuple[str, str], ...]
    win: str
    labels: tuple[tuple[str, int], ...] = ()
    forms: tuple[StarterForm, ...] = ()

    @property
    def preview(self) -> list[dict]:
        """Return the phases as a page shows them before they exist, the win phase last."""
        names = [*(name for name, _ in self.phases), self.win]
        return [{"name": name, "moon": moon(index, len(names))} for index, name in enumerate(names)]


APPLICATION = StarterForm(
    {
        "title": "Job application",
        "introduction": "A few lines are enough. We read every application.",
        "headline": "Come and work with us.",
        "steps": "You send this form: It takes five minutes.\nWe read it: Within a week.\nWe talk: By phone first.\n"
        "You start: We look forward to it.",
        "button": "Send application",
        "small_print": "We use this for your application, nothing else.",
        "thanks": "We read every application and will write to you within two weeks.",
        "card_name": "{name}",
    },
    (
        {"label": "Given name", "target": "given_name", "required": True, "half": True},
        {"label": "Family name", "target": "family_name", "required": True, "half": True},
        {"label": "E-mail", "kind": "email", "required": True, "half": True},
        {"label": "Phone", "kind": "phone", "half": True},
        {"label": "Which position is it about?", "target": "note", "half": True},
        {"label": "When could you start?", "kind": "date", "target": "note", "half": True},
        {"label": "How much would you like to work?", "kind": "one", "choices": ["Full time", "Part time", "Either"]},
        {"label": "Tell us about yourself", "kind": "long_text", "target": "description"},
        {"label": "CV and papers", "kind": "file"},
    ),
)

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
            "From the application to the first day, with a form for applicants.",
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
            (APPLICATION,),
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
