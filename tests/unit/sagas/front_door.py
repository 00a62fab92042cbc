"""
A cancellation for the front door, and a log that takes its time.
"""

from __future__ import annotations

import asyncio

from sagas.appending import Append, AppendResult
from sagas.wishes import CancelAppointment
from tests.fakes.given import BOOKING_ID
from tests.fakes.office import Office

CANCEL = CancelAppointment(company_id="acme", booking_id=BOOKING_ID, reason="no need")


def slow(office: Office, *seconds: float) -> None:
    """
    Let the next appends take so long, each before it is written.
    """
    write, left = office.log.append, list(seconds)

    async def late(append: Append) -> AppendResult:
        if left:
            await asyncio.sleep(left.pop(0))
        return await write(append)

    office.log.append = late  # type: ignore[method-assign]
