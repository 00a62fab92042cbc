"""What this process counts, for Prometheus to fetch."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.web.admission import backend_of
from adapters.web.operations import PlainRoute, described

TEXT = "text/plain; version=0.0.4; charset=utf-8"
router = APIRouter(route_class=PlainRoute, tags=["health"])


@router.get("/metrics", **described("Tell what this process has counted", answers={200: TEXT}))
async def metrics(request: Request) -> Response:
    """
    Answer in Prometheus' text form, without an API key; no figure names a customer or a company.

    With several processes behind one address (`serve --workers`), whichever takes the
    request answers for itself alone, told apart by `process_start_time_seconds`. How breakers stand is a second old at
    most, but for a Redis that hangs: then they are told as they were.
    """
    backend = backend_of(request)
    states = await backend.breaker_states.get()
    return Response(backend.metrics.exposition(states or {}), headers={"Content-Type": TEXT})
