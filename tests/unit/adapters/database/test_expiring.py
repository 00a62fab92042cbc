"""
What was read a moment ago is read once, however many ask for it at the same time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from adapters.database.expiring import Expiring
from domain.errors import AppointmentDatabaseError, UnknownService


class Source:
    """
    Answers with one after the other of these, each when it may.
    """

    def __init__(self, *answers: int | Exception) -> None:
        self._answers = list(answers)
        self.asked = 0
        self.gate = asyncio.Event()

    async def read(self) -> int:
        answer = self._answers[self.asked]
        self.asked += 1
        await self.gate.wait()
        if isinstance(answer, Exception):
            raise answer
        return answer


async def asked(memory: Expiring[str, int], source: Source, *, times: int) -> Sequence[asyncio.Task[int]]:
    tasks = [asyncio.create_task(memory.read("key", source.read)) for _ in range(times)]
    await asyncio.sleep(0)
    return tasks


async def test_all_who_ask_at_the_same_time_wait_for_one_reading_and_the_next_for_none() -> None:
    memory, source = Expiring[str, int](seconds=60), Source(1, 2)

    tasks = await asked(memory, source, times=50)
    source.gate.set()

    assert [1] * 50 == await asyncio.gather(*tasks)
    assert (1, 1) == (await memory.read("key", source.read), source.asked)


async def test_what_has_expired_is_read_again() -> None:
    memory, source = Expiring[str, int](seconds=0), Source(1, 2)
    source.gate.set()

    assert [1, 2] == [await memory.read("key", source.read) for _ in range(2)]


async def test_each_is_told_of_a_failure_and_gives_it_an_id_of_their_own() -> None:
    failure = AppointmentDatabaseError("the database did not answer", kind="timeout", sql_state="57014")
    memory, source = Expiring[str, int](seconds=60), Source(failure, UnknownService("cut"), 3)

    tasks = await asked(memory, source, times=2)
    source.gate.set()
    errors = await asyncio.gather(*tasks, return_exceptions=True)

    for number, error in enumerate(errors):
        assert isinstance(error, AppointmentDatabaseError)
        assert (failure.message, "timeout", True, "57014") == (
            error.message,
            error.kind,
            error.retryable,
            error.context["sql_state"],
        )
        assert str(number) == error.correlated(str(number)).correlation_id
    with pytest.raises(UnknownService):
        await memory.read("key", source.read)
    assert 3 == await memory.read("key", source.read)


async def test_it_goes_on_when_whoever_asked_leaves() -> None:
    memory, source = Expiring[str, int](seconds=60), Source(1)

    [left, stayed] = await asked(memory, source, times=2)
    left.cancel()
    source.gate.set()

    assert 1 == await stayed
    assert left.cancelled()
    assert 1 == memory.get("key")


async def test_a_failure_that_nobody_waits_for_is_nobodys_trouble(caplog: pytest.LogCaptureFixture) -> None:
    memory, source = Expiring[str, int](seconds=60), Source(UnknownService("cut"), 2)

    [left] = await asked(memory, source, times=1)
    left.cancel()
    source.gate.set()
    await asyncio.gather(left, return_exceptions=True)
    await asyncio.sleep(0)

    assert 2 == await memory.read("key", source.read)
    assert [] == caplog.records


@pytest.mark.parametrize("forget", [lambda memory: memory.forget("key"), lambda memory: memory.clear()])
async def test_what_is_forgotten_meanwhile_is_read_anew_and_not_remembered(forget: object) -> None:
    memory, source = Expiring[str, int](seconds=60), Source(1, 2)

    [before] = await asked(memory, source, times=1)
    forget(memory)  # type: ignore[operator]
    [after] = await asked(memory, source, times=1)
    source.gate.set()

    assert (1, 2, 2) == (await before, await after, memory.get("key"))
