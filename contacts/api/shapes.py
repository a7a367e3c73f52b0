"""What contacts and their labels look like on the wire (the shapes of Wix Contacts v4), and how they get there."""

import datetime as dt
import uuid
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
)

from accounts import rest
from accounts.openapi import code, refuses
from accounts.rest import (
    LARGEST_OFFSET,
    LARGEST_PAGE,
    MOST_AT_ONCE,
    WHOLE,
    Id,
    Moment,
    ReadOnly,
    Refused,
    Shape,
    YesOrNo,
    email,
    in_millis,
    text,
)
from accounts.verbs import refusal
from contacts.filters import LABEL_PREFIX
from contacts.models import Address, Contact, ContactLabel, EmailAddress, PhoneNumber
from contacts.models.contact import LOCALE, MOST_EXTENDED, MOST_PARTS, e164_of

# What this resource calls the refusals of its verbs.
CODES = {
    "stale": (409, "CONTACT_ALREADY_CHANGED"),
    "twin": (409, "DUPLICATE_CONTACT_EXISTS"),
    "archived": (409, "CONTACT_ARCHIVED"),
    "external_id": (409, "EXTERNAL_ID_TAKEN"),
    "label_exists": (409, "LABEL_EXISTS"),
    "label_not_found": (404, "LABEL_NOT_FOUND"),
    "nobody": (400, "INSUFFICIENT_CONTACT_DATA"),
    "merge_sources": (400, "ILLEGAL_SOURCE_CONTACTS"),
    "merge_itself": (400, "ILLEGAL_SOURCE_CONTACTS"),
}
code("CONTACT_NOT_FOUND", 404, why="there is no such contact in this business")
code("LABEL_NOT_FOUND", 404, why="there is no such label in this business")
code("CONTACT_ALREADY_CHANGED", 409, 412, why="the revision is not the present one; `data` shows what is")
code("DUPLICATE_CONTACT_EXISTS", 409, why="somebody has this email or phone; `data` says who")
code("CONTACT_ARCHIVED", 409, why="what is archived does not change; restore it first")
code("EXTERNAL_ID_TAKEN", 409, why="another one has this external id")
code("LABEL_EXISTS", 409, why="there is a label of this name")
code("INSUFFICIENT_CONTACT_DATA", 400, why="a contact has a name, an email or a phone")
code("ILLEGAL_SOURCE_CONTACTS", 400, why="these contacts cannot be merged into this one")
code("CANNOT_HAVE_MULTIPLE_PRIMARY_INFO", 400, why="two emails or phones of a contact are called the primary one")
code("ILLEGAL_LIMIT", 400, why="a page is too large, or begins too far away")
code("UNSUPPORTED_FIELD", 400, why="a contact has no such field")
code("UNSUPPORTED_SORT_FIELD", 400, why="the list cannot be sorted by this")
code("MALFORMED_FILTER", 400, why="the filter is not written as the query language asks")
code("UNSUPPORTED_FILTER_FIELD", 400, why="a filter asks for a field that there is not")
code("UNSUPPORTED_FILTER_OPERATOR", 400, why="a filter compares a field in a way it cannot be compared")
code("UNSUPPORTED_FILTER_VALUE", 400, why="a filter compares a field with a value of another kind")

WRITTEN = "CONTACT_ALREADY_CHANGED INSUFFICIENT_CONTACT_DATA CANNOT_HAVE_MULTIPLE_PRIMARY_INFO LABEL_NOT_FOUND"
refuses(
    "contact.create contact.update",
    f"CONTACT_NOT_FOUND {WRITTEN} DUPLICATE_CONTACT_EXISTS EXTERNAL_ID_TAKEN CONTACT_ARCHIVED",
)
refuses("contact.delete", "CONTACT_NOT_FOUND CONTACT_ALREADY_CHANGED CONTACT_ARCHIVED")
refuses("contact.merge", "ILLEGAL_SOURCE_CONTACTS CONTACT_ALREADY_CHANGED CONTACT_ARCHIVED")
refuses("contact_label.update", "LABEL_EXISTS")
QUERIED = (
    "ILLEGAL_LIMIT UNSUPPORTED_FIELD UNSUPPORTED_SORT_FIELD MALFORMED_FILTER UNSUPPORTED_FILTER_FIELD "
    "UNSUPPORTED_FILTER_OPERATOR UNSUPPORTED_FILTER_VALUE"
)

# Where the model's fields stand in an `info`.
PATHS = {
    "given_name": "info.name.first",
    "family_name": "info.name.last",
    "emails": "info.emails.items",
    "email": "info.emails.items.email",
    "phones": "info.phones.items",
    "phone": "info.phones.items.phone",
    "country": "info.phones.items.countryCode",
    "addresses": "info.addresses.items",
    "address": "info.addresses.items.address",
    "labels": "info.labelKeys.items",
    "extended": "info.extendedFields.items",
    "revision": "revision",
}
operation = partial(rest.operation, codes=CODES, inside="info", paths=PATHS)
each = partial(rest.each, codes=CODES, inside="info", paths=PATHS)


# Contacts ---------------------------------------------------------------------------------------------


def _is_day(value: str | None) -> str | None:
    if value is not None:
        dt.date.fromisoformat(value)
    return value


EmailText = email(EmailAddress, "email")
Day = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
    AfterValidator(_is_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["1980-02-29"]}),
]
Locale = Annotated[str, StringConstraints(max_length=35, pattern=LOCALE), Field(examples=["pt-BR"])]
Country = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$"), Field(examples=["DE"])]
Keys = Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=MOST_AT_ONCE)]
EmailTag = Literal["UNTAGGED", "MAIN", "HOME", "WORK"]
PhoneTag = Literal["UNTAGGED", "MAIN", "HOME", "WORK", "MOBILE", "FAX"]
AddressTag = Literal["UNTAGGED", "MAIN", "HOME", "WORK", "BILLING", "SHIPPING"]
ExtendedValue = StrictBool | StrictInt | StrictFloat | Annotated[str, StringConstraints(max_length=1000)] | None


class PersonName(Shape):
    """What a person is called."""

    first: text(Contact, "given_name") | None = None
    last: text(Contact, "family_name") | None = None


class Email(Shape):
    """An e-mail address."""

    id: ReadOnly = None
    tag: EmailTag = "UNTAGGED"
    email: EmailText = Field(examples=["ines@example.com"])
    primary: YesOrNo = Field(False, description="At most one is; without, the first is.")


class Emails(Shape):
    """E-mail addresses."""

    items: Annotated[list[Email], Field(max_length=MOST_PARTS)] = []


class Phone(Shape):
    """A phone number as it was written."""

    id: ReadOnly = None
    tag: PhoneTag = "UNTAGGED"
    country_code: Country | None = None
    phone: text(PhoneNumber, "phone", 1)
    e164_phone: ReadOnly = None
    primary: YesOrNo = Field(False, description="At most one is; without, the first is.")


class Phones(Shape):
    """Phone numbers."""

    items: Annotated[list[Phone], Field(max_length=MOST_PARTS)] = []


class PostalAddress(Shape):
    """A postal address: kept and answered as `formattedAddress`, in lines; its parts are put together when sent."""

    formatted_address: text(Address, "address") | None = None
    address_line: text(Address, "address") | None = None
    address_line2: text(Address, "address") | None = None
    postal_code: text(Address, "address") | None = None
    city: text(Address, "address") | None = None
    subdivision: text(Address, "address") | None = None
    country: text(Address, "address") | None = None


class TaggedAddress(Shape):
    """A postal address and what it is for."""

    id: ReadOnly = None
    tag: AddressTag = "UNTAGGED"
    address: PostalAddress


class Addresses(Shape):
    """Postal addresses."""

    items: Annotated[list[TaggedAddress], Field(max_length=MOST_PARTS)] = []


class LabelKeys(Shape):
    """Labels by their keys; all must exist."""

    items: Keys = []


class ExtendedFields(Shape):
    """What programs keep at a contact, by name. Those that are not sent stay, null takes one out."""

    items: Annotated[dict[str, ExtendedValue], Field(max_length=MOST_EXTENDED)] = {}


class ContactFields(Shape):
    """What a program says of a contact. Lists are sent whole; what is left out of an update stays, null empties."""

    name: PersonName | None = Field(None, examples=[{"first": "Ines", "last": "Brunet"}])
    emails: Emails | None = Field(None, examples=[{"items": [{"email": "ines@example.com"}]}])
    phones: Phones | None = None
    addresses: Addresses | None = None
    company: text(Contact, "company") | None = None
    job_title: text(Contact, "job_title") | None = None
    birthdate: Day | None = None
    locale: Locale | None = None
    label_keys: LabelKeys | None = None
    extended_fields: ExtendedFields | None = None
    notes: text(Contact, "notes") | None = None
    source: text(Contact, "source") | None = Field(None, description="How they came: a fair, a friend, the web.")
    external_id: text(Contact, "external_id") | None = Field(None, description="Its id in your system.")


class Source(Shape):
    """Which kind of thing made the contact; the wire's list has no better word for ours."""

    source_type: Literal["OTHER"]


class LastActivity(Shape):
    """When the contact was changed last."""

    activity_date: Moment
    activity_type: Literal["CONTACT_CREATED", "GENERAL"]


class PrimaryInfo(Shape):
    """The e-mail and phone to use first."""

    email: str = Field(None, examples=["ines@example.com"])
    phone: str = None


class KnownName(Shape):
    """What a person is called."""

    first: str = Field(None, examples=["Ines"])
    last: str = Field(None, examples=["Brunet"])


class KnownEmail(Shape):
    """An e-mail address; the first is the primary one."""

    id: Id
    tag: EmailTag
    email: str = Field(examples=["ines@example.com"])
    primary: bool


class KnownEmails(Shape):
    """E-mail addresses."""

    items: list[KnownEmail]


class KnownPhone(Shape):
    """A phone number as it was written, and as the whole world dials it."""

    id: Id
    tag: PhoneTag
    country_code: str = None
    phone: str = Field(examples=["030 123456"])
    e164_phone: str = None
    primary: bool


class KnownPhones(Shape):
    """Phone numbers."""

    items: list[KnownPhone]


class KnownPlace(Shape):
    """A postal address, in lines."""

    formatted_address: str = Field(examples=["Lindenweg 4\n10115 Berlin"])


class KnownAddress(Shape):
    """A postal address and what it is for."""

    id: Id
    tag: AddressTag
    address: KnownPlace


class KnownAddresses(Shape):
    """Postal addresses."""

    items: list[KnownAddress]


class KnownLabelKeys(Shape):
    """Labels by their keys."""

    items: list[str]


class KnownFields(Shape):
    """What programs keep at a contact, by name."""

    items: dict[str, bool | int | float | str]


class ContactInfo(Shape):
    """All that is known of a contact, or as much of it as was asked for; what is not set is left out."""

    name: KnownName = None
    emails: KnownEmails = None
    phones: KnownPhones = None
    addresses: KnownAddresses = None
    company: str = None
    job_title: str = None
    birthdate: Day = None
    locale: str = None
    label_keys: KnownLabelKeys = None
    extended_fields: KnownFields = None
    notes: str = None
    source: str = None
    external_id: str = Field(None, examples=["crm-7"])


class ContactShape(Shape):
    """A contact, or as much of it as was asked for."""

    id: Id
    revision: int = Field(description="Rises by every change; sent back with an update.", examples=[3])
    source: Source = None
    created_date: Moment = None
    updated_date: Moment = None
    archived_date: Moment = Field(None, description="Since when it is out of the lists.")
    last_activity: LastActivity = None
    primary_info: PrimaryInfo = None
    info: ContactInfo = None


class ContactAnswer(Shape):
    """A contact."""

    contact: ContactShape


class PagingMetadata(Shape):
    """Which part of a list this is; total counts all matches, count those returned."""

    count: int
    offset: int
    total: int


TEXTS = ("company", "job_title", "locale", "notes", "source", "external_id")


def sent_parts(business, info: ContactFields, *, new: bool) -> dict:
    """Return what was sent of a contact as `Contact.create` (new) or `update` takes it.

    Raises Refused for two primary ones, ValidationError for a label that does not exist.
    """
    sent = info.model_fields_set
    parts = {key: getattr(info, key) or "" for key in TEXTS if key in sent}
    if "name" in sent:
        name = info.name or PersonName(first=None, last=None)
        named = {"given_name": "first", "family_name": "last"}
        parts |= {key: getattr(name, part) or "" for key, part in named.items() if part in name.model_fields_set}
    if "birthdate" in sent:
        parts["birthdate"] = dt.date.fromisoformat(info.birthdate) if info.birthdate else None
    if "emails" in sent:
        parts["emails"] = [(one.email, _tag(one)) for one in _primary_first(info.emails)]
    if "phones" in sent:
        parts["phones"] = [(one.phone, _tag(one), one.country_code or "") for one in _primary_first(info.phones)]
    if "addresses" in sent:
        parts["addresses"] = [(_lines(one.address), _tag(one)) for one in (info.addresses or Addresses()).items]
    if "label_keys" in sent:
        parts["labels"] = labels_of(business, (info.label_keys or LabelKeys()).items)
    if info.extended_fields:
        extend = info.extended_fields.items
        given = {"extended": {key: value for key, value in extend.items() if value is not None}}
        parts |= given if new else {"extend": extend}
    elif "extended_fields" in sent:
        parts["extended"] = {}
    return parts


def labels_of(business, keys: list[str]) -> list[ContactLabel]:
    """Return the business's labels with these keys; raises ValidationError for one that does not exist."""
    known = {label.key: label for label in business.contact_labels.all()} if keys else {}
    found = [known.get(key.removeprefix(LABEL_PREFIX)) for key in keys]
    if None in found:
        raise refusal("labels", "There is no such label; make it first.", "label_not_found")
    return found


def contact_shape(contact: Contact, parts: dict | None = None) -> dict:
    """Return a contact; parts: what it has, unless that is to be read from it."""
    parts = contact.parts() if parts is None else parts
    changed = in_millis(contact.updated_at)
    shape = {
        "id": str(contact.pk),
        "revision": contact.revision,
        "source": {"sourceType": "OTHER"},
        "createdDate": in_millis(contact.created_at),
        "updatedDate": changed,
        # Each revision is one event of the ledger, so there is no need to look there.
        "lastActivity": {
            "activityDate": changed,
            "activityType": "CONTACT_CREATED" if contact.revision == 1 else "GENERAL",
        },
        "primaryInfo": {key: parts[f"{key}s"][0][0] for key in ("email", "phone") if parts[f"{key}s"]},
        "info": _info(contact, parts),
    }
    if contact.archived_at:
        shape["archivedDate"] = in_millis(contact.archived_at)
    return shape


def _info(contact: Contact, parts: dict) -> dict:
    named = {"first": contact.given_name, "last": contact.family_name}
    info = {"name": {key: value for key, value in named.items() if value}}
    info["emails"] = {
        "items": [
            {"id": _part_id(contact, email), "tag": tag.upper() or "UNTAGGED", "email": email, "primary": not at}
            for at, (email, tag) in enumerate(parts["emails"])
        ]
    }
    info["phones"] = {"items": [_phone(contact, at, *phone) for at, phone in enumerate(parts["phones"])]}
    info["addresses"] = {
        "items": [
            {
                "id": _part_id(contact, lines),
                "tag": tag.upper() or "UNTAGGED",
                "address": {"formattedAddress": lines},
            }
            for lines, tag in parts["addresses"]
        ]
    }
    info["labelKeys"] = {"items": [LABEL_PREFIX + label.key for label in parts["labels"]]}
    info["extendedFields"] = {"items": contact.extended}
    told = {
        "company": contact.company,
        "jobTitle": contact.job_title,
        "birthdate": contact.birthdate and contact.birthdate.isoformat(),
        "locale": contact.locale,
        "notes": contact.notes,
        "source": contact.source,
        "externalId": contact.external_id,
    }
    return info | {key: value for key, value in told.items() if value}


def _phone(contact: Contact, at: int, phone: str, tag: str, country: str) -> dict:
    shape = {"id": _part_id(contact, phone), "tag": tag.upper() or "UNTAGGED"}
    if country:
        shape["countryCode"] = country
    shape["phone"] = phone
    if e164 := e164_of(phone):
        shape["e164Phone"] = e164
    return shape | {"primary": not at}


def _part_id(contact: Contact, value: str) -> str:
    """Return the id of an e-mail, phone or address: the same for as long as the contact has it, whatever its place."""
    return str(uuid.uuid5(contact.pk, value))


def _tag(one) -> str:
    return "" if one.tag == "UNTAGGED" else one.tag.lower()


def _primary_first(sent: Emails | Phones | None) -> list:
    items = sent.items if sent else []
    if sum(one.primary for one in items) > 1:
        raise Refused(400, "CANNOT_HAVE_MULTIPLE_PRIMARY_INFO", "Only one e-mail and one phone can be primary.")
    return sorted(items, key=lambda one: not one.primary)


def _lines(address: PostalAddress) -> str:
    if address.formatted_address:
        return address.formatted_address
    town = " ".join(filter(None, (address.postal_code, address.city)))
    lines = (address.address_line, address.address_line2, town, address.subdivision, address.country)
    return "\n".join(filter(None, lines))


# Parts of contacts ------------------------------------------------------------------------------------

FIELDSETS = {
    "BASIC": ("info.name", "primaryInfo"),
    "COMMUNICATION_DETAILS": ("info.name", "primaryInfo", "info.emails", "info.phones"),
    "EXTENDED": ("info.name", "primaryInfo", "info.extendedFields"),
    "FULL": (),
}
IN_INFO = (
    "name name.first name.last emails phones addresses company jobTitle birthdate locale labelKeys extendedFields notes "
    "source externalId"
).split()
KNOWN = {
    *"id revision source createdDate updatedDate archivedDate lastActivity info".split(),
    *("primaryInfo", "primaryInfo.email", "primaryInfo.phone"),
    *(f"info.{name}" for name in IN_INFO),
}
Fields = Annotated[
    list[Annotated[str, Field(max_length=100)]],
    Field(max_length=50, description="Only these fields, as in info.name.first, besides id and revision."),
]
Fieldsets = Annotated[
    list[Literal["BASIC", "COMMUNICATION_DETAILS", "EXTENDED", "FULL"]],
    Field(max_length=4, description="Groups of fields; without fields and fieldsets everything is answered."),
]


def projection(fields: list[str], fieldsets: list[str]):
    """Return a function that leaves of a contact only what is wanted; raises Refused for a field that is none."""
    paths = {*fields, *(path for name in fieldsets for path in FIELDSETS[name])}
    if unknown := sorted(paths - KNOWN):
        raise Refused(400, "UNSUPPORTED_FIELD", f"A contact has no {unknown[0][:100]}.")
    if not paths or "FULL" in fieldsets:
        return lambda contact: contact
    return lambda contact: {key: contact[key] for key in ("id", "revision")} | _only(contact, paths)


def _only(contact: dict, paths: set[str]) -> dict:
    kept = {}
    for path in sorted(paths):
        found, place = contact, kept
        *ways, last = path.split(".")
        for way in ways:
            found, place = found.get(way, {}), place.setdefault(way, {})
        if last in found:
            place[last] = found[last]
    return kept


# Asking -----------------------------------------------------------------------------------------------


# Limits are the page's business: beyond them it answers ILLEGAL_LIMIT.
PageLimit = Annotated[
    int, Field(description="50 when not sent.", json_schema_extra={"minimum": 0, "maximum": LARGEST_PAGE})
]
PageOffset = Annotated[int, Field(json_schema_extra={"minimum": 0, "maximum": LARGEST_OFFSET})]


class Sorting(Shape):
    """One field to sort by."""

    field_name: Annotated[str, Field(max_length=100)]
    order: Literal["ASC", "DESC"] = "ASC"


class Paging(Shape):
    """Which part of a list to answer."""

    limit: Annotated[PageLimit, WHOLE] = None
    offset: Annotated[PageOffset, WHOLE] = 0


Sortings = Annotated[
    list[Sorting], BeforeValidator(lambda value: [value] if isinstance(value, dict) else value), Field(max_length=5)
]
Filter = Annotated[Any, WithJsonSchema({"type": "object", "additionalProperties": True})]


class QueryShape(Shape):
    """What is asked, in the query language of the wire."""

    filter: Filter = Field({}, description="Fields with $eq, $ne, $gt …, joined by $and, $or and $not.")
    sort: Sortings = []
    paging: Paging = Paging()
    fields: Fields = []
    fieldsets: Fieldsets = []


# Labels -----------------------------------------------------------------------------------------------


class ContactLabelShape(Shape):
    """A label of contacts; its key stays whatever it is called."""

    namespace: str = Field(examples=[LABEL_PREFIX.rstrip(".")])
    namespace_display_name: str = Field(examples=["Labels"])
    key: str = Field(examples=[LABEL_PREFIX + "vip"])
    display_name: str = Field(examples=["VIP"])
    label_type: Literal["USER_DEFINED"]
    created_date: Moment
    updated_date: Moment


class ContactLabelFields(Shape):
    """What a program says of a label of contacts."""

    display_name: text(ContactLabel, "name", 1) = Field(examples=["VIP"])
    namespace: ReadOnly = None
    namespace_display_name: ReadOnly = None
    key: ReadOnly = None
    label_type: ReadOnly = None
    created_date: ReadOnly = None
    updated_date: ReadOnly = None


def label_shape(label: ContactLabel) -> dict:
    """Return a label."""
    return {
        "namespace": LABEL_PREFIX.rstrip("."),
        "namespaceDisplayName": "Labels",
        "key": LABEL_PREFIX + label.key,
        "displayName": label.name,
        "labelType": "USER_DEFINED",
        "createdDate": in_millis(label.created_at),
        "updatedDate": in_millis(label.updated_at),
    }
