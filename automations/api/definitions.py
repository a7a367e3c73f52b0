"""Definitions as the Workflow API v4.1 has them: put, read by version or the latest, search.

A business is a retailer here, called by its number. Permissions hold in the context of a retailer: for a number that is not
the token's own business the API has a 401, which it gets where the number is part of what is asked; where it is part of an
address there is simply nothing, 404, as everywhere.
"""

import re
from contextlib import contextmanager
from typing import Any, Literal

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Collate
from ninja import Query, Router
from pydantic import ConfigDict, Field

from accounts.rest import LARGEST_OFFSET, LARGEST_PAGE, Refused, Shape, operation
from accounts.verbs import Stale
from automations.api.dialect import (
    PUTTING,
    READING,
    ErrorMessage,
    in_offset,
    refusal_of,
    refuse_another_retailer,
    warning_of,
)
from boards import checking, publishing
from boards.checking import BESIDE, DOCUMENT, ENTITY_TYPES, Part
from boards.definitions import Problem, Unfit
from boards.models import Definition

router = Router(tags=["Workflow definitions"])

SORTED_BY = {
    "createdOn": ("created_at",),
    "createdBy": ("author_name",),
    "name": ("name",),
    "version": ("major", "minor"),
    "entityType": ("workflow__entity_type",),
    "entitySubtype": ("workflow__entity_subtype",),
    "description": ("description",),
    "versionComment": ("comment",),
}
TEXTS = ("author_name", "name", "workflow__entity_type", "workflow__entity_subtype", "description", "comment")
SORT = f"^({'|'.join(SORTED_BY)})( (ASC|DESC|asc|desc))?$"
EXAMPLE = {
    "retailerId": "1",
    "version": "1.0",
    "versionComment": "The first of them",
    "name": "Click and collect",
    "description": "Orders that are collected",
    "entityType": "ORDER",
    "entitySubtype": "CC",
    "rulesets": [
        {
            "name": "Create",
            "type": "ORDER",
            "subtype": "CC",
            "eventType": "NORMAL",
            "rules": [{"name": "FLUENTRETAIL.base.ChangeState", "props": {"status": "BOOKED"}}],
            "triggers": [{"status": "CREATED"}],
            "userActions": [],
        }
    ],
    "statuses": [
        {"name": "CREATED", "entityType": "ORDER", "category": "BOOKING"},
        {"name": "BOOKED", "entityType": "ORDER", "category": "BOOKING"},
        {"name": "COLLECTED", "entityType": "ORDER", "category": "DONE"},
    ],
}
LEFT_OUT = {"eventType": "NORMAL", "userActions": []}  # what a ruleset is read with that was put without
OF_VERSIONS = ("version_stale", "version_skipped")


# Shapes: what boards checks, as a schema --------------------------------------------------------------


def _schema(part: Part) -> dict:
    """Return the JSON schema of a part of a document."""
    return ({"description": part.says} if part.says else {}) | SCHEMAS[part.kind](part)


def _text(part):
    if part.form and part.form.enum:
        return {"type": "string", "enum": [*part.form.enum]}
    pattern = f"^{part.form.pattern}$" if part.form else "^[^\\u0000]*$"
    return {"type": "string", "maxLength": part.most, "pattern": pattern}


def _object(part):
    properties = {key: _schema(one) if one.needed else _or_null(_schema(one)) for key, one in part.keys.items()}
    more = {"additionalProperties": _schema(part.entry), "maxProperties": part.most} if part.entry else {}
    needed = [key for key, one in part.keys.items() if one.needed]
    return {"type": "object", "properties": properties, "required": needed, "additionalProperties": False} | more


def _or_null(schema):
    return {"anyOf": [schema, {"type": "null"}]} if "type" in schema else schema


SCHEMAS = {
    "text": _text,
    "whole": lambda part: {"type": "integer", "minimum": 1, "maximum": part.most},
    "yes_no": lambda part: {"type": "boolean"},
    "list": lambda part: {"type": "array", "maxItems": part.most, "items": _schema(part.entry)},
    "object": _object,
    "anything": lambda part: {},
}
_document, _beside = _schema(DOCUMENT), _schema(BESIDE)
_fields = _document["properties"] | {"entityType": {"type": "string", "enum": [*ENTITY_TYPES]}}
_ignored = {key: schema | {"readOnly": True} for key, schema in _beside["properties"].items() if "type" not in schema}
_number = {"anyOf": [{"type": "string", "pattern": "^[0-9]{1,20}$"}, {"type": "integer", "minimum": 1}]}
_number["description"] = BESIDE.keys["retailerId"].says


class PutWorkflow(Shape):
    """A workflow, and what stands beside it."""

    model_config = ConfigDict(extra="allow")  # checked as a document, so that all that is wrong is told at once

    @classmethod
    def __get_pydantic_json_schema__(cls, core, handler):
        """Return what can be sent."""
        beside = _beside["properties"] | {"retailerId": _number} | _ignored
        first = {key: beside[key] for key in ("retailerId", "version", "versionComment")}
        fields = first | _fields | beside
        needed = [*_document["required"], "entityType", *_beside["required"]]
        told = {"title": cls.__name__, "description": cls.__doc__, "type": "object", "examples": [EXAMPLE]}
        return told | {"properties": fields, "required": needed, "additionalProperties": False}


class WorkflowDocument(Shape):
    """A version of a workflow, as it was put."""

    created_by: str
    created_on: str = Field(examples=["2019-07-10T05:21:25.712+0000"])
    description: str
    entity_type: str = Field(examples=[EXAMPLE["entityType"]])
    entity_subtype: str = Field(examples=[EXAMPLE["entitySubtype"]])
    id: None
    name: str = Field(examples=[EXAMPLE["name"]])
    retailer_id: str = Field(examples=["1"])
    rulesets: list[dict[str, Any]] = Field(examples=[EXAMPLE["rulesets"]])
    statuses: list[dict[str, Any]] = Field(examples=[EXAMPLE["statuses"]])
    settings: dict[str, Any] | None = Field({}, description="Where it was put with some.")
    version: str = Field(examples=["1.0"])
    version_comment: str


class Accepted(Shape):
    """It was saved; warnings are told when they are asked for."""

    entity_id: str = Field(description="Number, name and version.", examples=["1-ORDER::CC::1.0"])
    event_status: Literal["COMPLETE"]
    warning: ErrorMessage = None


class Telling(Shape):
    """What more an answer tells."""

    warnings: bool = Field(False, description="Tell warnings also when all went well.")


class SearchedWorkflows(Shape):
    """Which versions to list: by default the ten newest."""

    retailer_id: str = Field(None, max_length=20, description="The number of the business; else the token's own.")
    account_id: str = Field("", max_length=60, description="The address of the business.")
    start: int = Field(1, ge=1, le=LARGEST_OFFSET, description="The first to list, counted from 1.")
    count: int = Field(10, ge=1, le=LARGEST_PAGE)
    sort: str = Field(
        "createdOn DESC",
        max_length=40,
        description="A column and ASC or DESC.",
        json_schema_extra={"pattern": SORT},
    )
    name: str = Field("", max_length=120, description="ORDER::CC, or the name it was put with.")
    latest: bool = Field(False, description="Only the newest version of each workflow.")


class SearchedWorkflow(Shape):
    """A version, without its rulesets and statuses."""

    version: str = Field(examples=["1.0"])
    name: str = Field(examples=["ORDER::CC"])
    entity_type: str = Field(examples=["ORDER"])
    entity_subtype: str = Field(examples=["CC"])
    description: str
    version_comment: str
    created_by: str
    created_on: str = Field(examples=["2019-07-10T05:21:25.712+0000"])


class SearchResponse(Shape):
    """A part of the list; count is how many were asked for, total how many there are."""

    count: int = Field(examples=[10])
    start: int = Field(examples=[1])
    total: int
    retailer_id: str = Field(examples=["1"])
    results: list[SearchedWorkflow]
    sort: str = Field(examples=["createdOn DESC"])


# Operations -------------------------------------------------------------------------------------------


@operation(
    router,
    "PUT",
    "/workflow",
    verb="workflow.publish",
    also=("workflow.view", "workflow.create"),
    answers=Accepted,
    dialect=PUTTING,
)
def put_definition(request, body: PutWorkflow, telling: Query[Telling]):
    """Create a workflow, or publish the next version of the one of this entity type and subtype. The board follows at once.

    The first version is 1.0; the same major again is the next minor, the next major begins with .0, any other is refused.
    Errors stop it and warnings do not: both are told, all of them.
    """
    document, beside = checking.apart(body.model_extra)
    said, wrong = checking.read_beside(beside)
    refuse_another_retailer(request, said.get("retailerId"))
    if wrong:
        raise refusal_of([*wrong, *checking.check(document)])
    with _in_its_words(document):
        definition = publishing.put(
            request.business,
            document,
            major=int(said["version"].partition(".")[0]),
            moves=said.get("moveCards"),
            comment=said.get("versionComment", ""),
            finish_old=said.get("finishOld", False),
            by=request.actor,
        )
    entity = f"{request.business.number}-{definition.workflow.ref}::{definition.version}"
    return {"entityId": entity, "eventStatus": "COMPLETE"} | (
        warning_of(definition.warnings) if telling.warnings else {}
    )


@operation(
    router,
    "GET",
    "/workflow/{retailer_id}/{workflow_ref}/{workflow_version}",
    verb="workflow.view",
    answers=WorkflowDocument,
    dialect=READING,
)
def get_definition(request, retailer_id: str, workflow_ref: str, workflow_version: str):
    """Get one version of a workflow, by the number of the business, ORDER::CC and 1.4."""
    return _shape(_find(request, retailer_id, workflow_ref, workflow_version))


@operation(
    router,
    "GET",
    "/workflow/{retailer_id}/{workflow_ref}",
    verb="workflow.view",
    answers=WorkflowDocument,
    dialect=READING,
)
def get_latest_definition(request, retailer_id: str, workflow_ref: str):
    """Get the newest version of a workflow."""
    return _shape(_find(request, retailer_id, workflow_ref))


@operation(
    router,
    "GET",
    "/workflow",
    verb="workflow.view",
    answers=SearchResponse,
    refuses="NO_RETAILER UNSUPPORTED_SORT",
    dialect=READING,
)
def search_definitions(request, wanted: Query[SearchedWorkflows]):
    """List versions of workflows."""
    refuse_another_retailer(request, wanted.retailer_id, wanted.account_id)
    rows = request.business.definitions
    rows = rows.latest() if wanted.latest else rows.all()
    if wanted.name:
        kind, _, subtype = wanted.name.partition("::")
        rows = rows.filter(Q(name=wanted.name) | Q(workflow__entity_type=kind, workflow__entity_subtype=subtype))
    page = _in_order(rows.for_list(), wanted.sort)[wanted.start - 1 :][: wanted.count]
    return {
        "count": wanted.count,
        "start": wanted.start,
        "total": rows.count(),
        "retailerId": str(request.business.number),
        "results": [_row(definition) for definition in page],
        "sort": wanted.sort,
    }


@contextmanager
def _in_its_words(document):
    """Say of a document that cannot be published all that is wrong with it."""
    try:
        yield
    except Unfit as error:
        raise refusal_of(error.problems) from None
    except ValidationError as error:
        if isinstance(error, Stale) or getattr(error, "code", "") not in OF_VERSIONS:
            raise
        problem = Problem(error.code.upper(), error.message, (), "error", error.params)
        raise refusal_of([problem, *checking.check(document)]) from None


def _find(request, number: str, ref: str, version: str = "") -> Definition:
    """Return a version of a workflow, the newest when none is named, or refuse with 404."""
    kind, _, subtype = ref.partition("::")
    rows = request.business.definitions.filter(workflow__entity_type=kind, workflow__entity_subtype=subtype)
    if version:
        major, minor = map(int, version.split(".")) if re.fullmatch(checking.VERSION.pattern, version) else (0, 0)
        rows = rows.filter(major=major, minor=minor)
    found = rows.select_related("workflow", "business").first() if number == str(request.business.number) else None
    if found is None or version not in ("", found.version):
        raise Refused(404, "DEFINITION_NOT_FOUND", "Unable to find Workflow")
    return found


def _in_order(rows, sort: str):
    """Return rows sorted by a column, compared by code point, and the newest first where they are alike."""
    if not re.fullmatch(SORT, sort):
        raise Refused(
            400, "UNSUPPORTED_SORT", f"Sort by a column and ASC or DESC; the columns are {', '.join(SORTED_BY)}."
        )
    name, _, direction = sort.partition(" ")
    columns = []
    for field in SORTED_BY[name]:
        column = Collate(field, "C") if field in TEXTS and connection.vendor == "postgresql" else F(field)
        columns.append(column.desc() if direction.upper() == "DESC" else column.asc())
    return rows.order_by(*columns, "-created_at", "pk")


def _row(definition: Definition) -> dict:
    return {
        "version": definition.version,
        "name": definition.name,
        "entityType": definition.workflow.entity_type,
        "entitySubtype": definition.workflow.entity_subtype,
        "description": definition.description,
        "versionComment": definition.comment,
        "createdBy": definition.author_name,
        "createdOn": in_offset(definition.created_at),
    }


def _shape(definition: Definition) -> dict:
    document = definition.document
    rulesets = [LEFT_OUT | ruleset for ruleset in document["rulesets"]]
    return {
        "createdBy": definition.author_name,
        "createdOn": in_offset(definition.created_at),
        "description": definition.description,
        "entityType": document["entityType"],
        "entitySubtype": document["entitySubtype"],
        "id": None,
        "name": definition.name,
        "retailerId": str(definition.business.number),
        "rulesets": _as_declared(rulesets, DOCUMENT.keys["rulesets"]),
        "statuses": _as_declared(document["statuses"], DOCUMENT.keys["statuses"]),
        **({"settings": document["settings"]} if "settings" in document else {}),
        "version": definition.version,
        "versionComment": definition.comment,
    }


def _as_declared(value, part: Part):
    """Return a part of a document with its keys in the order in which they are declared: a database may forget theirs."""
    if part.kind == "list" and isinstance(value, list):
        return [_as_declared(one, part.entry) for one in value]
    if part.kind == "object" and isinstance(value, dict):
        known = {key: _as_declared(value[key], one) for key, one in part.keys.items() if key in value}
        return known | {key: one for key, one in value.items() if key not in known}
    return value
