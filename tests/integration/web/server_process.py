"""
The server in processes of its own, so that signals are real.
"""

from __future__ import annotations

import os
import subprocess
import sys
from types import TracebackType
from typing import Self

_START = (
    "import sys; from adapters.settings import read_settings; from adapters.telemetry import configure; "
    "from adapters.web.server import serve; settings = read_settings(); configure(form='json', level='warning'); "
    "serve(settings, host='127.0.0.1', port=int(sys.argv[2]), workers=int(sys.argv[1]), background=True)"
)
SERVES = "calsaga serves "


class ServerProcess:
    """
    Start a server, on a free port unless one is named, and see to its end.
    """

    def __init__(self, *, workers: int = 1, port: int = 0, **settings: str) -> None:
        self._workers = workers
        self._port = port
        self._environment = {f"CALSAGA_{name.upper()}": value for name, value in settings.items()}
        self.url = ""

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _START, str(self._workers), str(self._port)],
            env={**os.environ, **self._environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        # A warning may come first: on a busy machine Redis answers too late for a process that just starts.
        self.said = next((line for line in self.process.stderr if line.startswith(SERVES)), "")
        self.url = self.said.removeprefix(SERVES).strip()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.terminate()
        _, self.rest = self.process.communicate(timeout=60)

    def terminate(self) -> None:
        """
        Send SIGTERM, unless it has ended.
        """
        if self.process.poll() is None:
            self.process.terminate()
