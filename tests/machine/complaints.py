"""
What calsaga says of its own defects, taken for a fault and kept out of the story.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from adapters.telemetry import configure
from tests.machine.mortal import Death


@contextmanager
def complaints_to(faults: list[str]) -> Iterator[None]:
    """
    Add every error that is logged to the faults, but for what a process says that is dead already.
    """
    configure(form="console", level="error")
    root = logging.getLogger()
    before = root.handlers[:]
    root.handlers[:] = [_Ear(faults)]
    yield
    root.handlers[:] = before


class _Ear(logging.Handler):
    def __init__(self, faults: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._faults = faults

    def emit(self, record: logging.LogRecord) -> None:
        said = record.msg if isinstance(record.msg, dict) else {"event": record.getMessage()}
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, Death) and Death.__name__ not in str(said.get("exception", "")):
            self._faults.append(f"said: {said} {error!r}")
