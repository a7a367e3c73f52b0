"""Contacts: made, changed, put away, and picked for a card. The pages that show their cards live upstairs."""

from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.answers import refused
from accounts.policy import allowed, may
from contacts.forms import ContactChoice, PickForm

MOST_TO_PICK = 8


# Picking -------------------------------------------------------------------------------------------------


@allowed("contact.view")
def pick(request):
    """Show contacts to choose from as buttons of a surrounding form; without a text those touched last."""
    text, field = PickForm(request.GET).wanted
    contacts = request.business.contacts.live()
    found = contacts.matching(text).order_by("search", "id") if text else contacts.order_by("-updated_at")
    found = list(found[: MOST_TO_PICK + 1])
    context = {
        "text": text,
        "field": field,
        "found": found[:MOST_TO_PICK],
        "has_more": len(found) > MOST_TO_PICK,
        "is_new": bool(text) and may(request.actor, "contact.create") and not contacts.called(text).exists(),
    }
    return render(request, "contacts/pick.html", context)


@require_POST
@allowed("contact.create")
def quick(request):
    """Make a contact of a name, an e-mail or a phone, and answer with it chosen."""
    back = reverse("contacts", args=[request.business.slug])
    form = ContactChoice({"new_contact": request.POST.get("new_contact", "")}, business=request.business)
    try:
        contact = form.chosen(by=request.actor)
    except ValidationError as error:
        return refused(request, error, back)
    if not request.htmx:
        return redirect("contact", request.business.slug, contact.pk)
    return render(request, "contacts/pick.html#chosen", {"contact": contact, "field": "contact"})
