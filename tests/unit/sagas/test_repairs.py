"""
A person decides: in every state, with every answer, and what follows is the saga's.
"""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest

from domain import findings as f
from domain.booking import BookingStatus
from domain.errors import CustomerValidationError, NothingToDecide, UnknownBooking
from domain.events import BookingEvent
from domain.evolving import fold
from domain.findings import ReviewAnswer
from domain.ledger import LineStatus
from sagas.appending import DueAfter
from sagas.repairs import decided
from tests.fakes.calcom import LookFate
from tests.fakes.deciding import an_answer, answered, at_cal_com, with_row
from tests.fakes.desk import Desk
from tests.fakes.given import (
    ABSENT,
    BOOKED,
    BOOKING_ID,
    IN_DOUBT,
    at,
    attempted,
    cancellation,
    cancelled,
    cancelled_there,
    compensating,
    created,
    failed,
    given,
    looked,
    review,
    unknown,
)
from tests.fakes.moves import MOVE_IN_DOUBT, moved, requested, rescheduled
from tests.fakes.office import Office

LENGTH = timedelta(minutes=30)
OVERLAP = (
    requested(),
    moved(),
    rescheduled(overlaps=True),
    f.InconsistencyDetected(at=at(23), kind="time_drift", uid="uid-2", evidence="busy", repair="manual_review"),
    review(uid="uid-2", seconds=23),
)


def test_another_companys_booking_is_unknown() -> None:
    office = Office()
    office.given(*IN_DOUBT, review(uid=None))

    with pytest.raises(UnknownBooking):
        answered(office, "absent", company_id="other")


@pytest.mark.parametrize("answer", get_args(ReviewAnswer))
@pytest.mark.parametrize(
    "events", [BOOKED, (*ABSENT, failed()), (*BOOKED, cancellation(), cancelled_there(), cancelled())]
)
def test_where_nobody_was_asked_there_is_nothing_to_decide(
    events: tuple[BookingEvent, ...], answer: ReviewAnswer
) -> None:
    office = Office()
    office.given(*events)

    with pytest.raises(NothingToDecide):
        answered(office, answer, uid="uid-1")


def test_a_retry_of_what_the_saga_is_at_wakes_it() -> None:
    office = Office()
    office.given(*IN_DOUBT, looked(seconds=20, problem="http_502"))
    office.agenda.put(BOOKING_ID, DueAfter(delay=timedelta(hours=9)))

    async def main() -> timedelta | None:
        await office.sagas.repairs.answer(an_answer("retry"), patience=0)
        return await office.agenda.next_due()

    assert timedelta(0) == office.run(main())


def test_a_retry_looks_again_and_what_was_found_because_of_blindness_is_over() -> None:
    office = Office()
    blind = f.InconsistencyDetected(at=at(20), kind="orphan", uid=None, evidence="cannot look")
    office.given(*IN_DOUBT, blind, review(uid=None))
    at_cal_com(office)
    office.clock.advance(60)

    booking = answered(office, "retry")

    assert (BookingStatus.BOOKED, (), None) == (booking.status, booking.inconsistencies, booking.review)


def test_adopting_what_the_attempt_has_made_books_it() -> None:
    office = Office()
    office.given(*IN_DOUBT, review(uid=None))
    uid = at_cal_com(office)

    booking = answered(office, "adopt", adopt=uid)

    assert (BookingStatus.BOOKED, uid, 1) == (booking.status, booking.kept_uid, len(office.log.appointments))
    assert 1 == office.topics().count("manual-review-answered")


@pytest.mark.parametrize("state", ["of_another", "gone", "nowhere", "unreadable", "nonsense", "none"])
def test_what_cannot_be_adopted_is_refused_and_nothing_is_written(state: str) -> None:
    office = Office()
    office.given(*IN_DOUBT, review(uid=None))
    version = office.booking().version
    uid: str | None = at_cal_com(office, attempt_id="two" if state == "of_another" else "one")
    if state == "gone":
        office.calcom.person_cancels("uid-1")
    if state == "unreadable":
        office.calcom.traces.append(LookFate(does="errs"))
    uid = {"nowhere": "uid-9", "nonsense": "\x00", "none": None}.get(state, uid)

    with pytest.raises(CustomerValidationError) as caught:
        answered(office, "adopt", adopt=uid)

    assert (True, version) == (caught.value.has_field_error("uid"), office.booking().version)


def test_an_attempt_that_has_made_something_adopts_nothing_else() -> None:
    office = Office()
    office.given(*BOOKED, cancellation(), review())

    with pytest.raises(CustomerValidationError):
        answered(office, "adopt", uid="uid-1", adopt="uid-2")


def test_an_attempt_declared_absent_is_tried_again() -> None:
    office = Office()
    office.given(*IN_DOUBT, review(uid=None))

    booking = answered(office, "absent")

    assert BookingStatus.BOOKED is booking.status
    assert [LineStatus.ABSENT_FOR_GOOD, LineStatus.LIVE] == [line.status for line in booking.ledger.lines]


def test_cancelling_an_attempt_in_doubt_cancels_the_booking_once_it_is_known() -> None:
    office = Office()
    office.given(*IN_DOUBT, review(uid=None))
    at_cal_com(office)
    office.clock.advance(60)

    booking = answered(office, "cancel")

    assert (BookingStatus.CANCELLED, ["uid-1"]) == (booking.status, office.calcom.cancelled_by_us)


def test_keeping_the_local_side_of_an_attempt_in_doubt_sets_it_aside() -> None:
    office = Office()
    office.given(*IN_DOUBT, review(uid=None))

    booking = answered(office, "keep_local")

    assert LineStatus.SET_ASIDE is booking.ledger.lines[0].status
    assert booking.review is None


@pytest.mark.parametrize(
    "events",
    [
        (attempted(), created(), compensating(), review()),
        (*BOOKED, cancellation(), cancelled_there(), cancelled(), created(uid="uid-2", late=True), review(uid="uid-2")),
        (*BOOKED, created(uid="uid-2", late=True), review(uid="uid-2")),
    ],
)
def test_what_a_person_sets_aside_at_cal_com_is_not_taken_up_again(events: tuple[BookingEvent, ...]) -> None:
    office = Office()
    with_row(office, *events)
    for line in office.booking().ledger.lines:
        uid = at_cal_com(office)
        if line.status is LineStatus.CANCELLED:
            office.calcom.person_cancels(uid)
    (asked,) = office.booking().ledger.in_review
    answered(office, "keep_local", uid=asked.uid)
    stands = office.booking().version

    for _ in range(2):
        Desk(office).sweep()
        office.run(office.worker.run_due())

    assert (stands, []) == (office.booking().version, office.calcom.cancelled_by_us)


@pytest.mark.parametrize(
    ("answer", "status", "booked_here", "cancelled_there_by_us"),
    [
        ("retry", BookingStatus.CANCELLED, False, ["uid-1"]),
        ("cancel", BookingStatus.CANCELLED, False, ["uid-1"]),
        ("absent", BookingStatus.CANCELLED, False, []),
        ("keep_local", BookingStatus.BOOKED, True, []),
    ],
)
def test_a_cancellation_that_cal_com_refused(
    answer: ReviewAnswer, status: BookingStatus, booked_here: bool, cancelled_there_by_us: list[str]
) -> None:
    office = Office()
    with_row(office, *BOOKED, cancellation(), review())
    at_cal_com(office)

    booking = answered(office, answer, uid="uid-1")

    (row,) = office.log.appointments.values()
    assert (status, booked_here, cancelled_there_by_us) == (
        booking.status,
        row.booked,
        office.calcom.cancelled_by_us,
    )


@pytest.mark.parametrize(
    ("answer", "status", "booked_here", "cancelled_there_by_us", "left"),
    [
        ("retry", BookingStatus.BOOKED, True, [], 1),
        ("keep_local", BookingStatus.BOOKED, True, [], 0),
        ("cancel", BookingStatus.CANCELLED, False, ["uid-2"], 0),
        ("absent", BookingStatus.CANCELLED, False, [], 0),
    ],
)
def test_a_move_into_a_time_that_is_taken(
    answer: ReviewAnswer, status: BookingStatus, booked_here: bool, cancelled_there_by_us: list[str], left: int
) -> None:
    office = Office()
    with_row(office, *BOOKED, *OVERLAP)
    at_cal_com(office, moved_to_later=True)

    booking = answered(office, answer, uid="uid-2")

    (row,) = office.log.appointments.values()
    assert (status, booked_here, cancelled_there_by_us, left) == (
        booking.status,
        row.booked,
        office.calcom.cancelled_by_us,
        len(booking.inconsistencies),
    )


def test_cancelling_a_surplus_leaves_the_appointment_alone() -> None:
    surplus = (created(uid="uid-9", late=True), review(uid="uid-9"))
    wish = an_answer("cancel", uid="uid-9")
    for events in ((*BOOKED, *surplus), (*BOOKED, *surplus, requested()), (*BOOKED, *surplus, *MOVE_IN_DOUBT)):
        booking = given(*events)
        (line,) = booking.ledger.in_review

        after = fold(booking, decided(booking, wish, line, None, now=at(90)))

        assert (booking.goal, booking.ended, None) == (after.goal, after.ended, after.cancellation)
        assert ["uid-9"] == [one.uid for one in after.surplus]


def test_a_booking_that_is_kept_here_forgets_its_move() -> None:
    booking = given(*BOOKED, *MOVE_IN_DOUBT, cancellation(seconds=40), review())
    (line,) = booking.ledger.in_review

    after = fold(booking, decided(booking, an_answer("keep_local", uid="uid-1"), line, None, now=at(90)))

    assert (BookingStatus.BOOKED, None) == (after.status, after.move)


def test_the_answer_says_how_the_booking_stands_after_it() -> None:
    booking = given(attempted(), created(), compensating(), review())
    (line,) = booking.ledger.in_review

    answered = decided(booking, an_answer("retry", uid="uid-1"), line, None, now=at(90))[0]

    assert isinstance(answered, f.ManualReviewAnswered)
    assert ("compensating", "slot_taken", "in the way", "ada", "I looked") == (
        answered.status_after,
        answered.reason_after,
        answered.detail_after,
        answered.actor,
        answered.person.reason,
    )


def test_one_of_two_reviews_leaves_the_other_open() -> None:
    booking = given(
        attempted(), unknown(), attempted("two", number=2), unknown("two"), review(uid=None), review("two", None)
    )
    line = booking.ledger.in_review[0]

    after = fold(booking, decided(booking, an_answer("absent"), line, None, now=at(90)))

    assert (BookingStatus.NEEDS_REVIEW, ["two"]) == (after.status, [one.attempt_id for one in after.ledger.in_review])
