"""
Event types at the sandbox: whether they can be booked as a service says, and when they are free.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.calcom.calendar import CalComCalendar
from tests.integration.calcom.asking import TOMORROW
from tests.integration.calcom.conftest import Sandbox


@pytest.mark.parametrize(
    ("event_type", "field"),
    [
        (1, None),
        (3, None),
        (5, None),
        (2, "duration_minutes"),
        (4, "calcom_event_type_id"),
        (6, "calcom_event_type_id"),
        (8, "calcom_event_type_id"),
        (10, "calcom_event_type_id"),
        (11, "calcom_event_type_id"),
        (999, "calcom_event_type_id"),
    ],
)
async def test_event_types_are_judged(calendar: CalComCalendar, event_type: int, field: str | None) -> None:
    judged = await calendar.preflight(event_type, duration_minutes=30)

    assert ({field} if field else set()) == {error.field for error in judged.errors}


async def test_a_choice_of_lengths_is_seen(calendar: CalComCalendar) -> None:
    assert (await calendar.preflight(9, duration_minutes=60)).sends_length


async def test_another_users_event_type_is_refused(calendar: CalComCalendar, sandbox: Sandbox) -> None:
    await sandbox.control("PUT", "/_sandbox/event-types/50", {"slug": "theirs", "owner": 2})
    seen = await calendar.preflight(50, duration_minutes=30)

    assert ["calcom_event_type_id"] == [error.field for error in seen.errors]


async def test_a_blind_key_is_refused(calendar: CalComCalendar, sandbox: Sandbox) -> None:
    await sandbox.control("PUT", "/_sandbox/keys", {"blind": {"cal_owner": [1]}})

    assert (await calendar.preflight(1, duration_minutes=30)).errors


async def test_slots_are_read(calendar: CalComCalendar) -> None:
    slots = await calendar.slots(event_type_id=1, starts_at=TOMORROW, ends_at=TOMORROW + timedelta(days=1))

    assert TOMORROW in slots
