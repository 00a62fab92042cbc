from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from domain import events as e
from sagas.steps import (
    InspectObstacle,
    Perform,
    Persist,
    Record,
    Wait,
)
from tests.fakes.given import (
    OBSTACLE_ID,
    at,
    attempted,
    created,
    inspected,
    not_persisted,
)
from tests.unit.sagas.stepping import step_at

DAY = 24 * 3600


def test_the_row_in_the_way_is_inspected_first() -> None:
    step = step_at(attempted(), created(), not_persisted(), now=2)

    assert Perform(InspectObstacle(appointment_id=OBSTACLE_ID)) == step


def test_a_row_that_stands_means_undoing() -> None:
    step = step_at(attempted(), created(), not_persisted(), inspected("stands"), now=2)

    assert isinstance(step, Record)
    assert ["slot_taken"] == [one.reason for one in step.events if isinstance(one, e.CompensationStarted)]


def test_a_row_that_is_gone_means_inserting_again() -> None:
    assert isinstance(step_at(attempted(), created(), not_persisted(), inspected("gone"), now=2), Persist)


def test_a_row_that_moves_means_waiting() -> None:
    events = (attempted(), created(), not_persisted(), inspected("moving", retry_in=3))

    assert (Wait(at(5)), True) == (step_at(*events, now=4), isinstance(step_at(*events, now=5), Persist))


def test_a_row_that_never_moves_out_of_the_way_means_undoing_once_expired() -> None:
    step = step_at(attempted(), created(), not_persisted(), inspected("moving"), now=DAY)

    assert isinstance(step, Record)
    assert isinstance(step.events[0], e.CompensationStarted)


def test_a_row_that_cal_com_does_not_find_is_waited_for_as_long_as_a_replica_may_be_late() -> None:
    events = (attempted(), created(), not_persisted(seconds=1), inspected("missing", seconds=2, retry_in=3))

    assert (Wait(at(5)), True) == (step_at(*events, now=4), isinstance(step_at(*events, now=60), Persist))


@pytest.mark.parametrize("between", ["missing", "moving"])
def test_a_row_that_cal_com_does_not_find_for_longer_stands(between: e.ObstacleVerdict) -> None:
    again = (not_persisted(seconds=30), inspected(between, seconds=31), not_persisted(seconds=61))
    events = (not_persisted(seconds=1), inspected("missing", seconds=2), *again, inspected("missing", seconds=61))
    step = step_at(attempted(), created(), *events, now=61)

    assert isinstance(step, Record)
    (started,) = step.events
    assert isinstance(started, e.CompensationStarted)
    assert ("slot_taken", True) == (started.reason, "does not find" in started.detail)


@pytest.mark.parametrize(("seconds", "stays"), [(119, False), (120, True)])
def test_what_cal_com_does_not_find_counts_from_when_that_row_was_met(seconds: float, *, stays: bool) -> None:
    other = UUID(int=8)
    looked = replace(inspected("missing", seconds=seconds), obstacle_id=other)
    events = (not_persisted(), inspected("missing"), not_persisted(seconds=60, obstacle_id=other), looked)
    step = step_at(attempted(), created(), *events, now=500)

    assert isinstance(step, Record if stays else Persist)


@pytest.mark.parametrize(
    "reason", ["duplicate_key", "duplicate_calcom_uid", "duplicate_appointment", "unknown_service"]
)
def test_any_other_refusal_of_the_row_means_undoing(reason: str) -> None:
    step = step_at(attempted(), created(), not_persisted(reason=reason, obstacle_id=None), now=2)

    assert isinstance(step, Record)
    assert [reason] == [one.reason for one in step.events if isinstance(one, e.CompensationStarted)]


def test_an_overlap_with_nobody_known_in_the_way_means_undoing() -> None:
    step = step_at(attempted(), created(), not_persisted(obstacle_id=None), now=2)

    assert isinstance(step, Record)
    assert isinstance(step.events[0], e.CompensationStarted)


def test_another_refusal_after_an_obstacle_is_final() -> None:
    events = (not_persisted(), inspected("gone"), not_persisted(reason="duplicate_calcom_uid", obstacle_id=None))

    step = step_at(attempted(), created(), *events, now=9)

    assert isinstance(step, Record)
    assert ["duplicate_calcom_uid"] == [one.reason for one in step.events if isinstance(one, e.CompensationStarted)]


def test_the_next_row_in_the_way_is_inspected_as_the_first_was() -> None:
    other = UUID(int=8)
    events = (not_persisted(), inspected("gone"), not_persisted(obstacle_id=other))

    assert Perform(InspectObstacle(appointment_id=other)) == step_at(attempted(), created(), *events, now=9)
