"""How a process that serves hears that it is to stop."""

import asyncio
import multiprocessing
import signal
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.process import BaseProcess
from threading import Thread
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def stop() -> None:
    """Stop this process as if somebody had sent it SIGTERM."""
    signal.raise_signal(signal.SIGTERM)


def call_when_stopping(tell: Callable[[], object]) -> None:
    """Call `tell` in the running loop at each signal to stop, beside whoever handles it already."""
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        _handle_also(number, lambda: loop.call_soon_threadsafe(tell))


def stop_without_parent() -> None:
    """Stop this process once the one that has started it is gone, however it ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        loop = asyncio.get_running_loop()
        # A thread, because not every platform's loop can watch a process.
        Thread(target=_await_end, args=(parent, loop), name="calsaga-parent", daemon=True).start()


def _handle_also(number: signal.Signals, tell: Callable[[], object]) -> None:
    handled = signal.getsignal(number)

    def handle(heard: int, frame: FrameType | None) -> None:
        tell()
        if callable(handled):
            handled(heard, frame)

    signal.signal(number, handle)


def _await_end(parent: BaseProcess, loop: asyncio.AbstractEventLoop) -> None:
    parent.join()
    with suppress(RuntimeError):
        # The loop may be gone: then this process ends already.
        loop.call_soon_threadsafe(stop)
