"""From every error that can reach the border to its problem: the one table of which error is which answer."""

from functools import partial
from math import ceil
from uuid import UUID

import structlog
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from adapters.phrases import Phrase, phrase, reason_in
from adapters.resilience.database_failures import READ_ONLY
from adapters.web import problems as p
from adapters.web.correlation import correlation_id_of
from adapters.web.language import language_of
from adapters.web.problems import Problem, Refused
from domain import errors as e
from domain.errors import FieldError

RETRY_AFTER_SECONDS = 5
_OUR_FAULT = "This is our fault; give the correlation id to whoever runs this."
log = structlog.get_logger("calsaga.web")


def booking_location(booking_id: UUID) -> str:
    """Return where a booking is found."""
    return f"/api/bookings/{booking_id}"


def handle_refusals(app: FastAPI) -> None:
    """Make every error that the API knows leave as a problem."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(e.AppointmentError, _appointment_error)
    app.add_exception_handler(HTTPException, _of_the_framework)


def problem_of(error: e.AppointmentError) -> Problem:
    """Return the problem that tells a caller of this error."""
    match error:
        case e.CustomerValidationError():
            return p.invalid(*error.errors).problem
        case e.UnknownService():
            return p.invalid(FieldError("service_id", "is no service of this company; define it first")).problem
        case e.KeyReused():
            return Problem(
                kind=p.KEY_REUSED,
                detail=error.message,
                errors=(FieldError("Idempotency-Key", "came with another payload before; use a new key"),),
                facts={"booking_id": error.booking_id},
            )
        case e.AlreadyOver():
            return _of_booking(p.ALREADY_OVER, error, Phrase.ALREADY_OVER)
        case e.MadeElsewhere():
            return _of_booking(p.MADE_ELSEWHERE, error, Phrase.MADE_ELSEWHERE)
        case e.NotBooked():
            return _of_booking(p.NOT_BOOKED, error, Phrase.NOT_BOOKED, status=error.status)
        case e.CannotBeMoved():
            return _of_booking(p.CANNOT_BE_MOVED, error, Phrase.CANNOT_BE_MOVED)
        case e.NothingToDecide():
            return _of_booking(p.NOTHING_TO_DECIDE, error, Phrase.NOTHING_TO_DECIDE)
        case e.UnknownBooking():
            return p.not_found("booking").problem
        case e.UnknownSyncFailure():
            return p.not_found("sync failure").problem
        case e.AppointmentCreationError():
            facts = {"reason": error.reason, "booking_id": error.booking_id}
            say = partial(reason_in, error.reason)
            return Problem(kind=p.BOOKING_REFUSED, detail=error.message, facts=facts, say=say)
        case e.AppointmentDatabaseError():
            return _of_the_database(error)
        case e.CircuitOpenError():
            return unavailable(f"{error.message}; nothing was stored.", seconds=error.retry_after)
        case e.CalcomBookingError() if error.transient:
            return unavailable("Cal.com cannot be reached at the moment; nothing was stored.")
        case e.CalcomBookingError():
            return Problem(kind=p.CALCOM_FAILED, detail=f"{error.message} Nothing was stored.")
        case _:
            return Problem(kind=p.INTERNAL, detail=_OUR_FAULT)


def _of_the_database(error: e.AppointmentDatabaseError) -> Problem:
    # A full disk passes, too, though not while a caller waits for it.
    if not error.retryable and error.kind != "exhausted":
        facts = {} if error.booking_id is None else {"booking_id": error.booking_id}
        return Problem(kind=p.INTERNAL, detail=_OUR_FAULT, facts=facts)
    if error.booking_id is not None:
        return Problem(
            kind=p.UNAVAILABLE,
            detail=f"The database {_failing(error) or 'did not answer in time'}. "
            "The booking may go on all the same: send the same request again, or ask for the booking at `Location`.",
            facts={"booking_id": error.booking_id},
            headers={"Retry-After": str(RETRY_AFTER_SECONDS), "Location": booking_location(error.booking_id)},
            say=lambda language: f"{phrase(Phrase.REFUSED, language)} {phrase(Phrase.MAY_GO_ON, language)}",
        )
    failing = _failing(error) or "does not answer"
    return unavailable(f"The database {failing} at the moment; send the same request again.")


def _failing(error: e.AppointmentDatabaseError) -> str | None:
    if error.kind == "exhausted":
        return "has no room or memory left"
    return "is read-only" if error.sql_state == READ_ONLY else None


def unavailable(detail: str, *, seconds: float = RETRY_AFTER_SECONDS) -> Problem:
    """Return the problem below the last rung of the fallback chain."""
    return Problem(
        kind=p.UNAVAILABLE,
        detail=detail,
        headers={"Retry-After": str(max(ceil(seconds), 1))},
        say=partial(phrase, Phrase.REFUSED),
    )


def _of_booking(
    kind: p.Kind,
    error: e.AlreadyOver | e.MadeElsewhere | e.NotBooked | e.CannotBeMoved | e.NothingToDecide,
    said: Phrase,
    **facts: object,
) -> Problem:
    facts = {"booking_id": error.booking_id, **facts}
    return Problem(kind=kind, detail=error.message, facts=facts, say=partial(phrase, said))


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101 - registered for this class alone
    return error.problem.answer(correlation_id_of(request), language_of(request))


async def _appointment_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, e.AppointmentError)  # noqa: S101 - registered for this class alone
    problem = problem_of(error)
    if problem.kind.status >= p.INTERNAL.status:
        # Without the message: it may quote what a database or Cal.com said about a person.
        facts = {name: value for name, value in error.as_log().items() if name != "error_message"}
        log.error("http.request.failed", problem=problem.kind.slug, **facts)
    return problem.answer(correlation_id_of(request), language_of(request))


async def _of_the_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    match error.status_code:
        case 404:
            problem = Problem(kind=p.NOT_FOUND, detail="There is nothing at this address; see /openapi.json.")
        case 405:
            allowed = ", ".join(sorted(_methods_at(request)))
            detail = f"This address takes {allowed}."
            problem = Problem(kind=p.METHOD_NOT_ALLOWED, detail=detail, headers={"Allow": allowed})
        case _:
            problem = Problem(kind=p.BAD_REQUEST, detail="The request cannot be understood.")
    return problem.answer(correlation_id_of(request))


def _methods_at(request: Request) -> set[str]:
    # The framework names the methods of the first route at the address only.
    methods: set[str] = set()
    for route in request.app.routes:
        matched, _ = route.matches(request.scope)
        if matched is not Match.NONE:
            methods |= set(getattr(route, "methods", None) or ())
    return methods
