from __future__ import annotations

import pytest

from domain import events as e
from domain import findings as f
from domain.evolving import fold
from sagas.outcomes import (
    Found,
    LookFailed,
    LookOutcome,
)
from sagas.steps import LookAtCalcom
from tests.fakes.given import (
    ABSENT,
    BOOKED,
    IN_DOUBT,
    absent,
    at,
    attempted,
    cancelled_there,
    created,
    failed,
    followed,
    given,
    looked,
    not_sent,
    refused,
    unknown,
)
from tests.unit.sagas.outcomes import (
    NOW,
    POLICY,
    found_there,
    recorded_look,
    seen,
    uids_of,
)


def test_a_look_that_erred_proves_nothing() -> None:
    event = e.CalcomLooked(at=NOW, started_at=at(200), attempt_ids=("one",), counted=(), problem="http_502")

    assert (event,) == recorded_look(given(*IN_DOUBT), LookFailed(started_at=at(200), reason="http_502"))


def test_looks_that_an_open_breaker_refused_are_no_evidence_that_both_sides_differ() -> None:
    almost = POLICY.inconsistent_after - 1
    failed_looks = tuple(looked(seconds=100 + n, problem="http_502") for n in range(almost))
    refused = tuple(looked(seconds=150 + n, problem="breaker_open") for n in range(almost))

    assert [] == _found_wrong(*refused, reason="breaker_open")
    assert [] == _found_wrong(*refused, reason="http_502")
    assert [] == _found_wrong(*failed_looks, *refused, reason="breaker_open")
    assert ["orphan"] == _found_wrong(*failed_looks, *refused, reason="http_502")


def _found_wrong(*looks: e.CalcomLooked, reason: str) -> list[str]:
    events = recorded_look(given(*IN_DOUBT, *looks), LookFailed(started_at=at(500), reason=reason))
    return [one.kind for one in events if isinstance(one, f.InconsistencyDetected)]


@pytest.mark.parametrize(("seconds", "counts"), [(74.9, False), (75, True)])
def test_a_clean_look_counts_from_a_window_after_the_last_possible_answer(seconds: float, *, counts: bool) -> None:
    events = recorded_look(given(*IN_DOUBT), seen(seconds=seconds))

    assert [("one",) if counts else ()] == [one.counted for one in events if isinstance(one, e.CalcomLooked)]


def test_a_look_that_began_before_the_doubt_does_not_count() -> None:
    booking = given(*ABSENT, attempted("two", number=2, seconds=121), refused("two", seconds=300, conflict=True))

    events = recorded_look(booking, seen(seconds=299))

    assert [()] == [one.counted for one in events if isinstance(one, e.CalcomLooked)]


@pytest.mark.parametrize(("seconds", "counts"), [(899, False), (900, True)])
def test_what_was_thought_absent_is_confirmed_from_the_horizon_on(seconds: float, *, counts: bool) -> None:
    events = recorded_look(given(*ABSENT, failed()), seen(seconds=seconds))

    assert [("one",) if counts else ()] == [one.counted for one in events if isinstance(one, e.CalcomLooked)]


@pytest.mark.parametrize(("seconds", "counts"), [(1384, False), (1385, True)])
def test_the_horizon_of_an_attempt_that_left_late_is_as_much_later(seconds: float, *, counts: bool) -> None:
    # Its answer was lost 485 s after it could have come at the latest.
    absent_again = (
        *ABSENT,
        failed(),
        unknown(seconds=500),
        looked(seconds=600),
        looked(seconds=640),
        absent(seconds=640),
    )

    events = recorded_look(given(*absent_again), seen(seconds=seconds))

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
@pytest.mark.parametrize("outcome", [seen(), LookFailed(started_at=at(200), reason="http_502")])
def test_a_look_that_is_old_or_that_nobody_asks_for_adds_nothing(
    events: tuple[e.BookingEvent, ...], outcome: LookOutcome
) -> None:
    assert () == recorded_look(given(*events), outcome)


def test_what_a_look_finds_is_adopted() -> None:
    (event,) = recorded_look(given(*IN_DOUBT), seen(found_there(), found_there("uid-2", "somebody")))

    assert ("uid-1", "adopted", False) == (
        (event.uid, event.how, event.late) if isinstance(event, e.CalcomBookingCreated) else None
    )


@pytest.mark.parametrize("status", ["accepted", "pending", "a new word of Cal.com's"])
def test_what_is_neither_cancelled_nor_rejected_lives(status: str) -> None:
    assert ["uid-1"] == uids_of(recorded_look(given(*IN_DOUBT), seen(found_there(status=status))))


@pytest.mark.parametrize("status", ["cancelled", "rejected"])
def test_what_is_cancelled_or_rejected_there_settles_the_attempt(status: str) -> None:
    event = e.CalcomBookingCancelled(at=NOW, attempt_id="one", uid="uid-1", how="already_cancelled")

    assert (event,) == recorded_look(given(*IN_DOUBT), seen(found_there(status=status)))


@pytest.mark.parametrize(
    "events", [(attempted(), refused()), (attempted(), created(uid="uid-1")), (*IN_DOUBT, cancelled_there()), ()]
)
def test_a_cancelled_booking_changes_nothing_that_is_settled(events: tuple[e.BookingEvent, ...]) -> None:
    assert () == recorded_look(given(*events), seen(found_there(status="cancelled")))


def test_of_several_the_oldest_live_one_is_kept() -> None:
    found = (
        found_there("uid-3", seconds=9),
        found_there("uid-2", seconds=4),
        found_there("uid-1", seconds=2, status="cancelled"),
    )

    booking = given(*IN_DOUBT)
    after = fold(booking, recorded_look(booking, seen(*found)))

    assert ("uid-2", ["uid-3"]) == (after.kept_uid, [line.uid for line in after.surplus])


def test_of_several_the_one_that_the_stream_recorded_is_kept() -> None:
    booking = given(attempted(), created(uid="uid-3"))

    events = recorded_look(booking, seen(found_there("uid-2", seconds=1), found_there("uid-3", seconds=9)))

    assert (["uid-2"], "uid-3") == (uids_of(events), fold(booking, events).kept_uid)


def test_one_list_settles_each_attempt_on_its_own() -> None:
    effect = LookAtCalcom(attempt_ids=("one", "two"), since=at(-300))
    booking = given(*IN_DOUBT, attempted("two", number=2), unknown("two"))

    events = recorded_look(booking, seen(found_there("uid-2", "two")), effect)

    assert (["uid-2"], [("one",)]) == (
        uids_of(events),
        [one.attempt_ids for one in events if isinstance(one, e.CalcomLooked)],
    )


def test_what_a_person_moved_while_it_was_in_doubt_is_adopted_under_its_new_uid() -> None:
    found = (found_there(status="cancelled", moved_to="uid-2"), found_there("uid-2", moved_from="uid-1", seconds=9))

    assert ["uid-2"] == uids_of(recorded_look(given(*IN_DOUBT), seen(*found)))


@pytest.mark.parametrize(
    "found",
    [
        (found_there("uid-2", moved_from="uid-1"),),
        (
            found_there(status="cancelled", moved_to="uid-3"),
            found_there("uid-3", status="cancelled", moved_from="uid-1", moved_to="uid-2"),
            found_there("uid-2", moved_from="uid-3"),
        ),
    ],
)
def test_what_a_person_moved_is_followed_and_no_second_booking(found: tuple[Found, ...]) -> None:
    assert (followed("uid-1", "uid-2", seconds=500),) == recorded_look(given(*BOOKED), seen(*found))


def test_what_was_followed_already_adds_nothing() -> None:
    booking = given(*BOOKED, followed("uid-1", "uid-2"))

    assert () == recorded_look(booking, seen(found_there("uid-2", moved_from="uid-1")))


def test_what_was_moved_from_something_unknown_is_a_booking_of_its_own() -> None:
    assert ["uid-2"] == uids_of(recorded_look(given(*BOOKED), seen(found_there("uid-2", moved_from="uid-9"))))


def test_what_was_moved_in_a_circle_ends_the_search() -> None:
    found = (found_there("uid-2", moved_from="uid-3"), found_there("uid-3", moved_from="uid-2", status="cancelled"))

    assert ["uid-2"] == uids_of(recorded_look(given(*IN_DOUBT), seen(*found)))


def test_what_was_moved_out_of_sight_settles_nothing() -> None:
    events = recorded_look(given(*IN_DOUBT), seen(found_there(status="cancelled", moved_to="uid-2")))

    assert (
        e.CalcomLooked(at=NOW, started_at=at(200), attempt_ids=("one",), counted=(), problem="moved_out_of_sight"),
    ) == events
