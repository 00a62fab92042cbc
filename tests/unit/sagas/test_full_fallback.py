"""
Bookings while full fallback holds: they wait at no cost, lose nothing, and come in turn once it is over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise

import pytest

from domain.booking import BookingStatus
from domain.composite import LegEvent
from domain.events import BookingDeferred, CalcomBookingAttempted
from domain.full_fallback import FULL_FALLBACK
from domain.policy import LINE, Policy
from sagas.deferring import record_held_back
from sagas.effects import Effects
from sagas.engine import IN_LINE
from sagas.next_step import in_line_until
from sagas.outcomes import NotSent
from sagas.steps import CancelAtCalcom, Change, CreateAtCalcom
from tests.fakes.calcom import CreateFate
from tests.fakes.given import BOOKING_ID, WISH
from tests.fakes.legs import COMPOSITE_ID, SERVICES
from tests.fakes.legs import WISH as SEVERAL
from tests.fakes.office import Office
from tests.unit.sagas.front_door import CANCEL

HALF_AN_HOUR = 1800.0
CAP = Policy().retry.cap


@dataclass
class Switch:
    """
    Holds creates back until a moment, or until it is switched off.
    """

    office: Office
    until: float = field(init=False)

    def __post_init__(self) -> None:
        self.until = self.office.clock.seconds + HALF_AN_HOUR
        self.office.calendar.held_back = self.held_back  # type: ignore[method-assign]

    def held_back(self, effect: Change) -> NotSent | None:
        if isinstance(effect, CancelAtCalcom):
            return None
        left = self.until - self.office.clock.seconds
        return NotSent(reason=FULL_FALLBACK, detail="", retry_after=left, defer=True) if left > 0 else None

    def off(self) -> None:
        self.until = self.office.clock.seconds

    async def woken(self) -> None:
        for saga_id in list(self.office.agenda.rows):
            await self.office.agenda.wake(saga_id)
        await self.office.worker.run_due()


def switched_on(office: Office | None = None) -> tuple[Office, Switch]:
    office = office or Office()
    return office, Switch(office)


async def book(office: Office) -> BookingStatus:
    return (await office.orchestrator.book(WISH, patience=10)).booking.status


def test_a_booking_is_taken_with_one_append_and_answered_at_once() -> None:
    office, _ = switched_on()
    began = office.clock.seconds

    assert BookingStatus.PENDING is office.run(book(office))

    assert began == office.clock.seconds
    assert ["initiated", "deferred"] == office.topics()
    assert 1 == office.log.commits
    row = office.agenda.rows[BOOKING_ID]
    assert (IN_LINE, None) == (row.priority, row.token)
    assert CAP <= row.due_at - began <= CAP + LINE.total_seconds()
    assert {} == office.calcom.bookings


def test_whoever_asks_again_is_told_the_same_at_once() -> None:
    office, _ = switched_on()

    async def main() -> list[BookingStatus]:
        return [await book(office), await book(office)]

    assert [BookingStatus.PENDING] * 2 == office.run(main())
    assert ["initiated", "deferred"] == office.topics()


def test_nobody_waits_for_its_end_however_patient_and_however_near_that_is() -> None:
    office, switch = switched_on()
    switch.until = office.clock.seconds + 5

    async def main() -> BookingStatus:
        return (await office.orchestrator.book(WISH, patience=60)).booking.status

    assert BookingStatus.PENDING is office.run(main())
    assert switch.until - 5 == office.clock.seconds


def test_who_is_woken_too_soon_waits_on_without_a_word_in_the_log() -> None:
    office, switch = switched_on()

    async def main() -> float:
        await book(office)
        due_at = office.agenda.rows[BOOKING_ID].due_at
        for _ in range(3):
            await switch.woken()
        return due_at

    due_at = office.run(main())

    row = office.agenda.rows[BOOKING_ID]
    assert (IN_LINE, None) == (row.priority, row.token)
    assert due_at == pytest.approx(row.due_at)
    assert ["initiated", "deferred"] == office.topics()


def test_who_is_woken_when_it_is_over_is_booked_in_turn() -> None:
    office, switch = switched_on()

    async def main() -> None:
        await book(office)
        switch.off()
        await switch.woken()

    office.run(main())

    booking = office.booking()
    assert (BookingStatus.BOOKED, "degradation", None) == (
        booking.status,
        booking.resilience_strategy,
        booking.breaker_open_at,
    )
    assert 1 == office.drain.turns
    assert 1 == len(office.calcom.bookings)


def test_whom_nobody_wakes_is_booked_when_its_time_is_over() -> None:
    office, _ = switched_on()
    office.run(book(office))

    office.let_pass(HALF_AN_HOUR + 60)

    assert BookingStatus.BOOKED is office.booking().status
    # As long as it lasts, a line in the log for each longest wait.
    assert HALF_AN_HOUR / CAP == office.topics().count("deferred")


def test_what_is_too_late_by_then_fails_as_expired() -> None:
    office = Office(policy=Policy(expiry=timedelta(minutes=5)))
    office, _ = switched_on(office)
    office.run(book(office))

    office.let_pass(310)

    booking = office.booking()
    assert booking.failure is not None
    assert (BookingStatus.FAILED, "expired") == (booking.status, booking.failure.reason)
    assert {} == office.calcom.bookings


def test_what_is_not_sent_afterwards_is_tried_again_in_time_and_not_all_at_once() -> None:
    office, switch = switched_on()
    office.calcom.creates.extend([CreateFate(does="not_sent")] * 2)

    async def main() -> None:
        await book(office)
        switch.off()
        await switch.woken()

    office.run(main())
    assert 1 == office.topics().count("calcom-not-sent")
    office.let_pass(60)

    assert BookingStatus.BOOKED is office.booking().status
    tries = [event.at for event in office.log.events(BOOKING_ID) if isinstance(event, CalcomBookingAttempted)]
    waits = [(later - sooner).total_seconds() for sooner, later in pairwise(tries)]
    assert [1, 2] == [round(wait) for wait in waits]


def test_a_composite_waits_as_a_whole() -> None:
    office, switch = switched_on(Office(others=SERVICES[1:]))

    async def main() -> list[BookingStatus]:
        before = (await office.orchestrator.book_composite(SEVERAL, patience=10)).booking.status
        await switch.woken()
        switch.off()
        await switch.woken()
        return [before, office.booking(COMPOSITE_ID).status]

    assert [BookingStatus.PENDING, BookingStatus.BOOKED] == office.run(main())
    waits = [
        one.event.leg
        for one in office.log.streams[COMPOSITE_ID]
        if isinstance(one.event, LegEvent) and isinstance(one.event.event, BookingDeferred)
    ]
    assert [1] == waits
    assert len(SERVICES) == len(office.calcom.bookings)


def test_a_cancellation_does_not_wait_for_its_end() -> None:
    office, _ = switched_on()

    async def main() -> BookingStatus:
        await book(office)
        return (await office.orchestrator.cancel(CANCEL, patience=10)).booking.status

    assert BookingStatus.CANCELLED is office.run(main())
    assert {} == office.agenda.rows


def test_only_who_waits_for_it_to_end_is_in_line() -> None:
    office = Office()
    office.run(book(office))

    assert in_line_until(office.booking()) is None


def test_there_is_nothing_to_hold_back_once_there_is_nothing_to_create() -> None:
    office, switch = switched_on()
    create = CreateAtCalcom(number=1)
    held_back = switch.held_back(create)
    assert held_back is not None
    office.run(book(office))
    office.run(office.orchestrator.cancel(CANCEL))

    assert () == record_held_back(
        office.booking(), CreateAtCalcom(number=1), held_back, now=office.clock.now(), policy=office.policy
    )


def test_who_has_lost_the_saga_defers_nothing() -> None:
    office, _ = switched_on()
    effects = Effects(
        log=office.log,
        calendars=office.calendar,
        appointments=office.appointments,
        drain=office.drain,
        clock=office.clock,
        ids=office.ids,
        policy=office.policy,
    )
    run = office.engine.begin(office.given())
    run.rerecord = lambda _booking: ()

    async def lost() -> bool:
        return False

    assert office.run(effects.perform(run, CreateAtCalcom(number=1), lost)) is None
