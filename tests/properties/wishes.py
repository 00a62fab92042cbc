"""
What is wished for in a simulated run: all of one person's day, so that wishes get into each other's way.
"""

from __future__ import annotations

from datetime import timedelta

from domain.service import Service
from domain.wish import BookAppointment, BookComposite, CustomerWish, LegWish
from tests.fakes.time import START
from tests.properties.plan import WishName

COMPANY = "acme"
ADA = CustomerWish(name="Ada Lovelace", phone="+49 170 1234567")
ROWS: frozenset[WishName] = frozenset({"row", "row again", "row by key", "row by key again"})
SLOT = START + timedelta(days=1)


def _service(
    service_id: str, event_type_id: int, staff_id: str | None, *, notice: int = 0, group: str | None = None
) -> Service:
    return Service(
        company_id=COMPANY,
        service_id=service_id,
        name=group or service_id,
        duration_minutes=30,
        calcom_event_type_id=event_type_id,
        staff_id=staff_id,
        staff_group=group,
        notice_minutes=notice,
    )


SERVICES = (
    _service("cut", 1, "ann"),
    _service("color", 2, "ann"),
    _service("shave", 3, "bob", group="barbers"),
    _service("shave by eve", 6, "eve", group="barbers"),
    _service("talk", 4, None),
    _service("walk-in", 5, None, notice=5),
)


def wish_for(name: WishName) -> BookAppointment | BookComposite:
    """
    Return the wish of that name; all of them are about one person's day, so that they get into each other's way.
    """
    if name in ROWS:
        return _row_for(name)
    service, minutes, staff, key = {
        "a": ("cut", 0, None, None),
        "a again": ("cut", 0, None, None),
        "a by key": ("cut", 0, None, "key-1"),
        "a by key again": ("cut", 0, None, "key-1"),
        "near a": ("cut", 5, None, None),
        "other staff": ("cut", 0, "bob", None),
        "overlaps a": ("color", 15, None, None),
        "b": ("shave", 60, None, None),
        "b without staff": ("talk", 60, None, None),
        "b of anybody": ("shave", 60, None, None),
        "b of anybody else": ("shave by eve", 60, None, "key-2"),
        "later": ("color", 180, None, None),
        "soon": ("walk-in", 15 - 24 * 60, None, None),
    }[name]
    return BookAppointment(
        company_id=COMPANY,
        service_id=service,
        customer=ADA,
        starts_at=SLOT + timedelta(minutes=minutes),
        time_zone="UTC",
        source="phone",
        staff_id=staff,
        staff_group="barbers" if "anybody" in name else None,
        idempotency_key=key,
    )


def _row_for(name: WishName) -> BookComposite:
    """
    Return the wish for a cut, after a pause a shave by somebody else, and a color at once after it.
    """
    return BookComposite(
        company_id=COMPANY,
        legs=(
            LegWish(service_id="cut", starts_at=SLOT),
            LegWish(service_id="shave", starts_at=SLOT + timedelta(minutes=60)),
            LegWish(service_id="color"),
        ),
        customer=ADA,
        time_zone="UTC",
        source="phone",
        idempotency_key="key-row" if "by key" in name else None,
    )
