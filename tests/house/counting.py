"""How many queries a page takes, with little and with much."""

from django.db import connection
from django.test.utils import CaptureQueriesContext


def queries(client, url) -> int:
    """Return how many queries a page takes that answers 200; what looking notes once a minute is left out."""
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(url)
    assert answer.status_code == 200, f"{url} answers {answer.status_code}"
    return sum(not query["sql"].startswith("UPDATE") for query in captured)


def assert_not_growing(client, urls, grow) -> None:
    """Check that no page takes more queries after `grow()` has made much of everything.

    The first look at each page fills caches that have nothing to do with the content, so it does not count.
    """
    for url in urls:
        client.get(url)
    little = {url: queries(client, url) for url in urls}
    grow()
    much = {url: queries(client, url) for url in urls}
    grown = {url: (little[url], much[url]) for url in urls if much[url] > little[url]}
    assert not grown, f"queries grow with the content: {grown}"
