"""The live board for those who cannot keep a stream open: what changed, once, and when to ask again."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404

from accounts.policy import allowed
from boards.changes import Changes, read
from boards.live import as_event, place

AGAIN = 10_000  # milliseconds after which the browser asks again


@allowed("card.view")
def live(request, workflow):
    """Answer what changed on a board since `?since=`, in the words of the stream, and end.

    A server without streams (any plain WSGI) answers so at the stream's own address, too.
    """
    workflow = get_object_or_404(request.business.workflows, pk=workflow)
    since = place(request.headers.get("Last-Event-ID") or request.GET.get("since", ""), request.business.last_event)
    news = read(request.business.pk, since, [workflow.pk])
    event = as_event(news.boards.get(workflow.pk) or Changes(news.sequence))
    answer = HttpResponse(f"retry: {AGAIN}\n\n{event}", content_type="text/event-stream; charset=utf-8")
    answer["Cache-Control"] = "no-store"
    return answer
