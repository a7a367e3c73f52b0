"""The ways in: signing up with a business, founding a further one."""

from allauth.account import views as allauth
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render

from accounts.forms import BusinessForm
from accounts.models import Business


def sign_up(request):
    """Make a person and their business; who is signed in founds a further one instead."""
    if request.user.is_authenticated and "next" not in request.GET and request.method == "GET":
        return redirect("found")
    return allauth.signup(request)


@login_required
def found(request):
    """Found a business for the person who is signed in."""
    form = BusinessForm(request.POST or None)
    if form.is_valid():
        try:
            business = Business.objects.found(request.user, **form.answers())
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, f"{business} is yours.")
            return redirect("home", business.slug)
    return render(request, "accounts/found.html", {"form": form}, status=422 if form.errors else 200)
