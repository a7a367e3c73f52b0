"""The versions of a workflow's design as its pages show them: what each changed, which is live, who runs under which."""

from django.db.models import Count

from accounts.templatetags.house import moon
from boards.comparing import settings_in_words
from boards.definitions import STAGE_NAMES
from boards.documents import Shelf, as_designs, compare
from boards.models import Definition


def told(workflow, shelf: Shelf, first=0, count=3) -> list[Definition]:
    """Return versions, newest first, each with its `changes` in words, `is_live`, and the `cards` on their way under it."""
    found = list(workflow.definitions.all()[first : first + count + 1])
    newest = workflow.definitions.newest_minors()
    running = dict(workflow.cards_on_their_way.order_by().values_list("major").annotate(Count("pk")))
    for newer, older in zip(found, [*found[1:], None], strict=False):
        newer.workflow, newer.is_first = workflow, older is None
        newer.changes = compare(older.document, newer.document, shelf) if older else []
        is_newest = newer.minor == newest[newer.major]
        newer.is_live = is_newest and newer.major == workflow.major
        newer.cards = running.get(newer.major, 0) if is_newest else 0
    return found[:count]


def steps_of(document: dict, shelf: Shelf) -> list[dict]:
    """Return the steps of a document in order, each with its moon, its stage group and what it does in words."""
    design, _ = as_designs(document, document, shelf)
    names = {step["id"]: step["name"] for step in design["steps"]}
    count = sum(step["stage"] != "cancelled" for step in design["steps"])
    for place, step in enumerate(design["steps"]):
        step["moon"] = "off" if step["stage"] == "cancelled" else moon(place, count)
        step["group"] = STAGE_NAMES[step["stage"]]
        step["said"] = settings_in_words(step, names, shelf.called)
    return design["steps"]
