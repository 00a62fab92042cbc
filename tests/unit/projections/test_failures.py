"""
Given a booking's events, then its sync failures.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import get_args
from uuid import UUID

import pytest

from domain import events as e
from domain import findings as f
from domain.findings import InconsistencyKind
from projections.errors import OutOfOrder
from projections.failures import BookingFailures, SyncFailure, failure_id_of
from projections.sync_failures import evolve_recorded
from tests.fakes.given import (
    BOOKED,
    BOOKING_ID,
    IN_DOUBT,
    at,
    attempted,
    booked,
    cancel_failed,
    cancelled,
    cancelled_there,
    created,
    failed,
    followed,
)
from tests.histories.bookings import history
from tests.unit.projections.failing import after, answered, asked, found, only, recorded, settled


def test_a_finding_is_pending() -> None:
    assert SyncFailure(
        id=failure_id_of(BOOKING_ID, "time_drift", "uid-1"),
        company_id="acme",
        booking_id=BOOKING_ID,
        appointment_id=UUID(int=1),
        calcom_booking_id="uid-1",
        attempt_id=None,
        failure_type="time_drift",
        error_message="half an hour later there",
        proposed_repair="move",
        status="pending",
        resolution=None,
        actor=None,
        attempt_count=1,
        created_at=at(20),
        updated_at=at(20),
        resolved_at=None,
    ) == only(*BOOKED, found("time_drift", evidence="half an hour later there", repair="move"))


def test_what_is_found_again_is_the_same_and_counts() -> None:
    failure = only(found(), found(seconds=25, evidence="seen again"))

    assert (2, at(20), at(25), "seen again") == (
        failure.attempt_count,
        failure.created_at,
        failure.updated_at,
        failure.error_message,
    )


def test_what_is_found_again_after_it_was_resolved_is_open_again() -> None:
    failure = only(found(), settled(), found(seconds=60))

    assert ("pending", None, None, None, 2) == (
        failure.status,
        failure.resolution,
        failure.actor,
        failure.resolved_at,
        failure.attempt_count,
    )


def test_another_kind_or_another_booking_there_is_another_failure() -> None:
    failures = after(found(), found("time_drift"), found(uid="uid-2"), found(uid=None))

    assert 4 == len({it.id for it in failures})


def test_a_finding_that_only_a_person_can_repair_waits_for_one() -> None:
    assert "manual_review" == only(found(repair="manual_review")).status
    assert "manual_review" == only(found(repair="manual_review"), found(repair="cancel")).status


def test_a_question_makes_a_failure_of_its_own() -> None:
    failure = only(*BOOKED, asked())

    assert ("compensation_failed", "manual_review", "manual_review", "one", "uid-1", "compensation_failed") == (
        failure.failure_type,
        failure.status,
        failure.proposed_repair,
        failure.attempt_id,
        failure.calcom_booking_id,
        failure.error_message,
    )


@pytest.mark.parametrize("kind", get_args(InconsistencyKind))
def test_a_reason_that_is_a_kind_is_that_kind(kind: str) -> None:
    assert kind == only(asked(kind)).failure_type


@pytest.mark.parametrize(
    ("reason", "uid", "kind"),
    [
        ("cannot_look", None, "orphan"),
        ("already_ended", "uid-1", "compensation_failed"),
        ("cancelling_disabled", "uid-1", "compensation_failed"),
        ("whatever_comes", "uid-1", "compensation_failed"),
    ],
)
def test_every_other_reason_has_a_kind_too(reason: str, uid: str | None, kind: str) -> None:
    assert (kind, reason) == (only(asked(reason, uid)).failure_type, only(asked(reason, uid)).error_message)


def test_what_was_found_before_is_what_the_question_is_about() -> None:
    failure = only(found(), asked("already_ended"))

    assert ("orphan", "manual_review", "one", "already_ended", "cancel") == (
        failure.failure_type,
        failure.status,
        failure.attempt_id,
        failure.error_message,
        failure.proposed_repair,
    )


def test_evidence_says_more_than_a_reason_of_the_same_name() -> None:
    failures = after(
        found("orphan"), found("foreign_booking", evidence="it carries no attempt id"), asked("foreign_booking")
    )

    assert {("orphan", "pending", "seen"), ("foreign_booking", "manual_review", "it carries no attempt id")} == {
        (it.failure_type, it.status, it.error_message) for it in failures
    }


def test_each_attempt_in_doubt_is_asked_about_by_itself() -> None:
    failures = after(*IN_DOUBT, found(uid=None), asked("cannot_look", None, "one"), asked("cannot_look", None, "two"))

    assert [("orphan", "one"), ("orphan", "two")] == [(it.failure_type, it.attempt_id) for it in failures]
    assert 2 == len({it.id for it in failures})


def test_a_question_that_comes_again_opens_its_failure_again() -> None:
    first = only(asked())
    again = only(asked(), answered("cancel"), asked(seconds=70))

    assert (first.id, "manual_review", None, "one") == (again.id, again.status, again.resolution, again.attempt_id)


def test_a_failed_cancel_counts_while_it_is_open() -> None:
    events = (cancel_failed(), found("compensation_failed"), cancel_failed(seconds=22), cancel_failed("uid-2"))

    assert (2, at(22)) == (only(*events).attempt_count, only(*events).updated_at)
    assert 2 == only(*events, settled("compensation_failed"), cancel_failed(seconds=50)).attempt_count


def test_a_new_uid_at_cal_com_is_followed() -> None:
    moved = (found(), followed("uid-1", "uid-9"))

    assert "uid-9" == only(*moved).calcom_booking_id
    assert "resolved" == only(*moved, settled(uid="uid-1")).status
    assert "resolved" == only(*moved, settled(uid="uid-9")).status
    assert (2, "uid-9") == (
        only(*moved, found(uid="uid-9")).attempt_count,
        only(*moved, found(uid="uid-1")).calcom_booking_id,
    )


def test_what_is_gone_at_cal_com_is_no_failure_any_more() -> None:
    failure = only(found(), cancelled_there(seconds=45, how="gone"))

    assert ("resolved", "gone", "calsaga", at(45)) == (
        failure.status,
        failure.resolution,
        failure.actor,
        failure.resolved_at,
    )


def test_what_was_retried_and_turns_out_cancelled_is_resolved() -> None:
    assert "resolved" == only(asked("cannot_look", None), answered("retry", None), cancelled_there()).status


def test_a_person_who_was_asked_still_has_to_answer() -> None:
    assert "manual_review" == only(asked(), cancelled_there()).status


def test_the_end_of_a_booking_resolves_nothing() -> None:
    assert "pending" == only(found(uid=None), failed()).status
    assert "pending" == only(*BOOKED, found("ghost"), cancelled()).status


def test_an_appointment_that_is_booked_later_is_named() -> None:
    assert None is only(attempted(), created(), found("persistence_failed")).appointment_id
    assert UUID(int=1) == only(attempted(), created(), found("persistence_failed"), booked()).appointment_id


@pytest.mark.parametrize("seed", range(300))
def test_events_that_come_again_and_in_any_portions_change_nothing(seed: int) -> None:
    random = Random(seed)
    stream = history(random)
    whole = evolve_recorded(None, stream)
    state: BookingFailures | None = None
    seen = 0
    while seen < len(stream):
        until = random.randint(seen + 1, len(stream))
        state = evolve_recorded(state, stream[max(seen - random.randrange(4), 0) : until])
        # As rows come from a table: in any order.
        state = replace(state, failures=tuple(random.sample(state.failures, len(state.failures))))
        seen = until

    assert state is not None
    assert by_id(whole) == by_id(state)


def by_id(state: BookingFailures) -> tuple[int, dict[UUID, SyncFailure]]:
    return state.version, {it.id: it for it in state.failures}


def test_a_missing_event_is_noticed() -> None:
    first, _, third = recorded(BOOKED)[:3]

    with pytest.raises(OutOfOrder):
        evolve_recorded(None, [first, third])


def test_a_stream_without_its_beginning_is_noticed() -> None:
    second = recorded(BOOKED)[1]

    with pytest.raises(OutOfOrder):
        evolve_recorded(None, [second])
    with pytest.raises(OutOfOrder):
        evolve_recorded(None, [replace(second, version=1)])
    with pytest.raises(OutOfOrder):
        evolve_recorded(None, [replace(second, version=0)])


def test_the_histories_hold_findings_and_questions() -> None:
    topics = {type(one.event) for seed in range(300) for one in history(Random(seed))}

    assert {f.InconsistencyDetected, f.ManualReviewRequested, e.CompensationFailed} <= topics
