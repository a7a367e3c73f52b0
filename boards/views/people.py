"""Contacts with what is done for them: the list and a contact's own page. Their forms live a floor below."""

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from accounts.answers import done
from accounts.models import Event
from accounts.policy import allowed, may
from boards.forms.people import CardForForm
from boards.people import Asked, cards_of, with_work
from boards.search import as_uuid

A_PAGE = 50  # contacts on a page of the list
LATELY = 8  # events of a contact's history at first
ALL_CARDS = 500  # of a kind, when all are asked for


@allowed("contact.view")
def contacts(request):
    """Show the contacts, and beside them the one that is looked at; htmx may ask for the list alone."""
    labels = list(request.business.contact_labels.all())
    asked = Asked.from_query(request.GET, labels)
    everybody = request.business.contacts
    counts = {"live": everybody.live().count(), "archived": everybody.archived().count()}
    pages = Paginator(asked.narrow(everybody.defer("notes", "search").prefetch_related("labels")), A_PAGE)
    if not asked.is_narrow:
        pages.count = counts["archived" if asked.archived else "live"]
    page = pages.get_page(request.GET.get("page"))
    page.object_list = with_work(list(page.object_list))
    context = {
        "asked": asked,
        "page": page,
        "labels": labels,
        "label": next((label for label in labels if str(label.pk) == asked.label), None),
        "counts": counts,
        "may_create": may(request.actor, "contact.create"),
    }
    if request.htmx.target == "contacts":
        context["selected"] = as_uuid(request.GET.get("person"))
        return render(request, "boards/contacts.html#list", context)
    return render(request, "boards/contacts.html", context | _beside(request, page))


@allowed("contact.view")
def contact(request, pk):
    """Show a contact with its cards and history; htmx may ask for it to stand beside the list."""
    contact = get_object_or_404(request.business.contacts.for_page(), pk=pk)
    piece = "#person" if request.htmx.target == "beside" else ""
    return render(request, f"boards/contact.html{piece}", _about(request, contact))


@allowed("card.create")
def card_for(request, pk):
    """Start a card for a contact."""
    contact = get_object_or_404(request.business.contacts.live(), pk=pk)
    form = CardForForm(request.POST or None, business=request.business)
    if request.method == "POST" and form.is_valid():
        try:
            card = form.make(contact, by=request.actor)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            to = reverse("contact", args=[request.business.slug, pk])
            said = f"Made {card.name} in {card.workflow.name}"
            return done(request, to, said, event=Event.objects.about(card).first())
    context = {"form": form, "contact": contact, "may_design": may(request.actor, "workflow.create")}
    return render(request, "boards/contact_card.html", context, status=422 if form.errors else 200)


def _beside(request, page) -> dict:
    """Return what stands beside the list: the contact that was asked for, else the first one."""
    pk = as_uuid(request.GET.get("person")) or next((contact.pk for contact in page.object_list), None)
    chosen = request.business.contacts.for_page().filter(pk=pk).first() if pk else None
    return {"selected": chosen.pk, **_about(request, chosen)} if chosen else {}


def _about(request, contact) -> dict:
    every = request.GET.get("cards") == "all"
    events, has_earlier = contact.history(LATELY)
    may_merge = may(request.actor, "contact.merge") and not contact.archived_at
    return {
        "contact": contact,
        "work": cards_of(contact, ALL_CARDS) if every else cards_of(contact),
        "events": events,
        "has_earlier": has_earlier,
        "may_change": may(request.actor, "contact.update"),
        "may_delete": may(request.actor, "contact.delete"),
        "may_merge": may_merge,
        "twins": contact.twins() if may_merge else [],
        "may_add_card": may(request.actor, "card.create") and not contact.archived_at,
    }
