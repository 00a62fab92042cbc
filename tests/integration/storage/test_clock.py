from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine

from adapters.database.clock import DatabaseClock, elapsed
from adapters.log.store import open_store
from tests.integration.storage.appends import append, deferred

INSTANT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CLOSE = timedelta(seconds=0.5)


async def test_the_clock_tells_the_databases_time(url: str) -> None:
    async with open_store(url) as store:
        assert abs(store.clock.now() - datetime.now(UTC)) < CLOSE
        assert timedelta(0) == store.clock.now().utcoffset()


async def test_the_clock_does_not_follow_when_the_wall_clock_of_the_process_jumps(url: str) -> None:
    async with open_store(url) as store:
        before = store.clock.now()
        with time_machine.travel(before + timedelta(days=400), tick=True):
            await store.log.append(append(uuid4(), 0, deferred()))
            await store.agenda.next_due()
            assert abs(datetime.now(UTC) - before) > timedelta(days=399)
            assert timedelta(0) < store.clock.now() - before < timedelta(seconds=5)


async def test_a_clock_that_is_wrong_is_put_right_by_the_next_append(url: str) -> None:
    async with open_store(url) as store:
        right = store.clock.now()
        store.clock.observe(right + timedelta(hours=1), asked_at=elapsed())
        assert store.clock.now() > right + timedelta(minutes=59)

        await store.log.append(append(uuid4(), 0, deferred()))
        assert timedelta(0) < store.clock.now() - right < timedelta(seconds=5)


def test_a_clock_that_was_never_set_says_so() -> None:
    with pytest.raises(LookupError):
        DatabaseClock().now()


def test_the_most_exact_reading_is_kept() -> None:
    clock = DatabaseClock()
    clock.observe(INSTANT, asked_at=elapsed())
    clock.observe(INSTANT - timedelta(seconds=2), asked_at=elapsed() - 10)

    assert abs(clock.now() - INSTANT) < CLOSE


def test_a_vague_reading_is_enough_to_prove_a_clock_wrong() -> None:
    clock = DatabaseClock()
    clock.observe(INSTANT, asked_at=elapsed())
    clock.observe(INSTANT + timedelta(seconds=20), asked_at=elapsed() - 10)

    assert abs(clock.now() - INSTANT) > timedelta(seconds=20)


def test_a_clock_that_counts_milliseconds_does_not_jump_with_each_of_them() -> None:
    clock = DatabaseClock()
    unit = timedelta(milliseconds=1)
    clock.observe(INSTANT, asked_at=elapsed(), unit=unit)
    seen = [clock.now()]
    for _ in range(200):
        cut_off = seen[-1] - timedelta(microseconds=seen[-1].microsecond % 1000)
        clock.observe(cut_off, asked_at=elapsed(), unit=unit)
        seen.append(clock.now())

    assert seen == sorted(seen)


def test_a_more_exact_reading_replaces_a_vague_one() -> None:
    clock = DatabaseClock()
    clock.observe(INSTANT, asked_at=elapsed() - 10)
    clock.observe(INSTANT, asked_at=elapsed())

    assert abs(clock.now() - INSTANT) < CLOSE
