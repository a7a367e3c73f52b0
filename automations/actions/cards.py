"""What rules do to cards."""

from django.core.exceptions import ValidationError

from automations.actions.registry import Until, action
from automations.inputs import KINDS, Input, Missing, called_phase, kind
from boards.models import Attachment, Card, Comment, Field, Item
from boards.ordering import BOTTOM, TOP

NEXT = "next"
CARRIED = ("description", "contact", "due_date", "due_time", "value", "source")


def _destination(value, where, field):
    """Read "next", or a phase: of this workflow, or of another one that is named before it ("Repairs / Packed")."""
    if value == NEXT:
        return NEXT
    try:
        return KINDS["phase"](value, where, field)
    except Missing:
        if not where.workflow_id:
            raise
    raise Missing("phase in this workflow", value)


kind("destination", _destination, called_phase)


@action(
    "move_card",
    "move the card to",
    Input("to", "destination", "phase", help="“next”, a phase of this workflow, or “Workflow / Phase” of another."),
    Input("reason", "reason", "because", required=False, help="Needed where work ends badly."),
)
def move_card(deed, to, reason=None):
    """Move the card to a phase; to one of another workflow goes a new card that carries its facts."""
    card = deed.card
    if to == NEXT:
        to = card.next_phase
        if to is None:
            return f"{card.phase.name} is the end of the path: it stayed there"
    if to.workflow_id != card.workflow_id:
        return create_card(deed, phase=to)
    if to.pk == card.phase_id:
        return f"It is in {to.name} already"
    closing = {"reason": reason} if reason else None
    # Who moved it at this very moment knows better.
    card.move(to, TOP, revision=card.revision, closing=closing, by=deed.by)
    return f"Moved it to {to.name}"


@action(
    "create_card",
    "create a card",
    Input("phase", "phase", "in", help="A phase, as “Workflow / Phase” where its workflow is another one."),
    Input("name", "text", "called", required=False, help="Left empty, it is called like this card or its contact."),
    Input("carry", "yes_no", "with this card's facts", required=False, default="yes"),
)
def create_card(deed, phase, name=None, carry=True):
    """Make a card; it carries contact, dates, value, source, description and files of the one it comes from."""
    old = deed.occasion.card
    facts = {key: getattr(old, key) for key in CARRIED} if old and carry else {"contact": deed.contact}
    name = name or (old.name if old else "") or (deed.contact.name if deed.contact else "")
    new = Card.create(phase, name=name[:300] or "New card", place=BOTTOM, by=deed.by, **facts)
    if old and carry:
        Attachment.carry(new, old.attachments.as_kept(), by=deed.by)
    return f"Created card {new.number}, {new.name}, in {phase.name} of {phase.workflow.name}"


@action("add_label", "add the label", Input("label", "label", "label"))
def add_label(deed, label):
    """Put a label on."""
    news = deed.card.add_label(label, by=deed.by)
    return f"Added the label {label.name}" if news else f"It has the label {label.name} already"


@action("remove_label", "take off the label", Input("label", "label", "label"))
def remove_label(deed, label):
    """Take a label off."""
    news = deed.card.remove_label(label, by=deed.by)
    return f"Took off the label {label.name}" if news else f"It has no label {label.name}"


@action(
    "set_due_date",
    "set the due date to",
    Input("to", "date", "day", required=False, help="2027-03-31, “today”, “in 3 working days”; empty takes it away."),
    Input("at", "clock", "at", required=False),
)
def set_due_date(deed, to=None, at=None):
    """Set the due date, or take it away."""
    news = deed.card.update(due_date=to, due_time=at if to else None, by=deed.by)
    if to is None:
        return "Took the due date away"
    return f"Set the due date to {to:%-d %b %Y}" if news else f"It is due on {to:%-d %b %Y} already"


@action(
    "set_field",
    "set a field",
    Input("field", "card_field", "field"),
    Input("value", "any", "to", required=False, help="Left empty, the field is emptied."),
)
def set_field(deed, field, value=None):
    """Fill in one of the fields all cards have, or one that its workflow adds."""
    card = deed.card
    if isinstance(field, Field):
        if field.workflow_id != card.workflow_id:
            raise ValidationError(f"{card.workflow.name} has no field {field.name}.", code="field")
        card.fill_fields({field: value}, by=deed.by)
        return f"Set {field.name} to {field.show(field.read(value)) or 'nothing'}"
    if field == "value":
        amount = None if value in (None, "") else KINDS["money"](value, deed.occasion, Input("value", "money", "value"))
        card.update(value=amount, by=deed.by)
    else:
        card.update(**{field: str(value or "")}, by=deed.by)
    return f"Set the {field.replace('_', ' ')} to {value if value not in (None, '') else 'nothing'}"


@action("archive_card", "archive the card")
def archive_card(deed):
    """Take the card off the board."""
    deed.card.archive(by=deed.by)
    return "Archived it"


@action("add_comment", "add a comment saying", Input("text", "long_text", "text"))
def add_comment(deed, text):
    """Comment on the card."""
    Comment.write(deed.card, text, by=deed.by)
    return "Added a comment"


@action("add_checklist", "add to the checklist", Input("lines", "lines", "lines", help="One item on each line."))
def add_checklist(deed, lines):
    """Add those lines that the checklist does not have yet."""
    card = deed.card
    has = set(card.items.values_list("text", flat=True))
    new = [line for line in dict.fromkeys(lines) if line not in has]
    if new:
        Item.add_many(card, new, by=deed.by)
    return f"Added {len(new)} line{'' if len(new) == 1 else 's'} to the checklist"


@action("report", "report that", Input("trigger", "trigger", "what happened"))
def report(deed, trigger):
    """Report something about the card, for phases and rules that wait for it."""
    deed.card.report(trigger, by=deed.by)
    return f"Reported: {trigger.name}"


@action("send_event", "send the card the event", Input("event", "text", "called"))
def send_event(deed, event):
    """Send the card an event, for the rules that wait for one of this name."""
    deed.card.signal(event, by=deed.by)
    return f"Sent the event {event}"


@action(
    "wait",
    "wait",
    Input("for", "span", "for", help="Then the conditions are asked again: the rule goes on where they hold still."),
    Input("even_if_moved", "yes_no", "also when the card moves on meanwhile", required=False, default="no"),
)
def wait(deed, **inputs):
    """Go on later."""
    span = inputs["for"]
    at = span.after(deed.occasion.now, deed.business.zone)
    return Until(at, f"Waited {span}")
