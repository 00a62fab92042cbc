"""
Work that nobody waits for.
"""

from __future__ import annotations

import asyncio

import pytest

from adapters.bootstrap import background


async def test_work_that_dies_of_a_defect_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "ANEW_SECONDS", 0)
    turns, done = 0, asyncio.Event()

    async def work() -> None:
        nonlocal turns
        turns += 1
        if turns < 3:
            raise ZeroDivisionError
        done.set()
        await asyncio.Event().wait()

    async with background.running(work, name="sums"):
        async with asyncio.timeout(10):
            await done.wait()

    assert 3 == turns
