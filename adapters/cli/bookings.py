"""`calsaga book` and `calsaga cancel`: one booking from the command line."""

import json
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID, uuid4

import typer

from adapters.cli.failing import FOUND_WRONG, Misused, complain
from adapters.cli.identifiers import company_id
from adapters.cli.running import ready_settings, say_json, with_application

if TYPE_CHECKING:
    from adapters.bootstrap import Application
    from sagas.wishes import BookingResult

Company = Annotated[
    str | None,
    typer.Option(callback=company_id, help="The company; that of CALSAGA_DEFAULT_COMPANY if not given."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the booking as one JSON object.")]
Wait = Annotated[float, typer.Option(min=0, max=300, help="How many seconds to wait for the outcome.")]
# Plain words, because the domain is imported when a command needs it.
_NOT_BOOKED = frozenset({"failed", "cancelled", "needs_review"})
_NOT_CANCELLED = frozenset({"needs_review"})

Key = Annotated[str | None, typer.Option(help="Idempotency-Key: the same key again books nothing twice.")]


def book(
    *,
    service: Annotated[str, typer.Option(help="The service's id.")],
    name: Annotated[str, typer.Option(help="The customer's name.")],
    starts_at: Annotated[str, typer.Option(help="ISO 8601 with an offset: 2027-03-02T10:00:00+01:00.")],
    time_zone: Annotated[str, typer.Option(help="The IANA zone in which the customer reads it: Europe/Berlin.")],
    email: Annotated[str | None, typer.Option(help="The customer's e-mail address.")] = None,
    phone: Annotated[str | None, typer.Option(help="The customer's phone number, +49….")] = None,
    source: Annotated[str, typer.Option(help="Where the wish comes from.")] = "cli",
    staff: Annotated[str | None, typer.Option(help="The member of staff's id.")] = None,
    staff_group: Annotated[str | None, typer.Option(help="Anybody of this group who offers the same will do.")] = None,
    notes: Annotated[str | None, typer.Option(help="What the staff should know.")] = None,
    metadata: Annotated[str | None, typer.Option(help="A JSON object of your own, 16 KiB at most.")] = None,
    call_id: Annotated[str | None, typer.Option(help="The voice call's id.")] = None,
    confidence: Annotated[float | None, typer.Option(help="The transcript's confidence, 0 to 1.")] = None,
    allow_near_duplicate: Annotated[bool, typer.Option(help="Book beside another booking close by.")] = False,
    key: Key = None,
    correlation_id: Annotated[str | None, typer.Option(help="The id that logs and events are found by.")] = None,
    company: Company = None,
    wait: Wait = 10,
    as_json: Json = False,
) -> None:
    """Book one appointment in Cal.com and in the local database."""
    from adapters.cli.lines import read_instant
    from domain.wish import BookAppointment, CustomerWish

    settings = ready_settings()
    wish = BookAppointment(
        company_id=company or settings.default_company,
        service_id=service,
        customer=CustomerWish(name=name, email=email, phone=phone),
        starts_at=read_instant(starts_at, field="starts_at"),
        time_zone=time_zone,
        source=source,
        staff_id=staff,
        staff_group=staff_group,
        notes=notes,
        metadata=_json_object(metadata),
        call_id=call_id,
        confidence=confidence,
        allow_near_duplicate=allow_near_duplicate,
        idempotency_key=key,
        correlation_id=correlation_id or str(uuid4()),
    )

    async def run(app: "Application") -> "BookingResult":
        return await app.orchestrator.book(wish, patience=wait)

    _tell(with_application(run, settings=settings), wrong=_NOT_BOOKED, as_json=as_json)


def cancel(
    booking_id: Annotated[UUID, typer.Argument(metavar="ID", help="The booking's id.")],
    *,
    reason: Annotated[str, typer.Option(help="Why; Cal.com shows it to the customer.")],
    key: Key = None,
    company: Company = None,
    wait: Wait = 10,
    as_json: Json = False,
) -> None:
    """Cancel a booking, whatever state it is in."""
    from domain.validation import cancellation_problem
    from sagas.wishes import CancelAppointment

    problem = cancellation_problem(reason)
    if problem is not None:
        message = f"reason: {problem}"
        raise Misused(message)
    settings = ready_settings()
    wish = CancelAppointment(
        company_id=company or settings.default_company, booking_id=booking_id, reason=reason, idempotency_key=key
    )

    async def run(app: "Application") -> "BookingResult":
        return await app.orchestrator.cancel(wish, patience=wait)

    _tell(with_application(run, settings=settings), wrong=_NOT_CANCELLED, as_json=as_json)


def _tell(result: "BookingResult", *, wrong: frozenset[str], as_json: bool) -> None:
    from adapters.cli.outcomes import in_a_line
    from adapters.representation import booking_document
    from projections.bookings import summary

    booking = result.booking
    if as_json:
        say_json({"booking": booking_document(summary(booking)), "replayed": result.replayed})
    else:
        typer.echo(in_a_line(booking))
    if result.near_duplicate:
        complain(
            "the customer already has another booking close by; --allow-near-duplicate with a --key books beside it"
        )
    if result.near_duplicate or booking.status in wrong:
        raise typer.Exit(FOUND_WRONG)


def _json_object(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        message = "metadata: must be a JSON object"
        raise Misused(message)
    return value
