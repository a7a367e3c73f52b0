"""Contacts: made, changed, put away, and picked for a card. The pages that show their cards live upstairs."""

from django.core.exceptions import ValidationError
from django.db.models import Count
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from accounts.answers import done, refused
from accounts.policy import allowed, may
from accounts.verbs import Stale
from contacts import merging
from contacts.forms import ContactForm, LabelForm, MergeForm, PickForm
from contacts.models import Contact
from contacts.models.contact import TINTS
from contacts.picking import ContactChoice

MOST_TO_PICK = 8
EVENTS = 30  # of a contact's history at once


# One contact ---------------------------------------------------------------------------------------------


@allowed("contact.create")
def new(request):
    """Make a contact; somebody who may be the same is shown first."""
    form = ContactForm(request.POST or None, business=request.business)
    context = {"form": form, "title": "New contact"}
    if "row" in request.POST:
        form.reshape(request.POST["row"])
        return render(request, "contacts/form.html", context)
    if request.method == "POST" and form.is_valid():
        alike = [one for one in form.lookalikes() if str(one.pk) not in request.POST.get("confirm", "")]
        if alike:
            return render(request, "contacts/form.html", {**context, "alike": alike}, status=422)
        try:
            contact = Contact.create(request.business, **form.changes, by=request.actor)
        except ValidationError as error:
            form.blame(error)
        else:
            return done(request, reverse("contact", args=[request.business.slug, contact.pk]), f"Added {contact.name}")
    return render(request, "contacts/form.html", context, status=422 if request.method == "POST" else 200)


@allowed("contact.update")
def edit(request, pk):
    """Change a contact; when somebody else did meanwhile, both versions are shown and nothing typed is lost."""
    contact, its_page = _with_page(request, pk)
    if contact.archived_at:
        return refused(request, ValidationError(f"{contact.name} is archived. Restore it first."), its_page)
    form = ContactForm(request.POST or None, business=request.business, contact=contact)
    context = {"form": form, "contact": contact, "title": f"Edit {contact.name}"}
    if "row" in request.POST:
        form.reshape(request.POST["row"])
        return render(request, "contacts/form.html", context)
    if request.method == "POST" and form.is_valid():
        try:
            contact.update(revision=form.cleaned_data["revision"], **form.changes, by=request.actor)
        except Stale as stale:
            now = get_object_or_404(request.business.contacts, pk=pk)
            context |= {"contact": now, "stale": stale.message, "both": form.catch_up(now)}
            return render(request, "contacts/form.html", context, status=409)
        except ValidationError as error:
            form.blame(error)
        else:
            return done(request, its_page, f"Saved {contact.name}")
    return render(request, "contacts/form.html", context, status=422 if request.method == "POST" else 200)


@allowed("contact.view")
def lookalikes(request, pk=None):
    """Show who may be the same as the contact in the form, while it is being written."""
    known = get_object_or_404(request.business.contacts, pk=pk) if pk else None
    alike = ContactForm(request.GET, business=request.business, contact=known).lookalikes()
    return render(request, "contacts/form.html#lookalikes", {"alike": alike})


@allowed("contact.view")
def history(request, pk):
    """Show what happened to a contact, newest first, from `?before=<sequence>` on."""
    contact = get_object_or_404(request.business.contacts, pk=pk)
    before = request.GET.get("before", "")
    is_number = before.isascii() and before.isdecimal() and len(before) < 19
    events, has_earlier = contact.history(EVENTS, before=int(before) if is_number else None)
    context = {"contact": contact, "events": events, "has_earlier": has_earlier}
    return render(request, f"contacts/history.html{'#events' if request.htmx else ''}", context)


# Putting away --------------------------------------------------------------------------------------------


@require_POST
@allowed("contact.archive")
def archive(request, pk):
    """Take a contact out of the lists; the toast leads to where it can be restored."""
    contact, its_page = _with_page(request, pk)
    try:
        contact.archive(by=request.actor)
    except ValidationError as error:
        return refused(request, error, its_page)
    said = format_html('Archived {}. <a class="link" href="{}">Restore it there</a>', contact.name, its_page)
    return done(request, reverse("contacts", args=[request.business.slug]), said)


@require_POST
@allowed("contact.restore")
def restore(request, pk):
    """Bring a contact back into the lists."""
    contact, its_page = _with_page(request, pk)
    try:
        contact.restore(by=request.actor)
    except ValidationError as error:
        return refused(request, error, its_page)
    return done(request, its_page, f"Restored {contact.name}")


@allowed("contact.delete")
def delete(request, pk):
    """Ask whether an archived contact should go for good, then delete it."""
    contact, its_page = _with_page(request, pk)
    if not contact.archived_at:
        return refused(request, ValidationError("Archive the contact first, then delete it."), its_page)
    if request.method != "POST":
        return render(request, "contacts/delete.html", {"contact": contact})
    try:
        contact.delete_for_good(by=request.actor)
    except ValidationError as error:
        return refused(request, error, its_page)
    put_away = reverse("contacts", args=[request.business.slug]) + "?archived=1"
    return done(request, put_away, f"Deleted {contact.name} for good")


@allowed("contact.merge")
def merge(request, pk):
    """Choose who is the same as this contact, see what they will be together, then merge them for good."""
    contact, its_page = _with_page(request, pk)
    if contact.archived_at:
        return refused(request, ValidationError(f"{contact.name} is archived. Restore it first."), its_page)
    form = MergeForm(request.POST or request.GET, contact=contact)
    context = {"contact": contact, "form": form, "twin": form.twin}
    if request.method == "POST" and form.twin:
        try:
            merging.merge(contact, [form.twin], revision=form.revision, by=request.actor)
        except Stale as stale:
            contact, _ = _with_page(request, pk)
            context |= {"contact": contact, "stale": stale.message}
        except ValidationError as error:
            return refused(request, error, its_page)
        else:
            return done(request, its_page, f"Merged {form.twin.name} into {contact.name}")
    if form.twin:
        made = merging.outcome(contact, [form.twin])
        context |= {"made": made, "left": made.left_by(form.twin), "moves": merging.what_moves(form.twin)}
    else:
        context["alike"] = contact.twins()
    return render(request, "contacts/merge.html", context, status=409 if "stale" in context else 200)


def _with_page(request, pk):
    contact = get_object_or_404(request.business.contacts, pk=pk)
    return contact, reverse("contact", args=[request.business.slug, pk])


# Labels --------------------------------------------------------------------------------------------------


@allowed("contact.view")
def labels(request):
    """Show the labels of contacts, to rename, recolour and delete them."""
    rows = request.business.contact_labels.annotate(worn=Count("contacts"))
    context = {
        "labels": rows,
        "tints": TINTS,
        "may_change": may(request.actor, "contact_label.update"),
        "may_delete": may(request.actor, "contact_label.delete"),
    }
    return render(request, "contacts/labels.html", context)


@require_POST
@allowed("contact_label.update")
def label_update(request, pk):
    """Rename or recolour a label."""
    label = get_object_or_404(request.business.contact_labels, pk=pk)
    back = reverse("contact_labels", args=[request.business.slug])
    try:
        label.update(**LabelForm(request.POST).changes, by=request.actor)
    except ValidationError as error:
        return refused(request, error, back)
    return done(request, back, f"Saved the label {label.name}")


@require_POST
@allowed("contact_label.delete")
def label_delete(request, pk):
    """Delete a label and take it off every contact."""
    label = get_object_or_404(request.business.contact_labels, pk=pk)
    back = reverse("contact_labels", args=[request.business.slug])
    try:
        label.delete_everywhere(by=request.actor)
    except ValidationError as error:
        return refused(request, error, back)
    return done(request, back, f"Deleted the label {label.name}")


# Picking -------------------------------------------------------------------------------------------------


@allowed("contact.view")
def pick(request):
    """Show contacts to choose from as buttons of a surrounding form; without a text those touched last."""
    text, field = PickForm(request.GET).wanted
    contacts = request.business.contacts.live()
    found = contacts.matching(text).order_by("sort_name", "id") if text else contacts.order_by("-updated_at")
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
