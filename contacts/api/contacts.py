"""Contacts over the API, many at once, and merging them."""

from typing import Annotated
from uuid import UUID

from ninja import Query, Router
from pydantic import Field, StringConstraints

from accounts.rest import (
    LARGEST_OFFSET,
    LARGEST_PAGE,
    MOST_AT_ONCE,
    BulkResult,
    ExternalId,
    Nothing,
    Put,
    Refused,
    Revision,
    Shape,
    YesOrNo,
    expected,
    find,
    in_order,
    mark,
    put,
    under,
)
from accounts.verbs import in_one, refusal
from contacts import filters, merging
from contacts.api.shapes import (
    PATHS,
    QUERIED,
    ContactAnswer,
    ContactFields,
    ContactShape,
    Fields,
    Fieldsets,
    Keys,
    PageLimit,
    PageOffset,
    PagingMetadata,
    QueryShape,
    Sorting,
    contact_shape,
    each,
    labels_of,
    operation,
    projection,
    sent_parts,
)
from contacts.models import Contact

router = Router(tags=["Contacts"])

A_PAGE = 50
SORTED_BY = {
    "id": "id",
    "createdDate": "created_at",
    "updatedDate": "updated_at",
    "lastActivity.activityDate": "updated_at",
    "primaryInfo.email": "email",
    "primaryInfo.phone": "phone",
    "info.name.first": "given_name",
    "info.name.last": "family_name",
    "info.company": "company",
    "info.jobTitle": "job_title",
    "info.externalId": "external_id",
}
NEWEST = Sorting(fieldName="createdDate", order="DESC")


class NewContact(Shape):
    """A contact to make: at least a name, a company, an e-mail or a phone."""

    info: ContactFields
    allow_duplicates: YesOrNo = Field(False, description="Make it even when somebody has the same e-mail (or phone).")


class ChangedContact(Shape):
    """What changes of a contact."""

    revision: Revision = None
    info: ContactFields
    allow_duplicates: YesOrNo = False


class WantedFields(Shape):
    """Which fields to answer."""

    fields: Fields = []
    fieldsets: Fieldsets = []


class WantedContacts(WantedFields):
    """Which contacts to list: the newest first, unless told otherwise."""

    sort_field_name: str = Field("createdDate", alias="sort.fieldName", max_length=100)
    sort_order: Annotated[str, StringConstraints(pattern="^(ASC|DESC)$")] = Field("DESC", alias="sort.order")
    limit: PageLimit = Field(None, alias="paging.limit")
    offset: PageOffset = Field(0, alias="paging.offset")
    external_id: Annotated[str, Field(max_length=200)] = ""
    fetch_archived: bool = Field(False, description="List those that are archived, and only those.")


class Asked(Shape):
    """What contacts are looked for."""

    search: Annotated[str, StringConstraints(max_length=100)] = Field(
        "", description="Every word of it occurs in the name, company, an e-mail or a phone."
    )
    query: QueryShape = Field(
        QueryShape(), examples=[{"filter": {"info.company": {"$startsWith": "Bri"}}, "paging": {"limit": 20}}]
    )
    fetch_archived: YesOrNo = Field(False, description="Look among those that are archived, and only those.")


class Contacts(Shape):
    """A part of the contacts."""

    contacts: list[ContactShape]
    paging_metadata: PagingMetadata


class SentLabels(Shape):
    """Labels by their keys; all must exist."""

    label_keys: Keys


class Merging(Shape):
    """Which contacts become part of the one in the address."""

    target_contact_revision: Revision = None
    source_contact_ids: Annotated[list[UUID], Field(min_length=1, max_length=merging.MOST_SOURCES)]


class ContactIds(Shape):
    """Contacts by their ids, up to 500."""

    contact_ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST_AT_ONCE)]


class BulkLabels(ContactIds):
    """Labels to put on and to take off contacts."""

    label_keys_to_add: Keys = []
    label_keys_to_remove: Keys = []


class BulkChange(Shape):
    """What changes of one contact; without a revision, whatever it is now."""

    id: UUID
    revision: Revision = None
    info: ContactFields


class BulkChanges(Shape):
    """What changes of contacts, up to 500."""

    contacts: Annotated[list[BulkChange], Field(min_length=1, max_length=MOST_AT_ONCE)]
    allow_duplicates: YesOrNo = False


def find_contact(request, contact) -> Contact:
    """Return the business's contact, or refuse with 404."""
    return find(request.business.contacts.for_page(), "CONTACT_NOT_FOUND", pk=contact)


def show_contact(request, contact, **elsewhere) -> dict:
    """Return a contact as it is now, with its revision as the ETag."""
    return _shown(request, find_contact(request, contact))


# Lists ----------------------------------------------------------------------------------------------
# They come before one contact: otherwise `query` would be taken for its id.


@operation(router, "GET", "/contacts", verb="contact.view", answers=Contacts, refuses=QUERIED)
def list_contacts(request, wanted: Query[WantedContacts]):
    """List contacts."""
    rows = _rows(request, fetch_archived=wanted.fetch_archived)
    rows = under(rows, wanted.external_id) if wanted.external_id else rows
    sort = Sorting(fieldName=wanted.sort_field_name, order=wanted.sort_order)
    return _page(rows, [sort], wanted.limit, wanted.offset, projection(wanted.fields, wanted.fieldsets))


@operation(router, "POST", "/contacts/query", verb="contact.view", answers=Contacts, refuses=QUERIED)
def query_contacts(request, body: Asked):
    """Look for contacts, by words, by a filter, or both.

    Texts are compared with `$eq`, `$ne`, `$in`, `$nin`, `$startsWith` (whatever the capitals), `$exists` and `$isEmpty`;
    dates and numbers also with `$gt`, `$gte`, `$lt` and `$lte`; `info.emails.email`, `info.phones.phone` and
    `info.labelKeys.items` also with `$hasAll` and `$hasSome`. What is no such filter is refused with MALFORMED_FILTER,
    UNSUPPORTED_FILTER_FIELD, UNSUPPORTED_FILTER_OPERATOR or UNSUPPORTED_FILTER_VALUE.
    """
    query = body.query
    rows = _rows(request, fetch_archived=body.fetch_archived).matching(body.search).filter(filters.read(query.filter))
    only = projection(query.fields, query.fieldsets)
    return _page(rows, query.sort or [NEWEST], query.paging.limit, query.paging.offset, only)


# One contact ------------------------------------------------------------------------------------------


@operation(router, "POST", "/contacts", verb="contact.create", answers=ContactAnswer)
def create_contact(request, body: NewContact):
    """Create a contact.

    Unless duplicates are allowed, an e-mail that a live contact has already (without e-mails: a phone) is refused with
    409 DUPLICATE_CONTACT_EXISTS and `duplicateContactId`, also when both come at the same moment.
    """
    return show_contact(request, _create(request, body).pk)


@operation(
    router, "GET", "/contacts/{contact}", verb="contact.view", answers=ContactAnswer, refuses="UNSUPPORTED_FIELD"
)
def get_contact(request, contact: UUID, wanted: Query[WantedFields]):
    """Get a contact, archived or not; for one that was merged away, the one it is part of now."""
    only = projection(wanted.fields, wanted.fieldsets)
    try:
        found = find_contact(request, contact)
    except Refused:
        found = merging.heir_of(request.business, contact)
        if found is None:
            raise
    mark(request, found.revision)
    return {"contact": only(contact_shape(found))}


@operation(router, "PATCH", "/contacts/{contact}", verb="contact.update", answers=ContactAnswer, shows=show_contact)
def update_contact(request, contact: UUID, body: ChangedContact):
    """Change a contact; what is left out stays.

    The revision that was read last must be sent, here or as If-Match: when it is not the present one, 409
    CONTACT_ALREADY_CHANGED (412 for If-Match) shows the contact as it is now.
    """
    found = find_contact(request, contact)
    revision = expected(request, body.revision)
    if revision is None and request.headers.get("If-Match", "").strip() != "*":  # which says: whatever it is by now
        raise refusal("revision", "Send the revision that was read last, or If-Match.", "required")
    parts = sent_parts(request.business, body.info, new=False)
    found.update(**parts, revision=revision, only_if_new=not body.allow_duplicates, by=request.actor)
    return show_contact(request, contact)


@operation(router, "DELETE", "/contacts/{contact}", verb="contact.delete", answers=Nothing, shows=show_contact)
def delete_contact(request, contact: UUID):
    """Delete a contact for good; its cards stay, without it. The history tells it as archived, then deleted."""
    _delete(request, find_contact(request, contact), expected(request))
    return {}


@operation(
    router,
    "GET",
    "/contacts/by-external-id/{path:external_id}",
    verb="contact.view",
    answers=ContactAnswer,
    refuses="CONTACT_NOT_FOUND UNSUPPORTED_FIELD",
)
def get_contact_by_external_id(request, external_id: ExternalId, wanted: Query[WantedFields]):
    """Get the contact that your system calls so."""
    only = projection(wanted.fields, wanted.fieldsets)
    found = find(under(request.business.contacts.for_page(), external_id), "CONTACT_NOT_FOUND")
    mark(request, found.revision)
    return {"contact": only(contact_shape(found))}


@operation(router, "PUT", "/contacts/by-external-id/{path:external_id}", verb="contact.update", answers=Put)
def put_contact(request, external_id: ExternalId, body: NewContact):
    """Create the contact that your system calls so, or change it; of an existing one what is left out stays.

    Two at the same moment make one contact. An e-mail that another contact has is refused like in Create Contact.
    """
    body.info.external_id = external_id
    changes = sent_parts(request.business, body.info, new=False)
    only_if_new = not body.allow_duplicates
    return put(
        request.business.contacts.all(),
        external_id,
        make=lambda: _create(request, body),
        change=lambda contact: contact.update(**changes, only_if_new=only_if_new, by=request.actor),
    )


# Labels of a contact ----------------------------------------------------------------------------------


@operation(
    router,
    "POST",
    "/contacts/{contact}/labels",
    verb="contact.update",
    answers=ContactAnswer,
    shows=show_contact,
    paths={"labels": "labelKeys"},
)
def label_contact(request, contact: UUID, body: SentLabels):
    """Put labels on a contact; those it wears already are no news."""
    _relabel(request, contact, add=labels_of(request.business, body.label_keys))
    return show_contact(request, contact)


@operation(
    router,
    "DELETE",
    "/contacts/{contact}/labels",
    verb="contact.update",
    answers=ContactAnswer,
    shows=show_contact,
    paths={"labels": "labelKeys"},
)
def unlabel_contact(request, contact: UUID, body: SentLabels):
    """Take labels off a contact; those it does not wear are no news."""
    _relabel(request, contact, remove=labels_of(request.business, body.label_keys))
    return show_contact(request, contact)


# Merging ----------------------------------------------------------------------------------------------


@operation(
    router,
    "POST",
    "/contacts/{contact}/merge",
    verb="contact.merge",
    answers=ContactAnswer,
    shows=show_contact,
    paths=PATHS | {"revision": "targetContactRevision"},
)
def merge_contacts(request, contact: UUID, body: Merging):
    """Make contacts part of this one, for good: it keeps all it has and takes over what it lacks, their cards and orders.

    Its revision must be sent, here or as If-Match. The sources are deleted; getting one answers this contact from then on.
    """
    target, sources = _to_merge(request, contact, body)
    revision = expected(request, body.target_contact_revision)
    if revision is None:
        raise refusal("revision", "Send the revision that was read last, or If-Match.", "required")
    merging.merge(target, sources, revision=revision, by=request.actor)
    return show_contact(request, contact)


@operation(
    router,
    "POST",
    "/contacts/{contact}/preview-merge",
    verb="contact.view",
    answers=ContactAnswer,
    refuses="ILLEGAL_SOURCE_CONTACTS",
)
def preview_merge_contacts(request, contact: UUID, body: Merging):
    """Show what a merge would make of the contact, without making it."""
    target, sources = _to_merge(request, contact, body)
    merging.refuse_impossible(target, sources)
    made = merging.outcome(target, sources)
    for key, value in made.fields.items():
        setattr(target, key, value)
    return {"contact": contact_shape(target, made.parts)}


# Many at once -----------------------------------------------------------------------------------------


@operation(router, "POST", "/bulk/contacts/delete", verb="contact.delete", answers=BulkResult, bulk=True)
def bulk_delete_contacts(request, body: ContactIds):
    """Delete up to 500 contacts for good, each by itself.

    All bulk operations take ids, not a filter, so that nothing is changed that was not seen, and answer at once: there are
    no jobs to ask for afterwards.
    """

    def delete(contact):
        _delete(request, find_contact(request, contact), None)
        return {"id": str(contact)}

    return each(request, body.contact_ids, delete, _named)


@operation(router, "POST", "/bulk/contacts/update", verb="contact.update", answers=BulkResult, bulk=True)
def bulk_update_contacts(request, body: BulkChanges):
    """Change up to 500 contacts, each by itself; what is left out stays."""

    def update(item):
        found = find_contact(request, item.id)
        parts = sent_parts(request.business, item.info, new=False)
        found.update(**parts, revision=item.revision, only_if_new=not body.allow_duplicates, by=request.actor)
        return {"id": str(item.id)}

    return each(request, body.contacts, update, lambda item: _named(item.id))


@operation(
    router,
    "POST",
    "/bulk/contacts/add-remove-labels",
    verb="contact.update",
    answers=BulkResult,
    bulk=True,
    paths={"labels": "labelKeysToAdd"},
)
def bulk_label_contacts(request, body: BulkLabels):
    """Put labels on up to 500 contacts and take others off."""
    add, remove = (labels_of(request.business, keys) for keys in (body.label_keys_to_add, body.label_keys_to_remove))

    def relabel(contact):
        _relabel(request, contact, add=add, remove=remove)
        return {"id": str(contact)}

    return each(request, body.contact_ids, relabel, _named)


# How it is done ---------------------------------------------------------------------------------------


def _create(request, body: NewContact) -> Contact:
    parts = sent_parts(request.business, body.info, new=True)
    return Contact.create(request.business, **parts, only_if_new=not body.allow_duplicates, by=request.actor)


def _delete(request, contact: Contact, revision: int | None) -> None:
    def delete():
        contact.refuse_unless_at(revision)
        contact.archive(by=request.actor)
        contact.delete_for_good(by=request.actor)

    in_one(delete)


def _relabel(request, contact, *, add=(), remove=()) -> None:
    found = find_contact(request, contact)

    def relabel():
        found.refuse_unless_at(expected(request))
        found.relabel(add=add, remove=remove, by=request.actor)

    in_one(relabel)


def _to_merge(request, contact, body: Merging) -> tuple[Contact, list[Contact]]:
    target = find_contact(request, contact)
    found = {one.pk: one for one in request.business.contacts.for_page().filter(pk__in=body.source_contact_ids)}
    if len(found) < len(set(body.source_contact_ids)):
        raise Refused(404, "CONTACT_NOT_FOUND", "There is no such source contact.")
    return target, [found[key] for key in body.source_contact_ids]


def _shown(request, contact: Contact) -> dict:
    mark(request, contact.revision)
    return {"contact": contact_shape(contact)}


def _named(contact) -> dict:
    return {"id": str(contact)}


def _rows(request, *, fetch_archived: bool):
    everybody = request.business.contacts
    return everybody.archived() if fetch_archived else everybody.live()


def _page(rows, sort: list[Sorting], limit: int | None, offset: int, only) -> dict:
    """Return the wanted part of the contacts: the same number of queries however many there are."""
    limit = A_PAGE if limit is None else limit
    if not 0 <= limit <= LARGEST_PAGE or not 0 <= offset <= LARGEST_OFFSET:
        raise Refused(400, "ILLEGAL_LIMIT", f"A page has 0 to {LARGEST_PAGE} contacts, from an offset of 0 or more on.")
    if unknown := [one.field_name for one in sort if one.field_name not in SORTED_BY]:
        says = f"Contacts are sorted by {', '.join(SORTED_BY)}."
        raise Refused(400, "UNSUPPORTED_SORT_FIELD", says, fieldName=unknown[0])
    page = in_order(rows, [f"{one.field_name}:{one.order}" for one in sort], SORTED_BY).defer("search").for_page()
    shown = [only(contact_shape(one)) for one in page[offset : offset + limit]]
    # A page that is neither full nor beyond the end says by itself how many there are.
    is_last = 0 < len(shown) < limit or (not offset and not shown and limit)
    total = offset + len(shown) if is_last else rows.count()
    return {"contacts": shown, "pagingMetadata": {"count": len(shown), "offset": offset, "total": total}}
