"""
Composites whose legs are gone, doubled, moved or held back while others wait.
"""

from __future__ import annotations

from datetime import timedelta

from domain import events as e
from domain.booking import Booking
from domain.composite import LegEvent
from sagas.appending import Append, AppendResult
from sagas.converging import NotNow, compare
from sagas.inbox import IncomingWebhook
from sagas.next_step import next_step
from sagas.steps import Done
from sagas.wishes import CancelAppointment
from tests.fakes.calcom import CancelFate, CreateFate
from tests.fakes.given import POLICY, SLOT, at, attempted, unknown
from tests.fakes.legs import COMPOSITE_ID, HOUR, SERVICES, WISH, composite, leg
from tests.fakes.moves import gone
from tests.fakes.office import Office
from tests.unit.domain.test_legs import MADE
from tests.unit.sagas.test_composites import _answered, _booked, _office, _standing
from tests.unit.sagas.test_next_of_legs import REVIEW


def _held_back(office: Office, first: CreateFate, *, seconds: float) -> Booking:
    office.calcom.creates.extend((first, CreateFate(does="deferred", retry_after=seconds)))
    return office.run(office.orchestrator.book_composite(WISH, patience=5)).booking


def _cancel(reason: str, key: str) -> CancelAppointment:
    return CancelAppointment(company_id="acme", booking_id=COMPOSITE_ID, reason=reason, idempotency_key=key)


def test_a_leg_that_people_cancel_while_it_waits_takes_the_others_back() -> None:
    office = _office()
    _held_back(office, CreateFate(), seconds=3 * 3600)
    office.calcom.person_cancels("uid-1")
    told = IncomingWebhook(
        company_id="acme", digest="d", trigger="BOOKING_CANCELLED", uid="uid-1", booking_id=COMPOSITE_ID
    )
    office.run(office.sagas.inbox.receive(told))
    office.let_pass(5 * 3600)

    assert ["failed"] * 3 == _standing(office)
    assert () == office.calcom.live()
    stored = [one.event for one in office.log.all_events(COMPOSITE_ID) if isinstance(one, LegEvent)]
    assert not any(isinstance(event, e.AppointmentBooked) for event in stored)


def test_what_is_gone_and_was_never_this_legs_waits_for_its_saga() -> None:
    waiting = composite(*MADE[:2], *leg(2, attempted("a2"), unknown("a2"))).legs

    assert NotNow.UNDER_WAY is compare(waiting[0], gone("uid-7"), now=at(90))
    assert NotNow.IN_DOUBT is compare(waiting[1], gone("uid-7"), now=at(90))


def test_what_a_leg_owes_is_undone_while_it_waits() -> None:
    office = _office()
    _held_back(office, CreateFate(does="double"), seconds=3000)
    office.let_pass(600)

    first = SERVICES[0].calcom_event_type_id
    assert 1 == len([one for one in office.calcom.live() if one.event_type_id == first])


def test_what_a_leg_owes_is_undone_while_another_waits_for_a_person() -> None:
    second = e.CalcomBookingCreated(
        at=at(3),
        attempt_id="a1",
        uid="uid-9",
        starts_at=SLOT,
        ends_at=SLOT + HOUR / 2,
        calcom_status="accepted",
        how="adopted",
        late=False,
    )
    whole = composite(*MADE[:2], *leg(1, second), *leg(2, attempted("a2"), unknown("a2"), REVIEW))

    assert ["uid-9"] == [line.uid for line in whole.surplus]
    assert Done() != next_step(whole, at(90), POLICY)


def test_a_cancellation_that_lost_to_somebody_else_is_asked_again() -> None:
    office = _office()
    _booked(office)
    office.calcom.cancels.append(CancelFate(does="refuses"))
    office.run(office.orchestrator.cancel(_cancel("ill", "c1")))
    _answered(office, "keep_local", "uid-3")
    assert ["cancelled", "cancelled", "booked"] == _standing(office)
    office.calcom.person_moves("uid-3", timedelta(hours=3))
    append = office.log.append

    async def late(one: Append) -> AppendResult:
        # Between reading and writing, another process follows the move.
        office.log.append = append  # type: ignore[method-assign]
        await office.another_process().convergence.converge("acme", "uid-4")
        return await append(one)

    office.log.append = late  # type: ignore[assignment, method-assign]
    office.run(office.orchestrator.cancel(_cancel("really", "c2")))
    office.let_pass(300)

    assert ["cancelled"] * 3 == _standing(office)


def test_the_same_wish_finds_its_composite_though_people_have_moved_a_leg() -> None:
    office = _office()
    first = _booked(office)
    office.calcom.person_moves("uid-3", timedelta(hours=3))
    office.run(office.sagas.convergence.converge("acme", "uid-3", finding=True))

    again = office.run(office.orchestrator.book_composite(WISH))

    assert (first.booking_id, True) == (again.booking.booking_id, again.replayed)


def test_the_answer_to_a_gone_leg_leaves_alone_what_has_taken_place() -> None:
    office = _office()
    _booked(office)
    office.calcom.person_cancels("uid-3")
    office.run(office.sagas.convergence.converge("acme", "uid-3", finding=True))
    office.clock.advance((SLOT + timedelta(minutes=50) - office.clock.now()).total_seconds())

    _answered(office, "cancel", "uid-3")

    assert ["uid-2"] == office.calcom.cancelled_by_us
