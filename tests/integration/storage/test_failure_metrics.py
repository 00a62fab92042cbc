"""
The failures of all processes, minute by minute, and a person's clearing of them: on each kind of database.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random

import pytest

from adapters.database.failure_metrics import Calls, FailureMetrics
from adapters.failure_detector import FailureDetector
from adapters.log.store import Store, open_store
from adapters.measuring.meter import CallOutcome
from adapters.verify import verify
from domain.failure_detector import minute_of, severity_of
from tests.fakes.time import FakeClock
from tests.integration.measuring.counting import RULE, Process

SERVICES = ("calcom", "database", "webhooks")
OUTCOMES: tuple[CallOutcome, ...] = ("succeeded", "failed", "refused", "ignored")


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
    return FailureDetector(
        metrics(store), events=store.log, clock=clock, rule=RULE, configured=lambda: ("calcom", "database")
    )


def add(store: Store, counted: dict[tuple[str, object], Calls]) -> None:
    with store.engine.begin() as connection:
        metrics(store).add(connection, counted)  # type: ignore[arg-type]


def calls(process: Process, *, succeeded: int = 0, failed: int = 0) -> None:
    for outcome, times in (("succeeded", succeeded), ("failed", failed)):
        for _ in range(times):
            process.meter.record("calcom", "create", outcome, 0.1)  # type: ignore[arg-type]


async def test_failures_and_what_is_measured_never_disagree(store: Store) -> None:
    clock, random = FakeClock(), Random(5)
    fleet = [Process(store, clock, f"p{number}", seconds=15) for number in range(3)]
    expected: dict[tuple[str, object], Calls] = {}
    for _ in range(40):
        for process in fleet:
            for _ in range(random.randint(0, 5)):
                service, outcome = random.choice(SERVICES), random.choice(OUTCOMES)
                process.meter.record(service, random.choice(("read", "append")), outcome, 0.1)
                one = Calls(requests=outcome in {"succeeded", "failed"}, failures=outcome == "failed")
                key = service, minute_of(clock.now())
                expected[key] = expected.get(key, Calls()).plus(one)
            process.meter.record("cache", "availability", "failed")
        clock.advance(15)
        again = [measured for process in fleet for measured in process.keeper.unstored()[:-1]]
        await asyncio.gather(*(process.keeper.keep() for process in fleet))
        await asyncio.gather(*(random.choice(fleet).stored.store(measured) for measured in again))

    found = {(it.service, it.start): (it, severity) for it, severity in await metrics(store).since(clock.start)}
    assert {key: it for key, it in expected.items() if it.requests} == {
        key: Calls(requests=it.requests, failures=it.failures) for key, (it, _severity) in found.items()
    }
    for window, severity in found.values():
        judged = severity_of(RULE, requests=window.requests, failures=window.failures, in_a_minute=window.failures)
        assert judged == severity
    for service in SERVICES:
        measured = [one.counts for one in await fleet[0].fleet.slices(since=clock.start) if one.service == service]
        assert sum(it.failed for it in measured) == sum(
            it.failures for it, _ in found.values() if it.service == service
        )


async def test_a_write_that_is_made_again_because_nobody_knew_of_it_counts_once(store: Store) -> None:
    clock = FakeClock()
    process = Process(store, clock, "one")
    calls(process, failed=2)
    (measured,) = process.keeper.unstored()

    await asyncio.gather(*(process.stored.store(measured) for _ in range(4)))

    assert [2] == [it.failures for it, _ in await metrics(store).since(clock.start)]


@pytest.mark.parametrize(("failures", "severity"), [(1, "low"), (2, "medium"), (3, "medium"), (4, "critical")])
async def test_a_minute_has_its_own_severity_however_it_was_added(store: Store, failures: int, severity: str) -> None:
    key = ("calcom", minute_of(FakeClock().now()))
    add(store, {key: Calls(requests=4 - failures % 4, failures=0)})
    add(store, {key: Calls(requests=failures % 4 or 4, failures=failures)})

    ((window, found),) = await metrics(store).since(key[1])

    assert (failures, severity) == (window.failures, found)


async def test_two_processes_fail_together(store: Store) -> None:
    clock = FakeClock()
    for name in ("one", "other"):
        process = Process(store, clock, name)
        calls(process, succeeded=500, failed=2)
        await process.keeper.aclose()

    found = await detector(store, clock).find()

    assert {"calcom", "database"} == set(found)
    assert ("critical", "low") == tuple(found[name].detected.severity for name in ("calcom", "database"))
    assert 4 == found["calcom"].detected.failures_in_a_minute


async def test_what_a_person_clears_stands_in_the_log_and_counts_no_more(store: Store) -> None:
    clock = FakeClock()
    process = Process(store, clock, "one", seconds=30)
    calls(process, failed=9)
    clock.advance(30)
    await process.keeper.keep()
    detected = detector(store, clock)

    await asyncio.gather(
        detected.clear("calcom", actor="ada", reason="it was us"),
        detector(store, clock).clear("calcom", actor="bob", reason="so it was"),
    )
    before = (await detected.find())["calcom"]
    clock.advance(30)
    await process.keeper.keep()
    calls(process, failed=9)
    clock.advance(30)
    await process.keeper.keep()
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
