from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from adapters.recording.backend import Backend
from domain import events as e
from sagas.appending import Append, Appended, AppendResult, InsertAppointment, Refusal
from tests.integration.storage.appends import (
    HALF_HOUR,
    SERVICE,
    TEN,
    append,
    deferred,
    finish,
    initiated,
    row_of,
    rows,
    start,
    withdraw,
)

SECOND = timedelta(seconds=1)
NEAR = timedelta(seconds=300)


def refusal(result: AppendResult) -> Refusal | None:
    assert isinstance(result, Appended)
    return result.refusal


def claim(database: Backend, facts: e.BookingInitiated) -> tuple[UUID, Refusal | None]:
    first = start(facts)
    return first.stream_id, refusal(database.append([first])[0])


def book(database: Backend, facts: e.BookingInitiated) -> tuple[UUID, UUID]:
    """
    Book, and return the ids of booking and appointment.
    """
    first = start(facts)
    second = finish(first.stream_id, facts)
    assert refusal(database.append([first])[0]) is None
    assert refusal(database.append([second])[0]) is None
    assert isinstance(second.appointment, InsertAppointment)
    return first.stream_id, second.appointment.appointment_id


@pytest.mark.parametrize("apart", [NEAR, -NEAR, timedelta(0)])
def test_a_near_duplicate_within_five_minutes_is_refused_by_the_claim(database: Backend, apart: timedelta) -> None:
    facts = initiated()
    booking_id, _ = claim(database, facts)

    _, refused = claim(database, replace(facts, starts_at=TEN + apart, ends_at=TEN + apart + HALF_HOUR))
    assert Refusal(refused="claim", by="near_duplicate", booking_id=booking_id) == refused


@pytest.mark.parametrize("apart", [NEAR, -NEAR, timedelta(0)])
def test_a_near_duplicate_of_an_appointment_is_refused(database: Backend, apart: timedelta) -> None:
    facts = initiated()
    booking_id, appointment_id = book(database, facts)

    _, refused = claim(database, replace(facts, starts_at=TEN + apart, ends_at=TEN + apart + HALF_HOUR))
    assert (
        Refusal(refused="claim", by="near_duplicate", booking_id=booking_id, appointment_id=appointment_id) == refused
    )


@pytest.mark.parametrize("apart", [NEAR + SECOND, -NEAR - SECOND])
@pytest.mark.parametrize("how", [claim, book])
def test_more_than_five_minutes_apart_is_another_wish(database: Backend, how: object, apart: timedelta) -> None:
    facts = initiated()
    how(database, facts)  # type: ignore[operator]

    _, refused = claim(database, replace(facts, starts_at=TEN + apart, ends_at=TEN + apart + HALF_HOUR))
    assert refused is None


@pytest.mark.parametrize("how", [claim, book])
def test_a_near_duplicate_that_is_wanted_is_no_obstacle(database: Backend, how: object) -> None:
    facts = initiated()
    how(database, facts)  # type: ignore[operator]

    _, refused = claim(database, replace(facts, allow_near_duplicate=True))
    assert refused is None


@pytest.mark.parametrize("how", [claim, book])
def test_another_person_or_service_or_company_is_no_near_duplicate(database: Backend, how: object) -> None:
    facts = initiated()
    how(database, facts)  # type: ignore[operator]

    other_person = replace(facts, customer_id=uuid4())
    other_service = replace(facts, service=replace(SERVICE, service_id="cleaning"))
    elsewhere = start(facts)
    assert elsewhere.claim is not None
    elsewhere = replace(elsewhere, claim=replace(elsewhere.claim, company_id="elsewhere"))

    assert claim(database, other_person)[1] is None
    assert claim(database, other_service)[1] is None
    assert refusal(database.append([elsewhere])[0]) is None


@pytest.mark.parametrize(("start_after", "is_refused"), [(-30, False), (-29, True), (0, True), (29, True), (30, False)])
def test_staff_claims_are_half_open(database: Backend, start_after: int, *, is_refused: bool) -> None:
    booking_id, _ = claim(database, initiated(staff_id="grace"))

    _, refused = claim(database, initiated(staff_id="grace", starts_at=TEN + timedelta(minutes=start_after)))
    expected = Refusal(refused="claim", by="staff_overlap", booking_id=booking_id) if is_refused else None
    assert expected == refused


@pytest.mark.parametrize(("start_after", "is_refused"), [(-30, False), (-29, True), (0, True), (29, True), (30, False)])
def test_a_claim_respects_the_appointments_of_its_staff(
    database: Backend, start_after: int, *, is_refused: bool
) -> None:
    booking_id, appointment_id = book(database, initiated(staff_id="grace"))

    _, refused = claim(database, initiated(staff_id="grace", starts_at=TEN + timedelta(minutes=start_after)))
    expected = Refusal(refused="claim", by="staff_overlap", booking_id=booking_id, appointment_id=appointment_id)
    assert (expected if is_refused else None) == refused


def test_no_staff_is_no_obstacle(database: Backend) -> None:
    claim(database, initiated())
    book(database, initiated())

    assert claim(database, initiated())[1] is None


def test_a_claim_respects_an_appointment_that_is_allowed_to_overlap(url: str, database: Backend) -> None:
    booking_id, appointment_id = book(database, initiated(staff_id="grace"))
    rows(url, "UPDATE appointments SET overlap_allowed = true")

    _, refused = claim(database, initiated(staff_id="grace"))
    expected = Refusal(refused="claim", by="staff_overlap", booking_id=booking_id, appointment_id=appointment_id)
    assert expected == refused


def test_a_cancelled_appointment_is_no_obstacle(database: Backend) -> None:
    facts = initiated(staff_id="grace")
    booking_id, appointment_id = book(database, facts)
    database.append([withdraw(booking_id, appointment_id)])

    assert claim(database, facts)[1] is None


def test_a_refused_booking_leaves_no_claim_and_nothing_due(url: str, database: Backend) -> None:
    facts = initiated()
    claim(database, facts)
    claim(database, facts)

    assert [(1,)] == rows(url, "SELECT count(*) FROM slot_claims")
    assert [(1,)] == rows(url, "SELECT count(*) FROM saga_due")


def test_two_appends_of_one_batch_refuse_each_other(database: Backend) -> None:
    facts = initiated()
    grace = initiated(staff_id="grace")
    batch = [start(facts), start(facts), start(grace), start(), start(replace(grace, customer_id=uuid4()))]

    found = [refusal(result) for result in database.append(batch)]

    assert found == [
        None,
        Refusal(refused="claim", by="near_duplicate", booking_id=batch[0].stream_id),
        None,
        None,
        Refusal(refused="claim", by="staff_overlap", booking_id=batch[2].stream_id),
    ]


def two_claimed(database: Backend) -> tuple[Append, Append]:
    """
    Two bookings, one of them booked, that nothing has refused yet.
    """
    facts, others = initiated(staff_id="grace"), initiated(staff_id="linus")
    first, second = start(facts), start(others)
    database.append([first, second])
    done = finish(first.stream_id, facts)
    database.append([done])
    return done, finish(second.stream_id, others)


@pytest.mark.parametrize(
    ("same", "by"),
    [
        ("idempotency_key", "duplicate_key"),
        ("calcom_booking_uid", "duplicate_calcom_uid"),
        ("appointment_id", "duplicate_appointment"),
        ("booking_id", "duplicate_appointment"),
    ],
)
def test_an_appointment_is_refused_by_the_constraint_that_it_breaks(database: Backend, same: str, by: str) -> None:
    done, second = two_claimed(database)
    there, row = done.appointment, second.appointment
    assert isinstance(there, InsertAppointment)
    assert isinstance(row, InsertAppointment)

    [result] = database.append([replace(second, appointment=replace(row, **{same: getattr(there, same)}))])

    found = refusal(result)
    assert found is not None
    assert ("appointment", by) == (found.refused, found.by)
    assert (done.stream_id, there.appointment_id) == (found.booking_id, found.appointment_id)


def test_an_appointment_of_an_unknown_service_is_refused(database: Backend) -> None:
    _, second = two_claimed(database)
    row = second.appointment
    assert isinstance(row, InsertAppointment)

    [result] = database.append([replace(second, appointment=replace(row, service_id="unheard-of"))])
    assert Refusal(refused="appointment", by="unknown_service") == refusal(result)


@pytest.mark.parametrize(("start_after", "is_refused"), [(-30, False), (-29, True), (29, True), (30, False)])
def test_an_appointment_is_refused_by_an_overlap_that_came_in_between(
    database: Backend, start_after: int, *, is_refused: bool
) -> None:
    done, second = two_claimed(database)
    row, there = second.appointment, done.appointment
    assert isinstance(row, InsertAppointment)
    assert isinstance(there, InsertAppointment)
    starts_at = TEN + timedelta(minutes=start_after)
    moved = replace(row, staff_id="grace", starts_at=starts_at, ends_at=starts_at + HALF_HOUR)

    [result] = database.append([replace(second, appointment=moved)])
    expected = Refusal(
        refused="appointment", by="staff_overlap", booking_id=done.stream_id, appointment_id=there.appointment_id
    )
    assert (expected if is_refused else None) == refusal(result)


def test_two_appointments_of_one_batch_refuse_each_other(url: str, database: Backend) -> None:
    facts, others = initiated(staff_id="grace"), initiated(staff_id="linus")
    first, second = start(facts), start(others)
    database.append([first, second])

    results = database.append([finish(first.stream_id, facts), finish(second.stream_id, facts)])

    found = refusal(results[1])
    assert refusal(results[0]) is None
    assert found is not None
    assert ("staff_overlap", first.stream_id) == (found.by, found.booking_id)
    assert [(1,)] == rows(url, "SELECT count(*) FROM appointments")
    # The refused one keeps its claim, since it may yet find out that the row in its way has no right to be there.
    assert [(1,)] == rows(url, "SELECT count(*) FROM slot_claims")


def test_a_refused_claim_takes_its_appointment_with_it(url: str, database: Backend) -> None:
    facts = initiated()
    claim(database, facts)
    both = start(facts)

    [result] = database.append([replace(both, appointment=row_of(both.stream_id, facts))])

    found = refusal(result)
    assert found is not None
    assert "claim" == found.refused
    assert [] == rows(url, "SELECT * FROM appointments")


def test_a_booking_that_moves_is_not_in_its_own_way(url: str, database: Backend) -> None:
    facts = initiated(staff_id="grace")
    booking_id, _ = book(database, facts)
    later = replace(facts, starts_at=TEN + NEAR, ends_at=TEN + NEAR + HALF_HOUR)

    moving = append(booking_id, 4, deferred(), claim=start(later).claim)
    again = append(booking_id, 5, deferred(), claim=start(facts).claim)

    assert refusal(database.append([moving])[0]) is None
    assert refusal(database.append([again])[0]) is None
    assert [(1,)] == rows(url, "SELECT count(*) FROM slot_claims")
