"""
A group of three barbers, each with an event type of their own, and wishes for anybody of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from domain.wish import BookAppointment
from sagas.wishes import BookingResult
from tests.integration.system import callers
from tests.integration.system.account import Account
from tests.integration.system.installation import Installation, a_wish
from tests.integration.system.processes import children

PEOPLE = ("ada", "ben", "cal")


async def barbers(here: Installation, account: Account, *people: str) -> dict[str, int]:
    """
    Define a service with the same name and length for each of them, and return their event types.
    """
    event_types = {one: account.event_type() for one in people or PEOPLE}
    for one, number in event_types.items():
        await here.define(number, service_id=f"cut-{one}", staff_id=one, name="Cut", staff_group="barbers")
    return event_types


def for_anybody(number: int = 0, **more: Any) -> BookAppointment:  # noqa: ANN401 - any field of a wish
    return a_wish(number, service_id="cut-ada", staff_group="barbers", **more)


def staff_of(results: Iterable[BookingResult]) -> list[str | None]:
    return [one.booking.facts.staff_id for one in results]


def outcomes(results: Iterable[BookingResult]) -> Counter[str]:
    bookings = [one.booking for one in results]
    return Counter(one.status.value if one.failure is None else one.failure.reason for one in bookings)


def all_at_once(here: Installation, shares: Sequence[Sequence[BookAppointment]]) -> list[callers.Answer]:
    with children(*((callers.all_at_once, here, list(share)) for share in shares)) as crowd:
        assert ["ready"] * len(crowd) == [child.says() for child in crowd]
        for child in crowd:
            child.tell("go")
        said = [answer for child in crowd for answer in child.says()]
        for child in crowd:
            child.tell("leave")
        assert [0] * len(crowd) == [child.ends() for child in crowd]
    return said
