"""Rules to begin with: what businesses ask for most, each the document of a rule like any other.

A recipe is offered when this installation knows its trigger and its actions; what it names and the business does not
have, the editor says.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError

from automations.document import Document


@dataclass
class Recipe:
    """A rule to begin with; `unless`: the recipe that says it better, where that is known."""

    key: str
    name: str
    says: str
    icon: str
    document: dict
    unless: str = ""


def _when(trigger, *conditions):
    return {"trigger": trigger, "conditions": list(conditions)}


def _is(field, value, op="is"):
    return {"field": field, "op": op, "value": value}


def _then(written, *actions):
    return written | {"actions": list(actions)}


RECIPES = [
    Recipe(
        "quiet_quote",
        "Remind of a quiet quote",
        "A quote that nobody answered gets a friendly word.",
        "clock",
        _then(
            _when({"type": "waiting", "phase": "Price quote sent", "for": "3 days"}, _is("value", "1000", "over")),
            {"type": "send_email", "template": "quote_reminder", "to": "customer"},
            {"type": "add_comment", "text": "Followed up by rule."},
        ),
    ),
    Recipe(
        "quiet_quote_comment",
        "Put quiet quotes on the list",
        "A quote that waits too long is marked and due tomorrow, so that somebody calls.",
        "phone",
        _then(
            _when({"type": "waiting", "phase": "Price quote sent", "for": "3 days"}),
            {"type": "add_comment", "text": "Three days without an answer: give them a call."},
            {"type": "set_due_date", "to": "in 1 working day"},
        ),
        unless="quiet_quote",
    ),
    Recipe(
        "application",
        "Welcome a new candidate",
        "Whoever sends the form “Job application” stands in New candidate; they get an answer, and you a list.",
        "form",
        _then(
            _when("form_submitted", _is("form", "Job application")),
            {"type": "send_email", "template": "application_received", "to": "customer"},
            {"type": "add_checklist", "lines": ["Read the application", "Invite or decline"]},
        ),
    ),
    Recipe(
        "applicant",
        "Applicants become candidates",
        "A contact whose source says application becomes a card in New candidate.",
        "people",
        _then(
            _when("contact_created", _is("contact.source", "application", "contains")),
            {"type": "create_card", "phase": "Recruitment / New candidate"},
        ),
        unless="application",
    ),
    Recipe(
        "delayed",
        "Apologise for a delay",
        "An order that is delayed tells its customer, with the new date, and your other system.",
        "truck",
        _then(
            {"trigger": "state_changed", "conditions": {"new_state": "delayed"}},
            {"type": "send_email", "template": "delay_notification", "to": "customer"},
            {"type": "webhook", "url": "https://api.example.com/notify"},
        ),
    ),
    Recipe(
        "lost",
        "Replace what was lost",
        "A package that is lost alerts the team and opens a card for its replacement.",
        "warn",
        _then(
            {"trigger": "state_changed", "conditions": {"new_state": "lost"}},
            {
                "type": "notify",
                "to": "managers",
                "text": "{{ card.name }}: the package is lost. A replacement was opened.",
            },
            {"type": "create_card", "phase": "Order received", "name": "Replacement for a lost package"},
        ),
    ),
    Recipe(
        "completed",
        "Ask how it was",
        "A week after an order is completed its customer is asked for feedback and told of their points.",
        "star",
        _then(
            {"trigger": "won", "conditions": []},
            {"type": "wait", "for": "7 days", "even_if_moved": "yes"},
            {"type": "send_email", "template": "order_completed", "to": "customer"},
            {"type": "send_email", "template": "loyalty_points", "to": "customer"},
        ),
    ),
    Recipe(
        "completed_list",
        "After it is won",
        "A won card gets the last things to do: ask for a review, note the loyalty points.",
        "checklist",
        _then(
            {"trigger": "won", "conditions": []},
            {"type": "add_checklist", "lines": ["Ask for feedback", "Note their loyalty points"]},
        ),
        unless="completed",
    ),
    Recipe(
        "unpaid",
        "Cancel what is not paid in time",
        "A card that waits too long for its payment is cancelled, with that reason.",
        "x",
        _then(
            _when(
                {"type": "waiting", "phase": "Awaiting payment", "for": "3 days"},
                _is("reported", "payment_received", "has_not"),
            ),
            {"type": "move_card", "to": "Cancelled", "reason": "Payment not received in time"},
            {"type": "send_email", "template": "order_cancelled", "to": "customer"},
        ),
    ),
]


def known(document: dict) -> bool:
    """Answer whether this installation knows the trigger and the actions of a document."""
    try:
        Document.read(document)
    except ValidationError:
        return False
    return True


def recipes_for() -> list[Recipe]:
    """Return the recipes that can be begun with, each a copy of its own."""
    keys = {one.key for one in RECIPES if known(one.document)}
    return [Recipe(**vars(one)) for one in RECIPES if one.key in keys and one.unless not in keys]
