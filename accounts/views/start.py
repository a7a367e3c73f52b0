"""The front door, and the answer to "are you up?"."""

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache


@never_cache
def start(request):
    """Send a person to where they work; somebody unknown to the sign-in page."""
    if not request.user.is_authenticated:
        return redirect("account_login")
    member = request.user.memberships.select_related("business").order_by("joined_at").last()
    if member:
        return redirect("home", member.business.slug)
    return render(request, "accounts/nowhere.html")


@never_cache
@login_not_required
def up(request):
    """Answer whether the program and its database are there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("up\n", content_type="text/plain")
