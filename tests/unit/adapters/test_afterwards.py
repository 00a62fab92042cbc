"""
What can wait is told behind those who were woken before.
"""

from __future__ import annotations

import asyncio

import pytest

from adapters.afterwards import afterwards


async def test_it_is_told_behind_those_who_were_woken_before() -> None:
    said: list[str] = []
    tell = afterwards(said.append)
    woken = asyncio.get_running_loop().create_future()

    async def wait() -> None:
        await woken
        said.append("woken")

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    woken.set_result(None)
    tell("told")

    assert [] == said
    await waiting
    await asyncio.sleep(0)
    assert ["woken", "told"] == said


def test_it_needs_an_event_loop() -> None:
    with pytest.raises(RuntimeError):
        afterwards(print)
