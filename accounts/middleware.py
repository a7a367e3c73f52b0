"""The business in the path becomes request.business, .member and .actor; strangers find nothing there."""

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Membership


class BusinessMiddleware:
    """Resolve `<business>` in the path, for signed-in members only, and set the clock to the business's zone."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()

    def process_view(self, request, view, args, kwargs):
        """Put the business, the member and the actor on the request, before the view runs."""
        slug = kwargs.pop("business", None)
        if slug is None:
            return None
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        memberships = Membership.objects.select_related("business")
        try:
            member = memberships.get(business__slug=slug, user_id=request.user.pk)
        except Membership.DoesNotExist:
            raise Http404("No such place") from None
        member.user = request.user
        request.business, request.member, request.actor = member.business, member, Actor.member(member)
        timezone.activate(member.business.zone)
        return None


def _to_sign_in(request):
    """Send to the sign-in page and back; a piece of a page cannot show it, so htmx is told to go there."""
    if not request.htmx:
        return redirect_to_login(request.get_full_path())
    page = request.htmx.current_url_abs_path or "/"
    answer = HttpResponse(status=401)
    answer["HX-Redirect"] = redirect_to_login(page, reverse("account_login") + "?signed_out=1").url
    return answer
