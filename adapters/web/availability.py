"""When a service can be booked."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.directory.scopes import Scope
from adapters.phrases import Phrase, phrase
from adapters.web import documents
from adapters.web.admission import admit, backend_of
from adapters.web.answers import json_answer
from adapters.web.language import language_of
from adapters.web.notices import fallback_document
from adapters.web.operations import SPOKEN, PlainRoute, described
from adapters.web.ports import Caller, FreeSlots
from adapters.web.problems import Refused
from adapters.web.queries import Span, queried
from adapters.web.refusals import unavailable
from adapters.web.rungs import answering
from domain.booking import Booking
from domain.errors import CalcomBookingError

UNKNOWN = "The free slots cannot be known: Cal.com cannot be asked now, and it is too long ago that it could."
router = APIRouter(route_class=PlainRoute, tags=["bookings"])


@router.get(
    "/api/availability",
    **described(
        "Find the free slots of a service, 31 days at most",
        scope=Scope.BOOKINGS_READ,
        query=Span,
        headers=(SPOKEN,),
        answers={200: documents.FreeSlots},
        problems=(502,),
    ),
)
async def list_free_slots(request: Request) -> Response:
    """Answer with starts in the time zone that is asked for, and say where that is from and how old it is."""
    caller = await admit(request, Scope.BOOKINGS_READ)
    asked = queried(Span, request)
    with answering(request, "availability") as answered:
        free = await _found(request, caller, asked)
        answered(free.rung)
    content: dict[str, Any] = {
        "slots": free.starts,
        "source": free.source,
        "age_seconds": round(free.age_seconds, 1),
    }
    if free.source == "stale":
        language = language_of(request)
        content |= {"message": phrase(Phrase.STALE, language), **fallback_document(free.rung, language)}
    return json_answer(content)


async def _found(request: Request, caller: Caller, asked: Span) -> FreeSlots:
    try:
        return await backend_of(request).availability.find(
            company_id=caller.company_id,
            service_id=asked.service_id,
            since=asked.since,
            until=asked.until,
            time_zone=asked.time_zone,
            staff_id=asked.staff_id,
            staff_group=asked.staff_group,
        )
    except CalcomBookingError as error:
        if not error.transient:
            raise
        raise Refused(unavailable(UNKNOWN)) from error


async def alternatives_to(wished: datetime, booking: Booking, request: Request) -> tuple[datetime, ...] | None:
    """Return other times for a booking whose slot was gone; None if nobody can say soon."""
    return await backend_of(request).alternatives.near(wished, booking)
