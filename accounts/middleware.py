"""The business in the path becomes request.business, .member and .actor; strangers find nothing there."""

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from accounts.actor import Actor
from accounts.answers import page_of
from accounts.models import Membership
from accounts.statements import Blank, Prepared
from accounts.views.errors import not_allowed

MEMBERSHIP = Prepared(
    lambda: Membership.objects.select_related("business").filter(business__slug=Blank("slug"), user=Blank("user"))
)


class BusinessMiddleware:
    """Resolve `<business>` in the path, for signed-in members only, and set the clock to the business's zone."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        try:
            answer = self.get_response(request)
        finally:
            timezone.deactivate()
        # An address that forms post to, opened by hand; programs are answered in their own way.
        if answer.status_code == 405 and request.method == "GET" and answer["Content-Type"] != "application/json":
            answer = not_allowed(request, answer["Allow"])
        patch_vary_headers(answer, ["HX-Request"])  # a page and its pieces share an address
        return answer

    def process_view(self, request, view, args, kwargs):
        """Put the business, the member and the actor on the request, before the view runs."""
        slug = kwargs.pop("business", None)
        if slug is None:
            return None
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        member = MEMBERSHIP.first(slug=slug, user=request.user.pk)
        if member is None:
            raise Http404("No such place")
        member.user = request.user
        request.business, request.member, request.actor = member.business, member, Actor.member(member)
        timezone.activate(member.business.zone)
        return None


def _to_sign_in(request):
    """Send to the sign-in page and back to the page in hand; a piece of it cannot show that, so htmx is told to go there."""
    if request.method in ("GET", "HEAD") and not request.htmx:
        return redirect_to_login(request.get_full_path())
    to = redirect_to_login(page_of(request) or "/", reverse("account_login") + "?signed_out=1")
    return HttpResponse(status=401, headers={"HX-Redirect": to.url}) if request.htmx else to
