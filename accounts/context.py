"""What every page knows: the theme, and the businesses of the person."""

from django.utils.functional import SimpleLazyObject

THEMES = ("light", "dark")


def house(request):
    """Give pages the theme, the person's memberships and the business they are in, asked for only when shown."""
    chosen = request.COOKIES.get("theme")
    business = getattr(request, "business", None)
    mine = SimpleLazyObject(lambda: _memberships(request))
    return {
        "theme": chosen if chosen in THEMES else "",
        "business": business,
        "member": getattr(request, "member", None),
        "my_memberships": mine,
        "rail_business": business or SimpleLazyObject(lambda: mine[0].business if mine else None),
    }


def _memberships(request) -> list:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    return list(user.memberships.select_related("business").order_by("business__name"))
