"""The rows of the ground floor."""

from accounts.models.business import Business, Invitation, Membership
from accounts.models.event import Event
from accounts.models.receipt import Receipt
from accounts.models.token import Token
from accounts.models.untold import Untold
from accounts.models.user import User

__all__ = ["Business", "Event", "Invitation", "Membership", "Receipt", "Token", "Untold", "User"]
