"""The import itself: lines in, a bounded number of bookings at once, a count of what became of them."""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from adapters.cli.lines import read_wish
from adapters.reasons import sentence
from adapters.web.body import NotAnObject, parse_object
from domain.booking import BookingStatus
from domain.errors import AppointmentDatabaseError, AppointmentError, UnknownService
from domain.wish import BookAppointment
from sagas.wishes import BookingResult

DATABASE_TRIES = 5
AGAIN_AFTER_SECONDS = 0.4


class Books(Protocol):
    """The orchestrator, as far as an import needs it."""

    async def book(self, wish: BookAppointment, *, patience: float) -> BookingResult:
        """Book an appointment."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A line that made no booking, and why; or, among those `unsettled`, of which nobody knows whether it will."""

    line: int
    reason: str
    booking_id: str | None = None


class ImportRun:
    """One run over a file; `counts`, `rejected` and `unsettled` say afterwards what became of its lines."""

    def __init__(self, *, company_id: str, name: str, at_once: int, patience: float) -> None:
        self._company_id = company_id
        self._name = name
        self._at_once = at_once
        self._patience = patience
        self.counts: Counter[str] = Counter()
        self.rejected: list[Rejected] = []
        self.unsettled: list[Rejected] = []

    async def run(self, file: Path, orchestrator: Books, *, advance: Callable[[], None]) -> None:
        """Book every line of the file."""
        places = asyncio.Semaphore(self._at_once)

        async def work(number: int, line: bytes) -> None:
            try:
                await self._line(number, line, orchestrator)
            finally:
                places.release()
                advance()

        async with asyncio.TaskGroup() as tasks:
            for number, line in lines_of(file):
                await places.acquire()
                tasks.create_task(work(number, line))

    async def _line(self, number: int, line: bytes, orchestrator: Books) -> None:
        try:
            values = parse_object(line)
            wish = read_wish(values, company_id=self._company_id, key=self._key_of(values))
            result = await self._booked(wish, orchestrator)
        except AppointmentDatabaseError as error:
            self._leave(number, error)
            return
        except NotAnObject as error:
            self._reject(Rejected(line=number, reason=str(error)))
            return
        except UnknownService as error:
            self._reject(Rejected(line=number, reason=f"service_id: {error.message}"))
            return
        except AppointmentError as error:
            self._reject(Rejected(line=number, reason=error.message))
            return
        booking, why = result.booking, result.booking.review or result.booking.failure
        match booking.status:
            case BookingStatus.BOOKED:
                self.counts["already_booked" if result.replayed else "booked"] += 1
            case BookingStatus.FAILED | BookingStatus.NEEDS_REVIEW | BookingStatus.CANCELLED:
                reason = str(booking.status) if why is None else f"{why.reason}: {sentence(why.reason)}"
                self._reject(Rejected(line=number, reason=reason, booking_id=str(booking.booking_id)))
            case _:
                self.counts["under_way"] += 1

    async def _booked(self, wish: BookAppointment, orchestrator: Books) -> BookingResult:
        for failures in range(1, DATABASE_TRIES):
            try:
                return await orchestrator.book(wish, patience=self._patience)
            except AppointmentDatabaseError as error:
                # The booking may go on all the same; with its key, asking again is safe.
                if not error.retryable:
                    raise
                await asyncio.sleep(AGAIN_AFTER_SECONDS * 2 ** (failures - 1))
        return await orchestrator.book(wish, patience=self._patience)

    def _key_of(self, values: dict[str, Any]) -> str:
        # The content in one spelling, so that the order of its fields makes no difference.
        content = json.dumps(values, sort_keys=True, ensure_ascii=True)
        return f"{self._name}:{hashlib.sha256(content.encode()).hexdigest()}"

    def _leave(self, number: int, error: AppointmentDatabaseError) -> None:
        # The booking may go on all the same, so that nobody may call it rejected.
        reason = f"unsettled, run the import again: {error.message}"
        booking_id = None if error.booking_id is None else str(error.booking_id)
        self.unsettled.append(Rejected(line=number, reason=reason, booking_id=booking_id))
        self.counts["unsettled"] += 1

    def _reject(self, rejected: Rejected) -> None:
        self.rejected.append(rejected)
        self.counts["rejected"] += 1


def lines_of(file: Path) -> Iterator[tuple[int, bytes]]:
    """Return the lines that are not empty, with their numbers."""
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            text = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
            if text:
                yield number, text


def count_lines(file: Path) -> int:
    """Return how many lines are not empty."""
    return sum(1 for _ in lines_of(file))
