"""
One list for all who look at the same event type.

A look may only use a list that began after the look was asked for, and that reaches
back far enough: an older one may have been read before the booking came to be. So
there is at most one list under way for each event type, and one that gathers those who
came too late for it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

Result = TypeVar("Result")


@dataclass(slots=True)
class _Round(Generic[Result]):
    since: datetime
    result: asyncio.Future[Result]


class Looks(Generic[Result]):
    """Share lists; `read` reads one (event type, from when on)."""

    def __init__(self, read: Callable[[int, datetime], Awaitable[Result]]) -> None:
        self._read = read
        self._gathering: dict[int, _Round[Result]] = {}
        self._readers: dict[int, asyncio.Task[None]] = {}

    async def ask(self, event_type_id: int, *, since: datetime) -> Result:
        """Return a list that begins after this call and reaches back to `since` at least."""
        gathering = self._gathering.get(event_type_id)
        if gathering is None:
            gathering = _Round(since, asyncio.get_running_loop().create_future())
            self._gathering[event_type_id] = gathering
        gathering.since = min(gathering.since, since)
        if event_type_id not in self._readers:
            self._readers[event_type_id] = asyncio.create_task(self._read_rounds(event_type_id))
        # Whoever stops waiting must not take the list away from the others.
        return await asyncio.shield(gathering.result)

    async def aclose(self) -> None:
        """Stop reading; whoever still waits is cancelled."""
        readers = tuple(self._readers.values())
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)

    async def _read_rounds(self, event_type_id: int) -> None:
        try:
            while (current := self._gathering.pop(event_type_id, None)) is not None:
                await self._settle(current, event_type_id)
        finally:
            del self._readers[event_type_id]
            abandoned = self._gathering.pop(event_type_id, None)
            if abandoned is not None:
                abandoned.result.cancel()

    async def _settle(self, current: _Round[Result], event_type_id: int) -> None:
        try:
            result = await self._read(event_type_id, current.since)
        except asyncio.CancelledError:
            current.result.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - it belongs to those who wait, whatever it is
            current.result.set_exception(error)
            # Nobody may be waiting any more, and an exception that nobody fetches is reported as lost.
            current.result.exception()
        else:
            current.result.set_result(result)
