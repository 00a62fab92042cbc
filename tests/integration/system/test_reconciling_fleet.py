"""
The reconciler on a schedule, in several processes: one of all makes a pass, and each interval has one.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import pytest

from tests.integration.system.account import Account
from tests.integration.system.callers import work
from tests.integration.system.installation import START, Installation, eventually
from tests.integration.system.processes import Child, children

INTERVAL = 0.4
PASSES = 12
LISTS = 2
"""How many lists one pass reads of the one event type."""


@pytest.fixture
async def fleet(installation: Installation, account: Account) -> Installation:
    """
    An installation whose processes reconcile all the time, as fast as they like.
    """
    often = {"reconcile_seconds": INTERVAL, "reconcile_calls_per_minute": 60_000}
    here = Installation(settings=installation.settings.model_copy(update=often))
    await here.define(account.event_type())
    return here


@pytest.mark.parametrize("processes", [2, 3])
async def test_a_fleet_makes_one_pass_an_interval(fleet: Installation, account: Account, processes: int) -> None:
    with children(*[(work, fleet)] * processes) as fleet_of:
        _all_ready(fleet_of)
        before, began = account.calls("list"), time.monotonic()
        await eventually(_lists(account, before + PASSES * LISTS), "the passes are made")
        made, lasted = (account.calls("list") - before) / LISTS, time.monotonic() - began

    # One may have been under way when they were counted first.
    assert made <= lasted / INTERVAL + 2


async def test_a_process_that_dies_in_the_middle_of_a_pass_leaves_the_next_one_to_the_others(
    fleet: Installation, account: Account
) -> None:
    # Nothing of it is answered, so that the first pass is under way for as long as its process lives.
    account.breaks("delay", operation="list", seconds=30)
    with children((work, fleet)) as (doomed,):
        doomed.says()
        await eventually(_lists(account, 1), "a pass has begun")
        with children((work, fleet)) as (heir,):
            heir.says()
            doomed.kill()
            await eventually(_lists(account, 1 + LISTS), "the other one makes a pass")


async def test_a_fleet_keeps_to_its_share_of_the_rate_limit(installation: Installation, account: Account) -> None:
    in_a_minute, wanted = 240, 30
    slow = {"reconcile_seconds": INTERVAL, "reconcile_calls_per_minute": in_a_minute}
    here = Installation(settings=installation.settings.model_copy(update=slow))
    event_types = [account.event_type() for _ in range(3)]
    for number in event_types:
        await here.define(number, service_id=f"service-{number}")
        # A difference costs a request of its own.
        account.person_books(number, start=START)

    with children((work, here), (work, here)) as fleet_of:
        _all_ready(fleet_of)
        before, began = _calls(account), time.monotonic()

        async def enough() -> bool:
            return _calls(account) >= before + wanted

        await eventually(enough, "the requests are made")
        made, lasted = _calls(account) - before, time.monotonic() - began

    # Whoever begins a pass after a pause need not wait for the first turn.
    assert made <= lasted * in_a_minute / 60 + 2
    assert account.calls("get") >= len(event_types)


def _calls(account: Account) -> int:
    return sum(account.calls(operation) for operation in ("list", "get", "event_type", "me", "slots"))


def _all_ready(fleet: list[Child]) -> None:
    assert {"ready"} == {one.says() for one in fleet}


def _lists(account: Account, wanted: int) -> Callable[[], Awaitable[bool]]:
    async def there() -> bool:
        return account.calls("list") >= wanted

    return there
