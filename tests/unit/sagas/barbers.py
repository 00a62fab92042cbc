"""
A group of three barbers, and wishes for anybody of them.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from domain.period import Period
from domain.service import Service
from domain.wish import BookAppointment, CustomerWish
from sagas.ports import DiaryPage
from sagas.wishes import BookingResult
from tests.fakes.given import SERVICE, SLOT, wish
from tests.fakes.office import Office

ANN = replace(SERVICE, staff_group="barbers")
BEN = replace(ANN, service_id="cut-ben", staff_id="ben", calcom_event_type_id=2)
CAL = replace(ANN, service_id="cut-cal", staff_id="cal", calcom_event_type_id=3)
HOUR = timedelta(hours=1)


def barbers(*others: Service) -> Office:
    return Office(service=ANN, others=(BEN, CAL, *others))


def of(number: int, *, hours: int = 0, group: str | None = "barbers", **more: object) -> BookAppointment:
    """
    Return the wish of one customer, at an hour of the same day.
    """
    customer = CustomerWish(name=f"Customer {number}", phone=f"+49170{1_000_000 + number}")
    return wish(customer=customer, starts_at=SLOT + hours * HOUR, staff_group=group, **more)


def in_turn(office: Office, *wishes: BookAppointment) -> list[BookingResult]:
    async def main() -> list[BookingResult]:
        return [await office.orchestrator.book(one) for one in wishes]

    return office.run(main())


def at_once(office: Office, *wishes: BookAppointment) -> list[BookingResult]:
    async def main() -> list[BookingResult]:
        return await asyncio.gather(*(office.orchestrator.book(one) for one in wishes))

    return office.run(main())


def staff_of(results: Sequence[BookingResult]) -> list[str | None]:
    return [one.booking.facts.staff_id for one in results]


def ended(results: Sequence[BookingResult]) -> Counter[tuple[str, str | None]]:
    return Counter(
        (one.booking.status.value, None if one.booking.failure is None else one.booking.failure.reason)
        for one in results
    )


async def knows_of_nothing(period: Period, *, company_id: str, staff_ids: Sequence[str]) -> DiaryPage:
    return DiaryPage(busy=())
