"""The API's document as people read it: operations by tag, shapes as rows with the path of each field, and samples."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from django.utils.safestring import SafeString
from django.utils.text import slugify

from accounts import openapi
from accounts.markdown import render
from config.api import api

# An operation's description ends with it; the page has a tag for it.
MARK = re.compile(r"^Scope `\w+`(, `\w+`)*\.$", re.MULTILINE)
WORDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "null": "null"}
FORMATS = {"uuid": "id", "date": "day", "date-time": "time", "email": "email", "uri": "address"}


@dataclass(frozen=True)
class Row:
    """One field of a shape, at its path in the request or the answer."""

    inside: str  # what leads to it, as in `card.primaryAttachment.`
    name: str
    depth: int
    kind: str
    limits: str
    says: SafeString
    is_needed: bool
    is_deprecated: bool


@dataclass(frozen=True)
class Parameter:
    """One value that goes into the path, the query or a header, and how a form asks for it."""

    place: str
    name: str
    kind: str
    limits: str
    says: SafeString
    is_needed: bool
    is_list: bool
    choices: list[str]


@dataclass(frozen=True)
class Outcome:
    """One status that an operation may answer with."""

    status: int
    says: str
    codes: list[str]
    samples: list[tuple[str, str]]  # what it is about, JSON


@dataclass(frozen=True)
class Operation:
    """What a program can do: a method and a path, with all that goes in and comes out."""

    id: str
    method: str
    path: str
    title: str
    says: SafeString
    scopes: list[str]
    tag: str
    parameters: list[Parameter]
    body: list[Row]
    body_sample: str
    answer: list[Row]
    answer_sample: str
    headers: list[tuple[str, str]]  # that come with it: name, what it says
    outcomes: list[Outcome]

    @property
    def changes(self) -> bool:
        """Whether sending it changes the business."""
        return self.method != "GET" and not all(scope.endswith("_VIEW") for scope in self.scopes)

    @property
    def curl_options(self) -> str:
        """Return what follows the address in the command that sends the sample."""
        words = ["", '-H "Authorization: Bearer $TOKEN"']
        if self.body:
            quoted = self.body_sample.replace("'", "'\\''")
            words += ['-H "Content-Type: application/json"', f"-d '{quoted}'"]
        return " \\\n  ".join(words)


@dataclass(frozen=True)
class Group:
    """The operations of one tag."""

    name: str
    anchor: str
    operations: list[Operation]


@cache
def document() -> dict:
    """Return the OpenAPI document: what there is to call, and nothing of anybody's business."""
    return openapi.document(api)


@cache
def document_as_json() -> bytes:
    """Return the document as it is sent."""
    return json.dumps(document(), ensure_ascii=False, separators=(",", ":")).encode()


@cache
def etag() -> str:
    """Return what changes when the document does."""
    return f'"{hashlib.sha256(document_as_json()).hexdigest()[:32]}"'


@cache
def groups() -> list[Group]:
    """Return all operations, those of a tag together, in the order of the document."""
    found = [
        _operation(path, method.upper(), told)
        for path, methods in document()["paths"].items()
        for method, told in methods.items()
    ]
    tags = list(dict.fromkeys(operation.tag for operation in found))
    found.sort(key=lambda operation: tags.index(operation.tag))
    return [Group(tag, f"tag-{slugify(tag)}", list(each)) for tag, each in groupby(found, lambda one: one.tag)]


def _operation(path: str, method: str, told: dict) -> Operation:
    body = _content(told.get("requestBody", {}))
    responses = {int(status): one for status, one in told["responses"].items()}
    answer = _content(responses[200])
    return Operation(
        id=told["operationId"],
        method=method,
        path=path.replace("{path:", "{"),
        title=told["summary"],
        says=_prose(MARK.sub("", told.get("description", ""))),
        scopes=[scope for door in told.get("security", []) for scopes in door.values() for scope in scopes],
        tag=told.get("tags", ["Other"])[0],
        parameters=[_parameter(one) for one in told.get("parameters", [])],
        body=rows(body.get("schema", {}), sent=True),
        body_sample=_sample_of(body),
        answer=rows(answer.get("schema", {}), sent=False),
        answer_sample=_sample_of(answer),
        headers=[(name, one.get("description", "")) for name, one in responses[200].get("headers", {}).items()],
        outcomes=[_outcome(status, responses[status]) for status in sorted(responses) if status != 200],
    )


def _content(told: dict) -> dict:
    return told.get("content", {}).get("application/json", {})


def _parameter(told: dict) -> Parameter:
    schema, _ = _settled(told["schema"])
    item, _ = _settled(schema.get("items", {}))
    choices = schema.get("enum") or (["true", "false"] if schema.get("type") == "boolean" else [])
    return Parameter(
        place=told["in"],
        name=told["name"],
        kind=_kind(schema),
        limits=_limits(schema),
        says=_prose(told.get("description", "")),
        is_needed=told.get("required", False),
        is_list=bool(item),
        choices=choices,
    )


def _outcome(status: int, told: dict) -> Outcome:
    content = _content(told)
    named = {name: one.get("value") for name, one in content.get("examples", {}).items()}
    samples = named or ({"": content["example"]} if "example" in content else {})
    codes = dict.fromkeys(code for sample in samples.values() for code in _codes(sample))
    return Outcome(status, told["description"], list(codes), [(name, _pretty(one)) for name, one in samples.items()])


def _codes(sample) -> list[str]:
    sample = sample if isinstance(sample, dict) else {}
    if "error" in sample or "errors" in sample:  # the older dialect
        return [one["code"] for one in sample.get("error", {}).get("workflowValidationError", ())]
    details = sample.get("details", {})
    wrong = details.get("validationError", {}).get("fieldViolations", [])
    code = details.get("applicationError", {}).get("code")
    return ([code] if code else []) + [one["ruleName"] or one["violatedRule"] for one in wrong]


# Shapes -----------------------------------------------------------------------------------------------


def rows(schema: dict, *, sent: bool) -> list[Row]:
    """Return the fields of a shape from top to bottom, those inside others after them.

    sent: for a request, which leaves out what is read-only. A shape that comes a second time is named, not told again.
    """
    return list(_rows(schema, "", 0, sent, set()))


def _rows(schema, inside, depth, sent, told):
    shape, name = _settled(schema)
    if name in told:
        return
    if name:
        told.add(name)
    for field, one in shape.get("properties", {}).items():
        resolved, _ = _settled(one)
        if sent and (one.get("readOnly") or resolved.get("readOnly")):
            continue
        deeper, what = _settled(resolved.get("items", {})) if resolved.get("type") == "array" else _settled(one)
        again = what in told and bool(deeper.get("properties"))
        says = one.get("description") or ("" if deeper.get("properties") else resolved.get("description", ""))
        yield Row(
            inside,
            field,
            depth,
            _kind(one),
            _limits(resolved),
            _prose("" if not sent and resolved.get("readOnly") else says) or ("As above." if again else ""),
            field in shape.get("required", []),
            bool(one.get("deprecated")),
        )
        list_mark = "[]" if resolved.get("type") == "array" else ""
        yield from _rows(deeper | {"title": what}, f"{inside}{field}{list_mark}.", depth + 1, sent, told)


def _settled(schema: dict) -> tuple[dict, str]:
    """Return a schema without reference and without `or null`, and the name of its shape, if it is one of ours."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return document()["components"]["schemas"][name], name
    parts = [part for part in schema.get("anyOf", schema.get("allOf", [])) if part.get("type") != "null"]
    if len(parts) == 1:
        inner, name = _settled(parts[0])
        return {**inner, **{key: value for key, value in schema.items() if key not in ("anyOf", "allOf")}}, name
    return schema, schema.get("title", "") if "properties" in schema else ""


def _kind(schema: dict) -> str:
    """Return in a word or two what a value is."""
    resolved, name = _settled(schema)
    if resolved.get("type") == "array":
        said = f"list of {_kind(resolved.get('items', {}))}"
    elif "anyOf" in resolved:
        said = " or ".join(dict.fromkeys(_kind(part) for part in resolved["anyOf"] if part.get("type") != "null"))
    elif "properties" in resolved:
        said = name.removesuffix("Shape") or "object"
    elif "enum" in resolved or "const" in resolved:
        said = "one of"
    elif resolved.get("readOnly") and "type" not in resolved:
        said = "given by Phasewise"
    else:
        said = FORMATS.get(resolved.get("format")) or WORDS.get(resolved.get("type"), resolved.get("type", "any value"))
    can_be_empty = any(part.get("type") == "null" for part in schema.get("anyOf", []))
    return f"{said} or null" if can_be_empty else said


def _limits(schema: dict) -> str:
    """Return what a value must keep to."""
    item, _ = _settled(schema.get("items", {}))
    said = [
        " · ".join(map(str, schema.get("enum", [schema["const"]] if "const" in schema else []))),
        _between(schema.get("minLength"), schema.get("maxLength"), "characters"),
        _between(schema.get("minimum"), schema.get("maximum"), ""),
        _between(schema.get("minItems"), schema.get("maxItems"), "of them"),
        " · ".join(map(str, item.get("enum", []))),
        _between(item.get("minLength"), item.get("maxLength"), "characters each"),
        f"else {_plain(schema['default'])}" if schema.get("default") not in (None, "", []) else "",
    ]
    return ", ".join(filter(None, said))


def _between(least, most, what: str) -> str:
    if most is None:
        said = f"at least {least:,}" if least else ""
    elif least or (least == 0 and not what):  # a text of 0 characters is not worth a word, the number 0 is
        said = f"{least:,} to {most:,}"
    else:
        said = f"at most {most:,}"
    return f"{said} {what}".strip() if said else ""


def _sample_of(content: dict) -> str:
    return _pretty(content["example"]) if content else ""


def _pretty(value) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _plain(value) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _prose(text: str) -> SafeString:
    """Return words of the source as HTML; where a line ends there means nothing."""
    paragraphs = (" ".join(part.split()) for part in text.split("\n\n"))
    return render("\n\n".join(filter(None, paragraphs)))
