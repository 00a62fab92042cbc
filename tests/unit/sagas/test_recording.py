"""
Given these events, when an outcome comes in, then these events are added; and never the same thing twice.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from domain import events as e
from domain.booking import Booking
from domain.evolving import fold
from domain.ledger import LineStatus
from domain.retry import NO_OUTCOME
from sagas import recording
from sagas.next_step import next_step
from sagas.outcomes import (
    Cancelled,
    CancelRefused,
    CreateOutcome,
    LookFailed,
    Made,
    Moved,
    NotOurs,
    NotSent,
)
from sagas.steps import Wait
from tests.fakes.given import (
    ABSENT,
    BOOKED,
    IN_DOUBT,
    SERVICE,
    SLOT,
    absent,
    at,
    attempted,
    cancellation,
    cancelled,
    cancelled_there,
    compensating,
    created,
    failed,
    given,
    inspected,
    looked,
    not_persisted,
    not_sent,
    refused,
    unknown,
)
from tests.unit.sagas.outcomes import (
    CANCEL,
    CONFLICT,
    LOST,
    MADE,
    NO,
    NOW,
    POLICY,
    UNSENT,
    found_there,
    recorded_cancel,
    recorded_create,
    recorded_inspect,
    recorded_look,
    seen,
)


def test_an_attempt_is_announced_with_the_last_moments_of_its_request_and_its_answer() -> None:
    events = recording.announce_create(attempt_id="one", number=2, now=at(3), policy=POLICY)

    assert (attempted(number=2, seconds=3),) == events


def test_a_cancel_is_announced() -> None:
    event = e.CalcomCancelAttempted(at=NOW, uid="uid-1", purpose="surplus", number=1)

    assert (event,) == recording.announce_cancel(CANCEL, now=NOW)


def test_what_was_made_is_recorded_with_cal_coms_times() -> None:
    event = e.CalcomBookingCreated(
        at=NOW,
        attempt_id="one",
        uid="uid-1",
        starts_at=SLOT,
        ends_at=SLOT + SERVICE.duration,
        calcom_status="accepted",
        how="made",
        late=False,
    )

    assert (event,) == recorded_create(given(attempted()), MADE)


@pytest.mark.parametrize(
    ("events", "late"),
    [
        ((attempted(),), False),
        (IN_DOUBT, False),
        (ABSENT, True),
        ((*ABSENT, absent(final=True)), True),
        ((attempted(), not_sent()), True),
        ((attempted(), refused()), True),
        ((*ABSENT, failed()), True),
        ((attempted(), cancellation()), True),
        ((*IN_DOUBT, cancellation(), absent(), cancelled()), True),
        ((*IN_DOUBT, created(uid="uid-9"), compensating()), True),
        ((), True),
    ],
)
def test_what_was_made_is_recorded_in_any_state_and_late_when_nobody_waits_for_it(
    events: tuple[e.BookingEvent, ...], *, late: bool
) -> None:
    assert [late] == [
        one.late for one in recorded_create(given(*events), MADE) if isinstance(one, e.CalcomBookingCreated)
    ]


@pytest.mark.parametrize("events", [(attempted(),), IN_DOUBT])
def test_a_refusal_settles_an_attempt(events: tuple[e.BookingEvent, ...]) -> None:
    (event,) = recorded_create(given(*events), CONFLICT)

    assert (
        e.CalcomBookingRefused(at=NOW, attempt_id="one", reason="slot_taken", detail="no", status=400, conflict=True)
        == event
    )


def test_what_was_not_sent_is_tried_again_later() -> None:
    assert (
        e.CalcomBookingNotSent(at=NOW, attempt_id="one", reason="refused_connection", detail="", retry_at=at(501)),
    ) == (recorded_create(given(attempted()), UNSENT))


def test_waits_grow_with_what_was_not_sent_before() -> None:
    booking = given(attempted("zero"), not_sent("zero"), attempted())

    assert [at(502)] == [
        one.retry_at for one in recorded_create(booking, UNSENT) if isinstance(one, e.CalcomBookingNotSent)
    ]


def test_after_three_retries_the_booking_is_deferred() -> None:
    before = tuple(one for name in "abc" for one in (attempted(name), not_sent(name)))

    events = recorded_create(given(*before, attempted()), UNSENT)

    assert e.BookingDeferred(at=NOW, until=at(508), reason="refused_connection") == events[1]


def test_before_that_it_is_not() -> None:
    before = tuple(one for name in "ab" for one in (attempted(name), not_sent(name)))

    assert 1 == len(recorded_create(given(*before, attempted()), UNSENT))


def test_what_no_quick_retry_can_help_is_deferred_at_once() -> None:
    outcome = NotSent(reason="unauthorized", detail="", retry_after=60, defer=True)

    events = recorded_create(given(attempted()), outcome)

    assert e.BookingDeferred(at=NOW, until=at(560), reason="unauthorized") == events[1]


def test_who_is_held_back_waits_as_long_as_asked_however_often() -> None:
    before = tuple(one for name in "abcdefghij" for one in (attempted(name), not_sent(name)))
    outcome = NotSent(reason="rate_limited", detail="", retry_after=30, defer=True)

    events = recorded_create(given(*before, attempted()), outcome)

    assert e.BookingDeferred(at=NOW, until=at(530), reason="rate_limited") == events[1]


@pytest.mark.parametrize(("failures", "wait"), [(1, 1), (6, 32), (10, 60)])
def test_a_rejected_key_is_tried_again_within_a_minute(failures: int, wait: int) -> None:
    before = tuple(one for number in range(failures - 1) for one in (attempted(str(number)), not_sent(str(number))))

    events = recorded_create(given(*before, attempted()), NotSent(reason="unauthorized", detail="", defer=True))

    assert e.BookingDeferred(at=NOW, until=at(500 + wait), reason="unauthorized") == events[1]


def test_a_wait_asked_for_has_a_limit() -> None:
    outcome = NotSent(reason="rate_limited", detail="", retry_after=1e300)

    assert [at(1400)] == [
        one.retry_at for one in recorded_create(given(attempted()), outcome) if isinstance(one, e.CalcomBookingNotSent)
    ]


def test_an_unknown_outcome_is_recorded_as_such() -> None:
    event = e.CalcomOutcomeUnknown(at=NOW, attempt_id="one", reason="timeout", detail="no answer")

    assert (event,) == recorded_create(given(attempted()), LOST)


@pytest.mark.parametrize("events", [IN_DOUBT, ABSENT, (*ABSENT, absent(final=True)), (*ABSENT, failed())])
def test_an_answer_lost_after_its_last_possible_moment_puts_the_attempt_in_doubt_again(
    events: tuple[e.BookingEvent, ...],
) -> None:
    booking = given(*events)
    after = fold(booking, recorded_create(booking, LOST))

    (line,) = after.ledger.open
    assert (LineStatus.IN_DOUBT, NOW, NOW, 0) == (line.status, line.doubted_at, line.answer_by, line.clean_looks)
    assert () == recorded_create(after, LOST)


def test_what_is_in_doubt_again_is_looked_for_before_a_person_is_asked() -> None:
    unreadable = [looked(seconds=130 + number, counted=False, problem="http_502") for number in range(100)]
    booking = given(*ABSENT, failed(), *unreadable)
    after = fold(booking, recorded_create(booking, LOST))

    assert (0, Wait(NOW + timedelta(seconds=1))) == (after.ledger.lines[0].failed_looks, next_step(after, NOW, POLICY))


def test_an_answer_lost_in_time_adds_nothing_to_a_doubt() -> None:
    booking = given(*ABSENT)

    assert () == recording.record_create(booking, "one", LOST, answered_at=at(15), now=at(90), policy=POLICY)


def test_who_finds_no_outcome_does_not_say_when_the_request_left() -> None:
    found = e.CalcomOutcomeUnknown(at=NOW, attempt_id="one", reason=NO_OUTCOME, detail="")

    assert at(15) == given(attempted(), found).ledger.lines[0].answer_by


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ((*IN_DOUBT, unknown(seconds=500)), LOST),
        ((*ABSENT, unknown(seconds=501)), LOST),
        ((*IN_DOUBT, created()), LOST),
        ((*IN_DOUBT, cancelled_there()), LOST),
        ((attempted(), refused()), LOST),
        (ABSENT, NO),
        (ABSENT, UNSENT),
        ((attempted(), refused()), NO),
        ((attempted(), not_sent()), UNSENT),
        ((attempted(), created()), MADE),
        ((attempted(), created(), cancelled_there()), MADE),
        ((*IN_DOUBT, cancelled_there()), MADE),
        (BOOKED, MADE),
        ((), LOST),
        ((), NO),
        ((), UNSENT),
    ],
)
def test_an_outcome_that_the_log_knows_or_knows_better_adds_nothing(
    events: tuple[e.BookingEvent, ...], outcome: CreateOutcome
) -> None:
    assert () == recorded_create(given(*events), outcome)


@pytest.mark.parametrize(("verdict", "wait"), [("gone", 0), ("stands", 0), ("moving", 1)])
def test_an_inspection_is_recorded(verdict: e.ObstacleVerdict, wait: float) -> None:
    booking = given(attempted(), created(), not_persisted())

    assert (inspected(verdict, seconds=500, retry_in=wait),) == recorded_inspect(booking, verdict)


def test_the_wait_for_a_moving_row_grows_to_a_minute() -> None:
    waits = []
    for refusals in (2, 3, 20):
        booking = given(attempted(), created(), *(not_persisted() for _ in range(refusals)))
        (event,) = recorded_inspect(booking, "moving")
        waits.append(event.retry_at - NOW if isinstance(event, e.ObstacleInspected) else None)

    assert [timedelta(seconds=2), timedelta(seconds=4), timedelta(minutes=1)] == waits


@pytest.mark.parametrize(("met", "wait"), [(450, 1), (440.5, 0.5), (440, 0), (1, 0)])
def test_a_row_that_is_not_found_is_looked_at_last_when_no_replica_can_be_late(met: float, wait: float) -> None:
    booking = given(attempted(), created(), not_persisted(seconds=met))

    assert (inspected("missing", seconds=500, retry_in=wait),) == recorded_inspect(booking, "missing")


@pytest.mark.parametrize(
    "events",
    [
        (attempted(), created()),
        BOOKED,
        (attempted(), created(), not_persisted(), inspected("gone")),
        (attempted(), created(), not_persisted(obstacle_id=UUID(int=8))),
    ],
)
def test_an_inspection_that_nobody_waits_for_adds_nothing(events: tuple[e.BookingEvent, ...]) -> None:
    assert () == recorded_inspect(given(*events), "stands")


def test_a_booked_booking_that_is_gone_there_ends() -> None:
    assert (
        cancelled_there(seconds=500, how="already_cancelled"),
        e.BookingCancelled(at=NOW, reason="cancelled_at_calcom"),
    ) == recording.record_gone(given(*BOOKED), "uid-1", now=NOW)


@pytest.mark.parametrize(
    ("events", "uid"),
    [(BOOKED, "uid-2"), ((*BOOKED, cancellation()), "uid-1"), ((attempted(), created()), "uid-1"), ((), "uid-1")],
)
def test_a_booking_that_says_something_else_is_left_alone(events: tuple[e.BookingEvent, ...], uid: str) -> None:
    assert () == recording.record_gone(given(*events), uid, now=NOW)


Record = Callable[[Booking], tuple[e.BookingEvent, ...]]
MOVED_AWAY = seen(found_there(status="cancelled", moved_to="uid-2"))


@pytest.mark.parametrize(
    ("events", "record"),
    [
        ((attempted(),), lambda it: recorded_create(it, MADE)),
        (ABSENT, lambda it: recorded_create(it, MADE)),
        ((*ABSENT, failed()), lambda it: recorded_create(it, MADE)),
        (
            BOOKED,
            lambda it: recorded_create(it, Made(uid="uid-2", starts_at=SLOT, ends_at=SLOT, calcom_status="accepted")),
        ),
        ((attempted(),), lambda it: recorded_create(it, CONFLICT)),
        ((attempted(),), lambda it: recorded_create(it, UNSENT)),
        ((attempted(),), lambda it: recorded_create(it, NotSent(reason="x", detail="", defer=True))),
        ((attempted(),), lambda it: recorded_create(it, LOST)),
        (IN_DOUBT, lambda it: recorded_look(it, seen())),
        (IN_DOUBT, lambda it: recorded_look(it, LookFailed(started_at=at(200), reason="x"))),
        (IN_DOUBT, lambda it: recorded_look(it, seen(found_there(), found_there("uid-2")))),
        (IN_DOUBT, lambda it: recorded_look(it, seen(found_there(status="cancelled")))),
        (IN_DOUBT, lambda it: recorded_look(it, MOVED_AWAY)),
        (BOOKED, lambda it: recorded_look(it, seen(found_there("uid-2", moved_from="uid-1")))),
        ((*BOOKED, cancellation()), lambda it: recorded_cancel(it, Cancelled(how="cancelled"))),
        ((*BOOKED, cancellation()), lambda it: recorded_cancel(it, Moved(to_uid="uid-2"))),
        ((*BOOKED, cancellation()), lambda it: recorded_cancel(it, NotOurs(detail=""))),
        ((*BOOKED, cancellation()), lambda it: recorded_cancel(it, CancelRefused(reason="x", detail=""))),
        ((attempted(), created(), not_persisted()), lambda it: recorded_inspect(it, "stands")),
        (BOOKED, lambda it: recording.record_gone(it, "uid-1", now=NOW)),
    ],
)
def test_an_outcome_recorded_twice_changes_nothing(events: tuple[e.BookingEvent, ...], record: Record) -> None:
    before = given(*events)
    once = record(before)
    after = fold(before, once)

    assert (True, ()) == (bool(once), record(after))
