"""
Composites to begin a test from: a cut, after a pause a shave by somebody else, and a color at once after it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from domain.booking import Booking, initial_state
from domain.commands import RequestComposite
from domain.composing import initiate_composite
from domain.composite import CompositeEvent, LegEvent
from domain.events import BookingEvent
from domain.evolving import fold
from domain.idempotency import key_for
from domain.service import Service
from domain.wish import BookComposite, CustomerWish, LegWish
from tests.fakes.given import POLICY, SERVICE, SLOT, at, request

HOUR = timedelta(hours=1)
SHAVE = Service(
    company_id="acme", service_id="shave", name="Shave", duration_minutes=30, calcom_event_type_id=2, staff_id="bob"
)
COLOR = Service(
    company_id="acme", service_id="color", name="Color", duration_minutes=30, calcom_event_type_id=3, staff_id="cleo"
)
SERVICES = (SERVICE, SHAVE, COLOR)
ROW = RequestComposite(
    legs=(
        request(),
        request(service=SHAVE, starts_at=SLOT + HOUR),
        request(service=COLOR, starts_at=SLOT + timedelta(minutes=90)),
    )
)
KEY = key_for(ROW)
COMPOSITE_ID = KEY.booking_id
BEGUN: tuple[CompositeEvent, ...] = initiate_composite(ROW, key=KEY, now=at(0), policy=POLICY)
WISH = BookComposite(
    company_id="acme",
    legs=(
        LegWish(service_id="cut", starts_at=SLOT),
        LegWish(service_id="shave", starts_at=SLOT + HOUR),
        LegWish(service_id="color"),
    ),
    customer=CustomerWish(name="Ada Lovelace", email="ada@example.com", phone="+49 170 1234567"),
    time_zone="UTC",
    source="phone",
)


def leg(number: int, *events: BookingEvent) -> tuple[LegEvent, ...]:
    return tuple(LegEvent(leg=number, event=event) for event in events)


def composite(*events: CompositeEvent) -> Booking:
    """
    Return the composite after it was begun and these events.
    """
    return fold(initial_state(COMPOSITE_ID), (*BEGUN, *events))


def wish(**changes: Any) -> BookComposite:  # noqa: ANN401 - any field of a wish
    return replace(WISH, **changes)
