"""What people type about themselves, their business and its members."""

from allauth.account.forms import SignupForm as PersonForm


class SignupForm(PersonForm):
    """A new person and their business."""
