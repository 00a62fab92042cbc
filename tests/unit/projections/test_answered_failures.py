from __future__ import annotations

from dataclasses import replace

import pytest

from domain import findings as f
from projections.sync_failures import evolve_recorded
from tests.fakes.given import (
    at,
    created,
)
from tests.unit.projections.failing import after, answered, asked, found, only, recorded, settled


def test_what_is_resolved_says_how_and_by_whom() -> None:
    failure = only(found(), settled())

    assert ("resolved", "moved here, too", "calsaga", at(40)) == (
        failure.status,
        failure.resolution,
        failure.actor,
        failure.resolved_at,
    )


def test_only_the_kind_that_is_named_is_resolved() -> None:
    failures = after(found(), found("time_drift"), settled("time_drift"))

    assert [("orphan", "pending"), ("time_drift", "resolved")] == [(it.failure_type, it.status) for it in failures]


@pytest.mark.parametrize("answer", ["adopt", "absent", "cancel", "keep_local"])
def test_an_answer_resolves(answer: f.ReviewAnswer) -> None:
    failure = only(asked(), answered(answer))

    assert ("resolved", answer, "grace", at(50)) == (
        failure.status,
        failure.resolution,
        failure.actor,
        failure.resolved_at,
    )


def test_what_is_to_be_retried_is_pending_again() -> None:
    failure = only(asked(), answered("retry"))

    assert ("pending", None, "grace", at(50), None) == (
        failure.status,
        failure.resolution,
        failure.actor,
        failure.updated_at,
        failure.resolved_at,
    )


def test_an_answer_is_about_its_own_attempt() -> None:
    failures = after(
        asked("cannot_look", None, "one"), asked("cannot_look", None, "two"), answered("absent", None, "two")
    )

    assert ["manual_review", "resolved"] == [it.status for it in failures]


def test_an_answer_leaves_alone_what_nobody_was_asked_about() -> None:
    failures = after(found("time_drift"), found("orphan", seconds=19), asked("orphan"), answered("keep_local"))

    assert {("time_drift", "pending"), ("orphan", "resolved")} == {(it.failure_type, it.status) for it in failures}


def test_an_answer_that_nobody_had_been_asked_for_resolves_what_is_pending() -> None:
    assert "resolved" == only(found(), answered("cancel")).status


def test_what_a_late_answer_of_cal_coms_names_can_be_answered_either_way() -> None:
    named = (asked("cannot_look", None), created(seconds=35))

    assert "uid-1" == only(*named).calcom_booking_id
    assert "resolved" == only(*named, answered("adopt", "uid-1")).status
    assert "resolved" == only(*named, answered("adopt", None)).status


def test_what_was_adopted_is_named() -> None:
    failure = only(asked("cannot_look", None), answered("adopt", None), created(seconds=51))

    assert ("resolved", "adopt", "uid-1") == (failure.status, failure.resolution, failure.calcom_booking_id)


def test_the_oldest_of_several_findings_is_asked_about_in_whatever_order_they_are_read() -> None:
    *before, question = recorded([found("time_drift"), found("status_drift", seconds=21), asked("already_ended")])
    state = evolve_recorded(None, before)
    read = (state, replace(state, failures=state.failures[::-1]))

    assert [{("time_drift", "manual_review"), ("status_drift", "pending")}] * 2 == [
        {(it.failure_type, it.status) for it in evolve_recorded(one, [question]).failures} for one in read
    ]
