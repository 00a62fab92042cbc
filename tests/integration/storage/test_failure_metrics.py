"""
The failures of all processes, minute by minute, and a person's clearing of them: on each kind of database.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from random import Random

import pytest

from adapters.database.failure_metrics import Calls, FailureMetrics
from adapters.failure_counts import FailureCounts
from adapters.failure_detector import FailureDetector
from adapters.log.store import Store, open_store
from adapters.verify import verify
from domain.failure_detector import MINUTE, FailureRule, minute_of, severity_of
from tests.fakes.time import FakeClock

RULE = FailureRule()
SERVICES = ("calcom", "database", "webhooks")


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """
    The store of a database of either kind.
    """
    async with open_store(database_url) as store:
        yield store


def metrics(store: Store) -> FailureMetrics:
    return FailureMetrics(engine=store.engine, readers=store.readers, rule=RULE)


def detector(store: Store, clock: FakeClock) -> FailureDetector:
    return FailureDetector(metrics(store), events=store.log, clock=clock, rule=RULE, configured=("calcom", "database"))


async def test_what_processes_add_at_once_is_all_there(store: Store, database_url: str) -> None:
    random, start = Random(5), minute_of(FakeClock().now())
    minutes = [start + number * MINUTE for number in range(3)]
    expected: dict[tuple[str, object], Calls] = {}

    async with AsyncExitStack() as stack:
        stores = [store, *[await stack.enter_async_context(open_store(database_url)) for _ in range(2)]]
        for _ in range(8):
            batches = []
            for one in stores:
                keys = random.sample([(name, minute) for name in SERVICES for minute in minutes], 5)
                batch = {}
                for key in keys:
                    failures = random.randint(0, 3)
                    batch[key] = Calls(requests=failures + random.randint(1, 9), failures=failures)
                    expected[key] = expected.get(key, Calls()).plus(batch[key])
                batches.append(metrics(one).add(batch))
            await asyncio.gather(*batches)

    found = {(it.service, it.start): (it, severity) for it, severity in await metrics(store).since(start)}
    assert expected == {
        key: Calls(requests=it.requests, failures=it.failures) for key, (it, _severity) in found.items()
    }
    for window, severity in found.values():
        judged = severity_of(RULE, requests=window.requests, failures=window.failures, in_a_minute=window.failures)
        assert judged == severity


@pytest.mark.parametrize(("failures", "severity"), [(1, "low"), (2, "medium"), (3, "medium"), (4, "critical")])
async def test_a_minute_has_its_own_severity_however_it_was_added(store: Store, failures: int, severity: str) -> None:
    clock = FakeClock()
    key = ("calcom", minute_of(clock.now()))
    await metrics(store).add({key: Calls(requests=4 - failures % 4, failures=0)})
    await metrics(store).add({key: Calls(requests=failures % 4 or 4, failures=failures)})

    ((window, found),) = await metrics(store).since(key[1])

    assert (failures, severity) == (window.failures, found)


async def test_old_minutes_are_forgotten(store: Store) -> None:
    start = minute_of(FakeClock().now())
    await metrics(store).add({("calcom", start + number * MINUTE): Calls(requests=1) for number in range(5)})

    await metrics(store).forget(before=start + 3 * MINUTE)

    assert [start + 3 * MINUTE, start + 4 * MINUTE] == [it.start for it, _ in await metrics(store).since(start)]


async def test_two_processes_fail_together(store: Store) -> None:
    clock = FakeClock()
    both = [FailureCounts(metrics(store), clock=clock) for _ in range(2)]
    for counts in both:
        counts.count("calcom", "succeeded", 500)
        counts.count("calcom", "failed", 2)
        await counts.add()

    found = await detector(store, clock).find()

    assert {"calcom", "database"} == set(found)
    assert ("critical", "low") == tuple(found[name].detected.severity for name in ("calcom", "database"))
    assert 4 == found["calcom"].detected.failures_in_a_minute


async def test_what_a_person_clears_stands_in_the_log_and_counts_no_more(store: Store) -> None:
    clock = FakeClock()
    clock.advance(30)
    counts = FailureCounts(metrics(store), clock=clock)
    counts.count("calcom", "failed", 9)
    await counts.add()
    detected = detector(store, clock)

    await asyncio.gather(
        detected.clear("calcom", actor="ada", reason="it was us"),
        detector(store, clock).clear("calcom", actor="bob", reason="so it was"),
    )
    before = (await detected.find())["calcom"]
    clock.advance(60)
    counts.count("calcom", "failed", 9)
    await counts.add()
    after = (await detected.find())["calcom"]

    assert ("low", "critical") == (before.detected.severity, after.detected.severity)
    assert before.cleared is not None
    assert before.cleared.actor in {"ada", "bob"}
    stream = await store.log.read_all(after=0, limit=10)
    assert 2 == len(stream)
    assert len(await detected.windows(minutes=10)) == 2
    assert [] == await verify(store)


async def test_a_service_that_is_not_configured_can_be_cleared(store: Store) -> None:
    cleared = await detector(store, FakeClock()).clear("sms", actor="ada", reason="why not")

    assert ("low", "ada") == (cleared.detected.severity, cleared.cleared.actor if cleared.cleared else None)
