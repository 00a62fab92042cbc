"""
How an operation is described, so that `/openapi.json` tells everything that can come of it.

Endpoints take the request as it is: the framework's own parsing would cost more than
all the rest, and would read bodies less strictly.
"""

import re
from collections.abc import Callable, Coroutine, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from adapters.directory.scopes import Scope
from adapters.web.fields import Fields
from adapters.web.problems import KINDS, MEDIA_TYPE

Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]
ALWAYS = (500,)
WITH_KEY = (401, 403, 429, 503)
WITH_BODY = (400, 408, 413, 415, 422)
IDEMPOTENT = ("Idempotency-Key", "Names the command: the same key again does nothing twice. At most 255 characters.")
PATIENT = (
    "Prefer",
    "`respond-async`, or `wait=SECONDS`: how long to wait for the outcome; 10 if not given, at most 60.",
)

SPOKEN = ("Accept-Language", "In which language `message` is: `en` or `de`.")


class PlainRoute(APIRoute):
    """A route whose endpoint is called with the request, and nothing in between."""

    def get_route_handler(self) -> Endpoint:
        """Return the endpoint itself."""
        return self.endpoint


def described(
    summary: str,
    *,
    answers: Mapping[int, type[BaseModel] | str],
    path: str = "",
    scope: Scope | None = None,
    problems: Iterable[int] = (),
    body: type[Fields] | None = None,
    query: type[Fields] | None = None,
    headers: Iterable[tuple[str, str]] = (),
) -> dict[str, Any]:
    """
    Return the description of an operation, in the form that a router takes.

    `answers` are those that are no problem: a model of JSON, or the media type of a text.
    """
    refused = {
        *ALWAYS,
        *problems,
        *(WITH_KEY if scope else ()),
        *(WITH_BODY if body else ()),
        *((422,) if query else ()),
    }
    extra: dict[str, Any] = {"parameters": [*_in_path(path), *_in_query(query), *_in_headers(headers)]}
    if scope is not None:
        extra["security"] = [{"apiKey": [scope.value]}]
    if body is not None:
        extra["requestBody"] = {"required": True, "content": {"application/json": {"schema": reference(body)}}}
    return {
        "summary": summary,
        "status_code": next(iter(answers)),
        "response_class": Response,
        "responses": {
            **{status: _answer(status, answer) for status, answer in answers.items()},
            **{status: _problem(status) for status in sorted(refused)},
        },
        "openapi_extra": extra,
    }


def reference(model: type[BaseModel]) -> dict[str, str]:
    """Return where the document has a model's schema."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _answer(status: int, answer: type[BaseModel] | str) -> dict[str, Any]:
    described: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if isinstance(answer, str):
        described["content"] = {answer: {"schema": {"type": "string"}}} if answer else {}
    else:
        described["content"] = {"application/json": {"schema": reference(answer)}}
    return described


def _problem(status: int) -> dict[str, Any]:
    titles = "; ".join(kind.title for kind in KINDS if kind.status == status)
    return {"description": titles, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def _in_path(path: str) -> list[dict[str, Any]]:
    names = re.findall(r"{(\w+)}", path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _in_query(query: type[Fields] | None) -> list[dict[str, Any]]:
    schema = {} if query is None else query.model_json_schema()
    return [
        {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": field}
        for name, field in schema.get("properties", {}).items()
    ]


def _in_headers(headers: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "header", "required": False, "description": meaning, "schema": {"type": "string"}}
        for name, meaning in headers
    ]
