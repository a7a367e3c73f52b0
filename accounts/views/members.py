"""The people of a business: who belongs to it, who is invited, who goes."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.answers import done, refused
from accounts.forms import InviteForm
from accounts.policy import RANK, ROLE_SAYS, ROLES, allowed, may, may_handle


@allowed("member.view")
def members(request):
    """List members and open invitations, and invite."""
    return render(request, "accounts/members.html", _people(request))


@require_POST
@allowed("member.invite")
def invite(request):
    """Invite an address, or send its mail again."""
    form = InviteForm(request.POST, actor=request.actor)
    if form.is_valid():
        try:
            request.business.invite(**form.cleaned_data, site=request.build_absolute_uri("/"), by=request.actor)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return _done(request, f"A mail to {form.cleaned_data['email']} is on its way.", focus="invite")
    page = "accounts/members.html#people" if request.htmx else "accounts/members.html"
    return render(request, page, _people(request, form=form), status=422)


@require_POST
@allowed("member.invite")
def send_again(request, invitation):
    """Send an invitation's mail again, with a new link and a new date of expiry."""
    invited = get_object_or_404(request.business.invitations, pk=invitation, accepted_at=None, withdrawn_at=None)
    try:
        request.business.invite(invited.email, invited.role, site=request.build_absolute_uri("/"), by=request.actor)
    except ValidationError as error:
        return _refused(request, error)
    return _done(request, f"A new mail to {invited.email} is on its way.", focus=invitation)


@require_POST
@allowed("member.invite")
def withdraw(request, invitation):
    """Make an invitation's link worthless."""
    invited = get_object_or_404(request.business.invitations, pk=invitation)
    try:
        invited.withdraw(by=request.actor)
    except ValidationError as error:
        return _refused(request, error)
    return _done(request, f"The invitation of {invited.email} is withdrawn.", focus="invite")


@require_POST
@allowed("member.change_role")
def change_role(request, member):
    """Give a member another role."""
    person = get_object_or_404(request.business.memberships.select_related("user"), pk=member)
    try:
        person.change_role(request.POST.get("role", ""), by=request.actor)
    except ValidationError as error:
        return _refused(request, error)
    if person.pk == request.member.pk:
        messages.success(request, f"You are {person.get_role_display().lower()} now.")
        return redirect("home", request.business.slug)  # this page may not be theirs to see any more
    return _done(request, f"{person} is {person.get_role_display().lower()} now.", focus=member)


@require_POST
@allowed("member.remove")
def remove(request, member):
    """Take a member out of the business."""
    person = get_object_or_404(request.business.memberships.select_related("user"), pk=member)
    try:
        person.remove(by=request.actor)
    except ValidationError as error:
        return _refused(request, error)
    if person.user_id == request.user.pk:
        return redirect("start")
    return _done(request, f"{person} is out of {request.business}.", focus="members")


@require_POST
@allowed("member.leave")
def leave(request):
    """Leave the business."""
    try:
        request.member.leave(by=request.actor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("settings", request.business.slug)
    messages.success(request, f"You have left {request.business}.")
    return redirect("start")


def _people(request, form=None, focus=""):
    """Gather what the page shows; focus names the row that was touched, so that the keyboard stays there."""
    actor = request.actor
    people = sorted(
        request.business.memberships.select_related("user"), key=lambda one: (-RANK[one.role], str(one).lower())
    )
    for one in people:
        one.is_me = one.user_id == request.user.pk
        one.may_be_changed = may(actor, "member.change_role") and may_handle(actor, one.role)
        one.may_be_removed = may(actor, "member.remove") and may_handle(actor, one.role) and not one.is_me
    invitations = []
    if may(actor, "member.invite"):
        form = form or InviteForm(actor=actor)
        invitations = request.business.invitations.select_related("invited_by").filter(
            accepted_at=None, withdrawn_at=None
        )
    for one in invitations:
        one.may_be_changed = may_handle(actor, one.role)
    roles = [(role, said, ROLE_SAYS[role]) for role, said in ROLES if may_handle(actor, role)]
    return {"people": people, "invitations": invitations, "form": form, "roles": roles, "focus": str(focus)}


def _done(request, text, focus):
    return done(request, _here(request), text, pieces=_piece(request, focus=focus))


def _refused(request, error):
    return refused(request, error, _here(request), pieces=_piece(request))


def _piece(request, **told) -> str:
    return render_to_string("accounts/members.html#people", _people(request, **told), request) if request.htmx else ""


def _here(request) -> str:
    return reverse("members", args=[request.business.slug])
