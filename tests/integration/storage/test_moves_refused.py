"""
A move that is refused, because somebody else has the time or the uid: what is written then, and who is not hurt.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from adapters.recording.backend import Backend
from domain.findings import InconsistencyDetected
from sagas.appending import Appended, Refusal
from tests.integration.storage.appends import HALF_HOUR, TEN, append, deferred, finish, initiated, move, rows, start
from tests.integration.storage.moving import NOON, at_noon, book, held, refusal, row, topics


@pytest.mark.parametrize("minutes", [-10, 10])
def test_what_refuses_a_move_is_another_appointment(database: Backend, minutes: int) -> None:
    booked = book(database, staff_id="grace")
    before = book(database, staff_id="grace", starts_at=TEN - HALF_HOUR)
    after = book(database, staff_id="grace", starts_at=TEN + HALF_HOUR)

    starts_at = TEN + timedelta(minutes=minutes)
    found = refusal(database.append([move(booked, starts_at=starts_at, ends_at=starts_at + HALF_HOUR)])[0])

    assert found is not None
    assert (before if minutes < 0 else after).stream_id == found.booking_id


@pytest.mark.parametrize(("start_after", "is_refused"), [(-30, False), (-29, True), (0, True), (29, True), (30, False)])
def test_a_move_onto_a_busy_slot_is_refused(url: str, database: Backend, start_after: int, *, is_refused: bool) -> None:
    there = book(database, staff_id="grace", starts_at=NOON)
    booked = book(database, staff_id="grace")
    before = held(url, booked)
    starts_at = NOON + timedelta(minutes=start_after)

    moved = move(booked, starts_at=starts_at, ends_at=starts_at + HALF_HOUR)
    found = refusal(database.append([moved])[0])

    expected = Refusal(
        refused="appointment",
        by="staff_overlap",
        booking_id=there.stream_id,
        appointment_id=row(there).appointment_id,
    )
    assert (expected if is_refused else None) == found
    assert is_refused == (before == held(url, booked))


def test_what_is_written_instead_of_a_refused_move_is_for_the_saga_to_say(url: str, database: Backend) -> None:
    book(database, staff_id="grace", starts_at=NOON)
    booked = book(database, staff_id="grace")

    [result] = database.append([at_noon(booked)])

    assert isinstance(result, Appended)
    [event] = result.events
    assert isinstance(event, InconsistencyDetected)
    assert "booking.inconsistency-detected.v1" == topics(database, booked.stream_id)[-1]
    assert 5 == len(topics(database, booked.stream_id))
    assert [(1,)] == rows(url, "SELECT count(*) FROM saga_due")


def test_a_refused_move_that_nobody_answers_is_an_error(url: str, database: Backend) -> None:
    book(database, staff_id="grace", starts_at=NOON)
    booked = book(database, staff_id="grace")
    before = held(url, booked)

    with pytest.raises(ValueError, match="nothing says what to write instead"):
        database.append([replace(at_noon(booked), on_refused=None)])
    assert before == held(url, booked)
    assert refusal(database.append([append(booked.stream_id, 4, deferred())])[0]) is None


def test_a_move_that_may_overlap_is_not_refused(url: str, database: Backend) -> None:
    there = book(database, staff_id="grace", starts_at=NOON)
    booked = book(database, staff_id="grace")

    assert refusal(database.append([at_noon(booked, overlap_allowed=True)])[0]) is None
    assert (NOON, True, "booked") == (held(url, booked)[1], *held(url, booked)[4:])

    # It stands in nobody's way, and gets out of its own once it moves to where there is room.
    assert refusal(database.append([move(there, starts_at=NOON, ends_at=NOON + HALF_HOUR)])[0]) is None
    assert refusal(database.append([move(booked, expected_version=5)])[0]) is None
    assert held(url, booked)[4] is False


def test_an_insert_that_may_overlap_is_not_refused(url: str, database: Backend) -> None:
    book(database, staff_id="grace")
    wish = initiated(staff_id="grace")
    imported = finish(uuid4(), wish, expected_version=0, webhook_id="hook", overlap_allowed=True)

    assert refusal(database.append([imported])[0]) is None
    assert ("hook", True, "booked") == held(url, imported)[3:]


def test_an_insert_that_may_overlap_is_refused_for_its_uid_all_the_same(database: Backend) -> None:
    there = book(database, staff_id="grace")
    twin = finish(
        uuid4(),
        initiated(staff_id="grace"),
        expected_version=0,
        calcom_booking_uid=row(there).calcom_booking_uid,
        overlap_allowed=True,
    )

    found = refusal(database.append([twin])[0])
    assert found is not None
    assert ("duplicate_calcom_uid", there.stream_id) == (found.by, found.booking_id)


@pytest.mark.parametrize("overlap_allowed", [False, True])
def test_a_move_to_a_uid_that_another_booking_has_is_refused(
    url: str, database: Backend, *, overlap_allowed: bool
) -> None:
    there = book(database, staff_id="grace", starts_at=NOON)
    booked = book(database, staff_id="grace")
    before = held(url, booked)

    uid = row(there).calcom_booking_uid
    found = refusal(database.append([at_noon(booked, calcom_booking_uid=uid, overlap_allowed=overlap_allowed)])[0])

    expected = Refusal(
        refused="appointment",
        by="duplicate_calcom_uid",
        booking_id=there.stream_id,
        appointment_id=row(there).appointment_id,
    )
    assert expected == found
    assert before == held(url, booked)


def test_an_appointment_of_another_person_at_the_same_time_is_no_obstacle(database: Backend) -> None:
    book(database, staff_id="linus", starts_at=NOON)
    book(database, starts_at=NOON)
    booked, nobodys = book(database, staff_id="grace"), book(database)

    assert refusal(database.append([at_noon(booked)])[0]) is None
    assert refusal(database.append([at_noon(nobodys)])[0]) is None


def test_a_refused_move_costs_its_neighbors_nothing(url: str, database: Backend) -> None:
    there = book(database, staff_id="grace", starts_at=NOON)
    refused, moved = book(database, staff_id="grace"), book(database, staff_id="linus")
    wish = initiated(staff_id="ada")
    first = start(wish)
    database.append([first])
    batch = [
        start(),
        at_noon(refused),
        finish(first.stream_id, wish),
        at_noon(moved),
        append(there.stream_id, 4, deferred()),
    ]

    results = database.append(batch)

    assert [None, "staff_overlap", None, None, None] == [
        None if (found := refusal(one)) is None else found.by for one in results
    ]
    assert [(4,)] == rows(url, "SELECT count(*) FROM appointments WHERE status = 'booked'")
    assert (TEN, NOON) == (held(url, refused)[1], held(url, moved)[1])
    assert 5 == len(topics(database, there.stream_id))
    # The connection is as good as before: a batch without any move, and one with a move that nothing refuses.
    assert refusal(database.append([start()])[0]) is None
    assert refusal(database.append([move(refused, expected_version=5)])[0]) is None


def test_appointments_that_move_in_one_batch_respect_each_other(url: str, database: Backend) -> None:
    first, second = book(database, staff_id="grace"), book(database, staff_id="grace", starts_at=TEN + HALF_HOUR)

    results = database.append([at_noon(first), at_noon(second)])

    found = refusal(results[1])
    assert refusal(results[0]) is None
    assert found is not None
    assert ("staff_overlap", first.stream_id) == (found.by, found.booking_id)
    assert (NOON, TEN + HALF_HOUR) == (held(url, first)[1], held(url, second)[1])


def test_an_appointment_of_the_same_batch_comes_before_one_that_moves(database: Backend) -> None:
    booked = book(database, staff_id="grace")
    wish = initiated(staff_id="grace", starts_at=NOON)
    first = start(wish)
    database.append([first])

    results = database.append([at_noon(booked), finish(first.stream_id, wish)])

    found = refusal(results[0])
    assert refusal(results[1]) is None
    assert found is not None
    assert ("staff_overlap", first.stream_id) == (found.by, found.booking_id)


def test_a_refused_claim_takes_its_move_with_it(url: str, database: Backend) -> None:
    book(database, staff_id="grace", starts_at=NOON)
    booked = book(database, staff_id="grace")
    claim = start(initiated(staff_id="grace", starts_at=NOON)).claim
    tomorrow = move(booked)

    [result] = database.append([replace(tomorrow, claim=claim)])

    found = refusal(result)
    assert found is not None
    assert "claim" == found.refused
    assert TEN == held(url, booked)[1]


def test_one_refusal_after_another_leaves_the_connection_as_good_as_new(database: Backend) -> None:
    book(database, staff_id="grace", starts_at=NOON)
    booked = book(database, staff_id="grace")

    for round_ in range(12):
        [refused] = database.append([at_noon(booked, expected_version=4 + 2 * round_)])
        [moved] = database.append([move(booked, expected_version=5 + 2 * round_)])
        assert (True, False) == (refusal(refused) is not None, refusal(moved) is not None)
        book(database)
