"""One Cal.com account as a calendar of the sagas."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar, assert_never

from pydantic import BaseModel

from adapters.calcom import cancellation, creation, endpoints, looking, preflight, refusals, sweeping, tracing
from adapters.calcom.answers import Unreadable, is_success, read, read_as, read_envelope
from adapters.calcom.bodies import create_body, reschedule_body
from adapters.calcom.endpoints import Call
from adapters.calcom.listing import NO_ACCESS, Listing, ListingFailed, list_bookings
from adapters.calcom.looks import Looks
from adapters.calcom.models import EventTypeAnswer, Me, Slots
from adapters.calcom.paced import PacedWire, Sender
from adapters.calcom.preflight import Preflight
from adapters.calcom.reading import Failure, NotFound, failure_of, read_booking
from adapters.calcom.replies import Answer, Reply
from adapters.calcom.wire import Wire
from adapters.resilience.budget import RetryBudget
from adapters.resilience.http_answers import is_passing
from domain.booking import Booking
from domain.errors import CalcomBookingError, FieldError
from sagas.next_step import CLOCK_SKEW
from sagas.outcomes import (
    CancelFailed,
    CancelOutcome,
    CreateOutcome,
    Liveness,
    LookFailed,
    LookOutcome,
    NotSent,
    Sightings,
    Trace,
    TraceFailed,
)
from sagas.ports import Clock, Pace
from sagas.steps import CancelAtCalcom, Change, CreateAtCalcom, LookAtCalcom, RescheduleAtCalcom

Model = TypeVar("Model", bound=BaseModel)
Outcome = TypeVar("Outcome")

_UNTIL_CALLS = 5.0
"""How many seconds a retry waits while only further bookings bring it one."""
_MOVED = "The customer asked for another time."


class CalComCalendar:
    """
    Book, look and cancel with one API key.

    `total_seconds` limits what takes several calls, not counting what they wait for a
    pace. `visible_after` is how long after an attempt Cal.com may go on not showing its
    booking. `budget` is that of the second and later creates of a booking.
    """

    def __init__(
        self, wire: Wire, *, clock: Clock, total_seconds: float, visible_after: timedelta, budget: RetryBudget
    ) -> None:
        self._wire = wire
        self._clock = clock
        self._total_seconds = total_seconds
        self._visible_after = visible_after
        self._budget = budget
        self._looks: Looks[Listing | ListingFailed] = Looks(self._list)

    def held_back(self, effect: Change) -> NotSent | None:
        """Tell why a change would not leave now: the rate limit, or an open breaker, as far as they are known here."""
        held = self._wire.held_back(_call_of(effect))
        # A key that is missing is worth an attempt in the log: a person looks there for what is wrong.
        return None if held is None or held.retry_after is None else creation.not_sent(held)

    def count_attempt(self, *, again: bool) -> NotSent | None:
        """Count a create that is about to be sent, or tell that too much is tried `again`."""
        if not again:
            self._budget.called()
            return None
        return None if self._budget.may_retry() else _retried_enough(self._budget.wait())

    async def create(self, booking: Booking, *, attempt_id: str, send_by: datetime) -> CreateOutcome:
        """Ask for the booking once, and not at all from `send_by` on."""
        asked_at = self._clock.now()
        body = create_body(booking, attempt_id=attempt_id)
        reply = await self._wire.send(endpoints.create(), body=body, send_by=send_by)
        return await self._made(reply, attempt_id=attempt_id, asked_at=asked_at, table=refusals.CREATE)

    async def look(self, booking: Booking, effect: LookAtCalcom) -> LookOutcome:
        """Search the list of the booking's event type for the attempts of `effect`, and them alone."""
        asked_at = self._clock.now()
        return await self._in_time(
            lambda: self._look(booking, attempt_ids=effect.attempt_ids, since=effect.since),
            otherwise=LookFailed(started_at=asked_at, reason="timeout"),
        )

    async def cancel(self, booking: Booking, effect: CancelAtCalcom) -> CancelOutcome:
        """Cancel a booking of ours, and only that."""
        # `since` is when the attempt was made, less the skew that clocks may have.
        visible_from = effect.since + CLOCK_SKEW + self._visible_after
        return await self._in_time(
            lambda: cancellation.cancel_booking(
                self._wire,
                booking,
                effect,
                search=lambda: self._look(booking, attempt_ids=(effect.attempt_id,), since=effect.since),
                may_be_gone=self._clock.now() >= visible_from,
            ),
            otherwise=CancelFailed(reason="timeout", detail="cancelling took too long"),
        )

    async def liveness(self, uid: str) -> Liveness:
        """
        Tell whether the uid stands at Cal.com; `unknown` if that cannot be said now, or if it was moved.

        A uid that is not found says nothing: Cal.com deletes no bookings, but reads
        them from replicas that lag behind.
        """
        seen = await read_booking(self._wire, uid)
        if isinstance(seen, NotFound):
            return "not_found"
        if isinstance(seen, Failure) or seen.rescheduled_to_uid is not None:
            return "unknown"
        return "live" if seen.is_live else "dead"

    async def trace(self, uid: str, *, pace: Pace | None = None) -> Trace:
        """Return what a uid has become, however often it was moved; at a pace, if it is given one."""
        late = TraceFailed(reason="timeout")
        if pace is None:
            return await self._in_time(lambda: tracing.trace(self._wire, uid), otherwise=late)
        return await self._at_pace(pace, lambda wire: tracing.trace(wire, uid), otherwise=late)

    async def sightings(
        self, event_type_id: int, *, changed_since: datetime, starting_after: datetime, pace: Pace
    ) -> Sightings:
        """Return what of an event type was changed from one moment on, or starts after another, whoever made it."""
        asked_at = self._clock.now()
        return await self._at_pace(
            pace,
            lambda wire: sweeping.sweep(
                wire,
                clock=self._clock,
                event_type_id=event_type_id,
                changed_since=changed_since,
                starting_after=starting_after,
            ),
            otherwise=LookFailed(started_at=asked_at, reason="timeout"),
        )

    async def reschedule(self, effect: RescheduleAtCalcom, *, send_by: datetime) -> CreateOutcome:
        """Move a booking, once; the new one carries its attempt's id on, and the outcomes are those of a create."""
        asked_at = self._clock.now()
        body = reschedule_body(starts_at=effect.starts_at, reason=effect.reason or _MOVED)
        reply = await self._wire.send(endpoints.reschedule(effect.uid), body=body, send_by=send_by)
        return await self._made(reply, attempt_id=effect.attempt_id, asked_at=asked_at, table=refusals.RESCHEDULE)

    async def event_type(self, event_type_id: int) -> EventTypeAnswer:
        """
        Read an event type.

        Raises:
            CalcomBookingError: Cal.com did not give it.

        """
        return await self._read(endpoints.event_type(event_type_id), EventTypeAnswer)

    async def me(self) -> Me:
        """
        Read whose key it is.

        Raises:
            CalcomBookingError: Cal.com did not say.

        """
        return await self._read(endpoints.me(), Me)

    async def ping(self) -> Reply:
        """Ask whose key it is, to see whether anybody answers."""
        return await self._wire.send(endpoints.me())

    async def slots(
        self,
        *,
        event_type_id: int,
        starts_at: datetime,
        ends_at: datetime,
        time_zone: str = "UTC",
        duration_minutes: int | None = None,
    ) -> tuple[datetime, ...]:
        """
        Return when the event type can be booked, in UTC.

        Raises:
            CalcomBookingError: Cal.com did not say.

        """
        call = endpoints.slots(
            event_type_id=event_type_id,
            starts_at=starts_at,
            ends_at=ends_at,
            time_zone=time_zone,
            duration_minutes=duration_minutes,
        )
        answer = _succeeded(await self._wire.send(call))
        try:
            return read_as({"days": read_envelope(answer).get("data")}, Slots).starts()
        except Unreadable as error:
            raise _unreadable(answer) from error

    async def preflight(self, event_type_id: int, *, duration_minutes: int) -> Preflight:
        """
        Return what speaks against booking an event type, and what a service must know of it.

        Raises:
            CalcomBookingError: Cal.com did not answer, or not so that it can be relied on.

        """
        try:
            async with asyncio.timeout(self._total_seconds):
                return await self._preflight(event_type_id, duration_minutes)
        except TimeoutError as error:
            message = "Cal.com takes too long to tell what there is to know of the event type."
            raise CalcomBookingError(message, status=None, transient=True) from error

    async def _preflight(self, event_type_id: int, duration_minutes: int) -> Preflight:
        try:
            event_type = await self.event_type(event_type_id)
        except CalcomBookingError as error:
            if error.status not in NO_ACCESS:
                raise
            message = "there is no such event type, or the API key cannot see it"
            return Preflight(errors=(FieldError(preflight.EVENT_TYPE, message),))
        can_list = await self._can_list(event_type_id)
        key_of = None if event_type.owner_id is None else (await self.me()).id
        return preflight.examine(event_type, can_list=can_list, key_of=key_of, duration_minutes=duration_minutes)

    async def aclose(self) -> None:
        """Stop the lists that are being read."""
        await self._looks.aclose()

    async def _made(
        self, reply: Reply, *, attempt_id: str, asked_at: datetime, table: tuple[refusals.Refusal, ...]
    ) -> CreateOutcome:
        return await creation.outcome_of(reply, wire=self._wire, attempt_id=attempt_id, asked_at=asked_at, table=table)

    async def _look(self, booking: Booking, *, attempt_ids: tuple[str, ...], since: datetime) -> LookOutcome:
        listing = await self._looks.ask(booking.facts.service.calcom_event_type_id, since=since)
        return await looking.outcome_of(listing, wire=self._wire, attempt_ids=attempt_ids)

    async def _list(self, event_type_id: int, since: datetime) -> Listing | ListingFailed:
        asked_at = self._clock.now()
        return await self._in_time(
            lambda: list_bookings(self._wire, clock=self._clock, event_type_id=event_type_id, since=since),
            otherwise=ListingFailed(started_at=asked_at, reason="timeout"),
        )

    async def _in_time(self, work: Callable[[], Awaitable[Outcome]], *, otherwise: Outcome) -> Outcome:
        try:
            async with asyncio.timeout(self._total_seconds):
                return await work()
        except TimeoutError:
            return otherwise

    async def _at_pace(
        self, pace: Pace, work: Callable[[Sender], Awaitable[Outcome]], *, otherwise: Outcome
    ) -> Outcome:
        try:
            async with asyncio.timeout(self._total_seconds) as limit:
                return await work(PacedWire(self._wire, pace=pace, limit=limit))
        except TimeoutError:
            return otherwise

    async def _can_list(self, event_type_id: int) -> bool:
        """Tell whether the key may list the bookings of an event type, one that it has just been able to read."""
        since = endpoints.instant(self._clock.now())
        call = endpoints.list_ordered(event_type_id=event_type_id, since=since, skip=0, take=1)
        reply = await self._wire.send(call)
        if isinstance(reply, Answer) and reply.status in NO_ACCESS:
            return False
        return is_success(_succeeded(reply))

    async def _read(self, call: Call, model: type[Model]) -> Model:
        answer = _succeeded(await self._wire.send(call))
        try:
            return read(answer, model)
        except Unreadable as error:
            raise _unreadable(answer) from error


def _retried_enough(wait: float | None) -> NotSent:
    detail = "not tried again yet, so that retries do not multiply what Cal.com has to do"
    return NotSent(reason="retry_budget", detail=detail, retry_after=_UNTIL_CALLS if wait is None else wait, defer=True)


def _call_of(effect: Change) -> Call:
    match effect:
        case CreateAtCalcom():
            return endpoints.create()
        case RescheduleAtCalcom():
            return endpoints.reschedule(effect.uid)
        case CancelAtCalcom():
            return endpoints.cancel(effect.uid)
        case _:
            assert_never(effect)


def _succeeded(reply: Reply) -> Answer:
    if isinstance(reply, Answer) and is_success(reply):
        return reply
    failure = failure_of(reply)
    if failure.reason == "unauthorized":
        raise _without_key(reply, failure)
    if not isinstance(reply, Answer):
        raise CalcomBookingError("Cal.com could not be reached.", status=None, answer=failure.detail, transient=True)
    raise CalcomBookingError(
        "Cal.com did not do what was asked.",
        status=reply.status,
        answer=failure.detail,
        transient=is_passing(reply.status),
    )


def _without_key(reply: Reply, failure: Failure) -> CalcomBookingError:
    wrong, status = "The company has no usable Cal.com API key", None
    if isinstance(reply, Answer):
        wrong, status = "Cal.com rejects the company's API key", reply.status
    elif failure.retry_after is not None:
        wrong = "Cal.com has just rejected the company's API key"
    message = f"{wrong}: set CALSAGA_CALCOM_API_KEY, or give it one with `calsaga companies set`."
    return CalcomBookingError(message, status=status, answer=failure.detail)


def _unreadable(answer: Answer) -> CalcomBookingError:
    return CalcomBookingError("Cal.com's answer cannot be read.", status=answer.status, transient=False)
