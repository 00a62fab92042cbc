"""
Processes beside the test's own: forked from a server that has imported everything, so that one starts in milliseconds.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, Self

from tests.servers.forking import FORKED

LONGEST_SECONDS = 90
Work = Callable[..., Coroutine[Any, Any, None]]


class Child:
    """
    A process that does `work(connection, *arguments)` on an event loop of its own.
    """

    def __init__(self, work: Work, *arguments: object) -> None:
        self._ours, theirs = FORKED.Pipe(duplex=True)
        self._process = FORKED.Process(target=_run, args=(work, theirs, *arguments), daemon=True)
        self._process.start()
        theirs.close()

    def says(self) -> Any:  # noqa: ANN401 - whatever it was told to say
        """
        Return the next thing it says.
        """
        assert self._ours.poll(LONGEST_SECONDS), "a process said nothing"
        return self._ours.recv()

    def all_said(self) -> Iterator[Any]:
        """
        Yield everything it says until it ends.
        """
        while True:
            try:
                yield self.says()
            except EOFError:
                return

    def tell(self, word: object) -> None:
        self._ours.send(word)

    def terminate(self) -> None:
        """
        Send SIGTERM.
        """
        os.kill(self._process.pid or 0, signal.SIGTERM)

    def kill(self) -> None:
        os.kill(self._process.pid or 0, signal.SIGKILL)
        self._process.join(LONGEST_SECONDS)

    def ends(self) -> int | None:
        """
        Wait for its end, and return its exit code.
        """
        self._process.join(LONGEST_SECONDS)
        return self._process.exitcode

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.is_alive():
            self._process.kill()
        self._process.join(LONGEST_SECONDS)
        self._ours.close()


@contextmanager
def children(*works: tuple[Any, ...]) -> Iterator[list[Child]]:
    """
    Start a process for each work with its arguments, and end those that are left.
    """
    started: list[Child] = []
    try:
        started.extend(Child(*work) for work in works)
        yield started
    finally:
        for child in started:
            child.__exit__()


async def heard(connection: Connection) -> Any:  # noqa: ANN401 - whatever it is told
    """
    Return the next word that this process is told.
    """
    return await asyncio.to_thread(connection.recv)


def _run(work: Work, connection: Connection, *arguments: object) -> None:
    # What is wrong is seen in the exit code and on stderr.
    try:
        asyncio.run(work(connection, *arguments))
    except BaseException:  # noqa: BLE001 - whatever it is, the process must end here
        traceback.print_exc()
        _leave(1)
    _leave(0)


def _leave(code: int) -> None:
    # A forked child must not run the exit handlers of the test run.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
