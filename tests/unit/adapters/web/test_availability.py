from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from domain import moving as m
from domain.errors import AppointmentError, CalcomBookingError, CustomerValidationError, FieldError, UnknownService
from domain.events import BookingEvent
from domain.person import Remark
from sagas.wishes import BookingResult
from tests.unit.adapters.web.fake_backend import FakeBackend
from tests.unit.adapters.web.given import ATTEMPTED, BOOKED, BOOKING_ID, CREATED, NOW, STARTS, booking, failed

PATH = "/api/availability"
GOOD = {"service_id": "consult", "from": "2027-03-02", "to": "2027-03-03T10:00:00+01:00"}
MOVE_FAILED = m.RescheduleFailed(at=NOW, reason="slot_taken", detail="no")
MOVE_ASKED = m.RescheduleRequested(
    at=NOW, starts_at=STARTS, ends_at=STARTS.replace(hour=11), command_id=None, person=Remark(reason="x")
)


async def test_free_slots_say_where_they_are_from_and_how_old_they_are(
    client: httpx.AsyncClient, backend: FakeBackend
) -> None:
    answer = await client.get(PATH, params={**GOOD, "time_zone": "Europe/Berlin"})

    assert {"slots": ["2027-03-02T10:00:00+01:00"], "source": "cache", "age_seconds": 3.1} == answer.json()
    assert [
        {
            "company_id": "acme",
            "service_id": "consult",
            "since": date(2027, 3, 2),
            "until": datetime(2027, 3, 3, 9, tzinfo=UTC),
            "time_zone": "Europe/Berlin",
            "staff_id": None,
            "staff_group": None,
        }
    ] == backend.availability.asked


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"service_id": None}, "service_id"),
        ({"service_id": "a b"}, "service_id"),
        ({"staff_id": "a b"}, "staff_id"),
        ({"staff_group": ""}, "staff_group"),
        ({"staff_group": "a\x00"}, "staff_group"),
        ({"from": None}, "from"),
        ({"to": None}, "to"),
        ({"from": ""}, "from"),
        ({"from": "tomorrow"}, "from"),
        ({"from": "2027-02-30"}, "from"),
        ({"from": "2027-03-02T10:00:00"}, "from"),
        ({"from": "20270302"}, "from"),
        ({"to": "1800000000"}, "to"),
        ({"to": "٢٠٢٧-03-02"}, "to"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"staff": "x"}, "staff"),
    ],
)
async def test_a_wrong_parameter_is_named(
    client: httpx.AsyncClient, backend: FakeBackend, changes: dict[str, str | None], field: str
) -> None:
    asked = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    answer = await client.get(PATH, params=asked)

    assert (422, [field]) == (answer.status_code, [one["field"] for one in answer.json()["errors"]])
    assert [] == backend.availability.asked


async def test_an_unescaped_plus_is_understood(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    answer = await client.get(f"{PATH}?service_id=consult&from=2027-03-02T10:00:00+01:00&to=2027-03-03")

    assert 200 == answer.status_code


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (CalcomBookingError("away", status=None, transient=True), 503, True),
        (CalcomBookingError("gone", status=404), 502, False),
        (CustomerValidationError((FieldError("to", "must be after from"),)), 422, False),
        (UnknownService("consult"), 422, False),
    ],
)
async def test_what_cannot_be_told_is_a_problem(
    client: httpx.AsyncClient, backend: FakeBackend, error: AppointmentError, status: int, *, retry_after: bool
) -> None:
    backend.availability.error = error
    answer = await client.get(PATH, params=GOOD)

    assert (status, retry_after) == (answer.status_code, "Retry-After" in answer.headers)


@pytest.mark.parametrize("replayed", [False, True])
@pytest.mark.parametrize(("others", "shown"), [(None, None), ((), []), ((STARTS,), ["2027-03-02T09:00:00+00:00"])])
async def test_whoever_finds_the_slot_taken_hears_of_others(
    *,
    client: httpx.AsyncClient,
    backend: FakeBackend,
    wish: dict[str, Any],
    replayed: bool,
    others: tuple[datetime, ...] | None,
    shown: list[str] | None,
) -> None:
    backend.bookings.result = BookingResult(booking=booking(failed("slot_taken")), replayed=replayed)
    backend.availability.others = others
    answer = await client.post("/api/bookings", json=wish)

    assert (409, "slot_taken", shown) == (
        answer.status_code,
        answer.json()["reason"],
        answer.json().get("alternatives"),
    )
    assert (others is not None) is ("alternatives" in answer.json())
    assert [STARTS] == backend.availability.wished


@pytest.mark.parametrize("events", [(ATTEMPTED, CREATED, BOOKED), (failed("near_duplicate"),), (failed("expired"),)])
async def test_nobody_else_is_made_to_wait_for_other_times(
    client: httpx.AsyncClient, backend: FakeBackend, wish: dict[str, Any], events: tuple[BookingEvent, ...]
) -> None:
    backend.bookings.result = BookingResult(booking=booking(*events))
    answer = await client.post("/api/bookings", json=wish)

    assert "alternatives" not in answer.json()
    assert [] == backend.availability.wished


async def test_a_move_to_a_slot_that_is_taken_hears_of_others(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    moved = booking(ATTEMPTED, CREATED, BOOKED, MOVE_ASKED, MOVE_FAILED)
    backend.bookings.result = BookingResult(booking=moved, not_moved=moved.move_failure)
    backend.availability.others = (STARTS,)
    path = f"/api/bookings/{BOOKING_ID}/reschedule"
    answer = await client.post(path, json={"starts_at": "2027-03-09T10:00:00+01:00"})

    assert (409, 1) == (answer.status_code, len(answer.json()["alternatives"]))
    assert [datetime(2027, 3, 9, 9, tzinfo=UTC)] == backend.availability.wished


async def test_a_booking_that_could_not_be_moved_is_still_a_booking(
    client: httpx.AsyncClient, backend: FakeBackend, wish: dict[str, Any]
) -> None:
    moved = booking(ATTEMPTED, CREATED, BOOKED, MOVE_ASKED, MOVE_FAILED)
    backend.bookings.result = BookingResult(booking=moved, replayed=True)
    answer = await client.post("/api/bookings", json=wish)

    assert (200, []) == (answer.status_code, backend.availability.wished)
