"""
Several services in a row, at the fakes: from the wish to its end, and what people do to a leg.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain import findings as f
from domain.booking import Booking, BookingStatus
from domain.composite import LegEvent
from domain.errors import CannotBeMoved, CustomerValidationError, KeyReused, NothingToDecide
from domain.events import AppointmentPersistenceFailed
from domain.webhook import webhook_id_of
from sagas.appending import Customer
from sagas.inbox import IncomingWebhook
from sagas.repairs import AnswerReview
from sagas.wishes import BookingResult, CancelAppointment, RescheduleAppointment
from tests.fakes.calcom import CreateFate
from tests.fakes.given import SLOT
from tests.fakes.legs import COLOR, COMPOSITE_ID, HOUR, SERVICES, SHAVE, WISH, wish
from tests.fakes.office import Office


def _office() -> Office:
    return Office(others=SERVICES)


def _booked(office: Office) -> Booking:
    async def main() -> BookingResult:
        return await office.orchestrator.book_composite(WISH)

    return office.run(main()).booking


def _standing(office: Office) -> list[str]:
    return [leg.status.value for leg in office.booking(COMPOSITE_ID).legs]


def _converged(office: Office, uid: str) -> str | None:
    return office.run(office.sagas.convergence.converge("acme", uid, finding=True)).outcome


def _answered(office: Office, answer: f.ReviewAnswer, uid: str) -> Booking:
    asked = AnswerReview(
        company_id="acme",
        booking_id=COMPOSITE_ID,
        attempt_id=None,
        uid=uid,
        answer=answer,
        adopt=None,
        actor="key-1",
        note="said so",
    )
    return office.run(office.sagas.repairs.answer(asked, patience=60)).booking


def test_all_legs_are_booked_with_one_commit_for_each_call_and_one_more() -> None:
    office = _office()
    booking = _booked(office)

    assert (BookingStatus.BOOKED, 4, {}) == (booking.status, office.log.commits, office.agenda.rows)
    rows = [one.inserted for one in office.log.appointments.values()]
    assert [(1, "cut"), (2, "shave"), (3, "color")] == [(row.leg, row.service_id) for row in rows]
    assert ({COMPOSITE_ID}, {}) == ({row.booking_id for row in rows}, office.log.claims)
    assert [COMPOSITE_ID] * 3 == [one.booking_id for one in office.calcom.live()]


def test_whoever_was_a_customer_before_is_meant_by_all_legs() -> None:
    office = _office()
    known = Customer(customer_id=COMPOSITE_ID, company_id="acme", name="Ada", email=None, phone="+491701234567")
    office.log.customers[known.customer_id] = known

    booking = _booked(office)

    assert {known.customer_id} == {leg.facts.customer_id for leg in (booking, *booking.legs)}
    assert booking.composite is not None
    assert known.customer_id == booking.composite.customer_id
    assert [1, 2, 3] == sorted(one.inserted.leg for one in office.log.appointments.values())


def test_legs_in_each_others_way_are_all_undone() -> None:
    # Cal.com's length of the shave is not the one that is known here, and the same person serves the color after it.
    office = Office(others=(SHAVE, replace(COLOR, staff_id="bob")))
    real_commit = office.calcom.commit

    def commit(**facts: object) -> object:
        if facts["event_type_id"] == SHAVE.calcom_event_type_id:
            facts["ends_at"] = SLOT + timedelta(minutes=100)
        return real_commit(**facts)  # type: ignore[arg-type]

    office.calcom.commit = commit  # type: ignore[method-assign, assignment]
    booking = _booked(office)

    events = (one.event for one in office.log.all_events(COMPOSITE_ID) if isinstance(one, LegEvent))
    refused = [one for one in events if isinstance(one, AppointmentPersistenceFailed)]
    assert [("staff_overlap", None)] == [(one.reason, one.obstacle_id) for one in refused]
    assert (BookingStatus.FAILED, (), {}) == (booking.status, office.calcom.live(), office.log.appointments)


def test_unknown_services_and_wrong_legs_store_nothing() -> None:
    office = Office()

    async def main() -> None:
        await office.orchestrator.book_composite(WISH)

    with pytest.raises(CustomerValidationError) as wrong:
        office.run(main())

    assert ["legs[1].service_id", "legs[2].service_id"] == [one.field for one in wrong.value.errors]
    assert (wrong.value.correlation_id != "", {}) == (True, office.log.streams)


def test_an_old_wish_is_answered_with_what_became_of_it() -> None:
    office = _office()
    first = _booked(office)
    office.clock.advance(timedelta(days=2).total_seconds())

    async def main(**changes: object) -> BookingResult:
        return await office.orchestrator.book_composite(wish(**changes))

    again = office.run(main())
    with pytest.raises(CustomerValidationError):
        office.run(main(source="web"))
    with pytest.raises(CustomerValidationError):
        office.run(main(legs=WISH.legs[:1]))

    assert (True, first.booking_id) == (again.replayed, again.booking.booking_id)


def test_it_cannot_be_moved() -> None:
    office = _office()
    _booked(office)
    move = RescheduleAppointment(company_id="acme", booking_id=COMPOSITE_ID, starts_at=SLOT + HOUR)

    with pytest.raises(CannotBeMoved):
        office.run(office.orchestrator.reschedule(move))


def test_a_cancellation_cancels_every_leg_and_is_one_command() -> None:
    office = _office()
    _booked(office)
    cancel = CancelAppointment(company_id="acme", booking_id=COMPOSITE_ID, reason="ill", idempotency_key="c")

    done = office.run(office.orchestrator.cancel(cancel))
    again = office.run(office.orchestrator.cancel(cancel))
    with pytest.raises(KeyReused):
        office.run(office.orchestrator.cancel(replace(cancel, reason="no need")))

    assert (["cancelled"] * 3, (), True) == (_standing(office), office.calcom.live(), again.replayed)
    assert done.booking.status is BookingStatus.CANCELLED
    assert not any(one.booked for one in office.log.appointments.values())


def test_a_leg_that_is_cancelled_there_goes_alone_and_a_person_is_told() -> None:
    office = _office()
    _booked(office)
    office.calcom.person_cancels("uid-2")

    outcomes = [_converged(office, "uid-2") for _ in range(2)]

    assert ["cancelled", "equal"] == outcomes
    assert ["booked", "cancelled", "booked"] == _standing(office)
    (told,) = office.booking(COMPOSITE_ID).inconsistencies
    assert ("status_drift", "manual_review", "uid-2") == (told.kind, told.repair, told.uid)
    assert [True, False, True] == [one.booked for one in office.log.appointments.values()]


@pytest.mark.parametrize(
    ("answer", "standing"),
    [("keep_local", ["booked", "cancelled", "booked"]), ("cancel", ["cancelled", "cancelled", "cancelled"])],
)
def test_a_person_decides_what_becomes_of_the_rest(answer: f.ReviewAnswer, standing: list[str]) -> None:
    office = _office()
    _booked(office)
    office.calcom.person_cancels("uid-2")
    _converged(office, "uid-2")

    booking = _answered(office, answer, "uid-2")

    assert (standing, ()) == (_standing(office), booking.inconsistencies)
    with pytest.raises(NothingToDecide):
        _answered(office, answer, "uid-2")


def test_once_all_legs_are_cancelled_there_nobody_need_decide() -> None:
    office = _office()
    _booked(office)
    for uid in ("uid-1", "uid-3", "uid-2"):
        office.calcom.person_cancels(uid)
        _converged(office, uid)
    office.let_pass(300)

    booking = office.booking(COMPOSITE_ID)
    assert (BookingStatus.CANCELLED, ()) == (booking.status, booking.inconsistencies)
    assert {} == office.agenda.rows


def test_a_leg_that_is_moved_there_is_followed() -> None:
    office = _office()
    _booked(office)
    office.calcom.person_moves("uid-3", timedelta(hours=3))

    assert "moved" == _converged(office, "uid-3")
    assert (["booked"] * 3, SLOT + timedelta(hours=5)) == (_standing(office), office.booking(COMPOSITE_ID).ends_at)


def test_a_leg_that_is_missed_is_flagged_and_a_person_says_that_it_is_gone() -> None:
    office = _office()
    _booked(office)

    flagged = office.run(office.sagas.convergence.flag_missing(COMPOSITE_ID, "uid-2"))
    _answered(office, "absent", "uid-2")

    assert "flagged" == flagged.outcome
    assert ["booked", "cancelled", "booked"] == _standing(office)
    assert [True, False, True] == [one.booked for one in office.log.appointments.values()]


def test_a_leg_that_a_person_lets_stand_is_not_missed_again() -> None:
    office = _office()
    _booked(office)
    convergence = office.sagas.convergence
    office.run(convergence.flag_missing(COMPOSITE_ID, "uid-2"))
    _answered(office, "keep_local", "uid-2")

    again = [office.run(convergence.flag_missing(COMPOSITE_ID, uid)).outcome for uid in ("uid-2", "uid-3")]

    assert (["equal", "flagged"], ["booked"] * 3) == (again, _standing(office))


def test_what_has_changed_meanwhile_is_compared_again() -> None:
    office = _office()
    _booked(office)
    office.calcom.person_cancels("uid-2")
    office.calcom.person_cancels("uid-1")
    read, seen = office.log.read, 0

    async def stale(stream_id: object) -> object:
        nonlocal seen
        seen += 1
        if seen == 2:
            # Between the comparison and the write, another process has done the same.
            office.log.read = read  # type: ignore[method-assign]
            await office.another_process().convergence.converge("acme", "uid-2")
        return await read(stream_id)  # type: ignore[arg-type]

    office.log.read = stale  # type: ignore[method-assign, assignment]

    assert "equal" == _converged(office, "uid-2")
    assert ["booked", "cancelled", "booked"] == _standing(office)


def test_a_row_of_a_leg_that_lives_no_more_makes_way() -> None:
    office = _office()
    _booked(office)
    office.calcom.person_cancels("uid-2")
    other = replace(WISH, legs=(WISH.legs[0], WISH.legs[1]), source="web", allow_near_duplicate=True)
    row = next(one.inserted for one in office.log.appointments.values() if one.inserted.leg == 2)
    claims = office.log._claim_refusal

    office.log._claim_refusal = lambda *_: None  # type: ignore[method-assign]
    legs = (replace(other.legs[1], starts_at=row.starts_at), replace(other.legs[0], starts_at=SLOT + 5 * HOUR))

    async def main() -> BookingResult:
        return await office.orchestrator.book_composite(replace(other, legs=legs))

    booking = office.run(main()).booking
    office.log._claim_refusal = claims  # type: ignore[method-assign]

    assert BookingStatus.BOOKED is booking.status
    assert ["booked", "cancelled", "booked"] == _standing(office)
    assert ["status_drift"] == [one.kind for one in office.booking(COMPOSITE_ID).inconsistencies]


def test_a_webhook_about_a_leg_is_known_already() -> None:
    office = _office()
    _booked(office)
    told = IncomingWebhook(
        company_id="acme", digest="d", trigger="BOOKING_CREATED", uid="uid-2", booking_id=COMPOSITE_ID
    )
    office.run(office.sagas.inbox.receive(told))
    office.let_pass(5)

    processed = office.log.webhook(webhook_id_of("acme", "d")).processed
    assert ("equal", ["booked"] * 3) == (None if processed is None else processed.outcome, _standing(office))


def test_an_answer_that_is_lost_is_found_by_its_leg_alone() -> None:
    office = _office()
    office.calcom.creates.extend((CreateFate(), CreateFate(does="committed")))
    _booked(office)
    office.let_pass(300)

    doubted = [[line.doubted_at is not None for line in leg.ledger.lines] for leg in office.booking(COMPOSITE_ID).legs]
    assert (["booked"] * 3, 3) == (_standing(office), len(office.calcom.live()))
    assert [[False], [True], [False]] == doubted
