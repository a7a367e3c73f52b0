"""Putting a document: it becomes the next version of the workflow it names, which is made when there is none."""

from accounts.actor import Actor
from accounts.models import Business
from accounts.verbs import Again, in_one
from boards import checking
from boards.definitions import Unfit
from boards.models import Definition, Draft, Workflow


def put(
    business, document: dict, *, major: int | None = None, moves=None, comment="", finish_old=False, by: Actor
) -> Definition:
    """Publish a document, whatever somebody sent as one, in one transaction.

    major: the major version it asks for; moves: where the cards of statuses that vanish go, by name; finish_old: as in
    Workflow.publish. Raises what that raises, Unfit above all, and ValidationError when the workflow is new and there may
    be no other.
    """
    if not checking.names_a_workflow(document):
        raise Unfit(checking.check(document))
    return in_one(lambda: _put(business, document, major, moves, comment, finish_old, by))


def draw(business, document: dict, *, name="", by: Actor) -> Workflow:
    """Make a workflow whose draft a valid document is: nothing of it is on its board before somebody publishes it.

    name: what it is called, as the document says when left out. Raises what Workflow.create raises.
    """
    return in_one(lambda: _draw(business, document, name, by))


def _draw(business, document, name, by) -> Workflow:
    name = name or document.get("name") or f"{document['entityType']}::{document['entitySubtype']}"
    workflow = Workflow.create(business, name=name, by=by)
    Draft.adopt(workflow, document | {"name": name}, by=by)
    return workflow


def _put(business, document, major, moves, comment, finish_old, by) -> Definition:
    workflow = _named(business, document).select_for_update(no_key=True).first() or _make(business, document, by)
    draft = Draft.of_document(workflow, document, moves)
    return workflow.publish(draft, comment=comment, major=major, finish_old=finish_old, by=by)


def _named(business, document):
    return business.workflows.filter(entity_type=document["entityType"], entity_subtype=document["entitySubtype"])


def _make(business, document, by) -> Workflow:
    Business.objects.select_for_update(no_key=True).get(pk=business.pk)
    if _named(business, document).exists():
        raise Again  # somebody made it while we waited: it is locked before the business, as everywhere
    entity = (document["entityType"], document["entitySubtype"])
    name = checking.sound(document).get("name") or "::".join(entity)
    return Workflow.create(business, name=name, entity=entity, by=by)
