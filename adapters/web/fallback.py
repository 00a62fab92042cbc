"""Full fallback, where answers came from, and what is tried again."""

from dataclasses import asdict
from datetime import timedelta

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.directory.scopes import Scope
from adapters.fallback.documents import feature_documents, metrics_document, standing_document
from adapters.fallback.switch import Standing
from adapters.web.admission import admit, backend_of
from adapters.web.answers import json_answer
from adapters.web.body import read_object
from adapters.web.fallback_documents import FallbackMetrics, FallbackState, RetryQueuePage
from adapters.web.fields import checked
from adapters.web.operations import PlainRoute, described
from adapters.web.problems import invalid
from adapters.web.queries import QueueListing, queried
from adapters.web.wishes import FullFallbackFields
from domain.errors import FieldError
from domain.full_fallback import SwitchOff, SwitchOn

ADDRESS = "/api/resilience/fallback"
router = APIRouter(route_class=PlainRoute, tags=["resilience"])


@router.get(
    ADDRESS,
    **described(
        "Tell how full fallback stands, and what is offered", scope=Scope.OPS_READ, answers={200: FallbackState}
    ),
)
async def state(request: Request) -> Response:
    """
    Answer for the fleet; `mode` and `features` are those of the process that answers.

    While the database does not answer, what holds is what this process knows, and what ended last is null.
    """
    await admit(request, Scope.OPS_READ, reads_database=False)
    return _told(request, await backend_of(request).fallback.standing())


@router.post(
    ADDRESS,
    **described(
        "Keep every process from using Cal.com for a while, or go on doing so",
        scope=Scope.FLEET_WRITE,
        body=FullFallbackFields,
        answers={200: FallbackState},
    ),
)
async def begin(request: Request) -> Response:
    """Answer once it is in the log; this process obeys at once, others when they look next. The key is the actor."""
    caller = await admit(request, Scope.FLEET_WRITE)
    fields = checked(FullFallbackFields, await read_object(request))
    wish = SwitchOn(actor=caller.key_id, reason=fields.reason, lasts=timedelta(seconds=fields.seconds))
    return _told(request, await backend_of(request).fallback.on(wish))


@router.delete(
    ADDRESS,
    **described("Let every process use Cal.com again", scope=Scope.FLEET_WRITE, answers={200: FallbackState}),
)
async def end(request: Request) -> Response:
    """Answer once it is in the log; that it did not hold is no error. Those who wait go on in line."""
    caller = await admit(request, Scope.FLEET_WRITE)
    return _told(request, await backend_of(request).fallback.off(SwitchOff(actor=caller.key_id)))


@router.get(
    "/api/resilience/fallback-metrics",
    **described("Tell where answers came from", scope=Scope.OPS_READ, answers={200: FallbackMetrics}),
)
async def metrics(request: Request) -> Response:
    """Answer for the process that answers, since it began."""
    await admit(request, Scope.OPS_READ, reads_database=False)
    return json_answer(metrics_document(backend_of(request).rungs.counts))


@router.get(
    "/api/resilience/queue",
    **described(
        "List the company's bookings that are tried again by themselves",
        scope=Scope.OPS_READ,
        query=QueueListing,
        answers={200: RetryQueuePage},
    ),
)
async def queue(request: Request) -> Response:
    """Answer with what is due now or later, the next first; a booking's status may lag behind the log for a moment."""
    caller = await admit(request, Scope.OPS_READ)
    asked = queried(QueueListing, request)
    try:
        page = await backend_of(request).queue.page(caller.company_id, limit=asked.limit, cursor=asked.cursor)
    except ValueError:
        raise invalid(FieldError("cursor", "must be the next_cursor of an answer to the same company")) from None
    return json_answer({"queue": [asdict(one) for one in page.queued], "next_cursor": page.next_cursor})


def _told(request: Request, standing: Standing) -> Response:
    mode = backend_of(request).fallback.mode
    return json_answer({**standing_document(standing, mode), "features": feature_documents(mode)})
