"""
A create at a scripted Cal.com.
"""

from __future__ import annotations

from datetime import timedelta

from sagas.outcomes import CreateOutcome
from tests.unit.adapters.calcom.building import ATTEMPT, NOW, Account, Handler, a_booking, an_account

BAD = "BadRequestException"


async def create(account: Account, *, send_within: float = 5.0) -> CreateOutcome:
    calendar = await account.calendars().of("acme")
    return await calendar.create(a_booking(), attempt_id=ATTEMPT, send_by=NOW + timedelta(seconds=send_within))


async def outcome_of(*handlers: Handler) -> CreateOutcome:
    return await create(an_account(*handlers))
