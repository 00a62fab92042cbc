"""
While the doors are open: two of them, one of which is killed in the middle.

Whoever stood at the killed door without an answer does what a customer does: sends the
same request again, with the same key, at the other door.
"""

import asyncio
import signal
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from adapters.demo.day import Request
from adapters.demo.door import Door
from adapters.demo.front_desk import FrontDesk
from adapters.demo.inside import Chronicle
from adapters.demo.judging import Answer
from adapters.demo.letters import read_answer, write_request
from adapters.demo.processes import Processes
from sagas.orchestrator import Orchestrator

SHARE_OF_THE_DOOMED: Final = 3
"""Every third customer goes to the door that is killed."""
LOOKS_AGAIN_SECONDS: Final = 0.01


@dataclass(slots=True)
class Day:
    """What the day was like: all answers, sagas that the killed process had begun, rows that the desk has written."""

    answers: list[Answer] = field(default_factory=list)
    left_behind: int = 0
    written_by_hand: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningHours:
    """The practice, open for business."""

    orchestrator: Orchestrator
    processes: Processes
    chronicle: Chronicle
    database: Path
    kills: bool

    async def pass_by(self, requests: Sequence[Request]) -> Day:
        """Let everybody in, and return when everybody has an answer."""
        today = Day()
        desk = FrontDesk(self.database, (one for one in requests if one.overtaken))
        working = asyncio.create_task(desk.work())
        doomed = [one for one in requests if self._goes_to_the_doomed(one)]
        others = [one for one in requests if not self._goes_to_the_doomed(one)]
        door = Door(self.orchestrator, answered=today.answers.append)
        async with asyncio.TaskGroup() as doors:
            doors.create_task(door.open(others))
            if doomed:
                doors.create_task(self._work_until_killed(doomed, door, today))
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        today.written_by_hand = desk.written
        return today

    def _goes_to_the_doomed(self, request: Request) -> bool:
        plain = not request.overtaken and not request.hangs_up
        return self.kills and plain and request.number % SHARE_OF_THE_DOOMED == 0

    async def _work_until_killed(self, requests: Sequence[Request], door: Door, today: Day) -> None:
        process = await self.processes.start("adapters.demo.doomed_door", talks=True)
        _hand_over(process, requests)
        correlations = frozenset(one.wish.correlation_id for one in requests)
        heard = await _answers_until_killed(
            process, enough=max(len(requests) // 2, 1), under_way=lambda: self._under_way(correlations)
        )
        today.answers += heard
        answered = {one.number for one in heard}
        today.left_behind = await self._under_way(correlations)
        await door.open(replace(one, after=0.0) for one in requests if one.number not in answered)

    async def _under_way(self, correlations: Collection[str]) -> int:
        await self.chronicle.read_on()
        return sum(
            booking.ended is None and booking.review is None
            for booking in self.chronicle.bookings.values()
            if booking.facts.correlation_id in correlations
        )


def _hand_over(process: Process, requests: Sequence[Request]) -> None:
    if process.stdin is not None:
        process.stdin.writelines(write_request(one) for one in requests)
        process.stdin.close()


async def _answers_until_killed(
    process: Process, *, enough: int, under_way: Callable[[], Awaitable[int]]
) -> list[Answer]:
    """Read answers, have the process killed after so many, and return also those that it had already sent."""
    heard: list[Answer] = []
    async with asyncio.TaskGroup() as beside:
        while process.stdout is not None:
            line = await process.stdout.readline()
            if not line.endswith(b"\n"):
                break
            heard.append(read_answer(line))
            if len(heard) == enough:
                beside.create_task(_kill_in_the_middle(process, under_way))
    await process.wait()
    return heard


async def _kill_in_the_middle(process: Process, under_way: Callable[[], Awaitable[int]]) -> None:
    """Kill the process at a moment at which it leaves something behind."""
    with suppress(ProcessLookupError):
        while process.returncode is None:
            # It stands still while the log is read: what is under way then stays so.
            process.send_signal(signal.SIGSTOP)
            if await under_way():
                process.kill()
                return
            process.send_signal(signal.SIGCONT)
            await asyncio.sleep(LOOKS_AGAIN_SECONDS)
