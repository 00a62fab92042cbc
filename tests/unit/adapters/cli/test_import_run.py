"""
An import books every line once, however often it runs, and no wrong line stops the others.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid5

import pytest

from adapters.cli.import_run import DATABASE_TRIES, ImportRun, count_lines
from domain.booking import Booking, BookingStatus, Failure
from domain.errors import AppointmentDatabaseError, UnknownService
from domain.wish import BookAppointment
from sagas.wishes import BookingResult

SPACE = UUID("5f76468b-1d5c-46ef-bd0e-ab2608f9947a")


class FakeOrchestrator:
    """Books once for each key, as the real one does."""

    def __init__(self) -> None:
        self.booked: dict[str, Booking] = {}
        self.at_once = self.most_at_once = 0
        self.failing = 0
        self.stops_after: int | None = None

    async def book(self, wish: BookAppointment, *, patience: float) -> BookingResult:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if self.stops_after is not None and len(self.booked) >= self.stops_after:
            raise asyncio.CancelledError
        if self.failing:
            self.failing -= 1
            raise AppointmentDatabaseError("away", kind="connection_lost", booking_id=SPACE)
        if wish.service_id == "unknown":
            raise UnknownService(wish.service_id)
        key = wish.idempotency_key or ""
        if key in self.booked:
            return BookingResult(booking=self.booked[key], replayed=True)
        self.booked[key] = self._booking(wish, key)
        return BookingResult(booking=self.booked[key])

    def _booking(self, wish: BookAppointment, key: str) -> Booking:
        booking_id = uuid5(SPACE, key)
        if wish.service_id == "taken":
            failure = Failure(reason="slot_taken", detail="somebody was faster")
            return Booking(booking_id=booking_id, ended=BookingStatus.FAILED, failure=failure)
        return Booking(booking_id=booking_id, ended=BookingStatus.BOOKED)


@pytest.fixture
def orchestrator() -> FakeOrchestrator:
    return FakeOrchestrator()


def line(number: int, **changed: object) -> str:
    starts_at = datetime(2027, 3, 2, 9, tzinfo=UTC) + timedelta(hours=number)
    fields: dict[str, object] = {
        "service_id": "follow-up",
        "customer": {"name": "Ada Lovelace", "email": f"ada-{number}@example.com"},
        "starts_at": starts_at.isoformat(),
        "time_zone": "UTC",
        "source": "import",
    }
    return json.dumps(fields | changed)


async def run(file: Path, orchestrator: FakeOrchestrator, *, name: str = "import", at_once: int = 4) -> ImportRun:
    importing = ImportRun(company_id="acme", name=name, at_once=at_once, patience=1)
    await importing.run(file, orchestrator, advance=lambda: None)
    return importing


def written(folder: Path, *lines: str) -> Path:
    file = folder / "bookings.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


async def test_a_second_run_books_nothing_twice(tmp_path: Path, orchestrator: FakeOrchestrator) -> None:
    file = written(tmp_path, *(line(number) for number in range(20)))
    first, second = await run(file, orchestrator), await run(file, orchestrator)

    assert {"booked": 20} == dict(first.counts)
    assert {"already_booked": 20} == dict(second.counts)
    assert 20 == len(orchestrator.booked)


async def test_a_run_that_was_interrupted_goes_on(tmp_path: Path, orchestrator: FakeOrchestrator) -> None:
    file = written(tmp_path, *(line(number) for number in range(20)))
    orchestrator.stops_after = 7
    interrupted = ImportRun(company_id="acme", name="import", at_once=2, patience=1)
    await interrupted.run(file, orchestrator, advance=lambda: None)
    orchestrator.stops_after = None
    resumed = await run(file, orchestrator)

    assert {"already_booked": 7, "booked": 13} == dict(resumed.counts)


async def test_the_order_of_the_fields_makes_no_other_booking(tmp_path: Path, orchestrator: FakeOrchestrator) -> None:
    backwards = json.dumps(dict(reversed(json.loads(line(1)).items())))
    result = await run(written(tmp_path, line(1), backwards), orchestrator, at_once=1)

    assert {"booked": 1, "already_booked": 1} == dict(result.counts)


async def test_wrong_lines_are_named_and_stop_nothing(tmp_path: Path, orchestrator: FakeOrchestrator) -> None:
    file = written(
        tmp_path,
        line(1),
        "not json",
        "",
        line(4, starts_at="tomorrow"),
        line(5, service_id="unknown"),
        line(6, service_id="taken"),
        line(7, color="red"),
        "[]",
        line(9),
    )
    result = await run(file, orchestrator)
    reasons = {one.line: one.reason for one in result.rejected}

    assert {"booked": 2, "rejected": 6} == dict(result.counts)
    assert {2, 4, 5, 6, 7, 8} == set(reasons)
    assert ("is not JSON: column 1", "must be a JSON object, in braces") == (reasons[2], reasons[8])
    assert "starts_at" in reasons[4]
    assert reasons[5].startswith("service_id: ")
    assert "slot_taken" in reasons[6]
    assert "color" in reasons[7]


async def test_a_key_in_the_line_is_kept(tmp_path: Path, orchestrator: FakeOrchestrator) -> None:
    await run(written(tmp_path, line(1, idempotency_key="order-7")), orchestrator)

    assert ["order-7"] == list(orchestrator.booked)


@pytest.mark.parametrize("key", ["", "  "])
async def test_an_empty_key_is_refused(tmp_path: Path, orchestrator: FakeOrchestrator, key: str) -> None:
    result = await run(written(tmp_path, line(1, idempotency_key=key)), orchestrator)

    assert [(1, "idempotency_key: must not be empty")] == [(one.line, one.reason) for one in result.rejected]
    assert {} == orchestrator.booked


async def test_another_name_tries_failed_lines_anew(tmp_path: Path, orchestrator: FakeOrchestrator) -> None:
    file = written(tmp_path, line(1, service_id="taken"))
    await run(file, orchestrator)
    await run(file, orchestrator, name="second try")

    assert 2 == len(orchestrator.booked)


async def test_no_more_bookings_at_once_than_allowed(tmp_path: Path, orchestrator: FakeOrchestrator) -> None:
    await run(written(tmp_path, *(line(number) for number in range(50))), orchestrator, at_once=3)

    assert 3 == orchestrator.most_at_once


async def test_a_database_that_was_away_is_asked_again(
    tmp_path: Path, orchestrator: FakeOrchestrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.cli.import_run.AGAIN_AFTER_SECONDS", 0.0)
    orchestrator.failing = 2
    result = await run(written(tmp_path, line(1)), orchestrator)

    assert {"booked": 1} == dict(result.counts)


async def test_what_the_database_does_not_settle_is_not_rejected(
    tmp_path: Path, orchestrator: FakeOrchestrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.cli.import_run.AGAIN_AFTER_SECONDS", 0.0)
    orchestrator.failing = DATABASE_TRIES
    result = await run(written(tmp_path, line(1)), orchestrator)

    assert ({"unsettled": 1}, []) == (dict(result.counts), result.rejected)
    assert [(1, str(SPACE))] == [(one.line, one.booking_id) for one in result.unsettled]


def test_a_byte_order_mark_and_empty_lines_do_not_count(tmp_path: Path) -> None:
    file = tmp_path / "marked.jsonl"
    file.write_bytes(b"\xef\xbb\xbf{}\n\n{}\n")

    assert 2 == count_lines(file)
