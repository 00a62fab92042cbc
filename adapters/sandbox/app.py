"""
The routes of Cal.com's API v2, and how a call goes through them.

The order is Cal.com's: the version decides whether there is such a route, then comes the throttle, the key, the body.
"""

from dataclasses import dataclass
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from adapters.sandbox import calls, control, errors, webhook_calls
from adapters.sandbox.answering import Answering, answered_of
from adapters.sandbox.answers import render_refusal
from adapters.sandbox.calls import Caller, Preparation
from adapters.sandbox.connection import Drop
from adapters.sandbox.errors import Refusal
from adapters.sandbox.injection import Call, perform
from adapters.sandbox.state import Sandbox, SandboxConfig

BOOKINGS, SLOTS, EVENT_TYPES = "2024-08-13", "2024-09-04", "2024-06-14"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """
    One operation of the API: its version, whether it needs a key, and how its request is read.
    """

    name: str
    version: str | None
    needs_key: bool
    prepare: Preparation


_CREATE = Operation(name="create", version=BOOKINGS, needs_key=False, prepare=calls.create)
_LIST = Operation(name="list", version=BOOKINGS, needs_key=True, prepare=calls.list_page)
_GET = Operation(name="get", version=BOOKINGS, needs_key=False, prepare=calls.get)
_CANCEL = Operation(name="cancel", version=BOOKINGS, needs_key=False, prepare=calls.cancel)
_RESCHEDULE = Operation(name="reschedule", version=BOOKINGS, needs_key=False, prepare=calls.reschedule)
_SLOTS = Operation(name="slots", version=SLOTS, needs_key=False, prepare=calls.slots)
_EVENT_TYPES = Operation(name="event_types", version=EVENT_TYPES, needs_key=True, prepare=calls.event_types)
_EVENT_TYPE = Operation(name="event_type", version=EVENT_TYPES, needs_key=True, prepare=calls.event_type)
_ME = Operation(name="me", version=None, needs_key=True, prepare=calls.me)


def _webhooks(prepare: Preparation) -> Operation:
    return Operation(name="webhooks", version=None, needs_key=True, prepare=prepare)


def create_app(config: SandboxConfig | None = None) -> Starlette:
    """
    Return a sandbox as an ASGI application, for use in process or behind a server.
    """
    routes = [
        _route("/v2/bookings", POST=_CREATE, GET=_LIST),
        _route("/v2/bookings/{uid}", GET=_GET),
        _route("/v2/bookings/{uid}/cancel", POST=_CANCEL),
        _route("/v2/bookings/{uid}/reschedule", POST=_RESCHEDULE),
        _route("/v2/slots", GET=_SLOTS),
        _route("/v2/event-types", GET=_EVENT_TYPES),
        _route("/v2/event-types/{event_type}", GET=_EVENT_TYPE),
        _route("/v2/me", GET=_ME),
        _route("/v2/webhooks", POST=_webhooks(webhook_calls.create), GET=_webhooks(webhook_calls.list_page)),
        _route(
            "/v2/webhooks/{webhook}",
            GET=_webhooks(webhook_calls.get),
            PATCH=_webhooks(webhook_calls.change),
            DELETE=_webhooks(webhook_calls.delete),
        ),
        Mount("/_sandbox", routes=control.routes()),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Answering)],
        exception_handlers={HTTPException: _no_such_route},
    )
    app.state.sandbox = Sandbox(config or SandboxConfig())
    return app


def _route(path: str, **operations: Operation) -> Route:
    async def endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await _serve(request, operation=operations[method])

    return Route(path, endpoint, methods=list(operations))


async def _serve(request: Request, *, operation: Operation) -> Response:
    sandbox: Sandbox = request.app.state.sandbox
    sandbox.calls[operation.name] += 1
    headers: dict[str, str] = {}
    try:
        if operation.version is not None and request.headers.get("cal-api-version") != operation.version:
            raise errors.no_such_route(method=request.method, path=request.url.path)
        key = _admit(request, sandbox=sandbox, operation=operation, headers=headers)
        body = await _json_object(request) if request.method in {"POST", "PATCH"} else {}
        caller = Caller(key=key, path=request.path_params, query=request.query_params, body=body)
        prepared = operation.prepare(sandbox, caller=caller)
        call = Call(
            facts=prepared.facts,
            action=prepared.action,
            foretell=prepared.foretell,
            answered=answered_of(request),
            authenticated=bool(key),
            headers=headers,
        )
        response = await perform(call, sandbox=sandbox)
    except Refusal as refusal:
        response = render_refusal(refusal, path=_path(request), now=sandbox.now(), headers=headers)
    ending = "dropped" if isinstance(response, Drop) else response.status_code
    sandbox.statuses[f"{operation.name} {ending}"] += 1
    return response


def _admit(request: Request, *, sandbox: Sandbox, operation: Operation, headers: dict[str, str]) -> str:
    authorization = request.headers.get("authorization", "")
    address = request.client.host if request.client else ""
    verdict = sandbox.limiter.hit(authorization or address, at=sandbox.now().timestamp())
    headers.update(verdict.headers)
    if not verdict.allowed:
        raise errors.too_many_requests()
    return sandbox.keys.identify(authorization, required=operation.needs_key)


async def _json_object(request: Request) -> dict[str, Any]:
    try:
        body = orjson.loads(await request.body() or b"{}")
    except orjson.JSONDecodeError as exc:
        raise errors.bad_request(str(exc)) from exc
    if not isinstance(body, dict):
        raise errors.bad_request("Body must be a JSON object")
    return body


async def _no_such_route(request: Request, exc: Exception) -> Response:  # noqa: ARG001 - the form that Starlette wants
    refusal = errors.no_such_route(method=request.method, path=request.url.path)
    return render_refusal(refusal, path=_path(request), now=request.app.state.sandbox.now(), headers={})


def _path(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
