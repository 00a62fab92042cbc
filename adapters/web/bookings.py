"""Booking, cancelling, and asking what has become of it."""

from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.directory.scopes import Scope
from adapters.web.admission import admit, backend_of
from adapters.web.answers import answer_booking, answer_cancellation
from adapters.web.body import read_object
from adapters.web.correlation import correlation_id_of
from adapters.web.documents import BookingAnswer
from adapters.web.fields import checked
from adapters.web.headers import idempotency_key, preference
from adapters.web.operations import IDEMPOTENT, PATIENT, PlainRoute, described
from adapters.web.problems import not_found
from adapters.web.wishes import BookingFields, CancellationFields
from sagas.orchestrator import CancelAppointment

CANCEL = "/api/bookings/{booking_id}/cancel"
router = APIRouter(route_class=PlainRoute, tags=["bookings"])


@router.post(
    "/api/bookings",
    **described(
        "Book an appointment in Cal.com and in the local database",
        scope=Scope.BOOKINGS_WRITE,
        body=BookingFields,
        headers=(IDEMPOTENT, PATIENT),
        answers={201: BookingAnswer, 200: BookingAnswer, 202: BookingAnswer},
        problems=(409,),
    ),
)
async def book(request: Request) -> Response:
    """Answer 201 when both places have it, 202 when it is durable and going on; a repeated key books nothing twice."""
    caller = await admit(request, Scope.BOOKINGS_WRITE)
    preferred = preference(request)
    key = idempotency_key(request)
    fields = checked(BookingFields, await read_object(request))
    correlation_id = correlation_id_of(request)
    wish = fields.wish(company_id=caller.company_id, idempotency_key=key, correlation_id=correlation_id)
    result = await backend_of(request).bookings.book(wish, patience=preferred.patience)
    return preferred.noted_on(answer_booking(result, correlation_id=correlation_id))


@router.post(
    CANCEL,
    **described(
        "Cancel a booking, whatever state it is in",
        path=CANCEL,
        scope=Scope.BOOKINGS_WRITE,
        body=CancellationFields,
        headers=(IDEMPOTENT, PATIENT),
        answers={200: BookingAnswer, 202: BookingAnswer},
        problems=(404, 409),
    ),
)
async def cancel(request: Request) -> Response:
    """Answer 200 when it is cancelled in both places, 202 when that goes on."""
    caller = await admit(request, Scope.BOOKINGS_WRITE)
    preferred = preference(request)
    wish = CancelAppointment(
        company_id=caller.company_id,
        booking_id=booking_id_of(request),
        idempotency_key=idempotency_key(request),
        reason=checked(CancellationFields, await read_object(request)).reason,
        correlation_id=correlation_id_of(request),
    )
    return preferred.noted_on(
        answer_cancellation(await backend_of(request).bookings.cancel(wish, patience=preferred.patience))
    )


def booking_id_of(request: Request) -> UUID:
    """
    Return the booking id of the path.

    Raises:
        Refused: 404, it cannot be one.

    """
    try:
        return UUID(request.path_params["booking_id"])
    except ValueError:
        raise not_found("booking") from None
