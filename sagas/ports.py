"""What the sagas need from the world, in their own words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from domain.booking import Booking
from domain.offer import Offer
from domain.period import Period
from domain.service import Service
from domain.staffing import Busy
from sagas.appending import Append, AppendResult, Recorded
from sagas.outcomes import CancelOutcome, CreateOutcome, Liveness, LookOutcome, NotSent, Sightings, Trace
from sagas.steps import CancelAtCalcom, Change, LookAtCalcom, RescheduleAtCalcom


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
        """Take up to `limit` sagas that are due, most urgent first, and nobody who waits in line."""
        ...

    async def claim_in_line(self, *, lease: timedelta) -> Claimed | None:
        """Take whoever is first of those who are due in line, by when their appointment starts; then it is in none."""
        ...

    async def release(self, claimed: Sequence[tuple[UUID, UUID]]) -> None:
        """Make leased work (saga id, lease token) due at once, for another process to take."""
        ...

    async def wake(self, saga_id: UUID) -> None:
        """Make a saga that waits due at once; one that is leased is left to whoever has it."""
        ...

    async def next_due(self, *, in_line: bool | None = None) -> timedelta | None:
        """
        Return how long until the next work is due (zero if it is), or None if there is none.

        Only what waits `in_line` counts, or only what does not, or all.
        """
        ...


class Pace(Protocol):
    """Spreads what would otherwise come all at once."""

    async def wait(self) -> None:
        """Return when it is one's turn."""
        ...


class Calendar(Protocol):
    """One company's calendar at Cal.com."""

    def held_back(self, effect: Change) -> NotSent | None:
        """Tell, without asking anybody, why a change may not be sent now, and for how long; None if it may."""
        ...

    def count_attempt(self, *, again: bool) -> NotSent | None:
        """Count a create that is about to be sent, or tell why it must wait: what is tried `again` has a budget."""
        ...

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

    async def reschedule(self, effect: RescheduleAtCalcom, *, send_by: datetime) -> CreateOutcome:
        """Ask for a booking to be moved, once; the outcomes are those of a create, with the new uid."""
        ...

    async def liveness(self, uid: str) -> Liveness:
        """
        Tell whether the uid stands at Cal.com, accepted or pending.

        That it is not found proves nothing: replicas lag, and another account's is not shown.
        """
        ...

    async def trace(self, uid: str, *, pace: Pace | None = None) -> Trace:
        """Return what a uid has become, however often it was moved; with a pace, each call waits for its turn."""
        ...

    async def sightings(
        self, event_type_id: int, *, changed_since: datetime, starting_after: datetime, pace: Pace
    ) -> Sightings:
        """
        Return what of an event type was changed from one moment on, or starts after another, whoever made it.

        Each call waits for its turn, and none uses what is kept for looks and compensations.
        """
        ...


class Calendars(Protocol):
    """Every company's calendar."""

    async def of(self, company_id: str) -> Calendar:
        """Return the calendar of a company."""
        ...


class Groups(Protocol):
    """Which services share a group of staff."""

    async def group(self, *, company_id: str, staff_group: str) -> Sequence[Offer]:
        """Return the company's services that share a group."""
        ...


class Services(Groups, Protocol):
    """What can be booked."""

    async def find(self, *, company_id: str, service_id: str) -> Offer:
        """
        Return a service with its opening hours.

        Raises:
            UnknownService: the company has no such service.

        """
        ...

    async def booked_as(self, *, company_id: str, event_type_id: int) -> Service | None:
        """Return the company's service behind an event type of Cal.com, the oldest if there are several, or None."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DiaryPage:
    """What is taken of a period, and up to which position the log tells of it, if that is known."""

    busy: Sequence[Busy]
    as_of: int | None = None


class Diary(Protocol):
    """When members of staff are busy, as far as it is known here."""

    async def read(self, period: Period, *, company_id: str, staff_ids: Sequence[str]) -> DiaryPage:
        """
        Return what claims and appointments take of a period.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        ...


class Offering(Protocol):
    """What Cal.com offers."""

    async def not_offered(self, services: Sequence[Service], starts_at: datetime, *, as_of: int | None) -> int:
        """
        Count those, from the first on, that cannot be booked for a start: the next one can, or it cannot be said soon.

        What is remembered counts as long as nothing in the log up to `as_of` speaks against
        it, or nothing at all if that is None. It raises nothing.
        """
        ...


class Customers(Protocol):
    """
    Whose phone is whose, as far as this process remembers.

    Whoever is not remembered is looked for by the log's first append of their booking.
    """

    def recall(self, *, company_id: str, phone: str) -> UUID | None:
        """Return the id of the company's customer with this phone."""
        ...

    def remember(self, *, company_id: str, phone: str, customer_id: UUID) -> None:
        """Take note of whose a phone is; that never changes."""
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

    async def holders(self, *, company_id: str, uids: Sequence[str]) -> Mapping[str, UUID]:
        """Return which booking has each of these uids, be its row booked or cancelled; uids of none are left out."""
        ...

    async def companies(self, uids: Sequence[str]) -> Mapping[str, str]:
        """Return which company's appointment has each of these uids, in the same way."""
        ...


class Hints(Protocol):
    """
    What is remembered of bookings beside the log: quick, forgetful, and never believed.

    Nothing here raises. What it says, or fails to say, changes how soon a caller is
    answered, and never with what.
    """

    async def seen(self, booking_id: UUID) -> bool:
        """Tell, within an instant, whether the log should be read first, because somebody seems to have begun it."""
        ...

    def told(self, booking: Booking) -> None:
        """Take note of a booking's new state, as the log has it, for this process and for all others."""
        ...

    def judged(self, booking: Booking, *, repeated: bool) -> None:
        """Take note of what the log has said about a request: a repeat of a booking, or its first."""
        ...


class WebhookHints(Protocol):
    """What is remembered of webhooks beside the log, on the same terms as `Hints`."""

    async def seen(self, webhook_id: UUID) -> bool:
        """Tell, within an instant, whether the log should be read first, because it seems to be processed."""
        ...

    def processed(self, webhook_id: UUID) -> None:
        """Take note, for all processes, of a webhook that the log holds as processed."""
        ...

    def judged(self, *, repeated: bool) -> None:
        """Take note of what the log has said about a webhook: it came again, or for the first time."""
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
