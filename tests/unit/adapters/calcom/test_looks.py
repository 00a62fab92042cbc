from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.calcom.looks import Looks
from tests.unit.adapters.calcom.building import NOW


class Reader:
    """
    Reads lists when it is allowed to, and notes when each began and from when on it reads.
    """

    def __init__(self) -> None:
        self.ticks = 0
        self.lists: list[tuple[int, int, datetime]] = []
        self.may_end = asyncio.Event()

    def tick(self) -> int:
        self.ticks += 1
        return self.ticks

    async def read(self, event_type_id: int, since: datetime) -> int:
        self.lists.append((event_type_id, self.tick(), since))
        number = len(self.lists) - 1
        await self.may_end.wait()
        return number


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_those_who_ask_together_share_one_list_that_reaches_back_far_enough() -> None:
    reader = Reader()
    looks = Looks(reader.read)
    asked = [asyncio.create_task(looks.ask(1, since=NOW - timedelta(minutes=minutes))) for minutes in (1, 9, 3)]
    await settle()
    reader.may_end.set()

    assert [0, 0, 0] == await asyncio.gather(*asked)
    assert [(1, 1, NOW - timedelta(minutes=9))] == reader.lists


async def test_who_asks_while_a_list_is_read_gets_the_next_one() -> None:
    reader = Reader()
    looks = Looks(reader.read)
    first = asyncio.create_task(looks.ask(1, since=NOW))
    await settle()
    late = [asyncio.create_task(looks.ask(1, since=NOW)) for _ in range(20)]
    await settle()
    assert 1 == len(reader.lists)
    reader.may_end.set()

    assert [0, *[1] * 20] == [await first, *await asyncio.gather(*late)]
    assert 2 == len(reader.lists)


async def test_event_types_do_not_wait_for_each_other() -> None:
    reader = Reader()
    looks = Looks(reader.read)
    asked = [asyncio.create_task(looks.ask(number, since=NOW)) for number in (1, 2)]
    await settle()

    assert {1, 2} == {event_type_id for event_type_id, _, _ in reader.lists}
    reader.may_end.set()
    await asyncio.gather(*asked)


async def test_who_gives_up_takes_the_list_from_nobody() -> None:
    reader = Reader()
    looks = Looks(reader.read)
    impatient, patient = (asyncio.create_task(looks.ask(1, since=NOW)) for _ in range(2))
    await settle()
    impatient.cancel()
    await settle()
    reader.may_end.set()

    assert 0 == await patient


async def test_a_fault_reaches_everybody_and_the_next_look_works() -> None:
    answers = iter([LookupError("once"), None])

    async def read(event_type_id: int, since: datetime) -> str:
        fault = next(answers)
        if fault is not None:
            raise fault
        return "list"

    looks = Looks(read)
    failed = await asyncio.gather(*(looks.ask(1, since=NOW) for _ in range(3)), return_exceptions=True)

    assert [LookupError] * 3 == [type(it) for it in failed]
    assert "list" == await looks.ask(1, since=NOW)


async def test_closing_cancels_who_waits() -> None:
    reader = Reader()
    looks = Looks(reader.read)
    running = asyncio.create_task(looks.ask(1, since=NOW))
    await settle()
    gathering = asyncio.create_task(looks.ask(1, since=NOW))
    await settle()
    await looks.aclose()

    for task in (running, gathering):
        with pytest.raises(asyncio.CancelledError):
            await task


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.integers(0, 9), st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=25
    )
)
async def test_no_look_gets_a_list_that_began_before_it_or_reaches_less_far(
    asks: list[tuple[int, int, int, int]],
) -> None:
    ticks = 0
    lists: list[tuple[int, int, datetime]] = []

    async def read(event_type_id: int, since: datetime) -> int:
        nonlocal ticks
        ticks += 1
        lists.append((event_type_id, ticks, since))
        number = len(lists) - 1
        for _ in range(number % 5):
            await asyncio.sleep(0)
        return number

    looks = Looks(read)

    async def ask(event_type_id: int, minutes: int, wait: int, patience: int) -> None:
        nonlocal ticks
        for _ in range(wait):
            await asyncio.sleep(0)
        ticks += 1
        asked_at, since = ticks, NOW - timedelta(minutes=minutes)
        number = await looks.ask(event_type_id, since=since)
        listed_type, began_at, reaches = lists[number]
        assert listed_type == event_type_id
        assert began_at > asked_at
        assert reaches <= since

    await asyncio.gather(*(ask(*it) for it in asks))
    assert not looks._readers
    assert not looks._gathering
