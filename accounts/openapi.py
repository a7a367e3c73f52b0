"""The document of the API: what ninja reads from the operations, and what only we know of them: statuses, headers, examples."""

from __future__ import annotations

from pydantic.alias_generators import to_camel

from accounts.policy import SCOPES

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


_CHANGED = problem("ALREADY_CHANGED", "Priya moved it to Won a moment ago.", {"card": {"info": {"revision": 7}}})
_BLANK = {"field": "card.name", "description": "This field cannot be blank.", "violatedRule": "REQUIRED"}
PROBLEMS = {
    400: {
        "message": "card.name: This field cannot be blank.",
        "details": {"validationError": {"fieldViolations": [_BLANK | {"ruleName": "", "data": {}}]}},
    },
    401: problem("UNAUTHENTICATED", "Send a valid API token in the Authorization header."),
    403: problem("PERMISSION_DENIED", "To move cards, the token needs the scope CARD_MANAGE."),
    404: problem("CARD_NOT_FOUND", "There is no such card."),
    409: _CHANGED,
    412: _CHANGED,
    413: problem("BODY_TOO_LARGE", "A request may bring at most 2.5 MB."),
    415: problem("UNSUPPORTED_MEDIA_TYPE", "Send Content-Type: application/json."),
    429: problem("RATE_LIMITED", "More than 1200 requests in a minute. Wait a little."),
    500: {"message": "", "details": {}},
}


def told(scope: str, *, writes: bool, has_body: bool, has_tag: bool) -> dict:
    """Return what the document says of an operation beside its shapes; has_tag: it knows revisions."""
    done = {"description": SAYS[200], "headers": RATES | (REPLAYED if writes else TAG if has_tag else {})}
    statuses = (
        ALWAYS + ((413, 415) if has_body else ()) + ((409,) if writes else ()) + ((412,) if writes and has_tag else ())
    )
    refusals = {
        status: {"description": SAYS[status], "content": {"application/json": {"example": PROBLEMS[status]}}}
        | ({"headers": HEADERS[status]} if status in HEADERS else {})
        for status in sorted(statuses)
    }
    return {
        "security": [{"token": [scope]}],
        "parameters": ([KEY] if writes else []) + ([MATCH] if writes and has_tag else []),
        "responses": {200: done, **refusals},
    }


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
