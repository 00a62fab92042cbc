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
from domain.errors import CalcomBookingError, CustomerValidationError, MadeElsewhere
from domain.findings import ReviewAnswer
from domain.person import Remark
from projections.failures import SyncFailure
from projections.masking import MASK
from projections.story import story
from projections.sync_failures import evolve_recorded
from projections.timeline import timeline
from sagas.appending import DueAfter
from sagas.walk_in import walk_in_id
from tests.fakes.calcom import LookFate
from tests.fakes.deciding import answered, at_cal_com, with_row
from tests.fakes.desk import a_booked_desk
from tests.fakes.given import (
    BOOKED,
    BOOKING_ID,
    IN_DOUBT,
    at,
    created,
    failed,
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
    [("cancel", MadeElsewhere), ("absent", CustomerValidationError), ("adopt", CustomerValidationError)],
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


@pytest.mark.parametrize(
    ("finding", "wrong", "fitting"),
    [
        (
            f.InconsistencyDetected(at=at(23), kind="ghost", uid="uid-1", evidence="", repair="manual_review"),
            "cancel",
            "keep_local or absent",
        ),
        (
            f.InconsistencyDetected(at=at(23), kind="time_drift", uid="uid-1", evidence="", repair="manual_review"),
            "absent",
            "keep_local or cancel",
        ),
        (
            f.InconsistencyDetected(at=at(23), kind="orphan", uid="uid-1", evidence="", repair="cancel"),
            "keep_local",
            "retry",
        ),
        (f.InconsistencyDetected(at=at(23), kind="orphan", uid=None, evidence=""), "absent", "retry"),
    ],
)
def test_an_answer_that_does_not_fit_says_what_does(
    finding: f.InconsistencyDetected, wrong: ReviewAnswer, fitting: str
) -> None:
    office = Office()
    with_row(office, *BOOKED, finding)

    with pytest.raises(CustomerValidationError) as refused:
        answered(office, wrong, attempt_id=None, uid=finding.uid)

    assert fitting in (refused.value.get_field_error("answer") or "")
    assert (finding,) == office.booking().inconsistencies


def test_a_foreign_booking_is_said_to_be_kept_or_compared_again() -> None:
    office = _flagged_walk_in()

    with pytest.raises(CustomerValidationError, match=r"keep_local fits, .*retry"):
        answered(office, "absent", booking_id=walk_in_id("acme", "uid-1"), attempt_id=None, uid="uid-1")


def test_a_retry_of_what_still_differs_leaves_it_to_the_person() -> None:
    office, booking_id = _flagged_walk_in(), walk_in_id("acme", "uid-1")
    version = office.booking(booking_id).version

    answered(office, "retry", booking_id=booking_id, attempt_id=None, uid="uid-1")

    booking = office.booking(booking_id)
    assert (version, ["foreign_booking"]) == (booking.version, [one.kind for one in booking.inconsistencies])
    assert "manual_review" == _failures(office, booking_id)[0].status


def test_a_retry_sees_what_has_become_of_it_at_cal_com() -> None:
    office, booking_id = _flagged_walk_in(), walk_in_id("acme", "uid-1")
    office.calcom.person_cancels("uid-1")

    answered(office, "retry", booking_id=booking_id, attempt_id=None, uid="uid-1")

    booking = office.booking(booking_id)
    assert (BookingStatus.CANCELLED, ()) == (booking.status, booking.inconsistencies)
    assert {"resolved"} == {one.status for one in _failures(office, booking_id)}


@pytest.mark.parametrize("back", [True, False])
def test_a_retry_looks_for_what_is_missed(*, back: bool) -> None:
    desk = a_booked_desk()
    lost = desk.office.calcom.bookings.pop("uid-1")
    desk.sweep()
    if back:
        desk.office.calcom.bookings["uid-1"] = lost

    booking = answered(desk.office, "retry", attempt_id=None, uid="uid-1")

    (row,) = _failures(desk.office, BOOKING_ID)
    assert (BookingStatus.BOOKED, 0 if back else 1) == (booking.status, len(booking.inconsistencies))
    assert ("resolved", "seen") if back else ("manual_review", None) == (row.status, row.resolution)


def test_a_retry_wakes_the_saga_of_a_booking_that_has_ended() -> None:
    office = Office()
    owed = f.InconsistencyDetected(at=at(23), kind="orphan", uid="uid-1", evidence="", repair="cancel")
    office.given(*IN_DOUBT, failed(), created(late=True), owed)
    at_cal_com(office)
    office.agenda.put(BOOKING_ID, DueAfter(delay=timedelta(hours=9)))

    booking = answered(office, "retry", attempt_id=None, uid="uid-1")

    assert (["uid-1"], ()) == (office.calcom.cancelled_by_us, booking.inconsistencies)


def test_a_retry_that_cannot_read_cal_com_says_so() -> None:
    office, booking_id = _flagged_walk_in(), walk_in_id("acme", "uid-1")
    office.calcom.traces.append(LookFate(does="errs"))

    with pytest.raises(CalcomBookingError) as away:
        answered(office, "retry", booking_id=booking_id, attempt_id=None, uid="uid-1")

    assert (True, 1) == (away.value.transient, len(office.booking(booking_id).inconsistencies))
