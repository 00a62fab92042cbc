"""The description of the API: one document for programs, and a page for people that needs nothing from elsewhere."""

from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, RootModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from adapters.web import (
    alert_documents,
    breaker_documents,
    documents,
    fallback_documents,
    health_documents,
    measure_documents,
    wishes,
)
from adapters.web.fields import Fields

TITLE = "calsaga"
VERSION = "1"
DESCRIPTION = (
    "Books appointments in Cal.com and in a local database, and keeps both equal. Errors are problem details "
    "(RFC 9457). Every answer carries X-Correlation-Id: the caller's, if it was sent."
)
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>calsaga API</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}
code,h2{{font-family:ui-monospace,monospace}}h2{{font-size:1rem;margin-top:2rem}}dt{{float:left;width:10rem}}
dd{{margin-left:10rem}}</style>
<h1>calsaga API</h1><p>{description}</p><p>All of it as a document: <a href="/openapi.json">/openapi.json</a>.</p>
{operations}</html>"""


def describe(app: FastAPI) -> None:
    """Serve the document at `/openapi.json`, and the page at `/docs`."""
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    app.add_route("/docs", _page, include_in_schema=False)


def _document(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(title=TITLE, version=VERSION, description=DESCRIPTION, routes=app.routes)
        models = [
            *_models(documents, BaseModel),
            *_models(alert_documents, BaseModel),
            *_models(breaker_documents, BaseModel),
            *_models(health_documents, BaseModel),
            *_models(fallback_documents, BaseModel),
            *_models(measure_documents, BaseModel),
            *_models(wishes, Fields),
        ]
        _, schemas = models_json_schema(
            [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
        )
        document["components"] = {
            "schemas": schemas["$defs"],
            "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer"}},
        }
        app.openapi_schema = document
    return app.openapi_schema


def _models(module: object, kind: type[BaseModel]) -> list[type[BaseModel]]:
    found = vars(module).values()
    return [
        it for it in found if isinstance(it, type) and issubclass(it, kind) and it not in {BaseModel, RootModel, Fields}
    ]


async def _page(request: Request) -> Response:
    document: dict[str, Any] = request.app.openapi()
    operations = "".join(_operations(document))
    return HTMLResponse(
        _PAGE.format(description=escape(DESCRIPTION), operations=operations),
        headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"},
    )


def _operations(document: dict[str, Any]) -> Iterator[str]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"<h2>{method.upper()} {escape(path)}</h2><p>{escape(operation['summary'])}</p><dl>"
            for name, told in _facts(operation):
                yield f"<dt>{escape(name)}</dt><dd>{escape(told)}</dd>"
            yield "</dl>"


def _facts(operation: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for needed in operation.get("security", ()):
        yield "scope", ", ".join(needed["apiKey"])
    for parameter in operation.get("parameters", ()):
        yield parameter["in"], f"{parameter['name']} {parameter.get('description', '')}"
    if "requestBody" in operation:
        yield "body", operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    yield "answers", "; ".join(f"{status} {told['description']}" for status, told in operation["responses"].items())
