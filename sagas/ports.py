"""What the sagas need from the world, in their own words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from domain.booking import Booking
from domain.service import Service
from sagas.appending import Append, AppendResult, Recorded
from sagas.outcomes import CancelOutcome, CreateOutcome, LookOutcome
from sagas.steps import CancelAtCalcom, LookAtCalcom


class Log(Protocol):
    """The event log, the truth."""

    async def append(self, append: Append) -> AppendResult:
        """
        Write one append, together with whatever else waits.

        Raises:
            AppointmentDatabaseError: it is not known to be written. Appending the very
                same `append` again is safe.

        """
        ...

    async def read(self, stream_id: UUID) -> Sequence[Recorded]:
        """
        Return a stream from its first event on; empty if there is none.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """Due work that is now ours until its lease runs out."""

    saga_id: UUID
    token: UUID
    attempt: int


class Agenda(Protocol):
    """The due work of all processes. All its times are the database's."""

    async def claim(self, *, limit: int, lease: timedelta) -> Sequence[Claimed]:
        """Take up to `limit` sagas that are due, most urgent first."""
        ...

    async def release(self, claimed: Sequence[tuple[UUID, UUID]]) -> None:
        """Make leased work (saga id, lease token) due at once, for another process to take."""
        ...

    async def next_due(self) -> timedelta | None:
        """Return how long until the next work is due (zero if it is), or None if there is none."""
        ...


class Calendar(Protocol):
    """One company's calendar at Cal.com."""

    async def create(self, booking: Booking, *, attempt_id: str, send_by: datetime) -> CreateOutcome:
        """
        Ask for the booking once.

        The request is not sent at all from `send_by` on, however long the process was
        suspended, and wherever.
        """
        ...

    async def look(self, booking: Booking, effect: LookAtCalcom) -> LookOutcome:
        """Search for the attempts of `effect` among the bookings of the booking's event type."""
        ...

    async def cancel(self, booking: Booking, effect: CancelAtCalcom) -> CancelOutcome:
        """Cancel a booking of ours, and only that."""
        ...

    async def is_live(self, uid: str) -> bool | None:
        """
        Tell whether the uid stands at Cal.com, accepted or pending.

        None if that cannot be said now, or if the booking lives on under another uid.
        """
        ...


class Calendars(Protocol):
    """Every company's calendar."""

    async def of(self, company_id: str) -> Calendar:
        """Return the calendar of a company."""
        ...


class Services(Protocol):
    """What can be booked."""

    async def find(self, *, company_id: str, service_id: str) -> Service:
        """
        Return a service.

        Raises:
            UnknownService: the company has no such service.

        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RowInTheWay:
    """An appointment that refused another one."""

    appointment_id: UUID
    booking_id: UUID
    calcom_booking_uid: str | None
    is_booked: bool


class Appointments(Protocol):
    """The local appointments, for reading; they are written by the log's append alone."""

    async def find(self, appointment_id: UUID) -> RowInTheWay | None:
        """Return one row, or None."""
        ...


class Clock(Protocol):
    """The database's time, carried on by a clock of this machine that runs while the process is suspended."""

    def now(self) -> datetime:
        """Return the instant, aware and UTC."""
        ...


class Ids(Protocol):
    """Where random identifiers come from."""

    def token(self) -> UUID:
        """Return a random UUID."""
        ...

    def attempt_id(self) -> str:
        """Return 128 random bits in hexadecimal."""
        ...
