"""When a service can be booked."""

from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.directory.scopes import Scope
from adapters.web.admission import admit, backend_of
from adapters.web.answers import json_answer
from adapters.web.documents import FreeSlots
from adapters.web.operations import PlainRoute, described
from adapters.web.problems import UNAVAILABLE, Problem, Refused
from adapters.web.queries import Span, queried
from adapters.web.refusals import RETRY_AFTER_SECONDS
from domain.booking import Booking
from domain.errors import CalcomBookingError

router = APIRouter(route_class=PlainRoute, tags=["bookings"])


@router.get(
    "/api/availability",
    **described(
        "Find the free slots of a service, 31 days at most",
        scope=Scope.BOOKINGS_READ,
        query=Span,
        answers={200: FreeSlots},
        problems=(502,),
    ),
)
async def list_free_slots(request: Request) -> Response:
    """Answer with starts in the time zone that is asked for, and say where that is from and how old it is."""
    caller = await admit(request, Scope.BOOKINGS_READ)
    asked = queried(Span, request)
    try:
        free = await backend_of(request).availability.find(
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
        raise Refused(_unknown()) from error
    return json_answer({"slots": free.starts, "source": free.source, "age_seconds": round(free.age_seconds, 1)})


async def alternatives_to(wished: datetime, booking: Booking, request: Request) -> tuple[datetime, ...] | None:
    """Return other times for a booking whose slot was gone; None if nobody can say soon."""
    return await backend_of(request).alternatives.near(wished, booking)


def _unknown() -> Problem:
    detail = "The free slots cannot be known: Cal.com does not answer, and it is too long ago that it did."
    return Problem(kind=UNAVAILABLE, detail=detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
