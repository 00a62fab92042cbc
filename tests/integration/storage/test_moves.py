"""
Appointments that move: each once, with its new times and uid, even if the answer is lost.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from adapters.recording.backend import Backend
from sagas.appending import Appended
from tests.integration.storage.appends import HALF_HOUR, TEN, initiated, move, opened, rows, start, withdraw
from tests.integration.storage.moving import NOON, at_noon, book, held, instant, refusal, row, the_row, topics


def test_a_moved_appointment_has_its_new_times_and_uid(url: str, database: Backend) -> None:
    booked = book(database, staff_id="grace")
    [(before,)] = rows(url, f"SELECT updated_at FROM appointments WHERE {the_row(url, booked)}")

    # SQLite's clock has milliseconds.
    time.sleep(0.002)
    moved = at_noon(booked, calcom_booking_uid="uid-2", webhook_id="hook")
    assert [Appended(events=moved.events)] == database.append([moved])

    assert ("uid-2", NOON, NOON + HALF_HOUR, "hook", False, "booked") == held(url, booked)
    [(after,)] = rows(url, f"SELECT updated_at FROM appointments WHERE {the_row(url, booked)}")
    assert instant(before) < instant(after)
    assert "booking.rescheduled.v1" == topics(database, booked.stream_id)[-1]


def test_a_move_without_a_webhook_keeps_the_one_that_is_known(url: str, database: Backend) -> None:
    booked = book(database)
    database.append([at_noon(booked, webhook_id="hook")])
    database.append([move(booked, expected_version=5, calcom_booking_uid="uid-3")])

    assert ("uid-3", "hook") == (held(url, booked)[0], held(url, booked)[3])


def test_a_moved_appointment_frees_the_slot_that_it_had(database: Backend) -> None:
    booked = book(database, staff_id="grace")
    database.append([at_noon(booked)])

    assert refusal(database.append([start(initiated(staff_id="grace"))])[0]) is None
    assert refusal(database.append([start(initiated(staff_id="grace", starts_at=NOON))])[0]) is not None


def test_an_appointment_is_not_in_its_own_way(url: str, database: Backend) -> None:
    booked = book(database, staff_id="grace")
    later = TEN + timedelta(minutes=10)

    same_uid = move(
        booked, calcom_booking_uid=row(booked).calcom_booking_uid, starts_at=later, ends_at=later + HALF_HOUR
    )
    assert refusal(database.append([same_uid])[0]) is None
    assert later == held(url, booked)[1]


def test_a_cancelled_appointment_does_not_move_and_refuses_nothing(url: str, database: Backend) -> None:
    book(database, staff_id="grace", starts_at=NOON)
    booked = book(database, staff_id="grace")
    database.append([withdraw(booked.stream_id, row(booked).appointment_id)])
    before = held(url, booked)

    moved = at_noon(booked, expected_version=5)
    assert [Appended(events=moved.events)] == database.append([moved])
    assert before == held(url, booked)


def test_a_move_needs_an_event_to_be_recognized_by(database: Backend) -> None:
    booked = book(database)

    with pytest.raises(ValueError, match="together with an event"):
        database.append([replace(at_noon(booked), events=())])


def lost_answer(point: str) -> None:
    if point.startswith("append.after:booking.rescheduled"):
        raise ConnectionError(point)


@pytest.mark.parametrize("is_busy", [False, True])
def test_a_move_whose_answer_was_lost_is_recognized_and_not_written_twice(url: str, *, is_busy: bool) -> None:
    with opened(url) as database:
        booked = book(database, staff_id="grace")
        if is_busy:
            book(database, staff_id="grace", starts_at=NOON)
    moved = at_noon(booked)
    with opened(url, probe=lost_answer) as database, pytest.raises(ConnectionError):
        database.append([moved])
    before = held(url, booked)

    with opened(url) as database:
        results = [database.append([moved])[0] for _ in range(2)]

        assert results[0] == results[1]
        assert is_busy == (refusal(results[0]) is not None)
        assert before == held(url, booked)
        assert (TEN if is_busy else NOON) == before[1]
        assert 5 == len(topics(database, booked.stream_id))


def test_what_dies_before_the_commit_has_not_moved(url: str) -> None:
    def die(point: str) -> None:
        if point.startswith("append.written:booking.rescheduled"):
            raise ConnectionError(point)

    with opened(url, probe=die) as database:
        booked = book(database)
        with pytest.raises(ConnectionError):
            database.append([at_noon(booked)])

        assert TEN == held(url, booked)[1]
        assert refusal(database.append([start()])[0]) is None


def test_many_appointments_move_in_one_batch(url: str, database: Backend) -> None:
    everybody = [book(database, staff_id=f"person {number}") for number in range(20)]
    book(database, staff_id="person 7", starts_at=NOON)

    results = database.append([at_noon(one) for one in everybody])

    assert [7] == [number for number, result in enumerate(results) if refusal(result) is not None]
    assert [(20,)] == rows(url, f"SELECT count(*) FROM appointments WHERE starts_at = '{text_of(url, NOON)}'")


def text_of(url: str, moment: datetime) -> str:
    return moment.isoformat() if "postgres" in url else moment.isoformat(timespec="microseconds")
