"""Booking, cancelling, and asking what has become of it."""

from typing import TypeVar
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.directory.scopes import Scope
from adapters.web.admission import admit, backend_of
from adapters.web.answers import (
    answer_booking,
    answer_cancellation,
    answer_reschedule,
    is_stopped_by_slot,
    is_without_slot,
    rung_of_booking,
)
from adapters.web.availability import alternatives_to
from adapters.web.body import read_object
from adapters.web.correlation import correlation_id_of
from adapters.web.documents import BookingAnswer
from adapters.web.fields import checked
from adapters.web.headers import Preference, idempotency_key, preference
from adapters.web.language import language_of
from adapters.web.operations import IDEMPOTENT, PATIENT, SPOKEN, PlainRoute, described
from adapters.web.problems import not_found
from adapters.web.rungs import answering, patience_of
from adapters.web.wishes import Beside, BookingFields, CancellationFields, CompositeFields, RescheduleFields, WishFields
from sagas.wishes import CancelAppointment, RescheduleAppointment

CANCEL = "/api/bookings/{booking_id}/cancel"
RESCHEDULE = "/api/bookings/{booking_id}/reschedule"
F = TypeVar("F", bound=WishFields)
router = APIRouter(route_class=PlainRoute, tags=["bookings"])


@router.post(
    "/api/bookings",
    **described(
        "Book an appointment in Cal.com and in the local database",
        scope=Scope.BOOKINGS_WRITE,
        body=BookingFields,
        headers=(IDEMPOTENT, PATIENT, SPOKEN),
        answers={201: BookingAnswer, 200: BookingAnswer, 202: BookingAnswer},
        problems=(409,),
    ),
)
async def book(request: Request) -> Response:
    """Answer 201 when both places have it, 202 when it is durable and going on; a repeated key books nothing twice."""
    fields, beside, preferred = await _asked(request, BookingFields)
    wish = fields.wish(beside)
    patience = patience_of(request, preferred.patience)
    with answering(request, "book") as answered:
        result = await backend_of(request).bookings.book(wish, patience=patience)
        answered(rung_of_booking(result.booking))
    others = await alternatives_to(wish.starts_at, result.booking, request) if is_without_slot(result) else None
    answer = answer_booking(
        result, correlation_id=wish.correlation_id, alternatives=others, language=language_of(request)
    )
    return preferred.noted_on(answer)


@router.post(
    "/api/bookings/composite",
    **described(
        "Book several services, all of them or none",
        scope=Scope.BOOKINGS_WRITE,
        body=CompositeFields,
        headers=(IDEMPOTENT, PATIENT, SPOKEN),
        answers={201: BookingAnswer, 200: BookingAnswer, 202: BookingAnswer},
        problems=(409,),
    ),
)
async def book_composite(request: Request) -> Response:
    """Answer as for one service; where a slot is taken no alternatives are named, since no single time would help."""
    fields, beside, preferred = await _asked(request, CompositeFields)
    wish = fields.wish(beside)
    patience = patience_of(request, preferred.patience)
    with answering(request, "book") as answered:
        result = await backend_of(request).bookings.book_composite(wish, patience=patience)
        answered(rung_of_booking(result.booking))
    answer = answer_booking(result, correlation_id=wish.correlation_id, language=language_of(request))
    return preferred.noted_on(answer)


@router.post(
    CANCEL,
    **described(
        "Cancel a booking, whatever state it is in",
        path=CANCEL,
        scope=Scope.BOOKINGS_WRITE,
        body=CancellationFields,
        headers=(IDEMPOTENT, PATIENT, SPOKEN),
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
    patience = patience_of(request, preferred.patience)
    with answering(request, "cancel") as answered:
        result = await backend_of(request).bookings.cancel(wish, patience=patience)
        answered(rung_of_booking(result.booking))
    return preferred.noted_on(answer_cancellation(result, language=language_of(request)))


@router.post(
    RESCHEDULE,
    **described(
        "Move a booking to another time",
        path=RESCHEDULE,
        scope=Scope.BOOKINGS_WRITE,
        body=RescheduleFields,
        headers=(IDEMPOTENT, PATIENT, SPOKEN),
        answers={200: BookingAnswer, 202: BookingAnswer},
        problems=(404, 409),
    ),
)
async def reschedule(request: Request) -> Response:
    """Answer 200 when it is moved in both places, 202 when that goes on, 409 when it stays where it is."""
    caller = await admit(request, Scope.BOOKINGS_WRITE)
    preferred = preference(request)
    booking_id, key = booking_id_of(request), idempotency_key(request)
    fields = checked(RescheduleFields, await read_object(request))
    wish = RescheduleAppointment(
        company_id=caller.company_id,
        booking_id=booking_id,
        starts_at=fields.starts_at,
        reason=fields.reason,
        idempotency_key=key,
    )
    patience = patience_of(request, preferred.patience)
    with answering(request, "reschedule") as answered:
        result = await backend_of(request).bookings.reschedule(wish, patience=patience)
        answered(rung_of_booking(result.booking))
    others = await alternatives_to(wish.starts_at, result.booking, request) if is_stopped_by_slot(result) else None
    answer = answer_reschedule(
        result,
        correlation_id=correlation_id_of(request),
        alternatives=others,
        language=language_of(request),
    )
    return preferred.noted_on(answer)


async def _asked(request: Request, form: type[F]) -> tuple[F, Beside, Preference]:
    """Return what is wished for, once the caller is admitted and all that was sent is read."""
    caller = await admit(request, Scope.BOOKINGS_WRITE)
    preferred = preference(request)
    key = idempotency_key(request)
    fields = checked(form, await read_object(request))
    beside = Beside(company_id=caller.company_id, idempotency_key=key, correlation_id=correlation_id_of(request))
    return fields, beside, preferred


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
