"""Somebody else's program, for tests that speak over the API."""

import json
from dataclasses import dataclass, field
from functools import cache

from django.test import Client
from django.urls import resolve

from accounts.models import Token
from accounts.openapi import document
from accounts.policy import SCOPES
from config.api import api
from tests.factories import actor


@dataclass
class Answer:
    """What the API said."""

    status: int
    body: dict
    headers: dict

    @property
    def code(self) -> str:
        """Return the stable code of a refusal."""
        return self.body["details"]["applicationError"]["code"]

    @property
    def data(self) -> dict:
        """Return what helps to mend it."""
        return self.body["details"]["applicationError"]["data"]

    @property
    def fields(self) -> dict:
        """Return the fields that were wrong, each with the rule it broke."""
        found = self.body["details"]["validationError"]["fieldViolations"]
        return {one["field"]: one["ruleName"] or one["violatedRule"] for one in found}


@dataclass
class Program:
    """Somebody else's program: it knows a secret, sends JSON and gets JSON."""

    secret: str
    headers: dict = field(default_factory=dict)
    client: Client = field(default_factory=Client)

    def __call__(self, method: str, path: str, body=None, **headers) -> Answer:
        """Send a request; every answer must be JSON, and no fault of ours."""
        headers = {"Authorization": f"Bearer {self.secret}", **self.headers, **headers}
        headers = {name.replace("_", "-"): str(value) for name, value in headers.items() if value is not None}
        sent = "" if body is None else body if isinstance(body, str) else json.dumps(body)
        answer = self.client.generic(method, path, sent, content_type="application/json", headers=headers)
        assert answer["Content-Type"] == "application/json", answer.content[:300]
        assert answer.status_code < 500, answer.content
        assert_is_told(method, path, answer)
        return Answer(answer.status_code, json.loads(answer.content), dict(answer.items()))

    def get(self, path, **headers) -> Answer:
        """Ask for something."""
        return self("GET", path, **headers)

    def post(self, path, body=None, **headers) -> Answer:
        """Make or do something."""
        return self("POST", path, body, **headers)

    def patch(self, path, body=None, **headers) -> Answer:
        """Change something."""
        return self("PATCH", path, body, **headers)

    def put(self, path, body=None, **headers) -> Answer:
        """Make something or change it."""
        return self("PUT", path, body, **headers)

    def delete(self, path, body=None, **headers) -> Answer:
        """Delete something."""
        return self("DELETE", path, body, **headers)


def assert_is_told(method, path, answer) -> None:
    """Fail for a refusal with a code that the document does not tell of this operation."""
    code = json.loads(answer.content).get("details", {}).get("applicationError", {}).get("code")
    told = _operations().get((method, getattr(resolve(path.partition("?")[0]), "route", "")))
    if code and told:
        examples = told["responses"][answer.status_code]["content"]["application/json"]["examples"]
        assert code in examples, f"{told['operationId']} does not tell of {answer.status_code} {code}"


BRACKETS = str.maketrans("{}", "<>")  # as Django's addresses have them


@cache
def _operations() -> dict:
    """Return what the document says of each operation, by method and route."""
    told = [one for methods in document(api)["paths"].values() for one in methods.values()]
    named = {one["operationId"]: one for one in told}
    found = {}
    for bound in api._get_bound_routers():
        for route, view in bound.path_operations.items():
            for one in view.operations:
                for method in one.methods:
                    address = f"{bound.prefix}{route}".lstrip("/").translate(BRACKETS)
                    found[method, address] = named[one.operation_id]
    return found


def program_of(member, *scopes: str) -> Program:
    """Return a program with a token that a member made; without scopes named, with all of them."""
    return Program(token_of(member, *scopes))


def token_of(member, *scopes: str) -> str:
    """Return the secret of a token that stands for a member, whatever their role."""
    by = actor(member.business.memberships.filter(role="owner").first())
    return Token.create(member.business, name="CRM", scopes=list(scopes or SCOPES), maker=member.user, by=by)[1]
