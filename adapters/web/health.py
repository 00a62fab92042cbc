"""Whether this process lives, and whether it can serve."""

from datetime import timedelta

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.web.admission import backend_of
from adapters.web.answers import json_answer
from adapters.web.documents import Live, Ready
from adapters.web.operations import PlainRoute, described

OVERDUE = timedelta(seconds=30)
router = APIRouter(route_class=PlainRoute, tags=["health"])


@router.get("/livez", **described("Tell whether the process lives", answers={200: Live}))
async def live(request: Request) -> Response:  # noqa: ARG001 - an endpoint takes the request
    """Answer from the process alone, whatever else is down."""
    return json_answer({"status": "live"})


@router.get("/readyz", **described("Tell whether requests can be served", answers={200: Ready, 503: Ready}))
async def ready(request: Request) -> Response:
    """
    Answer 503 when the database is away, read-only or not migrated.

    Due work that nobody claims is a problem, and no reason to send callers elsewhere.
    """
    readiness = await backend_of(request).probes.readiness()
    problems = [] if readiness.problem is None else [readiness.problem]
    status = "ready" if readiness.problem is None else "unavailable"
    if readiness.overdue > OVERDUE:
        seconds = round(readiness.overdue.total_seconds())
        problems.append(f"due work is not being claimed: the oldest has waited {seconds} s; start `calsaga worker`")
        status = "degraded" if status == "ready" else status
    document = {
        "status": status,
        "problems": problems,
        "oldest_due_seconds": max(readiness.overdue.total_seconds(), 0.0),
    }
    headers = {"Retry-After": "5"} if readiness.problem is not None else None
    return json_answer(document, status=200 if readiness.problem is None else 503, headers=headers)
