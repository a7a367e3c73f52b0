"""Template words about what people are told, and about the worker."""

from django import template

from accounts.policy import may
from automations.health import absence
from automations.models import Notification

register = template.Library()

MOST = 99


@register.simple_tag(takes_context=True)
def unread(context):
    """Return how many notifications the member has not looked at; None where there is no member, or no inbox for them."""
    request = context.get("request")
    member = getattr(request, "member", None)
    if member is None or not may(request.actor, "notification.view"):
        return None
    return min(Notification.objects.unread().filter(member=member)[: MOST + 1].count(), MOST)


@register.simple_tag(takes_context=True)
def worker_absence(context) -> str:
    """Return in words that the worker has not been seen for too long; "" when all is well."""
    return absence(context["business"])


@register.simple_tag(takes_context=True)
def sees_health(context) -> bool:
    """Answer whether the member may look at the health page."""
    return may(context["request"].actor, "health.view")
