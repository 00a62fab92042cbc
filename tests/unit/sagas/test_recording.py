"""
Given these events, when an outcome comes in, then these events are added; and never the same thing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain import events as e
from domain.booking import Booking, fold
from domain.policy import Policy
from domain.retry import RetryPolicy
from sagas import recording
from sagas.outcomes import (
    CancelFailed,
    Cancelled,
    CancelOutcome,
    CancelRefused,
    CreateOutcome,
    Found,
    Inspected,
    Looked,
    LookFailed,
    LookOutcome,
    Made,
    Moved,
    NotOurs,
    NotSent,
    Refused,
    Unknown,
)
from sagas.steps import CancelAtCalcom, InspectObstacle, LookAtCalcom
from tests.fakes.given import (
    ABSENT,
    BOOKED,
    IN_DOUBT,
    OBSTACLE_ID,
    SERVICE,
    SLOT,
    absent,
    at,
    attempted,
    cancel_attempted,
    cancel_failed,
    cancellation,
    cancelled,
    cancelled_there,
    compensating,
    created,
    failed,
    followed,
    given,
    inspected,
    looked,
    not_persisted,
    not_sent,
    refused,
    review,
    unknown,
)

POLICY = Policy(retry=RetryPolicy(jitter=0))
NOW = at(500)
CANCEL = CancelAtCalcom(uid="uid-1", attempt_id="one", purpose="surplus", number=1, since=at(-300))
LOOK = LookAtCalcom(attempt_ids=("one",), since=at(-300))
MADE = Made(uid="uid-1", starts_at=SLOT, ends_at=SLOT + SERVICE.duration, calcom_status="accepted")
NO = Refused(reason="slot_taken", detail="no", status=400)
CONFLICT = Refused(reason="slot_taken", detail="no", status=400, conflict=True)
LOST = Unknown(reason="timeout", detail="no answer")
UNSENT = NotSent(reason="refused_connection", detail="")


def _create(booking: Booking, outcome: CreateOutcome) -> tuple[e.BookingEvent, ...]:
    return recording.record_create(booking, "one", outcome, now=NOW, policy=POLICY)


def _look(booking: Booking, outcome: LookOutcome, effect: LookAtCalcom = LOOK) -> tuple[e.BookingEvent, ...]:
    return recording.record_look(booking, effect, outcome, now=NOW, policy=POLICY)


def _cancel(booking: Booking, outcome: CancelOutcome) -> tuple[e.BookingEvent, ...]:
    return recording.record_cancel(booking, CANCEL, outcome, now=NOW, policy=POLICY)


def _inspect(booking: Booking, verdict: e.ObstacleVerdict, obstacle: UUID = OBSTACLE_ID) -> tuple[e.BookingEvent, ...]:
    return recording.record_inspection(
        booking, InspectObstacle(appointment_id=obstacle), Inspected(verdict=verdict), now=NOW, policy=POLICY
    )


def _found(
    uid: str = "uid-1",
    attempt: str = "one",
    *,
    status: str = "accepted",
    seconds: float = 2,
    moved_from: str | None = None,
    moved_to: str | None = None,
) -> Found:
    return Found(
        attempt_id=attempt,
        uid=uid,
        calcom_status=status,
        starts_at=SLOT,
        ends_at=SLOT + SERVICE.duration,
        created_at=at(seconds),
        rescheduled_from=moved_from,
        rescheduled_to=moved_to,
    )


def _seen(*found: Found, seconds: float = 200) -> Looked:
    return Looked(started_at=at(seconds), found=found)


def _uids(events: Sequence[e.BookingEvent]) -> list[str]:
    return [one.uid for one in events if isinstance(one, e.CalcomBookingCreated)]


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

    assert (event,) == _create(given(attempted()), MADE)


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
    assert [late] == [one.late for one in _create(given(*events), MADE) if isinstance(one, e.CalcomBookingCreated)]


@pytest.mark.parametrize("events", [(attempted(),), IN_DOUBT])
def test_a_refusal_settles_an_attempt(events: tuple[e.BookingEvent, ...]) -> None:
    (event,) = _create(given(*events), CONFLICT)

    assert (
        e.CalcomBookingRefused(at=NOW, attempt_id="one", reason="slot_taken", detail="no", status=400, conflict=True)
        == event
    )


def test_what_was_not_sent_is_tried_again_later() -> None:
    assert (
        e.CalcomBookingNotSent(at=NOW, attempt_id="one", reason="refused_connection", detail="", retry_at=at(501)),
    ) == (_create(given(attempted()), UNSENT))


def test_waits_grow_with_what_was_not_sent_before() -> None:
    booking = given(attempted("zero"), not_sent("zero"), attempted())

    assert [at(502)] == [one.retry_at for one in _create(booking, UNSENT) if isinstance(one, e.CalcomBookingNotSent)]


def test_after_three_retries_the_booking_is_deferred() -> None:
    before = tuple(one for name in "abc" for one in (attempted(name), not_sent(name)))

    events = _create(given(*before, attempted()), UNSENT)

    assert e.BookingDeferred(at=NOW, until=at(508), reason="refused_connection") == events[1]


def test_before_that_it_is_not() -> None:
    before = tuple(one for name in "ab" for one in (attempted(name), not_sent(name)))

    assert 1 == len(_create(given(*before, attempted()), UNSENT))


def test_what_no_quick_retry_can_help_is_deferred_at_once() -> None:
    outcome = NotSent(reason="unauthorized", detail="", retry_after=60, defer=True)

    events = _create(given(attempted()), outcome)

    assert e.BookingDeferred(at=NOW, until=at(560), reason="unauthorized") == events[1]


def test_who_is_held_back_waits_as_long_as_asked_however_often() -> None:
    before = tuple(one for name in "abcdefghij" for one in (attempted(name), not_sent(name)))
    outcome = NotSent(reason="rate_limited", detail="", retry_after=30, defer=True)

    events = _create(given(*before, attempted()), outcome)

    assert e.BookingDeferred(at=NOW, until=at(530), reason="rate_limited") == events[1]


@pytest.mark.parametrize(("failures", "wait"), [(1, 1), (6, 32), (10, 60)])
def test_a_rejected_key_is_tried_again_within_a_minute(failures: int, wait: int) -> None:
    before = tuple(one for number in range(failures - 1) for one in (attempted(str(number)), not_sent(str(number))))

    events = _create(given(*before, attempted()), NotSent(reason="unauthorized", detail="", defer=True))

    assert e.BookingDeferred(at=NOW, until=at(500 + wait), reason="unauthorized") == events[1]


def test_a_wait_asked_for_has_a_limit() -> None:
    outcome = NotSent(reason="rate_limited", detail="", retry_after=1e300)

    assert [at(1400)] == [
        one.retry_at for one in _create(given(attempted()), outcome) if isinstance(one, e.CalcomBookingNotSent)
    ]


def test_an_unknown_outcome_is_recorded_as_such() -> None:
    event = e.CalcomOutcomeUnknown(at=NOW, attempt_id="one", reason="timeout", detail="no answer")

    assert (event,) == _create(given(attempted()), LOST)


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        (IN_DOUBT, LOST),
        (ABSENT, LOST),
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
    assert () == _create(given(*events), outcome)


def test_a_look_that_erred_proves_nothing() -> None:
    event = e.CalcomLooked(at=NOW, started_at=at(200), attempt_ids=("one",), counted=(), problem="http_502")

    assert (event,) == _look(given(*IN_DOUBT), LookFailed(started_at=at(200), reason="http_502"))


@pytest.mark.parametrize(("seconds", "counts"), [(74.9, False), (75, True)])
def test_a_clean_look_counts_from_a_window_after_the_last_possible_answer(seconds: float, *, counts: bool) -> None:
    events = _look(given(*IN_DOUBT), _seen(seconds=seconds))

    assert [("one",) if counts else ()] == [one.counted for one in events if isinstance(one, e.CalcomLooked)]


def test_a_look_that_began_before_the_doubt_does_not_count() -> None:
    booking = given(*ABSENT, attempted("two", number=2, seconds=121), refused("two", seconds=300, conflict=True))

    events = _look(booking, _seen(seconds=299))

    assert [()] == [one.counted for one in events if isinstance(one, e.CalcomLooked)]


@pytest.mark.parametrize(("seconds", "counts"), [(899, False), (900, True)])
def test_what_was_thought_absent_is_confirmed_from_the_horizon_on(seconds: float, *, counts: bool) -> None:
    events = _look(given(*ABSENT, failed()), _seen(seconds=seconds))

    assert [("one",) if counts else ()] == [one.counted for one in events if isinstance(one, e.CalcomLooked)]


@pytest.mark.parametrize(
    "events",
    [
        (*IN_DOUBT, looked(seconds=200)),
        (*IN_DOUBT, looked(seconds=201)),
        (attempted(), created()),
        (attempted(), refused()),
        (attempted(), not_sent()),
        (*ABSENT, absent(final=True)),
        (attempted(),),
        (),
    ],
)
@pytest.mark.parametrize("outcome", [_seen(), LookFailed(started_at=at(200), reason="http_502")])
def test_a_look_that_is_old_or_that_nobody_asks_for_adds_nothing(
    events: tuple[e.BookingEvent, ...], outcome: LookOutcome
) -> None:
    assert () == _look(given(*events), outcome)


def test_what_a_look_finds_is_adopted() -> None:
    (event,) = _look(given(*IN_DOUBT), _seen(_found(), _found("uid-2", "somebody")))

    assert ("uid-1", "adopted", False) == (
        (event.uid, event.how, event.late) if isinstance(event, e.CalcomBookingCreated) else None
    )


@pytest.mark.parametrize("status", ["accepted", "pending", "a new word of Cal.com's"])
def test_what_is_neither_cancelled_nor_rejected_lives(status: str) -> None:
    assert ["uid-1"] == _uids(_look(given(*IN_DOUBT), _seen(_found(status=status))))


@pytest.mark.parametrize("status", ["cancelled", "rejected"])
def test_what_is_cancelled_or_rejected_there_settles_the_attempt(status: str) -> None:
    event = e.CalcomBookingCancelled(at=NOW, attempt_id="one", uid="uid-1", how="already_cancelled")

    assert (event,) == _look(given(*IN_DOUBT), _seen(_found(status=status)))


@pytest.mark.parametrize(
    "events", [(attempted(), refused()), (attempted(), created(uid="uid-1")), (*IN_DOUBT, cancelled_there()), ()]
)
def test_a_cancelled_booking_changes_nothing_that_is_settled(events: tuple[e.BookingEvent, ...]) -> None:
    assert () == _look(given(*events), _seen(_found(status="cancelled")))


def test_of_several_the_oldest_live_one_is_kept() -> None:
    found = (_found("uid-3", seconds=9), _found("uid-2", seconds=4), _found("uid-1", seconds=2, status="cancelled"))

    booking = given(*IN_DOUBT)
    after = fold(booking, _look(booking, _seen(*found)))

    assert ("uid-2", ["uid-3"]) == (after.kept_uid, [line.uid for line in after.surplus])


def test_of_several_the_one_that_the_stream_recorded_is_kept() -> None:
    booking = given(attempted(), created(uid="uid-3"))

    events = _look(booking, _seen(_found("uid-2", seconds=1), _found("uid-3", seconds=9)))

    assert (["uid-2"], "uid-3") == (_uids(events), fold(booking, events).kept_uid)


def test_one_list_settles_each_attempt_on_its_own() -> None:
    effect = LookAtCalcom(attempt_ids=("one", "two"), since=at(-300))
    booking = given(*IN_DOUBT, attempted("two", number=2), unknown("two"))

    events = _look(booking, _seen(_found("uid-2", "two")), effect)

    assert (["uid-2"], [("one",)]) == (
        _uids(events),
        [one.attempt_ids for one in events if isinstance(one, e.CalcomLooked)],
    )


def test_what_a_person_moved_while_it_was_in_doubt_is_adopted_under_its_new_uid() -> None:
    found = (_found(status="cancelled", moved_to="uid-2"), _found("uid-2", moved_from="uid-1", seconds=9))

    assert ["uid-2"] == _uids(_look(given(*IN_DOUBT), _seen(*found)))


@pytest.mark.parametrize(
    "found",
    [
        (_found("uid-2", moved_from="uid-1"),),
        (
            _found(status="cancelled", moved_to="uid-3"),
            _found("uid-3", status="cancelled", moved_from="uid-1", moved_to="uid-2"),
            _found("uid-2", moved_from="uid-3"),
        ),
    ],
)
def test_what_a_person_moved_is_followed_and_no_second_booking(found: tuple[Found, ...]) -> None:
    assert (followed("uid-1", "uid-2", seconds=500),) == _look(given(*BOOKED), _seen(*found))


def test_what_was_followed_already_adds_nothing() -> None:
    booking = given(*BOOKED, followed("uid-1", "uid-2"))

    assert () == _look(booking, _seen(_found("uid-2", moved_from="uid-1")))


def test_what_was_moved_from_something_unknown_is_a_booking_of_its_own() -> None:
    assert ["uid-2"] == _uids(_look(given(*BOOKED), _seen(_found("uid-2", moved_from="uid-9"))))


def test_what_was_moved_in_a_circle_ends_the_search() -> None:
    found = (_found("uid-2", moved_from="uid-3"), _found("uid-3", moved_from="uid-2", status="cancelled"))

    assert ["uid-2"] == _uids(_look(given(*IN_DOUBT), _seen(*found)))


def test_what_was_moved_out_of_sight_settles_nothing() -> None:
    events = _look(given(*IN_DOUBT), _seen(_found(status="cancelled", moved_to="uid-2")))

    assert (
        e.CalcomLooked(at=NOW, started_at=at(200), attempt_ids=("one",), counted=(), problem="moved_out_of_sight"),
    ) == events


@pytest.mark.parametrize("how", ["cancelled", "already_cancelled", "gone"])
def test_a_cancelled_booking_is_recorded(how: e.CancelHow) -> None:
    event = e.CalcomBookingCancelled(at=NOW, attempt_id="one", uid="uid-1", how=how)

    assert (event,) == _cancel(given(*BOOKED, cancellation()), Cancelled(how=how))


def test_a_moved_booking_is_followed() -> None:
    booking = given(*BOOKED, cancellation())

    events = _cancel(booking, Moved(to_uid="uid-2"))

    assert ((followed("uid-1", "uid-2", seconds=500),), ["uid-2"]) == (
        events,
        [line.uid for line in fold(booking, events).surplus],
    )


def test_a_booking_that_moved_to_what_is_known_already_is_gone_and_no_second_line() -> None:
    booking = given(*IN_DOUBT, created(uid="uid-2"), cancelled_there("uid-2"), failed(), created(late=True))

    events = _cancel(booking, Moved(to_uid="uid-2"))

    assert ((cancelled_there(seconds=500, how="already_cancelled"),), ()) == (events, fold(booking, events).surplus)


def test_a_cancel_refused_for_good_is_for_a_person() -> None:
    event = e.ManualReviewRequested(at=NOW, reason="cancelling_disabled", detail="no", attempt_id="one", uid="uid-1")

    assert (event,) == _cancel(given(*BOOKED, cancellation()), CancelRefused(reason="cancelling_disabled", detail="no"))


def test_what_is_not_ours_is_left_alone_and_reported() -> None:
    events = _cancel(given(*BOOKED, cancellation()), NotOurs(detail="another attempt"))

    assert (
        e.InconsistencyDetected(at=NOW, kind="foreign_booking", uid="uid-1", evidence="another attempt"),
        e.ManualReviewRequested(
            at=NOW, reason="foreign_booking", detail="another attempt", attempt_id="one", uid="uid-1"
        ),
    ) == events


def test_a_cancel_that_failed_is_repeated() -> None:
    outcome = CancelFailed(reason="http_502", detail="bad gateway")

    assert (cancel_failed(seconds=500),) == _cancel(given(*BOOKED, cancellation(), cancel_attempted()), outcome)


@pytest.mark.parametrize(("asked", "retry_at"), [(30.0, at(530)), (1e300, at(1400)), (0.0, at(501))])
def test_a_cancel_waits_as_long_as_it_is_asked_to_within_reason(asked: float, retry_at: datetime) -> None:
    events = _cancel(given(*BOOKED, cancellation()), CancelFailed(reason="x", detail="", retry_after=asked))

    assert [retry_at] == [one.retry_at for one in events if isinstance(one, e.CompensationFailed)]


@pytest.mark.parametrize(("before", "reported"), [(8, 0), (9, 1), (10, 0)])
def test_the_tenth_failure_is_reported_once(before: int, reported: int) -> None:
    booking = given(*BOOKED, cancellation(), *(cancel_failed() for _ in range(before)))

    events = _cancel(booking, CancelFailed(reason="x", detail=""))

    assert reported == sum(isinstance(one, e.InconsistencyDetected) for one in events)


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
    assert () == _cancel(given(*events), outcome)


@pytest.mark.parametrize("outcome", [CancelRefused(reason="x", detail=""), NotOurs(detail="")])
def test_a_person_is_asked_once(outcome: CancelOutcome) -> None:
    assert () == _cancel(given(*BOOKED, cancellation(), review()), outcome)


def test_what_could_be_cancelled_all_the_same_is_recorded_in_review() -> None:
    assert (cancelled_there(seconds=500),) == _cancel(
        given(*BOOKED, cancellation(), review()), Cancelled(how="cancelled")
    )


@pytest.mark.parametrize(("verdict", "wait"), [("gone", 0), ("stands", 0), ("moving", 1)])
def test_an_inspection_is_recorded(verdict: e.ObstacleVerdict, wait: float) -> None:
    booking = given(attempted(), created(), not_persisted())

    assert (inspected(verdict, seconds=500, retry_in=wait),) == _inspect(booking, verdict)


def test_the_wait_for_a_moving_row_grows_to_a_minute() -> None:
    waits = []
    for refusals in (2, 3, 20):
        booking = given(attempted(), created(), *(not_persisted() for _ in range(refusals)))
        (event,) = _inspect(booking, "moving")
        waits.append(event.retry_at - NOW if isinstance(event, e.ObstacleInspected) else None)

    assert [timedelta(seconds=2), timedelta(seconds=4), timedelta(minutes=1)] == waits


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
    assert () == _inspect(given(*events), "stands")


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
MOVED_AWAY = _seen(_found(status="cancelled", moved_to="uid-2"))


@pytest.mark.parametrize(
    ("events", "record"),
    [
        ((attempted(),), lambda it: _create(it, MADE)),
        (ABSENT, lambda it: _create(it, MADE)),
        ((*ABSENT, failed()), lambda it: _create(it, MADE)),
        (BOOKED, lambda it: _create(it, Made(uid="uid-2", starts_at=SLOT, ends_at=SLOT, calcom_status="accepted"))),
        ((attempted(),), lambda it: _create(it, CONFLICT)),
        ((attempted(),), lambda it: _create(it, UNSENT)),
        ((attempted(),), lambda it: _create(it, NotSent(reason="x", detail="", defer=True))),
        ((attempted(),), lambda it: _create(it, LOST)),
        (IN_DOUBT, lambda it: _look(it, _seen())),
        (IN_DOUBT, lambda it: _look(it, LookFailed(started_at=at(200), reason="x"))),
        (IN_DOUBT, lambda it: _look(it, _seen(_found(), _found("uid-2")))),
        (IN_DOUBT, lambda it: _look(it, _seen(_found(status="cancelled")))),
        (IN_DOUBT, lambda it: _look(it, MOVED_AWAY)),
        (BOOKED, lambda it: _look(it, _seen(_found("uid-2", moved_from="uid-1")))),
        ((*BOOKED, cancellation()), lambda it: _cancel(it, Cancelled(how="cancelled"))),
        ((*BOOKED, cancellation()), lambda it: _cancel(it, Moved(to_uid="uid-2"))),
        ((*BOOKED, cancellation()), lambda it: _cancel(it, NotOurs(detail=""))),
        ((*BOOKED, cancellation()), lambda it: _cancel(it, CancelRefused(reason="x", detail=""))),
        ((attempted(), created(), not_persisted()), lambda it: _inspect(it, "stands")),
        (BOOKED, lambda it: recording.record_gone(it, "uid-1", now=NOW)),
    ],
)
def test_an_outcome_recorded_twice_changes_nothing(events: tuple[e.BookingEvent, ...], record: Record) -> None:
    before = given(*events)
    once = record(before)
    after = fold(before, once)

    assert (True, ()) == (bool(once), record(after))
