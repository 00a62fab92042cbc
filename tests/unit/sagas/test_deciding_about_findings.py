"""
A person decides about a finding that no attempt waits for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from adapters.representation import event_documents
from domain import findings as f
from domain.booking import BookingStatus
from domain.errors import MadeElsewhere, NothingToDecide
from domain.findings import ReviewAnswer
from domain.person import Remark
from projections.failures import SyncFailure
from projections.masking import MASK
from projections.story import story
from projections.sync_failures import evolve_recorded
from projections.timeline import timeline
from sagas.walk_in import walk_in_id
from tests.fakes.deciding import answered, at_cal_com, with_row
from tests.fakes.given import (
    BOOKED,
    at,
)
from tests.fakes.office import Office


def _flagged_walk_in() -> Office:
    office = Office()
    at_cal_com(office, attempt_id="f" * 32)
    office.run(office.sagas.convergence.converge("acme", "uid-1"))
    return office


def _failures(office: Office, booking_id: UUID) -> Sequence[SyncFailure]:
    return evolve_recorded(None, office.run(office.log.read(booking_id))).failures


def test_a_foreign_booking_that_was_flagged_is_kept_by_a_person() -> None:
    office = _flagged_walk_in()
    booking_id = walk_in_id("acme", "uid-1")

    answered(office, "keep_local", booking_id=booking_id, attempt_id=None, uid="uid-1")

    booking = office.booking(booking_id)
    assert (BookingStatus.BOOKED, ()) == (booking.status, booking.inconsistencies)
    assert [] == office.calcom.cancelled_by_us


@pytest.mark.parametrize(("note", "kept"), [("known to us", Remark(reason="known to us")), ("", None)])
def test_why_a_person_decided_so_is_kept_with_the_answer(note: str, kept: Remark | None) -> None:
    office = _flagged_walk_in()
    booking_id = walk_in_id("acme", "uid-1")

    answered(office, "keep_local", booking_id=booking_id, attempt_id=None, uid="uid-1", note=note)

    (last,) = office.log.events(booking_id)[-1:]
    assert isinstance(last, f.InconsistencyResolved)
    assert ("keep_local", "ada", kept) == (last.how, last.actor, last.person)


def test_why_a_person_decided_so_is_told_to_nobody_who_reads_the_story() -> None:
    office = _flagged_walk_in()
    booking_id = walk_in_id("acme", "uid-1")
    answered(office, "keep_local", booking_id=booking_id, attempt_id=None, uid="uid-1", note="Mrs Lovelace rang")

    recorded = office.run(office.log.read(booking_id))

    shown = (event_documents(recorded), story(recorded), timeline(recorded))
    assert [False] * 3 == ["Lovelace" in str(one) for one in shown]
    assert {"reason": MASK} == event_documents(recorded)[-1]["data"]["person"]


def test_what_was_flagged_and_then_moved_at_cal_com_can_still_be_decided() -> None:
    office = _flagged_walk_in()
    booking_id = walk_in_id("acme", "uid-1")
    office.calcom.person_moves("uid-1", timedelta(hours=3))
    office.run(office.sagas.convergence.converge("acme", "uid-2"))
    (listed,) = _failures(office, booking_id)

    answered(office, "keep_local", booking_id=booking_id, attempt_id=None, uid=listed.calcom_booking_id)

    (row,) = _failures(office, booking_id)
    assert ((), "resolved", "ada") == (office.booking(booking_id).inconsistencies, row.status, row.actor)


@pytest.mark.parametrize(
    ("answer", "error"),
    [("cancel", MadeElsewhere), ("absent", NothingToDecide), ("adopt", NothingToDecide), ("retry", NothingToDecide)],
)
def test_a_foreign_booking_is_never_changed_by_an_answer(answer: ReviewAnswer, error: type[Exception]) -> None:
    office = _flagged_walk_in()
    booking_id = walk_in_id("acme", "uid-1")

    with pytest.raises(error):
        answered(office, answer, booking_id=booking_id, attempt_id=None, uid="uid-1", adopt="uid-1")

    assert (1, [], 1) == (
        len(office.calcom.live()),
        office.calcom.cancelled_by_us,
        len(office.booking(booking_id).inconsistencies),
    )


def test_an_overlap_of_ours_that_a_person_made_at_cal_com_is_cancelled_on_demand() -> None:
    office = Office()
    with_row(
        office,
        *BOOKED,
        f.InconsistencyDetected(at=at(23), kind="time_drift", uid="uid-1", evidence="busy", repair="manual_review"),
    )
    at_cal_com(office)

    booking = answered(office, "cancel", attempt_id=None, uid="uid-1")

    assert (BookingStatus.CANCELLED, (), ["uid-1"]) == (
        booking.status,
        booking.inconsistencies,
        office.calcom.cancelled_by_us,
    )
