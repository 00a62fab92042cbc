"""
The control interface under ``/_sandbox``: what a test or a judge does to the sandbox and sees of it.

==== ========================= =======================================================================================
GET  /_sandbox/ledger          every booking ever committed, oldest first (``?event_type_id=`` narrows it)
GET  /_sandbox/stats           calls, answers, injected faults, queued faults, commits still to come, webhooks
PUT  /_sandbox/faults          set the profile: ``{"seed": 1, "faults": [{"kind": …}, …]}`` or ``{"profile": "storm"}``
POST /_sandbox/faults          queue a fault for the next calls: ``{"kind": …, "times": 1}`` or a list of them
PUT  /_sandbox/event-types/{n} define an event type: ``{"slug": …, "length": 30, "hosts": [1], …}``
PUT  /_sandbox/keys            ``{"invalid": ["cal_x"], "blind": {"cal_y": [1]}}``
PUT  /_sandbox/rate-limit      ``{"limit": 120, "window_seconds": 60, "block_seconds": 60}``; a limit of 0 is none
POST /_sandbox/people          ``{"action": "book" | "cancel" | "move" | "confirm" | "decline", …}``
POST /_sandbox/webhooks        subscribe without a key: ``{"subscriberUrl": …, "secret": …}``, and perhaps ``triggers``,
                               and ``event_type_id`` for that event type only
POST /_sandbox/webhooks/ping   send a ``PING`` to every subscriber
POST /_sandbox/reset           begin anew
==== ========================= =======================================================================================

A request that makes no sense gets 422 and ``{"error": …}``.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from inspect import isawaitable
from typing import Any
from uuid import uuid4

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.sandbox import people, webhook_requests
from adapters.sandbox.announcing import ping
from adapters.sandbox.answering import answered_of
from adapters.sandbox.answers import json_response
from adapters.sandbox.errors import Refusal
from adapters.sandbox.event_types import EventType
from adapters.sandbox.fault_fields import TEXT, TIMES, WHOLE, check
from adapters.sandbox.fault_plan import FaultPlan
from adapters.sandbox.faults import Fault, Profile
from adapters.sandbox.keys import Keys
from adapters.sandbox.ledger import ledger_entry
from adapters.sandbox.profiles import load_profile
from adapters.sandbox.rate_limit import RateLimiter
from adapters.sandbox.state import Sandbox
from adapters.sandbox.webhook_calls import webhook_output
from adapters.sandbox.webhooks import BOOKING_TRIGGERS, Webhook

Control = Callable[[Sandbox, Request, Any], Any]


def routes() -> list[Route]:
    """
    Return the routes, to be mounted under ``/_sandbox``.
    """
    return [
        Route("/ledger", _control(_ledger), methods=["GET"]),
        Route("/stats", _control(_stats), methods=["GET"]),
        Route("/faults", _control(_set_faults), methods=["PUT"]),
        Route("/faults", _control(_queue_faults), methods=["POST"]),
        Route("/event-types/{id:int}", _control(_define_event_type), methods=["PUT"]),
        Route("/keys", _control(_set_keys), methods=["PUT"]),
        Route("/rate-limit", _control(_set_rate_limit), methods=["PUT"]),
        Route("/people", _control(_people), methods=["POST"]),
        Route("/webhooks", _control(_subscribe), methods=["POST"]),
        Route("/webhooks/ping", _control(_ping), methods=["POST"]),
        Route("/reset", _control(_reset), methods=["POST"]),
    ]


def _control(action: Control) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            body = orjson.loads(await request.body() or b"{}")
            result = action(request.app.state.sandbox, request, body)
            return json_response(await result if isawaitable(result) else result)
        except (ValueError, TypeError, KeyError, AttributeError) as exc:
            return json_response({"error": f"{type(exc).__name__}: {exc}"}, status=422)
        except Refusal as refusal:
            return json_response({"error": refusal.message}, status=refusal.status)

    return endpoint


def _ledger(sandbox: Sandbox, request: Request, _body: object) -> Any:  # noqa: ANN401 - JSON
    wanted = request.query_params.get("event_type_id")
    bookings = sandbox.bookings.all() if wanted is None else sandbox.bookings.of_event_type(int(wanted))
    return {"bookings": [ledger_entry(booking) for booking in bookings]}


def _stats(sandbox: Sandbox, _request: Request, _body: object) -> Any:  # noqa: ANN401 - JSON
    return {
        "calls": dict(sandbox.calls),
        "statuses": dict(sandbox.statuses),
        "faults": {str(kind): count for kind, count in sandbox.injected.items()},
        "faults_queued": sandbox.faults.queued,
        "late_commits_to_come": sandbox.late,
        "late_commits_refused": sandbox.late_refused,
        "bookings": len(sandbox.bookings.all()),
        "webhooks": {**sandbox.courier.counts, "to_come": sandbox.courier.to_come},
    }


def _set_faults(sandbox: Sandbox, _request: Request, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    if "profile" in body:
        check(body, {"profile": TEXT, "seed": WHOLE}, of="choice of a profile")
        profile = load_profile(body["profile"])
        profile = replace(profile, seed=body.get("seed", profile.seed))
    else:
        profile = Profile.from_json(body)
    sandbox.faults = FaultPlan(profile)
    return {"seed": profile.seed, "faults": len(profile.faults)}


def _queue_faults(sandbox: Sandbox, _request: Request, body: Any) -> Any:  # noqa: ANN401 - JSON
    documents = body if isinstance(body, list) else [body]
    for fault, times in list(map(_queued, documents)):
        sandbox.faults.push(fault, times=times)
    return {"queued": sandbox.faults.queued}


def _queued(document: dict[str, Any]) -> tuple[Fault, int]:
    fault = dict(document)
    times = fault.pop("times", 1)
    check({"times": times}, {"times": TIMES}, of="fault")
    return Fault.from_json(fault), times


def _define_event_type(sandbox: Sandbox, request: Request, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    event_type = EventType.from_json({**body, "id": request.path_params["id"]})
    sandbox.event_types[event_type.id] = event_type
    return event_type.to_json()


def _set_keys(sandbox: Sandbox, _request: Request, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    sandbox.keys = Keys.from_json(body)
    return {"invalid": len(sandbox.keys.invalid), "blind": len(sandbox.keys.blind)}


def _set_rate_limit(sandbox: Sandbox, _request: Request, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    sandbox.limiter = RateLimiter(
        limit=int(body["limit"]),
        window_seconds=float(body.get("window_seconds", sandbox.config.rate_window_seconds)),
        block_seconds=float(body.get("block_seconds", sandbox.config.block_seconds)),
    )
    return {"limit": sandbox.limiter.limit}


async def _people(sandbox: Sandbox, request: Request, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    changed = await people.act(sandbox, wish=body, answered=answered_of(request))
    return {"bookings": [ledger_entry(booking) for booking in changed]}


def _subscribe(sandbox: Sandbox, _request: Request, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    if unknown := body.keys() - {"subscriberUrl", "secret", "triggers", "event_type_id"}:
        message = f"unknown fields of a webhook: {sorted(unknown)}"
        raise ValueError(message)
    fields = webhook_requests.read_new({"active": True, "triggers": list(BOOKING_TRIGGERS), **body})
    webhook = Webhook(id=str(uuid4()), event_type_id=body.get("event_type_id"), **fields)
    sandbox.webhooks.add(webhook)
    return webhook_output(webhook)


async def _ping(sandbox: Sandbox, request: Request, _body: object) -> Any:  # noqa: ANN401 - JSON
    return {"subscribers": await ping(sandbox, answered=answered_of(request))}


def _reset(sandbox: Sandbox, _request: Request, _body: object) -> Any:  # noqa: ANN401 - JSON
    sandbox.reset()
    return {}
