"""
Appointments that are booked, to be moved.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from adapters.recording.backend import Backend
from sagas.appending import Append, Appended, AppendResult, InsertAppointment, Refusal
from tests.integration.storage.appends import HALF_HOUR, TEN, finish, initiated, move, rows, start

NOON = TEN + timedelta(hours=2)


def book(database: Backend, **facts: Any) -> Append:  # noqa: ANN401 - fields of all types
    """
    Book, and return the append that has inserted the appointment.
    """
    wish = initiated(**facts)
    first = start(wish)
    second = finish(first.stream_id, wish)
    for one in (first, second):
        assert refusal(database.append([one])[0]) is None
    return second


def refusal(result: AppendResult) -> Refusal | None:
    assert isinstance(result, Appended)
    return result.refusal


def row(booked: Append) -> InsertAppointment:
    assert isinstance(booked.appointment, InsertAppointment)
    return booked.appointment


def at_noon(booked: Append, **more: Any) -> Append:  # noqa: ANN401 - fields of all types
    return move(booked, starts_at=NOON, ends_at=NOON + HALF_HOUR, **more)


def held(url: str, booked: Append) -> tuple[str, datetime, datetime, str | None, bool, str]:
    """
    Return what the row says: uid, times, webhook, whether it may overlap, and its status.
    """
    found = rows(
        url,
        "SELECT calcom_booking_uid, starts_at, ends_at, webhook_id, overlap_allowed, status FROM appointments "
        f"WHERE {the_row(url, booked)}",
    )
    [(uid, starts_at, ends_at, webhook_id, overlap_allowed, status)] = found
    return uid, instant(starts_at), instant(ends_at), webhook_id, bool(overlap_allowed), status


def the_row(url: str, booked: Append) -> str:
    appointment_id = row(booked).appointment_id
    return f"id = '{appointment_id if 'postgres' in url else appointment_id.hex}'"


def instant(value: Any) -> datetime:  # noqa: ANN401 - text in SQLite
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    assert isinstance(moment, datetime)
    return moment.astimezone(UTC)


def topics(database: Backend, stream_id: UUID) -> list[str]:
    return [stored.topic for stored in database.recorder.select_events(stream_id)]
