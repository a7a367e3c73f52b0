"""The API for programs: every floor's routers under their addresses, one document, one way to answer errors."""

from django.urls import path, re_path
from ninja import NinjaAPI

from accounts.api import router as events
from accounts.openapi import problem
from accounts.rest import OURS, Dialect, JsonParser, answer_errors, fault, guarded, not_found, refused
from accounts.views import errors as pages
from automations.api import (
    definitions,
    deliveries,
    dialect,
    events_in,
    inlets,
    reports,
    rules,
    runs,
    templates,
    webhooks,
)
from boards.api import cards, forms, labels, phases, workflows
from contacts.api import contacts as people
from contacts.api import labels as people_labels

DESCRIPTION = """\
Keep another system in step with the workflows of a business.

- Send an API token (Settings, API tokens) as `Authorization: Bearer <token>`. It belongs to one business and sees nothing
  of any other: what is not there for it is answered with 404.
- Every write takes an `Idempotency-Key`. Errors come in one envelope with a stable code or the paths of the wrong fields.
- `/workflows/api/v1/…` is an older name of `/workflows/v1/…`.
"""

api = NinjaAPI(
    title="Phasewise",
    version="1",
    description=DESCRIPTION,
    parser=JsonParser(),
    docs_url=None,
    openapi_url=None,
    urls_namespace="api",
)
answer_errors(api)
for router in (workflows.router, phases.router, cards.router, labels.router):
    api.add_router("/workflows/v1", router)
for router in (people.router, people_labels.router):
    api.add_router("/contacts/v4", router)
api.add_router("/events/v1", events)
for module in (reports, rules, runs, templates, webhooks, inlets, deliveries, forms):
    api.add_router("/automations/v1", module.router)
for module in (definitions, events_in):
    api.add_router("/api/v4.1", module.router)

# First segments of paths that answer JSON whatever happens.
ROOTS = ("workflows", "contacts", "events", "automations", "api")
OLDER = {"workflows/v1/": "workflows/api/v1/"}


def urlpatterns():
    """Return the addresses of the API, those under their older name too, and a 404 in JSON for all beside them."""
    patterns = [pattern for pattern in api.urls[0] if pattern.name != "api-root"]
    for pattern in patterns:
        route, view = str(pattern.pattern), guarded(pattern.callback, dialect_of)
        yield path(route, view)
        for now, before in OLDER.items():
            if route.startswith(now):
                yield path(route.replace(now, before, 1), view)
    for root in ROOTS:
        # Not a path converter: those match no line break, which an address may hold too.
        yield re_path(f"^{root}/", guarded(lambda request: not_found(request), dialect_of))


def has(path: str) -> bool:
    """Answer whether an address is one of the API's, which answers JSON also where Django or the server refuses."""
    return path.lstrip("/").partition("/")[0] in ROOTS


def dialect_of(method: str, path: str) -> Dialect:
    """Return how an address tells what it refuses."""
    return dialect.of(method, path) if path.lstrip("/").startswith("api/") else OURS


def refusal(method: str, path: str, status: int, code: str, says: str) -> tuple[int, dict]:
    """Return status and body of what the server refuses before Django is asked."""
    return dialect_of(method, path).told(status, problem(code, says))


def bad_request(request, exception):
    """Answer 400 for what Django refuses before any view is asked, as a foreign Host."""
    if has(request.path):
        return guarded(lambda _: refused(400, "MALFORMED_REQUEST", "The request cannot be read."), dialect_of)(request)
    return pages.bad_request(request, exception)


def server_error(request):
    """Answer 500 for what breaks outside the views."""
    return guarded(lambda _: fault(), dialect_of)(request) if has(request.path) else pages.server_error(request)
