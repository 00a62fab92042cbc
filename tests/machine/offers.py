"""
What can be booked, by whom and when: so little of it that everybody is in everybody's way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from adapters.directory.services import ServiceWish
from domain.wish import BookAppointment, BookComposite, CustomerWish, LegWish
from tests.fakes.time import START

COMPANY: Final = "default"
MORNING: Final = START.replace(hour=10) + timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """
    A service here, and its event type and host at Cal.com.
    """

    event_type_id: int
    host: int
    minutes: int
    staff_id: str | None


OFFERS: Final = {
    "cut": Offer(event_type_id=101, host=21, minutes=30, staff_id="ann"),
    "color": Offer(event_type_id=102, host=21, minutes=60, staff_id="ann"),
    "shave": Offer(event_type_id=103, host=22, minutes=30, staff_id="bob"),
    "talk": Offer(event_type_id=104, host=23, minutes=30, staff_id=None),
}
CUSTOMERS: Final = {
    "Ada": CustomerWish(name="Ada Lovelace", phone="+491701234567"),
    "Ida": CustomerWish(name="Ida Rhodes", email="ida@mail.example"),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """
    What somebody asks calsaga for; of two services if it is a `row`. With a `key`, or without one.
    """

    who: str
    what: str
    at: str
    key: str | None = None

    def request(self) -> BookAppointment | BookComposite:
        customer = CUSTOMERS[self.who]
        if self.what == "row":
            legs = (LegWish(service_id="shave", starts_at=clock_time(self.at)), LegWish(service_id="cut"))
            return BookComposite(
                company_id=COMPANY,
                legs=legs,
                customer=customer,
                time_zone="UTC",
                source="phone",
                idempotency_key=self.key,
            )
        return BookAppointment(
            company_id=COMPANY,
            service_id=self.what,
            customer=customer,
            starts_at=clock_time(self.at),
            time_zone="UTC",
            source="phone",
            staff_id=OFFERS[self.what].staff_id,
            idempotency_key=self.key,
        )


def clock_time(text: str) -> datetime:
    """
    Return the instant of that hour and minute on the one day of which everything is about.
    """
    hour, minute = text.split(":")
    return MORNING.replace(hour=int(hour), minute=int(minute))


def service_wishes() -> list[ServiceWish]:
    return [
        ServiceWish(
            company_id=COMPANY,
            service_id=service_id,
            name=service_id,
            duration_minutes=offer.minutes,
            calcom_event_type_id=offer.event_type_id,
            staff_id=offer.staff_id,
        )
        for service_id, offer in OFFERS.items()
    ]
