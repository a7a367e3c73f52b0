"""Labels of contacts over the API."""

from typing import Annotated

from ninja import Query, Router
from pydantic import Field

from accounts.rest import (
    LARGEST_OFFSET,
    LARGEST_PAGE,
    WHOLE,
    Limit,
    Nothing,
    Offset,
    Refused,
    Shape,
    find,
    in_order,
    words,
)
from contacts import filters
from contacts.api.shapes import (
    QUERIED,
    ContactLabelFields,
    ContactLabelShape,
    Filter,
    PagingMetadata,
    Sorting,
    Sortings,
    label_shape,
    operation,
)
from contacts.filters import LABEL_FIELDS, LABEL_PREFIX
from contacts.models import ContactLabel

router = Router(tags=["Contact labels"])

SORTED_BY = {"key": "key", "displayName": "name", "createdDate": "created_at", "updatedDate": "updated_at"}
PATHS = {"name": "displayName"}


class NewContactLabel(Shape):
    """What a label is called."""

    display_name: words(50, 1) = Field(examples=["VIP"])


class ChangedContactLabel(Shape):
    """What a label is called from now on."""

    label: ContactLabelFields


class ContactLabelAnswer(Shape):
    """A label."""

    label: ContactLabelShape


class MadeContactLabel(ContactLabelAnswer):
    """A label, and whether it is new."""

    new_label: bool


class ContactLabels(Shape):
    """A part of the labels."""

    labels: list[ContactLabelShape]
    paging_metadata: PagingMetadata


class WantedLabels(Shape):
    """Which labels to list, by name."""

    starts_with: Annotated[str, Field(max_length=50)] = ""
    limit: Limit = Field(LARGEST_PAGE, alias="paging.limit")
    offset: Offset = Field(0, alias="paging.offset")


class LabelPaging(Shape):
    """Which part of a list to answer."""

    limit: Annotated[int, Field(ge=0, le=LARGEST_PAGE), WHOLE] = LARGEST_PAGE
    offset: Annotated[int, Field(ge=0, le=LARGEST_OFFSET), WHOLE] = 0


class LabelQuery(Shape):
    """What is asked, in the query language of the wire."""

    filter: Filter = {}
    sort: Sortings = []
    paging: LabelPaging = LabelPaging()


class AskedLabels(Shape):
    """What labels are looked for."""

    query: LabelQuery = Field(LabelQuery(), examples=[{"filter": {"displayName": {"$startsWith": "V"}}}])


def find_label(request, key: str) -> ContactLabel:
    """Return the business's label, or refuse with 404."""
    return find(request.business.contact_labels, "LABEL_NOT_FOUND", key=key.removeprefix(LABEL_PREFIX))


@operation(router, "POST", "/labels", verb="contact_label.create", answers=MadeContactLabel, inside="", paths=PATHS)
def find_or_create_label(request, body: NewContactLabel):
    """Find the label of that name, whatever its capitals, or create it."""
    label = ContactLabel.find_or_create(request.business, body.display_name, by=request.actor)
    return {"label": label_shape(label), "newLabel": label.is_new}


@operation(router, "GET", "/labels", verb="contact.view", answers=ContactLabels)
def list_contact_labels(request, wanted: Query[WantedLabels]):
    """List the labels that contacts may wear."""
    rows = request.business.contact_labels.filter(name__istartswith=wanted.starts_with)
    return _page(rows, [], wanted.limit, wanted.offset)


@operation(router, "POST", "/labels/query", verb="contact.view", answers=ContactLabels, refuses=QUERIED)
def query_contact_labels(request, body: AskedLabels):
    """Look for labels by `key`, `displayName`, `createdDate` and `updatedDate`."""
    query = body.query
    rows = request.business.contact_labels.filter(filters.read(query.filter, LABEL_FIELDS))
    return _page(rows, query.sort, query.paging.limit, query.paging.offset)


@operation(router, "GET", "/labels/{key}", verb="contact.view", answers=ContactLabelAnswer)
def get_contact_label(request, key: str):
    """Get a label."""
    return {"label": label_shape(find_label(request, key))}


@operation(
    router,
    "PATCH",
    "/labels/{key}",
    verb="contact_label.update",
    answers=ContactLabelAnswer,
    inside="label",
    paths={"name": "label.displayName"},
)
def update_contact_label(request, key: str, body: ChangedContactLabel):
    """Rename a label; every contact that wears it shows the change, its key stays."""
    label = find_label(request, key)
    label.update(name=body.label.display_name, by=request.actor)
    return {"label": label_shape(label)}


@operation(router, "DELETE", "/labels/{key}", verb="contact_label.delete", answers=Nothing)
def delete_contact_label(request, key: str):
    """Delete a label and take it off every contact."""
    find_label(request, key).delete_everywhere(by=request.actor)
    return {}


def _page(rows, sort: list[Sorting], limit: int, offset: int) -> dict:
    if unknown := [one.field_name for one in sort if one.field_name not in SORTED_BY]:
        says = f"Labels are sorted by {', '.join(SORTED_BY)}."
        raise Refused(400, "UNSUPPORTED_SORT_FIELD", says, fieldName=unknown[0])
    total = rows.count()
    page = in_order(rows, [f"{one.field_name}:{one.order}" for one in sort] or ["displayName"], SORTED_BY)
    shown = [label_shape(label) for label in page[offset : offset + limit]]
    return {"labels": shown, "pagingMetadata": {"count": len(shown), "offset": offset, "total": total}}
