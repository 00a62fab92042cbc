"""How the circuit breakers have moved."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.breakers.documents import breaker_event_document
from adapters.directory.scopes import Scope
from adapters.web.admission import admit, backend_of
from adapters.web.answers import json_answer
from adapters.web.breaker_documents import BreakerEventPage
from adapters.web.operations import PlainRoute, described
from adapters.web.problems import invalid
from adapters.web.queries import BreakerEventListing, queried
from domain.errors import FieldError

router = APIRouter(route_class=PlainRoute, tags=["resilience"])


@router.get(
    "/api/resilience/events",
    **described(
        "List how the circuit breakers have moved",
        scope=Scope.OPS_READ,
        query=BreakerEventListing,
        answers={200: BreakerEventPage},
    ),
)
async def events(request: Request) -> Response:
    """Answer from the read model, the newest first; it may lag behind the breakers for some seconds."""
    await admit(request, Scope.OPS_READ)
    asked = queried(BreakerEventListing, request)
    try:
        page = await backend_of(request).breaker_events.page(
            service=asked.service, limit=asked.limit, cursor=asked.cursor
        )
    except ValueError:
        raise invalid(FieldError("cursor", "must be the next_cursor of an answer to the same filters")) from None
    documents = [breaker_event_document(one) for one in page.events]
    return json_answer({"events": documents, "next_cursor": page.next_cursor})
