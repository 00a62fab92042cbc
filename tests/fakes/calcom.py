"""
A small model of Cal.com: what stands there, and all the ways in which it can be asked and not answer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from domain.booking import Booking
from sagas.outcomes import (
    CancelFailed,
    Cancelled,
    CancelOutcome,
    CancelRefused,
    CreateOutcome,
    Found,
    Looked,
    LookFailed,
    LookOutcome,
    Made,
    Moved,
    NotOurs,
    NotSent,
    Refused,
    Unknown,
)
from sagas.steps import CancelAtCalcom, LookAtCalcom
from tests.fakes.time import FakeClock

CreateDoes: TypeAlias = Literal[
    "made", "pending", "lost", "committed", "double", "late", "slow", "conflict", "refused", "not_sent", "deferred"
]
LookDoes: TypeAlias = Literal["reads", "errs"]
CancelDoes: TypeAlias = Literal["cancels", "fails", "cancels_silently", "refuses"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateFate:
    """
    How one create goes: `waits` before anything is sent, `late_by` until a late or slow commit, `answers` after it all.

    A late commit is told to nobody, a slow one to whoever still listens. One that squeezes in is made although the slot
    is taken, as it is for some kinds of event types.
    """

    does: CreateDoes = "made"
    waits: float = 0.0
    late_by: float = 0.0
    answers: float = 0.0
    retry_after: float | None = None
    squeezes_in: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LookFate:
    """
    How one look goes; a list that lags shows what stood there `lag` seconds ago.
    """

    does: LookDoes = "reads"
    lag: float = 0.0
    answers: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelFate:
    """
    How one cancel goes; the answer comes after `answers` seconds.
    """

    does: CancelDoes = "cancels"
    waits: float = 0.0
    answers: float = 0.0
    retry_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcomBooking:
    """
    A booking as Cal.com holds it; `touched` if a person has changed it there.
    """

    uid: str
    host: str
    event_type_id: int
    attempt_id: str | None
    starts_at: datetime
    ends_at: datetime
    created_at: datetime
    status: str = "accepted"
    rescheduled_to: str | None = None
    rescheduled_from: str | None = None
    ended_at: datetime | None = None
    touched: bool = False

    @property
    def is_live(self) -> bool:
        return self.status not in {"cancelled", "rejected"}


class FakeCalCom:
    """
    The bookings of one account, and the fates of the calls to come; without a fate a call simply works.

    `hosts` maps event types to the person behind them. A host's accepted bookings never overlap, unless a fate or a
    person makes them.
    """

    def __init__(self, clock: FakeClock, hosts: Mapping[int, str] | None = None) -> None:
        self.clock = clock
        self.hosts = dict(hosts or {})
        self.bookings: dict[str, CalcomBooking] = {}
        self.creates: deque[CreateFate] = deque()
        self.looks: deque[LookFate] = deque()
        self.cancels: deque[CancelFate] = deque()
        self.silences: deque[bool] = deque()
        self.pending_commits = 0
        self.cancelled_by_us: list[str] = []
        self.happened: list[str] = []

    def of(self, attempt_id: str) -> tuple[CalcomBooking, ...]:
        return tuple(one for one in self.bookings.values() if one.attempt_id == attempt_id)

    def live(self) -> tuple[CalcomBooking, ...]:
        return tuple(one for one in self.bookings.values() if one.is_live)

    def commit(
        self,
        *,
        event_type_id: int,
        starts_at: datetime,
        ends_at: datetime,
        attempt_id: str | None,
        status: str = "accepted",
    ) -> CalcomBooking:
        """
        Make a booking, whoever is in the way.
        """
        made = CalcomBooking(
            uid=f"uid-{len(self.bookings) + 1}",
            host=self._host(event_type_id),
            event_type_id=event_type_id,
            attempt_id=attempt_id,
            starts_at=starts_at,
            ends_at=ends_at,
            created_at=self.clock.now(),
            status=status,
        )
        self.bookings[made.uid] = made
        return made

    def is_taken(self, event_type_id: int, starts_at: datetime, ends_at: datetime) -> bool:
        host = self._host(event_type_id)
        return any(
            one.host == host and one.status == "accepted" and one.starts_at < ends_at and starts_at < one.ends_at
            for one in self.bookings.values()
        )

    def person_cancels(self, uid: str) -> None:
        self.bookings[uid] = replace(self.bookings[uid], status="cancelled", ended_at=self.clock.now(), touched=True)

    def person_moves(self, uid: str, by: timedelta) -> CalcomBooking:
        """
        Reschedule: the old uid is cancelled and names the new one, which carries the metadata on.
        """
        old = self.bookings[uid]
        new = self.commit(
            event_type_id=old.event_type_id,
            starts_at=old.starts_at + by,
            ends_at=old.ends_at + by,
            attempt_id=old.attempt_id,
        )
        new = replace(new, touched=True, rescheduled_from=uid)
        self.bookings[new.uid] = new
        self.bookings[uid] = replace(
            old, status="cancelled", ended_at=self.clock.now(), touched=True, rescheduled_to=new.uid
        )
        return new

    def cancel(self, uid: str) -> None:
        """
        Cancel for calsaga.
        """
        self.bookings[uid] = replace(self.bookings[uid], status="cancelled", ended_at=self.clock.now())
        self.cancelled_by_us.append(uid)

    def _host(self, event_type_id: int) -> str:
        return self.hosts.get(event_type_id, f"host-{event_type_id}")


class FakeCalendar:
    """
    One company's calendar on the model, and its own calendar of calendars.
    """

    def __init__(self, calcom: FakeCalCom) -> None:
        self._calcom = calcom
        self._clock = calcom.clock

    async def of(self, company_id: str) -> FakeCalendar:
        return self

    async def create(self, booking: Booking, *, attempt_id: str, send_by: datetime) -> CreateOutcome:
        fate = self._calcom.creates.popleft() if self._calcom.creates else CreateFate()
        self._note(f"create {fate.does}")
        await _pass(fate.waits)
        if self._clock.now() >= send_by:
            return NotSent(reason="too_late", detail="the time to send had passed")
        if fate.does == "slow":
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

    async def is_live(self, uid: str) -> bool | None:
        if self._calcom.silences and self._calcom.silences.popleft():
            return None
        found = self._calcom.bookings.get(uid)
        if found is not None and found.rescheduled_to is not None:
            # It lives on under another uid, and it is not for this question to follow it.
            return None
        return found is not None and found.is_live

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
            case "refused":
                return Refused(reason="outside_availability", detail="not bookable then", status=400)
            case "lost":
                return unknown
            case "late":
                self._commit_later(booking, attempt_id, fate)
                return unknown
            case "committed" | "double":
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
        )

    def _is_taken(self, booking: Booking) -> bool:
        facts = booking.facts
        return self._calcom.is_taken(facts.service.calcom_event_type_id, facts.starts_at, facts.ends_at)

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


async def _pass(seconds: float) -> None:
    if seconds:
        await asyncio.sleep(seconds)
