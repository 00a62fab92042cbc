from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest

from domain import moving as m
from domain.booking import Failure
from domain.person import Remark
from sagas.wishes import BookingResult
from tests.unit.adapters.web.fake_backend import FakeBackend
from tests.unit.adapters.web.given import ATTEMPTED, BOOKED, BOOKING_ID, CREATED, NOW, STARTS, booking

MOVE = f"/api/bookings/{BOOKING_ID}/reschedule"
ASKED = m.RescheduleRequested(at=NOW, starts_at=STARTS, ends_at=STARTS, command_id="k", person=Remark(reason="later"))


async def test_a_move_that_is_done_is_answered_with_the_booking(
    client: httpx.AsyncClient, backend: FakeBackend
) -> None:
    answer = await client.post(
        MOVE, json={"starts_at": "2027-03-02T10:00:00+01:00", "reason": "later"}, headers={"Idempotency-Key": "k"}
    )

    (asked,) = backend.bookings.rescheduled
    assert (200, "booked") == (answer.status_code, answer.json()["booking"]["status"])
    assert (datetime(2027, 3, 2, 9, tzinfo=UTC), "later", "k") == (asked.starts_at, asked.reason, asked.idempotency_key)


async def test_a_move_that_goes_on_is_accepted(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    backend.bookings.result = BookingResult(booking=booking(ATTEMPTED, CREATED, BOOKED, ASKED))

    answer = await client.post(MOVE, json={"starts_at": "2027-03-02T10:00:00+01:00"})

    assert (202, "rescheduling") == (answer.status_code, answer.json()["booking"]["status"])
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("reason", "kind"), [("slot_taken", "slot-taken"), ("out_of_bounds", "not-moved"), ("near_duplicate", "not-moved")]
)
async def test_a_move_that_came_to_nothing_says_that_the_appointment_stays(
    client: httpx.AsyncClient, backend: FakeBackend, reason: str, kind: str
) -> None:
    backend.bookings.result = BookingResult(
        booking=booking(ATTEMPTED, CREATED, BOOKED), not_moved=Failure(reason=reason, detail="")
    )

    answer = await client.post(MOVE, json={"starts_at": "2027-03-02T10:00:00+01:00"})

    assert (409, reason, str(BOOKING_ID)) == (
        answer.status_code,
        answer.json()["reason"],
        answer.json()["booking_id"],
    )
    assert answer.json()["type"].endswith(kind)
    assert "stays where it is" in answer.json()["detail"]


@pytest.mark.parametrize("reason", ["slot_taken", "near_duplicate"])
async def test_a_move_that_is_refused_names_what_is_in_its_way(
    client: httpx.AsyncClient, backend: FakeBackend, reason: str
) -> None:
    there = uuid4()
    failed = Failure(reason=reason, detail="", conflicting_booking_id=there)
    backend.bookings.result = BookingResult(booking=booking(ATTEMPTED, CREATED, BOOKED), not_moved=failed)

    answer = await client.post(MOVE, json={"starts_at": "2027-03-02T10:00:00+01:00"})

    assert (409, str(there)) == (answer.status_code, answer.json()["booking_id"])
    assert "`booking_id`" in answer.json()["detail"]


async def test_a_move_without_a_start_names_the_field(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    answer = await client.post(MOVE, json={"reason": "later"})

    assert 422 == answer.status_code
    assert "starts_at" in answer.text
    assert [] == backend.bookings.rescheduled
