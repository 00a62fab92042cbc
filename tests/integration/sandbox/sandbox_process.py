"""
A sandbox in a process of its own, for tests that need a real socket.
"""

from __future__ import annotations

import subprocess
import sys
from types import TracebackType
from typing import Self

import orjson


class SandboxProcess:
    """
    Start ``python -m adapters.sandbox`` on a free port, and stop it at the end of the block.
    """

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self.url = ""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "adapters.sandbox", "--port", "0", *self._arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.url = orjson.loads(self.process.stdout.readline())["url"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        self.process.communicate(timeout=10)
