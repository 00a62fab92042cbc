"""
The invariants on the real databases: any wishes, any troubles at Cal.com, and both places agree once quiet.

The pure core goes through thousands of such histories in `tests/properties`; here are a
few, with real sockets, real constraints and real time; with CALSAGA_SWEEP=20 twenty times as many, others each time.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.bootstrap import Application
from domain.wish import BookAppointment
from tests.integration.system.account import Account
from tests.integration.system.installation import Installation, a_cancellation, a_wish, quiet

OFTEN: Final = 0.3
TROUBLES: Final[tuple[dict[str, object], ...]] = (
    {"kind": "drop_after_commit", "operation": "create"},
    {"kind": "drop_before_commit", "operation": "create"},
    {"kind": "error_after_commit", "operation": "create"},
    {"kind": "unreadable_2xx", "operation": "create"},
    {"kind": "late_commit", "operation": "create", "seconds": 0.3},
    {"kind": "html_502", "operation": "create"},
    {"kind": "rate_limited", "operation": "create"},
    {"kind": "error_before_commit", "operation": "list"},
    {"kind": "list_lag", "operation": "create", "seconds": 0.3},
    {"kind": "error_after_commit", "operation": "cancel"},
    {"kind": "drop_before_commit", "operation": "cancel"},
)
EXAMPLES = count()
TIMES: Final = int(os.environ.get("CALSAGA_SWEEP", "1"))


@dataclass(frozen=True, slots=True)
class Call:
    """
    What one caller does: wish for a slot, more than once perhaps, go away early, and change their mind.
    """

    slot: int
    key: str | None
    times: int
    leaves: bool
    cancels: bool


calls = st.builds(
    Call,
    slot=st.integers(0, 3),
    key=st.sampled_from([None, "a", "b"]),
    times=st.integers(1, 3),
    leaves=st.booleans(),
    cancels=st.booleans(),
)


@settings(max_examples=4 * TIMES, deadline=None, derandomize=TIMES == 1, suppress_health_check=list(HealthCheck))
@given(
    histories=st.lists(calls, min_size=4, max_size=10),
    troubles=st.sets(st.sampled_from(range(len(TROUBLES))), max_size=4),
)
def test_both_places_agree_once_quiet(
    installation: Installation, account: Account, histories: list[Call], troubles: set[int]
) -> None:
    asyncio.run(_play(installation, account, histories, [TROUBLES[number] for number in sorted(troubles)]))


async def _play(
    installation: Installation, account: Account, histories: list[Call], troubles: list[dict[str, object]]
) -> None:
    example = next(EXAMPLES)
    service_id = f"service-{example}"
    account.breaks_always()
    await installation.define(account.event_type(), service_id=service_id)
    account.breaks_always(*({**trouble, "probability": OFTEN} for trouble in troubles))
    async with installation.opened() as app:
        await asyncio.gather(*(_caller(app, call, example, service_id) for call in histories))
        account.breaks_always()
        await quiet(app)

    assert [] == await installation.faults(account.ledger())


async def _caller(app: Application, call: Call, example: int, service_id: str) -> None:
    wish = _wish(call, example, service_id)
    answers = await asyncio.gather(
        *(app.orchestrator.book(wish, patience=0.0 if call.leaves else 20.0) for _ in range(call.times))
    )
    # Invariant 4: one key, one booking; a derived key goes on to its next generation once its booking has failed.
    assert call.key is None or 1 == len({answer.booking.booking_id for answer in answers})
    if call.cancels:
        with suppress(TimeoutError):
            await app.orchestrator.cancel(a_cancellation(answers[0].booking.booking_id), patience=20)


def _wish(call: Call, example: int, service_id: str) -> BookAppointment:
    # Callers of one slot are one customer, or two who want the same member of staff.
    number = 1 + 10 * example + call.slot
    key = None if call.key is None else f"{call.key} of {example}"
    return a_wish(number, key=key, service_id=service_id, staff_id=f"staff-{call.slot}")
