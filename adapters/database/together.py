"""Many questions in one: whoever asks while the database is answering shares the next question."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Together(Generic[Question, Answer]):
    """
    Asks `ask_all` for many callers at once, one question under way at a time.

    Nobody gets an answer that was read before they asked.
    """

    def __init__(self, ask_all: Callable[[Sequence[Question]], Awaitable[Mapping[Question, Answer]]]) -> None:
        self._ask_all = ask_all
        self._next: dict[Question, asyncio.Future[Answer]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def ask(self, question: Question) -> Answer:
        """Return the answer; what `ask_all` raises, every caller of that question hears."""
        answer = self._next.get(question)
        if answer is None:
            answer = self._next[question] = asyncio.get_running_loop().create_future()
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_until_all_know())
        # A caller who leaves takes the answer from nobody else.
        return await asyncio.shield(answer)

    async def _ask_until_all_know(self) -> None:
        try:
            while self._next:
                asked, self._next = self._next, {}
                await self._ask(asked)
        finally:
            self._asking = None

    async def _ask(self, asked: dict[Question, asyncio.Future[Answer]]) -> None:
        try:
            answers = await self._ask_all(list(asked))
        except asyncio.CancelledError:
            for waiting in asked.values():
                waiting.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - it is the callers' to judge
            for waiting in asked.values():
                waiting.set_exception(error)
        else:
            for question, waiting in asked.items():
                waiting.set_result(answers[question])
