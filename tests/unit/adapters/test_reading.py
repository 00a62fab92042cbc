"""
Reads that wait for a thread: what the database is blamed for, and what not.
"""

from __future__ import annotations

import asyncio
from functools import partial
from threading import Event
from time import sleep

import pytest

from adapters.database.outcomes import CallOutcomes
from adapters.database.reading import Readers
from domain.breaker_words import Refusal
from domain.errors import AppointmentDatabaseError

Heard = list[AppointmentDatabaseError | None]
Took = list[float | None]
LIMIT = 0.2


def readers(heard: Heard, took: Took | None = None) -> Readers:
    outcomes = CallOutcomes()

    def hear(error: AppointmentDatabaseError | None, *, wrote: bool, seconds: float | None = None) -> None:
        assert not wrote
        heard.append(error)
        if took is not None:
            took.append(seconds)

    outcomes.listen(hear)
    other = AppointmentDatabaseError("it failed", kind="other")
    return Readers(threads=1, limit=LIMIT, database_error=lambda _: other, outcomes=outcomes)


async def test_a_read_that_waits_behind_others_which_are_answered_says_nothing_of_the_database() -> None:
    heard: Heard = []
    here = readers(heard)

    told = await asyncio.gather(*(here.run(partial(sleep, LIMIT / 10)) for _ in range(40)), return_exceptions=True)
    here.close()

    answered = told.count(None)
    assert [None] * answered == heard
    assert {"no thread was free in time to read the database"} == {str(one) for one in told if one is not None}
    assert 40 - answered == here.state.timeouts


async def test_one_that_waits_behind_those_that_hang_has_not_been_answered_by_the_database() -> None:
    heard: Heard = []
    here, gate = readers(heard), Event()

    told = await asyncio.gather(*(here.run(gate.wait) for _ in range(5)), return_exceptions=True)
    gate.set()
    here.close()

    assert {"the database did not answer in time"} == {str(one) for one in told}
    assert told == heard


async def test_how_long_a_read_took_leaves_out_its_wait_for_a_thread() -> None:
    took: Took = []
    here = readers([], took)

    await asyncio.gather(*(here.run(partial(sleep, LIMIT / 4)) for _ in range(3)))
    here.close()

    assert all(seconds is not None and LIMIT / 4 <= seconds < LIMIT / 2 for seconds in took)


async def test_nobody_who_watches_asks_a_database_that_is_left_alone() -> None:
    outcomes, asked = CallOutcomes(), Event()
    refusal: Refusal | None = Refusal(name="database", reason="open", retry_after=1.0)
    outcomes.held_back = lambda: refusal
    other = AppointmentDatabaseError("it failed", kind="other")
    here = Readers(threads=1, limit=LIMIT, database_error=lambda _: other, outcomes=outcomes)

    with pytest.raises(AppointmentDatabaseError, match="left alone") as caught:
        await here.glance(asked.set)
    assert not asked.is_set()
    assert caught.value.retryable

    # What is under way, and what finds out whether it is well again, are not kept from it.
    await here.run(asked.set)
    assert asked.is_set()
    assert "there" == await here.answer(lambda: "there")
    # Nor is anybody if a person wants callers kept away: then nothing says that it is ill.
    refusal = Refusal(name="database", reason="manual", retry_after=None)
    assert "there" == await here.glance(lambda: "there")
    refusal = None
    assert "there" == await here.glance(lambda: "there")
    here.close()
