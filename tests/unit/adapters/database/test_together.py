from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from adapters.database.together import Together


@dataclass
class Library:
    """
    Answers with the question doubled once `open` is set, or breaks.
    """

    open: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[list[int]] = field(default_factory=list)
    breaks: bool = False

    async def answer(self, questions: Sequence[int]) -> Mapping[int, int]:
        self.asked.append(list(questions))
        await self.open.wait()
        if self.breaks:
            raise ZeroDivisionError
        return {one: 2 * one for one in questions}


async def _asking(together: Together[int, int], *questions: int) -> list[asyncio.Task[int]]:
    asking = [asyncio.create_task(together.ask(one)) for one in questions]
    for _ in range(3):
        await asyncio.sleep(0)
    return asking


async def test_who_asks_meanwhile_shares_the_next_question() -> None:
    library = Library()
    together = Together(library.answer)
    asking = [*await _asking(together, 1), *await _asking(together, 2, 3, 2, 1)]

    library.open.set()

    assert [2, 4, 6, 4, 2] == await asyncio.gather(*asking)
    # What was asked for again while it was being read is read again.
    assert [[1], [2, 3, 1]] == library.asked


async def test_everybody_hears_what_broke_and_the_next_one_asks_afresh() -> None:
    library = Library(breaks=True)
    library.open.set()
    together = Together(library.answer)

    heard = await asyncio.gather(*await _asking(together, 1, 1, 2), return_exceptions=True)

    assert [ZeroDivisionError] * 3 == [type(one) for one in heard]
    library.breaks = False
    assert 6 == await together.ask(3)


async def test_who_leaves_takes_the_answer_from_nobody() -> None:
    library = Library()
    together = Together(library.answer)
    first, second = await _asking(together, 1, 1)
    first.cancel()
    library.open.set()

    assert 2 == await second
    with pytest.raises(asyncio.CancelledError):
        await first
