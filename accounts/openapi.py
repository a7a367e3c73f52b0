"""The document of the API: what ninja reads from the operations, and what only we know of them: statuses, headers, examples."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic.alias_generators import to_camel

from accounts.policy import SCOPES, TABLE

SAYS = {
    200: "Done.",
    400: "The request cannot be understood, or a field is wrong.",
    401: "No valid token.",
    403: "The token may not do this, or a limit of the business is reached.",
    404: "There is no such thing in this business.",
    409: "It exists already, or it was changed meanwhile.",
    412: "If-Match names another revision than the present one.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    429: "Too many requests in this minute; Retry-After says when to come back.",
    500: "A fault of ours: it was logged, and nothing was changed.",
}
ALWAYS = (400, 401, 403, 404, 429, 500)

KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
    "description": "A text of yours, new for each change: sent again within 48 hours, the change is not made again and the "
    "same answer comes back, with Idempotency-Replayed: true.",
}
MATCH = {
    "name": "If-Match",
    "in": "header",
    "schema": {"type": "string", "pattern": r'^(\*|(W/)?"[0-9]{1,9}"|[0-9]{1,9})$', "examples": ['"7"']},
    "description": "The ETag that was read last: when it is not the present one nothing is changed, and the 412 shows "
    "what is true now.",
}


def _header(says: str, kind: str = "string", **more) -> dict:
    return {"description": says, "schema": {"type": kind, **more}}


RATES = {
    "RateLimit-Limit": _header("How many requests the token has in a minute.", "integer"),
    "RateLimit-Remaining": _header("How many of them are left.", "integer"),
    "RateLimit-Reset": _header("Seconds until the next minute begins.", "integer"),
}
HEADERS = {
    401: {"WWW-Authenticate": _header("Bearer, and the realm.")},
    429: {"Retry-After": _header("Seconds to wait.", "integer"), **RATES},
}
REPLAYED = {"Idempotency-Replayed": _header("The change was made before; this is what it was answered.", enum=["true"])}
TAG = {"ETag": _header("The revision of what is shown, for If-Match.")}


def problem(code: str, says: str, data: dict | None = None) -> dict:
    """Return the body of a refusal with a code."""
    return {"message": says, "details": {"applicationError": {"code": code, "description": says, "data": data or {}}}}


@dataclass(frozen=True, slots=True)
class Code:
    """A stable code of refusals: with which status it comes, and why, in words."""

    name: str
    statuses: tuple[int, ...]
    why: str


# Every code that an operation may be refused with, and those that a verb adds to what all operations know: each floor
# adds its own, and the tests see to it that no answer carries a code that its operation does not tell of.
CODES: dict[str, Code] = {}
REFUSED_WITH: dict[str, tuple[str, ...]] = {}


def code(name: str, *statuses: int, why: str) -> None:
    """Declare a code."""
    CODES[name] = Code(name, statuses, why)


def refuses(verbs: str, codes: str) -> None:
    """Declare with which codes operations of these verbs may be refused; both are words with blanks between."""
    for verb in verbs.split():
        REFUSED_WITH[verb] = (*REFUSED_WITH.get(verb, ()), *codes.split())


code("UNAUTHENTICATED", 401, why="the token is missing, wrong, revoked or expired")
code("PERMISSION_DENIED", 403, why="the token lacks the scope, or its maker the role")
code("NOT_FOUND", 404, why="there is nothing at this address")
code("RATE_LIMITED", 429, why="too many requests in this minute")
code("MALFORMED_REQUEST", 400, why="the request cannot be read")
code("NULL_CHARACTER", 400, why="a text holds the null character, which no database keeps")
code("MALFORMED_JSON", 400, why="the body is not JSON")
code("UNSUPPORTED_MEDIA_TYPE", 415, why="the body is not called application/json")
code("BODY_TOO_LARGE", 413, why="the body is too large")
code("MALFORMED_IDEMPOTENCY_KEY", 400, why="the key is empty, too long, or not of visible ASCII characters")
code("IDEMPOTENCY_KEY_REUSED", 409, why="the key stood over another request")
code("MALFORMED_IF_MATCH", 400, why="If-Match holds no ETag of ours")
code(
    "ALREADY_CHANGED",
    409,
    412,
    why="the revision is not the present one, or it changed at this moment; `data` shows what is",
)
code("UNSUPPORTED_SORT", 400, why="the list cannot be sorted like this")

CODED = "x-codes"  # where an operation keeps what its codes hang on, until all floors have declared theirs
CALLED = dict.fromkeys(("retailer_id", "workflow_ref", "workflow_version"), "definition") | {
    "key": "label"
}  # parts of a path that are not called after what they name
ALL = ("UNAUTHENTICATED", "PERMISSION_DENIED", "NOT_FOUND", "RATE_LIMITED", "MALFORMED_REQUEST", "NULL_CHARACTER")
WITH_BODY = ("MALFORMED_JSON", "UNSUPPORTED_MEDIA_TYPE", "BODY_TOO_LARGE")
WRITING = ("IDEMPOTENCY_KEY_REUSED", "MALFORMED_IDEMPOTENCY_KEY", "ALREADY_CHANGED")

_BLANK = {"field": "card.name", "description": "This field cannot be blank.", "violatedRule": "REQUIRED"}
WRONG_FIELDS = {
    "message": "card.name: This field cannot be blank.",
    "details": {"validationError": {"fieldViolations": [_BLANK | {"ruleName": "", "data": {}}]}},
}
FAULT = {"message": "", "details": {}}


def codes_of(path: str, verb: str, more: str, *, writes: bool, has_body: bool, has_tag: bool) -> list[str]:
    """Return the names of the codes that an operation may be refused with."""
    named = [CALLED.get(part, part) for part in re.findall(r"{(\w+)}", path)]
    parts = [f"{part.upper()}_NOT_FOUND" for part in named if part not in ("path", "external_id")]
    names = [*ALL, *parts, *REFUSED_WITH.get(verb, ()), *more.split()]
    names += (*(WRITING if writes else ()), *(WITH_BODY if has_body else ()))
    names += ("MALFORMED_IF_MATCH",) if writes and has_tag else ()
    return list(dict.fromkeys(names))


def told(path: str, verbs, more: str, dialect, *, writes: bool, has_body: bool, has_tag: bool) -> dict:
    """Return what the document says of an operation beside its shapes; more: codes; has_tag: it knows revisions."""
    done = {"description": SAYS[200], "headers": RATES | (REPLAYED if writes else TAG if has_tag else {})}
    statuses = (
        ALWAYS + ((413, 415) if has_body else ()) + ((409,) if writes else ()) + ((412,) if writes and has_tag else ())
    )
    refusals = {
        status: {"description": SAYS[status]} | ({"headers": HEADERS[status]} if status in HEADERS else {})
        for status in sorted({dialect.instead.get(status, status) for status in statuses})
    }
    kind = {"writes": writes, "has_body": has_body, "has_tag": has_tag}
    return {
        "security": [{"token": scopes_of(verbs)}],
        "parameters": ([KEY] if writes else []) + ([MATCH] if writes and has_tag else []),
        "responses": {200: done, **refusals},
        CODED: ({"path": path, "verb": verbs[0], "more": more, **kind}, dialect),
    }


def scopes_of(verbs) -> list[str]:
    """Return the scopes that a token needs for all of these verbs."""
    needed = {TABLE[verb].scope for verb in verbs}
    return [scope for scope in SCOPES if scope in needed]


def _examples(codes: list[str], dialect) -> dict[int, dict]:
    """Return an example of each refusal, by the status that it is told with and by its code."""
    found = {400: {"VALIDATION": {"value": dialect.wrong}}, 500: {"FAULT": {"value": dialect.told(500, FAULT)[1]}}}
    for name in codes:
        for status in CODES[name].statuses:
            status, body = dialect.told(status, problem(name, f"{CODES[name].why}."))
            found.setdefault(status, {})[name] = {"value": body}
    return found


def document(api) -> dict:
    """Return the OpenAPI document of an API, every request and every 200 with an example."""
    whole = api.get_openapi_schema(path_prefix="")
    schemas = whole["components"]["schemas"]
    whole["components"]["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "`Authorization: Bearer <token>`, or the bare token as the whole header.\n\n"
            + "\n".join(f"- `{scope}`: {says}" for scope, says in SCOPES.items()),
        }
    }
    whole["paths"] = {_named(path, operations): operations for path, operations in whole["paths"].items()}
    for operations in whole["paths"].values():
        for operation in operations.values():
            hanging_on, dialect = operation.pop(CODED)
            examples = _examples(codes_of(**hanging_on), dialect)
            for status, answer in operation["responses"].items():
                if status != 200:
                    answer["content"]["application/json"]["examples"] = examples[status]
            for part in (operation.get("requestBody", {}), operation["responses"][200]):
                for content in part.get("content", {}).values():
                    content["example"] = sample(content["schema"], schemas)
    return whole


def _named(path: str, operations: dict) -> str:
    """Call the parts of a path as programs know them: {workflow}, which is an id, is workflowId."""
    for operation in operations.values():
        for part in operation["parameters"]:
            if part["in"] == "path":
                name = to_camel(part["name"]) + ("Id" if part["schema"].get("format") == "uuid" else "")
                path, part["name"] = path.replace(f"{{{part['name']}}}", f"{{{name}}}"), name
    return path


# Examples ---------------------------------------------------------------------------------------------

PLAIN = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "null": None}
FORMATS = {
    "uuid": "6f1c1e0a-5d3b-4c39-9d5e-0c8f5b8f2a11",
    "date": "2026-12-01",
    "date-time": "2026-11-20T09:30:00Z",
    "email": "ines@example.com",
}


def sample(schema: dict, schemas: dict):
    """Return a value that a schema allows: its own example where it has one, else what it requires."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    for key in ("allOf", "anyOf", "oneOf"):
        if key in schema and "examples" not in schema:
            return sample(schema[key][0], schemas)
    if "examples" in schema:
        return schema["examples"][0]
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    kind = schema.get("type")
    if kind == "array":
        return [sample(schema["items"], schemas)] if schema.get("items") else []
    if kind == "object":
        needed = schema.get("required", ())
        return {
            name: sample(part, schemas)
            for name, part in schema.get("properties", {}).items()
            if name in needed or "examples" in part
        }
    if kind == "integer":
        return max(schema.get("minimum", 0), 0)
    return FORMATS.get(schema.get("format"), schema.get("default", PLAIN.get(kind)))
