"""
One company's calendar on the model of Cal.com, as the sagas ask for it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import datetime, timedelta

from domain.booking import Booking
from sagas.outcomes import (
    CancelFailed,
    Cancelled,
    CancelOutcome,
    CancelRefused,
    CreateOutcome,
    Found,
    Gone,
    Liveness,
    Looked,
    LookFailed,
    LookOutcome,
    Made,
    Moved,
    NotOurs,
    NotSent,
    NotThere,
    Refused,
    Sighted,
    Sightings,
    Standing,
    Trace,
    TraceFailed,
    Unknown,
)
from sagas.ports import Pace
from sagas.steps import CancelAtCalcom, Change, CreateAtCalcom, LookAtCalcom, RescheduleAtCalcom
from tests.fakes.calcom import CalcomBooking, CancelFate, CreateFate, FakeCalCom, LookFate, MoveFate


class FakeCalendar:
    """
    One company's calendar on the model, and its own calendar of calendars.
    """

    def __init__(self, calcom: FakeCalCom) -> None:
        self._calcom = calcom
        self._clock = calcom.clock

    async def of(self, company_id: str) -> FakeCalendar:
        return self

    def count_attempt(self, *, again: bool) -> NotSent | None:
        self._calcom.asked_again.append(again)
        return None

    def held_back(self, effect: Change) -> NotSent | None:
        what, fates = self._fates_of(effect)
        if not (fates and fates[0].does == "held_back"):
            return None
        self._note(f"{what} held back")
        return _not_now(fates.popleft())

    async def create(self, booking: Booking, *, attempt_id: str, send_by: datetime) -> CreateOutcome:
        fate = self._calcom.creates.popleft() if self._calcom.creates else CreateFate()
        self._note(f"create {fate.does}")
        await _pass(fate.waits)
        if self._clock.now() >= send_by:
            return NotSent(reason="too_late", detail="the time to send had passed")
        if fate.does in {"slow", "asleep"}:
            await _pass(fate.late_by)
        outcome = self._created(booking, attempt_id, fate)
        await _pass(fate.answers)
        return outcome

    async def look(self, booking: Booking, effect: LookAtCalcom) -> LookOutcome:
        started_at = self._clock.now()
        fate = self._calcom.looks.popleft() if self._calcom.looks else LookFate()
        self._note(f"look {fate.does}")
        shown = started_at - timedelta(seconds=fate.lag)
        event_type_id = booking.facts.service.calcom_event_type_id
        found = tuple(
            Found(
                attempt_id=one.attempt_id,
                uid=one.uid,
                calcom_status=one.status if one.ended_at is None or one.ended_at <= shown else "accepted",
                starts_at=one.starts_at,
                ends_at=one.ends_at,
                created_at=one.created_at,
                rescheduled_from=one.rescheduled_from,
                rescheduled_to=one.rescheduled_to if one.ended_at is None or one.ended_at <= shown else None,
            )
            for one in self._calcom.bookings.values()
            if one.event_type_id == event_type_id
            and one.attempt_id is not None
            and one.attempt_id in effect.attempt_ids
            and effect.since <= one.created_at
            and one.created_at <= shown
        )
        await _pass(fate.answers)
        if fate.does == "errs":
            return LookFailed(started_at=started_at, reason="http_502")
        return Looked(started_at=started_at, found=found)

    async def cancel(self, booking: Booking, effect: CancelAtCalcom) -> CancelOutcome:
        fate = self._calcom.cancels.popleft() if self._calcom.cancels else CancelFate()
        self._note(f"cancel {fate.does}")
        await _pass(fate.waits)
        outcome = self._cancelled(effect, fate)
        await _pass(fate.answers)
        return outcome

    async def reschedule(self, effect: RescheduleAtCalcom, *, send_by: datetime) -> CreateOutcome:
        fate = self._calcom.moves.popleft() if self._calcom.moves else MoveFate()
        self._note(f"move {fate.does}")
        await _pass(fate.waits)
        if self._clock.now() >= send_by:
            return NotSent(reason="too_late", detail="the time to send had passed")
        if fate.does == "asleep":
            await _pass(fate.late_by)
        outcome = self._rescheduled(effect, fate)
        await _pass(fate.answers)
        return outcome

    async def trace(self, uid: str, *, pace: Pace | None = None) -> Trace:
        if pace is not None:
            await pace.wait()
        fate = self._calcom.traces.popleft() if self._calcom.traces else LookFate()
        self._note(f"trace {fate.does}")
        shown = self._clock.now() - timedelta(seconds=fate.lag)
        await _pass(fate.answers)
        if fate.does == "errs":
            return TraceFailed(reason="http_502")
        followed = False
        while True:
            found = self._calcom.bookings.get(uid)
            if found is None or found.created_at > shown:
                return TraceFailed(reason="successor_not_found") if followed else NotThere()
            unseen = found.ended_at is not None and found.ended_at > shown
            if found.rescheduled_to is None or unseen:
                return _sighting(found, self._calcom.origins(found), live=found.is_live or unseen)
            followed, uid = True, found.rescheduled_to

    async def sightings(
        self, event_type_id: int, *, changed_since: datetime, starting_after: datetime, pace: Pace
    ) -> Sightings:
        await pace.wait()
        fate = self._calcom.looks.popleft() if self._calcom.looks else LookFate()
        self._note(f"sweep {fate.does}")
        started_at = self._clock.now()
        await _pass(fate.answers)
        if fate.does == "errs":
            return LookFailed(started_at=started_at, reason="http_502")
        listed = [
            one
            for one in self._calcom.bookings.values()
            if one.event_type_id == event_type_id
            and one.rescheduled_to is None
            and ((one.ended_at or one.created_at) >= changed_since or one.starts_at >= starting_after)
        ]
        seen = tuple(_sighting(one, self._calcom.origins(one), live=one.is_live) for one in listed)
        return Sighted(started_at=started_at, seen=seen)

    async def liveness(self, uid: str) -> Liveness:
        if self._calcom.silences and self._calcom.silences.popleft():
            return "unknown"
        found = self._calcom.bookings.get(uid)
        if found is None:
            return "not_found"
        if found.rescheduled_to is not None:
            # It lives on under another uid, and it is not for this question to follow it.
            return "unknown"
        return "live" if found.is_live else "dead"

    def _fates_of(self, effect: Change) -> tuple[str, deque[CreateFate] | deque[MoveFate] | deque[CancelFate]]:
        match effect:
            case CreateAtCalcom():
                return "create", self._calcom.creates
            case RescheduleAtCalcom():
                return "move", self._calcom.moves
            case CancelAtCalcom():
                return "cancel", self._calcom.cancels

    def _created(self, booking: Booking, attempt_id: str, fate: CreateFate) -> CreateOutcome:
        taken = not fate.squeezes_in and self._is_taken(booking)
        unknown = Unknown(reason="timeout", detail="no answer in time")
        match fate.does:
            case "not_sent" | "deferred":
                return NotSent(
                    reason="refused_connection",
                    detail="nobody listens",
                    retry_after=fate.retry_after,
                    defer=fate.does == "deferred",
                )
            case "shut":
                return _not_now(fate)
            case "refused":
                return Refused(reason="outside_availability", detail="not bookable then", status=400)
            case "lost":
                return unknown
            case "late":
                self._commit_later(booking, attempt_id, fate)
                return unknown
            case "committed" | "double" | "asleep":
                if not taken:
                    self._make(booking, attempt_id)
                if fate.does == "double":
                    self._make(booking, attempt_id)
                return unknown
        if taken or fate.does == "conflict":
            self._note("create conflict")
            return Refused(reason="slot_taken", detail="already has booking at this time", status=400, conflict=True)
        made = self._make(booking, attempt_id, status="pending" if fate.does == "pending" else "accepted")
        return Made(uid=made.uid, starts_at=made.starts_at, ends_at=made.ends_at, calcom_status=made.status)

    def _make(self, booking: Booking, attempt_id: str, *, status: str = "accepted") -> CalcomBooking:
        facts = booking.facts
        return self._calcom.commit(
            event_type_id=facts.service.calcom_event_type_id,
            starts_at=facts.starts_at,
            ends_at=facts.ends_at,
            attempt_id=attempt_id,
            status=status,
            booking_id=booking.booking_id,
        )

    def _is_taken(self, booking: Booking) -> bool:
        facts = booking.facts
        return self._calcom.is_taken(facts.service.calcom_event_type_id, facts.starts_at, facts.ends_at)

    def _rescheduled(self, effect: RescheduleAtCalcom, fate: MoveFate) -> CreateOutcome:
        unknown = Unknown(reason="timeout", detail="no answer in time")
        match fate.does:
            case "not_sent":
                return NotSent(reason="refused_connection", detail="nobody listens", retry_after=fate.retry_after)
            case "held_back" | "shut":
                return _not_now(fate)
            case "refused":
                return Refused(reason="out_of_bounds", detail="not bookable then", status=400)
            case "lost":
                return unknown
            case "late":
                self._move_later(effect, fate)
                return unknown
        old = self._calcom.bookings.get(effect.uid)
        if old is None or not old.is_live or old.attempt_id != effect.attempt_id:
            # Cancelled, or moved by an earlier attempt: what it says is told by reading it.
            return unknown
        if fate.does == "conflict" or self._calcom.is_taken_beside(old, effect.starts_at):
            return Refused(reason="slot_taken", detail="already has booking at this time", status=400, conflict=True)
        moved = self._calcom.move(effect.uid, effect.starts_at)
        if fate.does in {"committed", "asleep"}:
            return unknown
        return Made(uid=moved.uid, starts_at=moved.starts_at, ends_at=moved.ends_at, calcom_status=moved.status)

    def _move_later(self, effect: RescheduleAtCalcom, fate: MoveFate) -> None:
        def move() -> None:
            self._calcom.pending_commits -= 1
            old = self._calcom.bookings.get(effect.uid)
            if old is not None and old.is_live and not self._calcom.is_taken_beside(old, effect.starts_at):
                self._calcom.move(effect.uid, effect.starts_at)
                self._note("late move")

        self._calcom.pending_commits += 1
        asyncio.get_running_loop().call_later(fate.late_by, move)

    def _commit_later(self, booking: Booking, attempt_id: str, fate: CreateFate) -> None:
        def commit() -> None:
            self._calcom.pending_commits -= 1
            if fate.squeezes_in or not self._is_taken(booking):
                self._make(booking, attempt_id)
                self._note("late commit")

        self._calcom.pending_commits += 1
        asyncio.get_running_loop().call_later(fate.late_by, commit)

    def _cancelled(self, effect: CancelAtCalcom, fate: CancelFate) -> CancelOutcome:
        failed = CancelFailed(reason="http_502", detail="bad gateway", retry_after=fate.retry_after)
        if fate.does == "fails":
            return failed
        if fate.does in {"held_back", "shut"}:
            return CancelFailed(reason=fate.because, detail="not now", retry_after=fate.retry_after)
        standing = self._calcom.bookings.get(effect.uid)
        if standing is None:
            return Cancelled(how="gone")
        if standing.attempt_id != effect.attempt_id:
            return NotOurs(detail="the metadata carries another attempt")
        if standing.rescheduled_to is not None:
            return Moved(to_uid=standing.rescheduled_to)
        if not standing.is_live:
            return Cancelled(how="already_cancelled")
        if fate.does == "refuses":
            return CancelRefused(reason="cancelling_disabled", detail="This event type does not allow cancellations")
        self._calcom.cancel(effect.uid)
        return failed if fate.does == "cancels_silently" else Cancelled(how="cancelled")

    def _note(self, what: str) -> None:
        self._calcom.happened.append(what)


def _sighting(found: CalcomBooking, origins: tuple[str, ...], *, live: bool) -> Standing | Gone:
    if not live:
        return Gone(uid=found.uid, attempt_id=found.attempt_id, booking_id=found.booking_id, origins=origins)
    return Standing(
        uid=found.uid,
        calcom_status=found.status if found.is_live else "accepted",
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        created_at=found.created_at,
        event_type_id=found.event_type_id,
        attempt_id=found.attempt_id,
        booking_id=found.booking_id,
        origins=origins,
        attendee=found.attendee,
    )


def _not_now(fate: CreateFate | MoveFate | CancelFate) -> NotSent:
    return NotSent(reason=fate.because, detail="not now", retry_after=fate.retry_after, defer=True)


async def _pass(seconds: float) -> None:
    if seconds:
        await asyncio.sleep(seconds)
