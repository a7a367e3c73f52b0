"""What a business says about itself, and what a person does."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render

from accounts.forms import ProfileForm, SettingsForm
from accounts.models import Business
from accounts.policy import allowed, may


@allowed("business.view")
def settings(request):
    """Show the business's settings; its owners change them here."""
    business = Business.objects.get(
        pk=request.business.pk
    )  # apart from the page's own, which keeps its name and address
    form = SettingsForm(request.POST or None, business=business)
    if request.method == "POST" and form.is_valid():
        try:
            business.update(**form.answers(), by=request.actor)
        except ValidationError as error:
            form.refuse(error)
        else:
            moved = business.slug != request.business.slug
            messages.success(request, f"Saved. The address is /{business.slug}/ from now on." if moved else "Saved.")
            return redirect("settings", business.slug)
    told = {"form": form, "may_change": may(request.actor, "business.update")}
    return render(request, "accounts/settings.html", told, status=422 if form.errors else 200)


@login_required
def profile(request):
    """Show a person's name and businesses; the name is changed here."""
    form = ProfileForm(request.POST or None, initial={"name": request.user.name})
    if form.is_valid():
        request.user.rename(form.cleaned_data["name"])
        messages.success(request, "Saved.")
        return redirect("profile")
    return render(request, "accounts/profile.html", {"form": form}, status=422 if form.errors else 200)
