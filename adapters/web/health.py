"""Whether this process lives, whether it can serve, and how calsaga is as a whole."""

import asyncio

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from adapters.directory.scopes import Scope
from adapters.health.documents import forecast_document, history_document, overview_document, status_document
from adapters.web.admission import admit, backend_of
from adapters.web.answers import json_answer
from adapters.web.health_documents import (
    HealthForecast,
    HealthHistory,
    HealthStatus,
    Live,
    Overview,
    Ready,
    ServiceName,
)
from adapters.web.operations import PlainRoute, described
from adapters.web.queries import Query, queried

REDIS_AWAY = "Redis does not answer: each process decides for itself what it has seen, and which breakers are open"
ASK_AGAIN = {"Retry-After": "5"}
router = APIRouter(route_class=PlainRoute, tags=["health"])


class Period(Query):
    """The time for which uptime is told: a week at most."""

    minutes: int = Field(default=24 * 60, ge=1, le=7 * 24 * 60)


class HistoryOf(Query):
    """Which checks are meant: those of one service, of the last minutes, a day at most."""

    service: ServiceName
    minutes: int = Field(default=60, ge=1, le=24 * 60)


@router.get("/livez", **described("Tell whether the process lives", answers={200: Live}))
async def live(request: Request) -> Response:  # noqa: ARG001 - an endpoint takes the request
    """Answer from the process alone, whatever else is down."""
    return json_answer({"status": "live"})


@router.get("/readyz", **described("Tell whether requests can be served", answers={200: Ready, 503: Ready}))
async def ready(request: Request) -> Response:
    """
    Answer 503 when the database is away, read-only or not migrated.

    Due work that nobody claims, and a Redis that is away, are problems, and no reason to send callers elsewhere.
    """
    backend = backend_of(request)
    readiness, redis = await asyncio.gather(backend.probes.readiness(), backend.redis.get())
    is_away = redis is None or redis.status == "down"
    lesser = [readiness.unclaimed, REDIS_AWAY if is_away else None]
    problems = [said for said in (readiness.problem, *lesser) if said is not None]
    document = {
        "status": "unavailable" if readiness.problem is not None else "degraded" if problems else "ready",
        "problems": problems,
        "oldest_due_seconds": max(readiness.overdue.total_seconds(), 0.0),
    }
    if readiness.problem is not None:
        return json_answer(document, status=503, headers=ASK_AGAIN)
    return json_answer(document)


@router.get("/health", **described("Tell how calsaga is as a whole", answers={200: Overview, 503: Overview}))
async def health(request: Request) -> Response:
    """
    Answer 503 when it is critical, without an API key, and look once a second at most.

    It is for people and for whoever watches from outside; a load balancer asks `/readyz`.
    """
    overview = await backend_of(request).health.overview()
    if overview.verdict == "critical":
        return json_answer(overview_document(overview), status=503, headers=ASK_AGAIN)
    return json_answer(overview_document(overview))


@router.get(
    "/api/health/status",
    **described("Tell how each service is", scope=Scope.OPS_READ, query=Period, answers={200: HealthStatus}),
)
async def status(request: Request) -> Response:
    """Answer for all companies together: what is probed of Cal.com is its own health, whoever's key is used."""
    await admit(request, Scope.OPS_READ, reads_database=False)
    period = queried(Period, request)
    seen = backend_of(request).health
    overview, uptimes = await asyncio.gather(seen.overview(), seen.uptimes(minutes=period.minutes))
    return json_answer(status_document(overview, uptimes))


@router.get(
    "/api/health/history",
    **described(
        "List what was found of a service", scope=Scope.OPS_READ, query=HistoryOf, answers={200: HealthHistory}
    ),
)
async def history(request: Request) -> Response:
    """Answer with each check of the last minutes."""
    await admit(request, Scope.OPS_READ)
    wanted = queried(HistoryOf, request)
    checks = await backend_of(request).health.history(wanted.service, minutes=wanted.minutes)
    return json_answer(history_document(checks))


@router.get(
    "/api/health/forecast",
    **described("Tell what is to be expected within half an hour", scope=Scope.OPS_READ, answers={200: HealthForecast}),
)
async def foretell(request: Request) -> Response:
    """Answer with advice: nothing acts on it."""
    await admit(request, Scope.OPS_READ)
    return json_answer(forecast_document(await backend_of(request).health.forecasts()))
