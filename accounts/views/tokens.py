"""The keys of programs: make one and see its secret once, look at all, revoke."""

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.answers import done
from accounts.forms import TokenForm
from accounts.models import Token
from accounts.policy import SCOPES, allowed


@allowed("token.view")
def tokens(request):
    """List the tokens, and ask about a new one."""
    return render(request, "accounts/tokens.html", _tokens(request))


@never_cache
@require_POST
@allowed("token.create")
def create(request):
    """Make a token and show its secret, on this one answer and never again."""
    form = TokenForm(request.POST, business=request.business)
    made = None
    if form.is_valid():
        try:
            made = Token.create(request.business, **form.answers(), maker=request.user, by=request.actor)
        except ValidationError as error:
            form.add_error(None, error)
    if not made:
        return _answer(request, 422, form=form)
    token, secret = made
    return _answer(request, 200, token=token, secret=secret)


@require_POST
@allowed("token.revoke")
def revoke(request, token):
    """Shut a token out."""
    shut = get_object_or_404(request.business.tokens, pk=token)
    shut.revoke(by=request.actor)
    piece = render_to_string("accounts/tokens.html#tokens", _tokens(request), request) if request.htmx else ""
    here = reverse("tokens", args=[request.business.slug])
    return done(request, here, f"The token {shut.name} opens nothing any more.", pieces=piece)


def _answer(request, status, **told):
    page = "accounts/tokens.html#tokens" if request.htmx else "accounts/tokens.html"
    return render(request, page, _tokens(request, **told), status=status)


def _tokens(request, form=None, token=None, secret=""):
    rows = request.business.tokens.for_page()
    return {
        "live": [row for row in rows if row.is_live],
        "ended": [row for row in rows if not row.is_live][:20],
        "form": form or TokenForm(business=request.business),
        "made": token,
        "all_scopes": len(SCOPES),
        "secret": secret,
    }
