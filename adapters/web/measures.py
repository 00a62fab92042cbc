"""How calls to other services end, what they take, and what they are held to."""

from datetime import timedelta

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.directory.scopes import Scope
from adapters.measuring.documents import breakdown_document, resilience_document
from adapters.measuring.process import process_use
from adapters.web.admission import admit, backend_of
from adapters.web.answers import json_answer
from adapters.web.measure_documents import LatencyBreakdown, ResilienceFigures
from adapters.web.operations import PlainRoute, described
from adapters.web.queries import Window, queried

router = APIRouter(route_class=PlainRoute, tags=["resilience"])


@router.get(
    "/api/metrics/resilience",
    **described(
        "Tell how well each service does",
        scope=Scope.OPS_READ,
        query=Window,
        answers={200: ResilienceFigures},
    ),
)
async def resilience(request: Request) -> Response:
    """
    Answer for all processes, as of a minute ago, and for the one that answers, as of now; `process` is its alone.

    While the database does not answer (`all_processes` false) all of it is about the one that answers. No company
    has services of its own. What does not tell apart calls that went well from none is null.
    """
    await admit(request, Scope.OPS_READ, reads_database=False)
    window = timedelta(minutes=queried(Window, request).minutes)
    figures = await backend_of(request).measures.figures(window=window)
    return json_answer(resilience_document(figures, process_use()))


@router.get(
    "/api/metrics/latency-breakdown",
    **described(
        "Tell what each operation takes",
        scope=Scope.OPS_READ,
        query=Window,
        answers={200: LatencyBreakdown},
    ),
)
async def latency_breakdown(request: Request) -> Response:
    """Answer by service and operation, `api` being our own, for all processes as `/api/metrics/resilience` does."""
    await admit(request, Scope.OPS_READ)
    minutes = queried(Window, request).minutes
    tallies = await backend_of(request).measures.breakdown(window=timedelta(minutes=minutes))
    return json_answer(breakdown_document(tallies, minutes=minutes))
