"""
Reads that wait for a thread: what the database is blamed for, and what not.
"""

from __future__ import annotations

import asyncio
from threading import Event

import pytest

from adapters.database.outcomes import CallOutcomes
from adapters.database.reading import Readers
from domain.errors import AppointmentDatabaseError

Heard = list[AppointmentDatabaseError | None]
LIMIT = 0.2


def readers(heard: Heard) -> Readers:
    outcomes = CallOutcomes()

    def hear(error: AppointmentDatabaseError | None, *, wrote: bool) -> None:
        assert not wrote
        heard.append(error)

    outcomes.listen(hear)
    other = AppointmentDatabaseError("it failed", kind="other")
    return Readers(threads=1, limit=LIMIT, database_error=lambda _: other, outcomes=outcomes)


async def test_a_read_that_no_thread_began_says_nothing_of_the_database() -> None:
    heard: Heard = []
    here, gate = readers(heard), Event()

    began = asyncio.create_task(here.run(gate.wait))
    await asyncio.sleep(0)
    queued = await asyncio.gather(*(here.run(lambda: True) for _ in range(5)), return_exceptions=True)
    with pytest.raises(AppointmentDatabaseError, match="did not answer") as late:
        await began
    gate.set()
    here.close()

    assert ["no thread was free in time to read the database"] * 5 == [str(one) for one in queued]
    assert [late.value] == heard
    assert 6 == here.state.timeouts


async def test_nor_does_one_that_spent_most_of_its_time_in_line() -> None:
    heard: Heard = []
    here, taken, gate = readers(heard), Event(), Event()
    here._threads.submit(taken.wait)
    asyncio.get_running_loop().call_later(0.8 * LIMIT, taken.set)

    with pytest.raises(AppointmentDatabaseError, match="no thread was free"):
        await here.run(gate.wait)
    gate.set()
    here.close()

    assert [] == heard
