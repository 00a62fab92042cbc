"""
A door in a process of its own: the one that is killed while it is at work.

`python -m adapters.demo.doomed_door` reads requests from stdin to its end, and writes
answers to stdout.
"""

import asyncio
import sys

from adapters.bootstrap import application
from adapters.demo.door import Door
from adapters.demo.judging import Answer
from adapters.demo.letters import read_request, write_answer
from adapters.settings import read_settings
from adapters.telemetry import configure


async def work() -> None:
    """Book what stdin asks for."""
    settings = read_settings()
    configure(form=settings.log_format, level=settings.log_level)
    async with application(settings, background=False) as app:
        requests = [read_request(line) for line in sys.stdin.buffer]
        await Door(app.orchestrator, answered=_write).open(requests)


def _write(answer: Answer) -> None:
    sys.stdout.buffer.write(write_answer(answer))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(work())
