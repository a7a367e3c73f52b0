"""Pages for programmers, open to everybody: guides, the reference with a form to try each operation, the document.

They stand on this floor because what they show is put together here: the routers of all the others.
"""

from functools import lru_cache

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.views.decorators.cache import cache_control
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import condition, require_safe

from config.views import guides, reference


@require_safe
def guide(request, name="start"):
    """Show one of the guides."""
    shown = next((one for one in guides.guides() if one.name == name), None)
    if shown is None or request.path.endswith("/start/"):
        raise Http404("No such guide")
    told = {"guides": guides.guides(), "shown": shown, "body": guides.body(shown, _address(request))}
    return render(request, "docs/guide.html", told)


@gzip_page
@require_safe
def api(request):
    """Show every operation, with a form to try it."""
    told = {"guides": guides.guides(), "groups": reference.groups(), "operations": _operations(_address(request))}
    return render(request, "docs/api.html", told)


@gzip_page
@cache_control(public=True, max_age=300)
@condition(etag_func=lambda request: reference.etag())
@require_safe
def document(request):
    """Answer with the OpenAPI document."""
    return HttpResponse(reference.document_as_json(), content_type="application/json")


@lru_cache(maxsize=8)
def _operations(address: str) -> SafeString:
    """Draw all operations, which are the same for everybody: a second's work, done once for each name of the server."""
    return render_to_string("docs/_operations.html", {"groups": reference.groups(), "address": address})


def _address(request) -> str:
    return request.build_absolute_uri("/").rstrip("/")
