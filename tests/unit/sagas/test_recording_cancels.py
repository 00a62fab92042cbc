from __future__ import annotations

from datetime import datetime

import pytest

from domain import events as e
from domain import findings as f
from domain.evolving import fold
from sagas.outcomes import (
    CancelFailed,
    Cancelled,
    CancelOutcome,
    CancelRefused,
    Moved,
    NotOurs,
)
from tests.fakes.given import (
    BOOKED,
    IN_DOUBT,
    at,
    cancel_attempted,
    cancel_failed,
    cancellation,
    cancelled_there,
    created,
    failed,
    followed,
    given,
    review,
)
from tests.unit.sagas.outcomes import (
    NOW,
    recorded_cancel,
)


@pytest.mark.parametrize("how", ["cancelled", "already_cancelled", "gone"])
def test_a_cancelled_booking_is_recorded(how: e.CancelHow) -> None:
    event = e.CalcomBookingCancelled(at=NOW, attempt_id="one", uid="uid-1", how=how)

    assert (event,) == recorded_cancel(given(*BOOKED, cancellation()), Cancelled(how=how))


def test_a_moved_booking_is_followed() -> None:
    booking = given(*BOOKED, cancellation())

    events = recorded_cancel(booking, Moved(to_uid="uid-2"))

    assert ((followed("uid-1", "uid-2", seconds=500),), ["uid-2"]) == (
        events,
        [line.uid for line in fold(booking, events).surplus],
    )


def test_a_booking_that_moved_to_what_is_known_already_is_gone_and_no_second_line() -> None:
    booking = given(*IN_DOUBT, created(uid="uid-2"), cancelled_there("uid-2"), failed(), created(late=True))

    events = recorded_cancel(booking, Moved(to_uid="uid-2"))

    assert ((cancelled_there(seconds=500, how="already_cancelled"),), ()) == (events, fold(booking, events).surplus)


def test_a_cancel_refused_for_good_is_for_a_person() -> None:
    event = f.ManualReviewRequested(at=NOW, reason="cancelling_disabled", detail="no", attempt_id="one", uid="uid-1")

    assert (event,) == recorded_cancel(
        given(*BOOKED, cancellation()), CancelRefused(reason="cancelling_disabled", detail="no")
    )


def test_what_is_not_ours_is_left_alone_and_reported() -> None:
    events = recorded_cancel(given(*BOOKED, cancellation()), NotOurs(detail="another attempt"))

    assert (
        f.InconsistencyDetected(at=NOW, kind="foreign_booking", uid="uid-1", evidence="another attempt"),
        f.ManualReviewRequested(
            at=NOW, reason="foreign_booking", detail="another attempt", attempt_id="one", uid="uid-1"
        ),
    ) == events


def test_a_cancel_that_failed_is_repeated() -> None:
    outcome = CancelFailed(reason="http_502", detail="bad gateway")

    assert (cancel_failed(seconds=500),) == recorded_cancel(given(*BOOKED, cancellation(), cancel_attempted()), outcome)


@pytest.mark.parametrize(("asked", "retry_at"), [(30.0, at(530)), (1e300, at(1400)), (0.0, at(501))])
def test_a_cancel_waits_as_long_as_it_is_asked_to_within_reason(asked: float, retry_at: datetime) -> None:
    events = recorded_cancel(given(*BOOKED, cancellation()), CancelFailed(reason="x", detail="", retry_after=asked))

    assert [retry_at] == [one.retry_at for one in events if isinstance(one, e.CompensationFailed)]


@pytest.mark.parametrize(("before", "reported"), [(8, 0), (9, 1), (10, 0)])
def test_the_tenth_failure_is_reported_once(before: int, reported: int) -> None:
    booking = given(*BOOKED, cancellation(), *(cancel_failed() for _ in range(before)))

    events = recorded_cancel(booking, CancelFailed(reason="x", detail=""))

    assert reported == sum(isinstance(one, f.InconsistencyDetected) for one in events)


@pytest.mark.parametrize(
    "outcome",
    [
        Cancelled(how="cancelled"),
        Moved(to_uid="uid-2"),
        CancelRefused(reason="x", detail=""),
        NotOurs(detail=""),
        CancelFailed(reason="x", detail=""),
    ],
)
@pytest.mark.parametrize(
    "events",
    [
        (*BOOKED, cancellation(), cancelled_there()),
        (*BOOKED, cancellation(), followed("uid-1", "uid-9")),
        (),
    ],
)
def test_a_cancel_of_what_is_not_live_adds_nothing(events: tuple[e.BookingEvent, ...], outcome: CancelOutcome) -> None:
    assert () == recorded_cancel(given(*events), outcome)


@pytest.mark.parametrize("outcome", [CancelRefused(reason="x", detail=""), NotOurs(detail="")])
def test_a_person_is_asked_once(outcome: CancelOutcome) -> None:
    assert () == recorded_cancel(given(*BOOKED, cancellation(), review()), outcome)


def test_what_could_be_cancelled_all_the_same_is_recorded_in_review() -> None:
    assert (cancelled_there(seconds=500),) == recorded_cancel(
        given(*BOOKED, cancellation(), review()), Cancelled(how="cancelled")
    )
