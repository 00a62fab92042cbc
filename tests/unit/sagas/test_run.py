"""
What waits to be appended, what becomes of it, and what a refusal or a lost race leaves.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from domain import events as e
from domain.booking import Booking, appointment_id_of, initial_state
from sagas.appending import (
    Append,
    Appended,
    CancelAppointment,
    DueAfter,
    InsertAppointment,
    Instead,
    Lease,
    NothingDue,
    Refusal,
    RefusedBy,
)
from sagas.rows import claim_of
from sagas.run import Run
from tests.fakes.given import (
    ABSENT,
    BOOKED,
    BOOKING_ID,
    OBSTACLE_ID,
    SERVICE,
    SLOT,
    at,
    attempted,
    booked,
    cancellation,
    cancelled,
    cancelled_there,
    created,
    failed,
    given,
    initiated,
    unknown,
)
from tests.fakes.moves import move_failed, requested

TOKEN = UUID(int=5)
LEASE = Lease(token=TOKEN, lasts=timedelta(seconds=45))
SOON = DueAfter(delay=timedelta(seconds=1))


def _run(saved: Booking | None = None) -> Run:
    booking = saved or initial_state(BOOKING_ID)
    return Run(saved=booking, state=booking, token=TOKEN, correlation_id="c-1")


def _append(run: Run, *, due: DueAfter | NothingDue | Lease = SOON) -> Append:
    return run.append(append_id="append", now=at(9), due=due, if_refused=LEASE)


def _refused(append: Append, refusal: Refusal) -> Instead:
    assert append.on_refused is not None
    return append.on_refused(refusal)


def test_a_new_booking_claims_its_slot_and_brings_its_customer() -> None:
    run = _run()
    run.initiate(initiated())
    run.decide(attempted())

    append = _append(run)

    assert (0, "c-1", (initiated(), attempted()), claim_of(initiated()), False, "Ada Lovelace", None) == (
        append.expected_version,
        append.correlation_id,
        append.events,
        append.claim,
        append.releases_claim,
        append.customer and append.customer.name,
        append.appointment,
    )


def test_a_booking_that_ends_at_once_claims_nothing() -> None:
    run = _run()
    run.initiate(initiated())
    run.decide(failed())

    append = _append(run)

    assert (None, False) == (append.claim, append.releases_claim)


@pytest.mark.parametrize(
    ("before", "event", "releases"),
    [
        ((attempted(), created()), booked(), True),
        (ABSENT, failed(), True),
        ((*BOOKED, cancellation(), cancelled_there()), cancelled(), True),
        ((attempted(),), unknown(), False),
        (BOOKED, created(uid="uid-2", late=True), False),
    ],
)
def test_the_end_releases_the_claim_and_nothing_else_does(
    before: tuple[e.BookingEvent, ...], event: e.BookingEvent, *, releases: bool
) -> None:
    run = _run(given(*before))
    run.decide(event)

    assert releases is _append(run).releases_claim


def test_a_move_that_comes_to_nothing_at_once_claims_nothing() -> None:
    run = _run(given(attempted(), created(), booked()))
    run.reschedule(requested())
    run.decide(move_failed())

    assert (None, False) == (_append(run).claim, _append(run).releases_claim)


def test_the_pivot_writes_the_row() -> None:
    run = _run(given(attempted(seconds=3)))
    run.decide(created())
    run.persist(booked())

    row = _append(run).appointment

    assert (
        InsertAppointment(
            appointment_id=UUID(int=1),
            company_id="acme",
            booking_id=BOOKING_ID,
            idempotency_key=str(BOOKING_ID),
            calcom_booking_uid="uid-1",
            service_id="cut",
            offered_as="cut",
            customer_id=initiated().customer_id,
            staff_id="ann",
            starts_at=SLOT,
            ends_at=SLOT + SERVICE.duration,
            source="phone",
            retry_count=0,
            sync_attempt_count=1,
            last_sync_attempted_at=at(3),
            resilience_strategy=None,
        )
        == row
    )


def test_a_cancellation_cancels_the_row_with_its_end() -> None:
    run = _run(given(*BOOKED, cancellation(), cancelled_there()))
    run.withdraw(cancelled())

    assert CancelAppointment(appointment_id=UUID(int=1)) == _append(run).appointment


def test_a_cancellation_without_a_row_cancels_none() -> None:
    run = _run(given(*ABSENT, cancellation()))
    run.withdraw(cancelled())

    assert (None, None) == (_append(run).appointment, _append(run).on_refused)


@pytest.mark.parametrize(("by", "reason"), [("near_duplicate", "near_duplicate"), ("staff_overlap", "slot_taken")])
def test_a_refused_claim_ends_the_booking_and_points_at_the_other(by: RefusedBy, reason: str) -> None:
    run = _run()
    run.initiate(initiated())
    run.decide(attempted())

    instead = _refused(_append(run), Refusal(refused="claim", by=by, booking_id=UUID(int=3)))

    assert isinstance(instead.events[1], e.BookingFailed)
    assert (2, initiated(), reason, UUID(int=3), NothingDue()) == (
        len(instead.events),
        instead.events[0],
        instead.events[1].reason,
        instead.events[1].conflicting_booking_id,
        instead.due,
    )


@pytest.mark.parametrize(
    ("by", "obstacle_id"), [("staff_overlap", OBSTACLE_ID), ("duplicate_key", None), ("unknown_service", None)]
)
def test_a_refused_row_keeps_the_outcome_and_the_claim_and_stays_leased(
    by: RefusedBy, obstacle_id: UUID | None
) -> None:
    run = _run(given(attempted()))
    run.decide(created())
    run.persist(booked())

    instead = _refused(_append(run), Refusal(refused="appointment", by=by, appointment_id=OBSTACLE_ID))

    refusal = e.AppointmentPersistenceFailed(at=at(9), reason=by, obstacle_id=obstacle_id)
    assert Instead(events=(created(), refusal), due=LEASE) == instead


def test_what_is_written_becomes_what_is_known() -> None:
    run = _run(given(attempted()))
    heard = []
    run.on_heard = lambda: heard.append(run.saved.version)
    run.decide(created())
    run.persist(booked())

    run.written(Appended(events=(created(), booked())), due=SOON)

    assert given(attempted(), created(), booked()) == run.saved == run.state
    assert _append(_run(run.saved)) == _append(run)
    assert (False, SOON, [4]) == (run.refused, run.due, heard)


def test_an_outcome_that_is_written_is_not_recorded_again() -> None:
    run = _run(given(attempted()))
    run.rerecord = lambda _: (created(),)
    run.decide(created())

    run.written(Appended(events=(created(),)), due=SOON)
    run.reloaded(given(attempted()))

    assert [] == run.pending


def test_after_a_refused_row_nothing_is_known_of_what_is_due() -> None:
    run = _run(given(attempted(), created()))
    refusal = Refusal(refused="appointment", by="staff_overlap")

    run.written(Appended(events=(), refusal=refusal), due=SOON)

    assert (True, None) == (run.refused, run.due)


def test_after_a_refused_claim_nothing_is_due() -> None:
    run = _run()
    refusal = Refusal(refused="claim", by="near_duplicate")

    run.written(Appended(events=(initiated(), failed()), refusal=refusal), due=SOON)

    assert (True, NothingDue()) == (run.refused, run.due)


def test_after_a_lost_race_only_the_outcome_is_kept() -> None:
    run = _run(given(attempted()))
    run.rerecord = lambda booking: (created(late=booking.cancellation is not None),)
    run.decide(created())
    run.persist(booked())

    run.reloaded(given(attempted(), cancellation()))

    assert ([created(late=True)], None, 4, 3) == (run.pending, run.appointment, run.state.version, run.saved.version)


def test_after_a_lost_race_without_an_outcome_nothing_is_kept() -> None:
    run = _run()
    run.initiate(initiated())

    run.reloaded(given(attempted()))

    assert ([], None, None, given(attempted())) == (run.pending, run.claim, run.customer, run.state)


def test_the_row_has_an_id_that_does_not_change() -> None:
    assert appointment_id_of(BOOKING_ID) == appointment_id_of(BOOKING_ID)
