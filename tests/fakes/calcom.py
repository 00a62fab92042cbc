"""
A small model of Cal.com: what stands there, and all the ways in which it can be asked and not answer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from sagas.outcomes import Attendee
from tests.fakes.time import FakeClock

CreateDoes: TypeAlias = Literal[
    "made",
    "pending",
    "lost",
    "committed",
    "double",
    "late",
    "slow",
    "asleep",
    "conflict",
    "refused",
    "not_sent",
    "shut",
    "deferred",
    "held_back",
]
LookDoes: TypeAlias = Literal["reads", "errs"]
MoveDoes: TypeAlias = Literal[
    "moved", "committed", "lost", "late", "asleep", "conflict", "refused", "not_sent", "held_back", "shut"
]
CancelDoes: TypeAlias = Literal["cancels", "fails", "cancels_silently", "refuses", "held_back", "shut"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateFate:
    """
    How one create goes: `waits` before anything is sent, `late_by` until a late or slow commit, `answers` after it all.

    A late commit is told to nobody, a slow one to whoever still listens. The request of one that is asleep leaves so
    late, because its process stood still, and its answer is lost. One that squeezes in is made although the slot is
    taken, as it is for some kinds of event types.
    """

    does: CreateDoes = "made"
    waits: float = 0.0
    late_by: float = 0.0
    answers: float = 0.0
    retry_after: float | None = None
    because: str = "rate_limited"
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
class MoveFate:
    """
    How one reschedule goes; `committed` and `late` are moved and told to nobody, `late` after `late_by` seconds.

    The request of one that is asleep leaves so late, because its process stood still, and its answer is lost. What is
    `held_back` is not even announced; that it is `shut` is found out by trying.
    """

    does: MoveDoes = "moved"
    waits: float = 0.0
    late_by: float = 0.0
    answers: float = 0.0
    retry_after: float | None = None
    because: str = "breaker_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelFate:
    """
    How one cancel goes; the answer comes after `answers` seconds. `held_back` and `shut` are as for a reschedule.
    """

    does: CancelDoes = "cancels"
    waits: float = 0.0
    answers: float = 0.0
    retry_after: float | None = None
    because: str = "breaker_open"


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
    booking_id: UUID | None = None
    attendee: Attendee | None = None

    @property
    def is_live(self) -> bool:
        return self.status not in {"cancelled", "rejected"}


Announce: TypeAlias = Callable[[str, CalcomBooking, str | None], None]
"""What Cal.com tells of: the trigger, the booking, and the uid that it had before."""


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
        self.asked_again: list[bool] = []
        self.looks: deque[LookFate] = deque()
        self.moves: deque[MoveFate] = deque()
        self.traces: deque[LookFate] = deque()
        self.cancels: deque[CancelFate] = deque()
        self.silences: deque[bool] = deque()
        self.pending_commits = 0
        self.announce: Announce = lambda _trigger, _booking, _former_uid: None
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
        booking_id: UUID | None = None,
        attendee: Attendee | None = None,
    ) -> CalcomBooking:
        """
        Make a booking, whoever is in the way.
        """
        made = self._add(
            event_type_id=event_type_id,
            starts_at=starts_at,
            ends_at=ends_at,
            attempt_id=attempt_id,
            status=status,
            booking_id=booking_id,
            attendee=attendee,
        )
        self.announce("BOOKING_REQUESTED" if status == "pending" else "BOOKING_CREATED", made, None)
        return made

    def _add(
        self,
        *,
        event_type_id: int,
        starts_at: datetime,
        ends_at: datetime,
        attempt_id: str | None,
        status: str,
        booking_id: UUID | None,
        attendee: Attendee | None,
    ) -> CalcomBooking:
        made = CalcomBooking(
            uid=f"uid-{len(self.bookings) + 1}",
            host=self._host(event_type_id),
            event_type_id=event_type_id,
            attempt_id=attempt_id,
            starts_at=starts_at,
            ends_at=ends_at,
            created_at=self.clock.now(),
            status=status,
            booking_id=booking_id,
            attendee=attendee,
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
        self.announce("BOOKING_CANCELLED", self.bookings[uid], None)
        self.bookings[uid] = replace(self.bookings[uid], status="cancelled", ended_at=self.clock.now(), touched=True)

    def person_moves(self, uid: str, by: timedelta) -> CalcomBooking:
        """
        Reschedule: the old uid is cancelled and names the new one, which carries the metadata on.
        """
        moved = self.move(uid, self.bookings[uid].starts_at + by)
        self.bookings[uid] = replace(self.bookings[uid], touched=True)
        self.bookings[moved.uid] = replace(moved, touched=True)
        return self.bookings[moved.uid]

    def move(self, uid: str, starts_at: datetime) -> CalcomBooking:
        """
        Reschedule, whoever is in the way.
        """
        old = self.bookings[uid]
        made = self._add(
            event_type_id=old.event_type_id,
            starts_at=starts_at,
            ends_at=starts_at + (old.ends_at - old.starts_at),
            attempt_id=old.attempt_id,
            status="accepted",
            booking_id=old.booking_id,
            attendee=old.attendee,
        )
        self.bookings[made.uid] = replace(made, rescheduled_from=uid)
        self.bookings[uid] = replace(old, status="cancelled", ended_at=self.clock.now(), rescheduled_to=made.uid)
        self.announce("BOOKING_RESCHEDULED", self.bookings[made.uid], uid)
        return self.bookings[made.uid]

    def origins(self, booking: CalcomBooking) -> tuple[str, ...]:
        """
        Return the uids that a booking had before, the latest first.
        """
        before = booking.rescheduled_from
        return () if before is None else (before, *self.origins(self.bookings[before]))

    def is_taken_beside(self, booking: CalcomBooking, starts_at: datetime) -> bool:
        """
        Tell whether the host is busy at another time for a booking of theirs.
        """
        ends_at = starts_at + (booking.ends_at - booking.starts_at)
        return any(
            one.uid != booking.uid
            and one.host == booking.host
            and one.status == "accepted"
            and one.starts_at < ends_at
            and starts_at < one.ends_at
            for one in self.bookings.values()
        )

    def cancel(self, uid: str) -> None:
        """
        Cancel for calsaga.
        """
        self.announce("BOOKING_CANCELLED", self.bookings[uid], None)
        self.bookings[uid] = replace(self.bookings[uid], status="cancelled", ended_at=self.clock.now())
        self.cancelled_by_us.append(uid)

    def _host(self, event_type_id: int) -> str:
        return self.hosts.get(event_type_id, f"host-{event_type_id}")
