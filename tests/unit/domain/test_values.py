"""
Value objects refuse nonsense, and say what they are.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ledger import Line, LineStatus
from domain.period import Period, utc
from domain.person import Person, folded
from domain.policy import Policy
from domain.retry import RetryPolicy
from domain.text import identifier_problem
from tests.fakes.given import SERVICE, at


def test_a_moment_without_an_offset_is_no_instant() -> None:
    with pytest.raises(ValueError, match="offset"):
        utc(datetime(2027, 3, 1, 9, 0))  # noqa: DTZ001 - this is the point


def test_a_moment_is_told_in_utc() -> None:
    moment = utc(datetime(2027, 3, 1, 9, 0, tzinfo=timezone(timedelta(hours=2))))

    assert (datetime(2027, 3, 1, 7, 0, tzinfo=UTC), UTC) == (moment, moment.tzinfo)


@pytest.mark.parametrize(
    ("starts_at", "ends_at"),
    [
        (at(1), at(1)),
        (at(2), at(1)),
        (at(0).astimezone(timezone(timedelta(hours=1))), at(1)),
        (at(0), at(1).astimezone(timezone(timedelta(hours=1)))),
        (at(0).replace(tzinfo=None), at(1)),
    ],
)
def test_a_period_refuses_nonsense(starts_at: datetime, ends_at: datetime) -> None:
    with pytest.raises(ValueError, match="period"):
        Period(starts_at=starts_at, ends_at=ends_at)


@pytest.mark.parametrize(
    ("start", "end", "overlaps"),
    [(0, 10, False), (0, 11, True), (10, 20, True), (12, 13, True), (0, 99, True), (19, 30, True), (20, 30, False)],
)
def test_touching_periods_do_not_overlap(start: int, end: int, *, overlaps: bool) -> None:
    period, other = Period(starts_at=at(10), ends_at=at(20)), Period(starts_at=at(start), ends_at=at(end))

    assert (overlaps, overlaps) == (period.overlaps(other), other.overlaps(period))


@pytest.mark.parametrize(
    ("person", "identity"),
    [
        (Person(name="Ada", email="a@b.de", phone="+491"), "phone:+491"),
        (Person(name="Ada", email="ADA@b.de"), "email:ada@b.de"),
        (Person(name=" ADA  Straße "), "name:ada strasse"),
    ],
)
def test_a_person_is_known_by_phone_then_address_then_name(person: Person, identity: str) -> None:
    assert identity == person.identity


@given(st.text())
def test_a_folded_name_has_single_spaces_and_no_border(name: str) -> None:
    name = folded(name)

    assert " ".join(name.split()) == name


def test_an_identifier_must_not_be_empty() -> None:
    assert "must not be empty" == identifier_problem(" ")


def test_a_service_knows_how_long_it_takes() -> None:
    assert timedelta(minutes=30) == SERVICE.duration


@pytest.mark.parametrize(
    "figures",
    [
        {"retries": -1},
        {"first_delay": -0.1},
        {"first_delay": float("nan")},
        {"first_delay": 901.0},
        {"multiplier": 0.99},
        {"multiplier": 101.0},
        {"multiplier": float("nan")},
        {"jitter": -0.1},
        {"jitter": 1.0},
        {"jitter": float("nan")},
        {"cap": float("inf")},
        {"cap": float("nan")},
    ],
)
def test_a_retry_policy_refuses_figures_that_cannot_be_meant(figures: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="retry policy"):
        RetryPolicy(**figures)  # type: ignore[arg-type]


@given(st.integers(1, 10**12), st.text())
def test_waits_double_up_to_the_cap_and_differ_by_a_tenth(failures: int, salt: str) -> None:
    plain = min(2.0 ** min(failures - 1, 64), 900.0)

    wait = RetryPolicy().delay(failures, salt=salt).total_seconds()

    assert plain * 0.899999 <= wait <= plain * 1.100001


@pytest.mark.parametrize(("failures", "plain"), [(1, 1), (2, 2), (3, 4), (4, 8)])
def test_waits_without_jitter_are_exactly_one_two_four(failures: int, plain: int) -> None:
    assert timedelta(seconds=plain) == RetryPolicy(jitter=0).delay(failures, salt="x")


def test_the_steepest_policy_survives_a_million_failures() -> None:
    assert timedelta(seconds=900) == RetryPolicy(multiplier=100, jitter=0).delay(10**6, salt="x")


def test_a_crowd_does_not_come_back_together() -> None:
    waits = {RetryPolicy().delay(1, salt=str(number)) for number in range(100)}

    assert len(waits) > 90


def test_a_replay_computes_the_same_wait() -> None:
    assert timedelta(seconds=0.953548) == RetryPolicy().delay(1, salt="a")


def test_after_three_retries_it_is_enough() -> None:
    waits = [RetryPolicy(jitter=0).retry_after(failures, salt="x") for failures in (1, 2, 3, 4)]

    assert [timedelta(seconds=1), timedelta(seconds=2), timedelta(seconds=4), None] == waits


@pytest.mark.parametrize(("asked_for", "least", "most"), [(60.0, 60.0, 66.0), (1e300, 900.0, 990.0), (-5.0, 0.0, 0.0)])
def test_a_crowd_comes_back_one_after_the_other_when_there_is_room(asked_for: float, least: float, most: float) -> None:
    waits = [RetryPolicy().queue(asked_for, salt=str(number)).total_seconds() for number in range(100)]

    assert all(least <= wait <= most for wait in waits)
    assert len(set(waits)) > 90 or most == 0


@pytest.mark.parametrize(("asked_for", "wait"), [(None, 1.0), (0.5, 1.0), (30.0, 30.0), (1e300, 900.0), (-5.0, 1.0)])
def test_what_the_far_side_asks_for_is_obeyed_within_reason(asked_for: float | None, wait: float) -> None:
    assert timedelta(seconds=wait) == RetryPolicy(jitter=0).wait(1, salt="x", asked_for=asked_for)


@pytest.mark.parametrize(
    "figures",
    [
        {"lease": timedelta(seconds=15)},
        {"looks": ()},
        {"looks": (timedelta(0),)},
        {"looks": (timedelta(seconds=2), timedelta(seconds=2))},
        {"looks": (timedelta(seconds=2), timedelta(seconds=1))},
        {"clean_looks": 0},
        {"create_attempts": 0},
        {"inconsistent_after": 0},
    ],
)
def test_a_policy_refuses_figures_that_would_break_an_invariant(figures: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"lease|looks"):
        Policy(**figures)  # type: ignore[arg-type]


def test_a_clean_look_speaks_for_absence_a_window_after_the_last_possible_answer() -> None:
    assert at(75) == Policy().absent_from(at(15))


@pytest.mark.parametrize(
    ("looks", "last", "due"),
    [
        (0, None, 11),
        (1, 11, 13),
        (2, 13, 20),
        (4, 40, 70),
        (5, 70, 100),
        (5, 20, 75),
        (9, 300, 330),
        # The first look came late: the others keep their distance.
        (1, 500, 502),
        (2, 502, 509),
    ],
)
def test_looks_follow_the_schedule_and_then_its_last_pace(looks: int, last: float | None, due: float) -> None:
    assert at(due) == Policy().look_at(_in_doubt(looks=looks, last=last))


def test_a_schedule_of_one_look_has_its_own_pace() -> None:
    policy = Policy(looks=(timedelta(seconds=40),))

    assert at(140) == policy.look_at(_in_doubt(looks=1, last=100))


@pytest.mark.parametrize("refused", [0, 1])
def test_looks_that_fail_or_are_refused_are_repeated_ever_more_slowly(refused: int) -> None:
    policy = Policy(retry=RetryPolicy(jitter=0))
    in_doubt = replace(_in_doubt(looks=9, last=300), refused_looks=refused)

    waits = [policy.look_at(replace(in_doubt, failed_looks=n - refused)) - at(300) for n in (1, 6, 8, 40)]

    assert [timedelta(seconds=s) for s in (30, 32, 128, 900)] == waits


def _in_doubt(*, looks: int, last: float | None) -> Line:
    return Line(
        attempt_id="one",
        number=1,
        attempted_at=at(0),
        answer_by=at(15),
        status=LineStatus.IN_DOUBT,
        doubted_at=at(10),
        looks=looks,
        last_looked_at=None if last is None else at(last),
    )
