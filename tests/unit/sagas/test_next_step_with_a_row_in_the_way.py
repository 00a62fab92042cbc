from __future__ import annotations

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
