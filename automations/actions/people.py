"""What rules ask of people."""

from automations.actions.registry import action
from automations.inputs import KINDS, Input, called_member, kind

NOBODY = "nobody"


def _somebody(value, where, field):
    """Read a member, or "nobody"."""
    return None if str(value).strip().casefold() == NOBODY else KINDS["member"](value, where, field)


kind("somebody", _somebody, called_member)


@action(
    "assign",
    "assign",
    Input("member", "somebody", "to", help="A member, or “nobody”."),
    Input("instead", "yes_no", "instead of whoever is assigned", required=False, default="no"),
)
def assign(deed, member=None, instead=False):
    """Make a member responsible, beside the others or instead of them."""
    card = deed.card
    others = [row.member for row in card.assignments.select_related("member__user")]
    if member is None:
        card.assign([], by=deed.by)
        return "Assigned nobody"
    if member in others and not instead:
        return f"{member} is assigned already"
    card.assign([member] if instead else [*others, member], by=deed.by)
    return f"Assigned {member}"
