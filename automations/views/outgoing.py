"""What the lists of mails and of calls share: narrowed to how they stand, and turned in pages."""

from django.core.paginator import Paginator

from automations.models import Delivery

A_PAGE = 30


def listed(request, rows) -> dict:
    """Return a page of deliveries, and how many stand in which way; ?show= narrows them."""
    show = request.GET.get("show", "")
    counts = {name: rows.filter(state__in=states).count() for name, states in Delivery.SHOWN.items()}
    if show in Delivery.SHOWN:
        rows = rows.filter(state__in=Delivery.SHOWN[show])
    page = Paginator(rows.without_texts(), A_PAGE).get_page(request.GET.get("page"))
    return {"page": page, "counts": counts, "show": show}
