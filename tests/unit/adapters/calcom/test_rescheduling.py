from __future__ import annotations

from datetime import timedelta

import orjson
import pytest

from sagas.outcomes import CreateOutcome, Made, Refused, Unknown
from tests.unit.adapters.calcom.building import (
    ATTEMPT,
    NOW,
    OTHER,
    START,
    Account,
    Handler,
    a_row,
    an_account,
    refuses,
    refuses_barely,
    succeeds,
)


async def reschedule(account: Account) -> CreateOutcome:
    calendar = await account.calendars().of("acme")
    return await calendar.reschedule(
        "uid1", attempt_id=ATTEMPT, starts_at=START, reason="later", send_by=NOW + timedelta(seconds=1)
    )


async def test_a_move_makes_a_new_uid() -> None:
    account = an_account(succeeds(a_row("uid2"), status=201))

    made = await reschedule(account)

    assert isinstance(made, Made)
    assert "uid2" == made.uid
    assert ["POST /v2/bookings/uid1/reschedule"] == account.calcom.calls
    expected = {"start": "2026-12-01T10:00:00.000Z", "reschedulingReason": "later"}
    assert expected == orjson.loads(account.calcom.requests[0].content)


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        (refuses_barely(409, "booking_conflict_error"), Refused),
        (
            refuses(
                400, "BadRequestException", "Can't reschedule booking with uid=uid1 because it has been cancelled."
            ),
            Refused,
        ),
        (refuses_barely(500, "Internal server error"), Unknown),
        (succeeds(a_row("uid2", attempt_id=OTHER), status=201), Refused),
    ],
)
async def test_a_move_has_the_outcomes_of_a_create(handler: Handler, kind: type[CreateOutcome]) -> None:
    assert isinstance(await reschedule(an_account(handler)), kind)
