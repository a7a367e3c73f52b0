"""Where the link of an invitation leads."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.models import Invitation, User


@never_cache
def invitation(request, secret):
    """Say who invites to what, and what to do about it: join, sign in, sign up."""
    invited = _invited(secret)
    if request.user.is_authenticated and _is_member(request.user, invited):
        return redirect("home", invited.business.slug)
    return _page(request, invited, secret, status=200 if invited.is_open else 410)


@require_POST
def accept(request, secret):
    """Join the business of an invitation; the link itself says what to do first to who is not signed in any more."""
    if not request.user.is_authenticated:
        return redirect("invitation", secret)
    invited = _invited(secret)
    try:
        invited.accept(request.user)
    except ValidationError as error:
        return _page(request, invited, secret, refusal=" ".join(error.messages), status=422)
    messages.success(request, f"Welcome to {invited.business}.")
    return redirect("home", invited.business.slug)


def _page(request, invited, secret, *, status, refusal=""):
    has_account = not request.user.is_authenticated and User.objects.filter(email__iexact=invited.email).exists()
    is_theirs = request.user.is_authenticated and request.user.email.lower() == invited.email.lower()
    told = {"invitation": invited, "secret": secret, "refusal": refusal}
    told |= {"has_account": has_account, "is_theirs": is_theirs}
    return render(request, "accounts/invitation.html", told, status=status)


def _invited(secret) -> Invitation:
    found = Invitation.by_secret(secret)
    if found is None:
        raise Http404("No such invitation")
    return found


def _is_member(user, invited) -> bool:
    return user.memberships.filter(business_id=invited.business_id).exists()
