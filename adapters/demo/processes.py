"""The demo's processes: started, watched, and gone when the demo is, however it ends."""

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

STOP_WITHIN_SECONDS = 12.0
LINE_LIMIT = 1 << 20


class Processes:
    """Starts Python modules as processes; at the end of the block none of them is left."""

    def __init__(self, *, logs: Path) -> None:
        self._logs = logs
        self._started: list[Process] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Whoever presses Ctrl-C twice must not leave processes behind.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            await asyncio.shield(self._end_all())
        finally:
            signal.signal(signal.SIGINT, before)

    async def start(self, module: str, *arguments: str, talks: bool = False) -> Process:
        """Start `python -m module`; one that `talks` is written to and read from. Its stderr goes to a file."""
        with (self._logs / f"{module}.{len(self._started)}.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                module,
                *arguments,
                stdin=PIPE if talks else DEVNULL,
                stdout=PIPE if talks else DEVNULL,
                stderr=log,
                limit=LINE_LIMIT,
            )
        self._started.append(process)
        return process

    async def start_sandbox(self) -> str:
        """Start a sandbox without faults, and return its address."""
        process = await self.start("adapters.sandbox", "--port", "0", talks=True)
        assert process.stdout is not None  # noqa: S101 - it talks
        line = await process.stdout.readline()
        if not line:
            message = "the sandbox did not start"
            raise RuntimeError(message)
        return str(orjson.loads(line)["url"])

    def complaints(self) -> str:
        """Return what the processes have complained of, for a person who wants to know why."""
        return "\n".join(text for file in sorted(self._logs.glob("*.log")) if (text := file.read_text().strip()))

    async def _end_all(self) -> None:
        running = [process for process in self._started if process.returncode is None]
        for process in running:
            process.terminate()
        waits = [asyncio.create_task(process.wait()) for process in running]
        if waits:
            await asyncio.wait(waits, timeout=STOP_WITHIN_SECONDS)
        for process in running:
            if process.returncode is None:
                process.kill()
        await asyncio.gather(*waits)
