"""What every router of the API shares: the door, the shapes of errors, paging, revisions, writes that happen once."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial, wraps
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

from django.core.exceptions import (
    NON_FIELD_ERRORS,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.core.validators import validate_email
from django.db import connection
from django.db.models import F
from django.db.models.functions import Collate
from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import errors as ninja_errors
from ninja.parser import Parser
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from accounts import openapi, rates
from accounts.models import Receipt, Token
from accounts.openapi import problem
from accounts.policy import lacks, may
from accounts.statements import Prepared
from accounts.verbs import Stale

log = logging.getLogger("django.request")

MOST_AT_ONCE = 500  # items of a bulk
LARGEST_PAGE = 1000
LARGEST_OFFSET = 10_000_000
MOST_VIOLATIONS = 100  # that are told: an answer may not become ten times as large as what was sent


# Shapes -----------------------------------------------------------------------------------------------


class Shape(BaseModel):
    """What goes over the wire: camelCase; what a program sends may hold nothing but what is named.

    A field with the default None, but a type without it, may be left out and is never null.
    """

    model_config = ConfigDict(
        extra="forbid",
        alias_generator=to_camel,
        field_title_generator=lambda name, field: name.replace("_", " ").capitalize(),
    )


ReadOnly = Annotated[Any, Field(description="Read-only: ignored when sent.", json_schema_extra={"readOnly": True})]
EXAMPLE_ID = openapi.FORMATS["uuid"]
Id = Annotated[str, Field(json_schema_extra={"format": "uuid"})]
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


def _whole(value):
    """Return what was sent as a number; raises PydanticCustomError for what JSON does not call one."""
    if isinstance(value, (bool, str)):
        raise PydanticCustomError("int_type", "Input should be a whole number")
    return value


# Numbers and answers in a body: JSON has its own, so "7", "true" and 1 are none (in an address there is only text).
# WHOLE stands behind the bounds of a number, or the document would not tell them.
WHOLE = BeforeValidator(_whole)
YesOrNo = Annotated[bool, Strict()]


def text(model, field: str, least: int = 0):
    """Return the type of a text that a model's field can keep."""
    return words(model._meta.get_field(field).max_length, least)


def words(longest: int, least: int = 0):
    """Return the type of a text without blanks around it, and without the null character, which no database keeps."""
    pattern = "^[^\\u0000]*\\S[^\\u0000]*$" if least else "^[^\\u0000]*$"
    constraints = StringConstraints(strip_whitespace=True, max_length=longest, min_length=least)
    return Annotated[str, constraints, Field(json_schema_extra={"pattern": pattern})]


def email(model, field: str):
    """Return the type of an e-mail address that a model's field can keep."""
    return Annotated[text(model, field, 1), AfterValidator(_is_email), Field(json_schema_extra={"format": "email"})]


def _is_email(value: str) -> str:
    try:
        validate_email(value)
    except ValidationError as error:
        raise ValueError(error.message) from None
    return value


class Nothing(Shape):
    """An empty object: it is done."""


class Made(Shape):
    """The id of what was made."""

    id: Id


class Put(Shape):
    """The id of what stands under an external id now, and whether it is new."""

    id: Id
    created: bool


class FieldViolation(Shape):
    """What is wrong with one field of the request."""

    field: str = Field(description="Path of the field in the request, as in card.primaryAttachment.contactId.")
    description: str
    violated_rule: Literal["REQUIRED", "MAX_LENGTH", "MIN", "MAX", "FORMAT", "UNKNOWN_FIELD", "CUSTOM"]
    rule_name: str = Field("", description="For CUSTOM: the stable name of the rule.")
    data: dict[str, Any] = {}


class ValidationErrorShape(Shape):
    """Every field that is wrong."""

    field_violations: list[FieldViolation]


class ApplicationError(Shape):
    """Why the request was refused: a stable code, the same in words, and what helps to mend it."""

    code: str
    description: str
    data: dict[str, Any] = {}


class Details(Shape):
    """One of the two; empty after a fault of ours."""

    application_error: ApplicationError = None
    validation_error: ValidationErrorShape = None


class Problem(Shape):
    """Every error of every operation."""

    message: str
    details: Details


class Pagination(Shape):
    """Which part of a list this is; total counts all matches, count those returned."""

    limit: int
    offset: int
    total: int
    count: int


class Dialect(NamedTuple):
    """How a part of the API tells what it refuses.

    tells: makes its body of a status and of our envelope; wrong: for the document, a body that names what is wrong;
    instead: statuses that it says otherwise.
    """

    shape: type[Shape]
    tells: Callable[[int, dict], dict]
    wrong: dict
    instead: Mapping[int, int] = {}

    def told(self, status: int, body: dict) -> tuple[int, dict]:
        """Return status and body of a refusal of ours, as it is told here."""
        status = self.instead.get(status, status)
        return status, self.tells(status, body)


OURS = Dialect(Problem, lambda status, body: body, openapi.WRONG_FIELDS)


def in_seconds(moment: datetime) -> str:
    """Return a time as cards tell it: UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def in_millis(moment: datetime) -> str:
    """Return a time as workflows and the rest tell it: UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# Refusals ---------------------------------------------------------------------------------------------


class Refused(Exception):
    """A refusal that the API makes by itself: status, stable code, words, and what helps to mend it."""

    def __init__(self, status: int, code: str, says: str, **data):
        super().__init__(says)
        self.status, self.code, self.says, self.data = status, code, says, data


# The codes of verbs' ValidationErrors, as programs know them: code → (status, wire code). Each floor adds its own;
# what stands here under no name is a 400 with the verb's code in capitals.
REFUSALS: dict[str, tuple[int, str]] = {
    "stale": (409, "ALREADY_CHANGED"),
    "key_reused": (409, "IDEMPOTENCY_KEY_REUSED"),
}

RULES = {
    "required": "REQUIRED",
    "blank": "REQUIRED",
    "missing": "REQUIRED",
    "string_too_short": "REQUIRED",
    "null": "FORMAT",
    "invalid": "FORMAT",
    "invalid_choice": "FORMAT",
    "literal_error": "FORMAT",
    "value_error": "FORMAT",
    "string_pattern_mismatch": "FORMAT",
    "string_type": "FORMAT",
    "int_type": "FORMAT",
    "int_parsing": "FORMAT",
    "int_from_float": "FORMAT",
    "bool_type": "FORMAT",
    "bool_parsing": "FORMAT",
    "uuid_parsing": "FORMAT",
    "list_type": "FORMAT",
    "dict_type": "FORMAT",
    "model_type": "FORMAT",
    "model_attributes_type": "FORMAT",
    "max_length": "MAX_LENGTH",
    "string_too_long": "MAX_LENGTH",
    "too_long": "MAX_LENGTH",
    "min_value": "MIN",
    "greater_than_equal": "MIN",
    "max_value": "MAX",
    "less_than_equal": "MAX",
    "extra_forbidden": "UNKNOWN_FIELD",
}


def violations(found: list[dict]) -> dict:
    """Return the body of a refusal that names the fields that are wrong."""
    says = "; ".join(f"{one['field']}: {one['description']}" for one in found)[:1000]
    return {"message": says, "details": {"validationError": {"fieldViolations": found}}}


def violation(field: str, description: str, code: str, data: dict | None = None) -> dict:
    """Return what is wrong with one field."""
    rule = RULES.get(code, "CUSTOM")
    name = code.upper() if rule == "CUSTOM" else ""
    return {"field": field, "description": description, "violatedRule": rule, "ruleName": name, "data": data or {}}


def envelope(error: Exception, *, path_of=to_camel, present=None, codes=None) -> tuple[int, dict]:
    """Return status and body of what a verb or the API refused.

    path_of: turns a model's field into its path in the request; present: returns what is true now, after a Stale;
    codes: what this resource calls refusals, before REFUSALS.
    """
    known = REFUSALS | (codes or {})
    if isinstance(error, Refused):
        return error.status, problem(error.code, error.says, error.data)
    if isinstance(error, PermissionDenied):
        return 403, problem("PERMISSION_DENIED", str(error))
    if isinstance(error, Stale):
        status, code = known["stale"]
        return status, problem(code, " ".join(error.messages), present() if present else {})
    if not hasattr(error, "error_dict"):
        first = error.error_list[0]
        status, code = known.get(first.code, (400, (first.code or "invalid").upper()))
        return status, problem(code, " ".join(error.messages), _plain(first.params))
    found = []
    for field, errors in error.error_dict.items():
        for one in errors:
            said = " ".join(one.messages)
            if one.code in known:
                status, code = known[one.code]
                return status, problem(code, said, _plain(one.params))
            found.append(violation("" if field == NON_FIELD_ERRORS else path_of(field), said, one.code or "invalid"))
    return 400, violations(found)


def _plain(params) -> dict:
    """Return a ValidationError's params as far as they are plain values."""
    plain = (str, int, float, bool, list, dict)
    return {to_camel(key): value for key, value in (params or {}).items() if isinstance(value, plain)}


# The door ---------------------------------------------------------------------------------------------


class TokenDoor:
    """Lets in a token whose scopes, and whose maker's role, allow one or more verbs of the policy table."""

    def __init__(self, *verbs: str):
        self.verbs = verbs

    def __call__(self, request):
        """Put token, business and actor on the request; raise Refused with 401, 429 or 403."""
        secret = request.headers.get("Authorization", "").strip()
        kind, _, rest = secret.partition(" ")
        found = Token.authenticate(rest.strip() if kind.lower() == "bearer" else secret) if secret else None
        if found is None:
            raise Refused(401, "UNAUTHENTICATED", "Send a valid API token in the Authorization header.")
        request.token, request.actor = found
        request.business = request.token.business
        request.allowance = rates.spend(request.token.pk)
        if request.allowance and request.allowance.is_overdrawn:
            raise Refused(
                429, "RATE_LIMITED", f"More than {request.allowance.limit} requests in a minute. Wait a little."
            )
        for verb in self.verbs:
            if not may(request.actor, verb):
                raise Refused(403, "PERMISSION_DENIED", lacks(request.actor, verb))
        timezone.activate(request.business.zone)
        return request.token


NULL_CHARACTER = "NULL_CHARACTER", "Text may not contain the null character."


class JsonParser(Parser):
    """Takes JSON and nothing else, and only what JSON allows."""

    def parse_body(self, request):
        """Return the body; raise Refused when it is something else."""
        if request.content_type != "application/json":
            raise Refused(415, "UNSUPPORTED_MEDIA_TYPE", "Send Content-Type: application/json.")
        try:
            sent = json.loads(request.body, parse_constant=_refuse_constant)
            json.dumps(sent, ensure_ascii=False).encode()  # half a surrogate pair is no text: no database keeps it
        except (ValueError, RecursionError):
            raise Refused(400, "MALFORMED_JSON", "The body is not valid JSON.") from None
        if b"\\u0000" in request.body and _has_null(sent):
            raise Refused(400, *NULL_CHARACTER)
        return sent


def _refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


def _has_null(sent) -> bool:
    if isinstance(sent, dict):
        return _has_null([*sent.keys(), *sent.values()])
    return any(map(_has_null, sent)) if isinstance(sent, list) else isinstance(sent, str) and "\x00" in sent


# Operations -------------------------------------------------------------------------------------------


def operation(
    router,
    method: str,
    path: str,
    *,
    verb: str,
    also=(),
    answers,
    inside="",
    paths=None,
    shows=None,
    adds=None,
    bulk=False,
    codes=None,
    refuses: str = "",
    dialect: Dialect = OURS,
):
    """Declare an operation of the API; the function gets the request and what was sent, and returns plain JSON values.

    verb: its row in the policy table; also: others that the token must be allowed; answers: the Shape of its 200;
    inside, paths: where a model's fields stand in the request (`card.` and {field: path}); shows: a function of the request and the address that returns what is true now,
    for refusals of stale writes, and makes If-Match mean something; of what is read it says that it has an ETag;
    adds: a function of the request and the answer that returns what is added to it and kept in no receipt, as a secret;
    bulk: each item is once by itself (see `each`); codes: what this resource calls refusals, as in REFUSALS;
    refuses: wire codes it may be refused with beside those of openapi.REFUSED_WITH;
    dialect: how the document shows its refusals, which config/api.py knows by the address.
    """
    writes = not verb.endswith(".view")
    path_of = _paths(inside, paths)

    def wrap(view):
        @wraps(view)
        def call(request, *args, **given):
            where = {name: value for name, value in given.items() if isinstance(value, (UUID, str))}
            work = partial(view, request, *args, **given)
            try:
                answer = _once(request, work) if writes and not bulk else _answer(_dumped(work()))
            except (ValidationError, PermissionDenied, Refused) as error:
                present = partial(_present, shows, request, where) if shows else None
                status, body = envelope(error, path_of=path_of, present=present, codes=codes)
                if isinstance(error, Stale) and "If-Match" in request.headers:
                    status = 412
                return _answer(_dumped(body), status)
            if adds:
                told = json.loads(answer.content)
                answer.content = _dumped(told | adds(request, told))
            if (revision := getattr(request, "revision", None)) is not None:
                answer["ETag"] = f'"{revision}"'
            return answer

        call.verb, call.verbs, call.dialect = verb, (verb, *also), dialect
        kind = {"writes": writes, "has_body": method != "GET", "has_tag": bool(shows)}
        extra = openapi.told(path, call.verbs, refuses, dialect, **kind)
        said = f"{(view.__doc__ or '').strip()}\n\nScope `{'`, `'.join(openapi.scopes_of(call.verbs))}`."
        return router.api_operation(
            [method],
            path,
            auth=TokenDoor(*call.verbs),
            response={200: answers} | {status: dialect.shape for status in extra["responses"] if status != 200},
            by_alias=True,
            operation_id=to_camel(view.__name__),
            summary=view.__name__.replace("_", " ").capitalize(),
            description="\n".join(line.strip() for line in said.splitlines()),
            openapi_extra=extra,
        )(call)

    return wrap


def _paths(inside: str, paths: dict | None):
    """Return a function that turns a model's field into its path in a request."""
    known, start = paths or {}, f"{inside}." if inside else ""
    return lambda field: known.get(field) or start + to_camel(field)


def _present(shows, request, where) -> dict:
    try:
        return shows(request, **where)
    except Refused:
        return {}  # it is gone


def mark(request, revision: int) -> None:
    """Give the answer an ETag: the revision of what it shows."""
    request.revision = revision


def expected(request, sent: int | None = None) -> int | None:
    """Return the revision the program saw last: If-Match, or what the body says; None when it does not care."""
    header = request.headers.get("If-Match", "*").strip()
    if not re.fullmatch(openapi.MATCH["schema"]["pattern"], header):
        raise Refused(400, "MALFORMED_IF_MATCH", 'If-Match takes one ETag that an answer carried, as in "7".')
    return sent if header == "*" else int(re.sub(r"\D", "", header))


def find(rows, code: str, **by):
    """Return the one row of a queryset or of a prepared question, or raise Refused with 404 and the code."""
    row = rows.first(**by) if isinstance(rows, Prepared) else rows.filter(**by).first()
    if row is None:
        raise Refused(404, code, f"There is no such {code.removesuffix('_NOT_FOUND').replace('_', ' ').lower()}.")
    return row


def given(sent: Shape, *names: str) -> dict:
    """Return those of the fields that were sent."""
    return {name: getattr(sent, name) for name in names if name in sent.model_fields_set}


def under(rows, external_id: str):
    """Return the row with an external id; the second half names the condition of the index, or SQLite would not use it."""
    return rows.filter(external_id=external_id).exclude(external_id="")


def put(rows, external_id: str, make, change) -> dict:
    """Change the row that has an external id, or make it; where another makes it at the same moment, change that one."""
    for chance in (True, False):
        row = under(rows, external_id).first()
        if row is not None:
            change(row)
            return {"id": str(row.pk), "created": False}
        try:
            return {"id": str(make().pk), "created": True}
        except ValidationError as error:
            if not chance or "external_id" not in {one.code for one in _all(error)}:
                raise


def _all(error: ValidationError) -> list[ValidationError]:
    if hasattr(error, "error_dict"):
        return [one for errors in error.error_dict.values() for one in errors]
    return error.error_list


# Lists ------------------------------------------------------------------------------------------------

Limit = Annotated[int, Field(ge=0, le=LARGEST_PAGE)]
Offset = Annotated[int, Field(ge=0, le=LARGEST_OFFSET)]
Revision = Annotated[
    int | None,
    Field(ge=1, le=2**31 - 1, description="The revision that was read last: where it is not the present one, 409."),
    WHOLE,
]
ExternalId = words(200, 1)


def sort_by(fields):
    """Return the type of a list of `field` or `field:direction` texts."""
    pattern = f"^({'|'.join(map(re.escape, fields))})(:(asc|desc|ASC|DESC))?$"
    wish = Annotated[str, Field(max_length=60, json_schema_extra={"pattern": pattern})]
    return Annotated[list[wish], Field(max_length=10, description="Compared by code point; asc unless told otherwise.")]


def in_order(rows, sort: list[str], fields: dict[str, str]):
    """Return rows sorted by `field:direction` texts, compared by code point; raise Refused for an unknown field."""
    order = []
    for wish in sort:
        name, _, direction = wish.partition(":")
        if name not in fields or direction.lower() not in ("", "asc", "desc"):
            known = ", ".join(fields)
            raise Refused(400, "UNSUPPORTED_SORT", f"Sort by field:asc or field:desc; the fields are {known}.")
        column = F(fields[name])
        is_text = rows.model._meta.get_field(fields[name]).get_internal_type() in ("CharField", "TextField")
        if is_text and connection.vendor == "postgresql":
            column = Collate(column, "C")
        order.append(column.desc() if direction.lower() == "desc" else column.asc())
    return rows.order_by(*order, "pk") if order else rows


def paged(limit: int, offset: int, total: int, count: int) -> dict:
    """Return the pagination of an answer."""
    return {"limit": limit, "offset": offset, "total": total, "count": count}


# Writes that happen once ------------------------------------------------------------------------------


def _once(request, work) -> HttpResponse:
    key = _key(request)
    if not key:
        return _answer(_dumped(work()))
    kept, again = Receipt.once(request.token, key, _fingerprint(request), lambda: _dumped(work()))
    answer = _answer(kept)
    if again:
        answer["Idempotency-Replayed"] = "true"
    return answer


def each(request, items, work, metadata, *, inside="", paths=None, codes=None) -> dict:
    """Do work for each item by itself, so that one that is refused harms no other; return the results in their order.

    work: gets an item and returns plain values; metadata: gets an item and returns the id that a failure is told with;
    inside, paths, codes: as for an operation, of an item.
    Under an Idempotency-Key each item has a receipt of its own: sent again, what was done is not done again, and what
    was refused is tried again.
    """
    key, mark_of_all = _key(request), _fingerprint(request)
    if key:
        Receipt.refuse_reuse(request.token, key, mark_of_all)
    results, failed = [], 0
    for index, item in enumerate(items):
        try:
            if key:
                told, _ = Receipt.once(
                    request.token, key, mark_of_all, lambda item=item: _dumped(work(item)), part=index
                )
                told = json.loads(told)
            else:
                told = work(item)
            results.append({"itemMetadata": {"originalIndex": index, "success": True, **told}})
        except (ValidationError, PermissionDenied, Refused) as error:
            failed += 1
            status, body = envelope(error, path_of=_paths(inside, paths), codes=codes)
            told = {"originalIndex": index, "success": False, **metadata(item), "status": status, "error": body}
            results.append({"itemMetadata": told})
    totals = {"totalSuccesses": len(results) - failed, "totalFailures": failed}
    return {"results": results, "bulkActionMetadata": totals}


class ItemMetadata(Shape):
    """What became of one item of a bulk: its id, or why it was refused."""

    original_index: int
    success: bool
    id: str = None
    status: int = Field(None, description="The status it would have had by itself.")
    error: Problem = None


class ItemResult(Shape):
    """The result of one item."""

    item_metadata: ItemMetadata


class BulkTotals(Shape):
    """How many items were done and how many refused."""

    total_successes: int
    total_failures: int


class BulkResult(Shape):
    """The results of a bulk, in the order of its items."""

    results: list[ItemResult]
    bulk_action_metadata: BulkTotals


def _key(request) -> str:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not re.fullmatch(openapi.KEY["schema"]["pattern"], key):
        says = "An Idempotency-Key has 1 to 200 visible ASCII characters, none of them a space."
        raise Refused(400, "MALFORMED_IDEMPOTENCY_KEY", says)
    return key or ""


def _fingerprint(request) -> str:
    said = "\n".join([request.method, request.get_full_path(), request.headers.get("If-Match", "")])
    return hashlib.sha256(said.encode() + b"\n" + request.body).hexdigest()


# Answers ----------------------------------------------------------------------------------------------


def _dumped(value) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _answer(body: str, status: int = 200) -> HttpResponse:
    return HttpResponse(body, status=status, content_type="application/json")


def answer_errors(api) -> None:
    """Teach an API to answer everything that goes wrong in the documented envelope."""
    for kind in (Refused, PermissionDenied, ValidationError):
        api.add_exception_handler(kind, _refused)
    api.add_exception_handler(ninja_errors.ValidationError, _not_as_documented)
    api.add_exception_handler(ninja_errors.HttpError, _not_parsed)
    api.add_exception_handler(Http404, lambda request, error: not_found(request))
    api.add_exception_handler(RequestDataTooBig, _too_large)
    api.add_exception_handler(SuspiciousOperation, lambda request, error: _unreadable())
    api.add_exception_handler(Exception, _fault)


def not_found(request, exception=None) -> HttpResponse:
    """Answer 404 for an address that is none, or whose ids are none."""
    return refused(404, "NOT_FOUND", "There is nothing here.")


def refused(status: int, code: str, says: str) -> HttpResponse:
    """Answer with a refusal."""
    return _answer(_dumped(problem(code, says)), status)


def fault() -> HttpResponse:
    """Answer 500: nothing of it is a program's business."""
    return _answer(_dumped({"message": "", "details": {}}), 500)


def guarded(view, dialect_of=lambda method, path: OURS):
    """Wrap a view of the API: what every answer carries, whoever made it; dialect_of: how an address tells refusals."""

    @wraps(view)
    def call(request, *args, **kwargs):
        if "\x00" in request.path:
            answer = not_found(request)  # no database keeps the null character, so nothing is called by it
        elif "%00" in request.META["QUERY_STRING"]:
            answer = refused(400, *NULL_CHARACTER)
        else:
            answer = view(request, *args, **kwargs)
        if answer.status_code == 405:
            allow = answer["Allow"]
            answer = refused(405, "METHOD_NOT_ALLOWED", f"This address takes {allow}.")
            answer["Allow"] = allow
        if answer.status_code >= 400 and (dialect := dialect_of(request.method, request.path)) is not OURS:
            answer.status_code, body = dialect.told(answer.status_code, json.loads(answer.content))
            answer.content = _dumped(body)
        answer["Cache-Control"] = "no-store"
        if allowance := getattr(request, "allowance", None):
            for name, value in allowance.headers.items():
                answer[name] = value
            if answer.status_code == 429:
                answer["Retry-After"] = str(allowance.resets_in)
        if answer.status_code == 401:
            answer["WWW-Authenticate"] = 'Bearer realm="Phasewise"'
        return answer

    call.csrf_exempt = True  # a token is no cookie: no other site can send it
    return call


def _refused(request, error):
    status, body = envelope(error)
    return _answer(_dumped(body), status)


def _not_as_documented(request, error):
    found = []
    for one in error.errors[:MOST_VIOLATIONS]:
        source, *place = one["loc"]
        if source == "path":
            return not_found(request)
        path = ".".join(str(part) for part in (place[1:] if source == "body" else place))
        found.append(violation(path, one["msg"], one["type"]))
    return _answer(_dumped(violations(found)), 400)


def _not_parsed(request, error):
    if isinstance(error.__cause__, Refused):
        return _refused(request, error.__cause__)
    return _unreadable()


def _unreadable():
    return refused(400, "MALFORMED_REQUEST", "The request cannot be read.")


def _too_large(request, error):
    return refused(413, "BODY_TOO_LARGE", "A request may bring at most 2.5 MB.")


def _fault(request, error):
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    return fault()
