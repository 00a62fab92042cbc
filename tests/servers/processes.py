"""
What every server of the tests needs: a port of its own, a stop that holds, and somebody who ends it with the test run.
"""

from __future__ import annotations

import secrets
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import psutil

# Outlives a test run that is killed: its standard input ends with the run, and then it clears up behind it.
WATCHER: Final = """
read -r _
pid="$1"
kill -"$2" "$pid"
shift 2
for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
rm -rf "$@"
"""


def free_port() -> int:
    """
    Return a port of 127.0.0.1 that nobody uses.
    """
    # Below the ports that the kernel gives to outgoing connections: there a client that retries while the server is
    # down can be connected to itself, and then holds the port.
    while True:
        port = 15_000 + secrets.randbelow(17_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def stop_still(processes: Sequence[psutil.Process]) -> None:
    """
    Stop processes where they are, in this order, and return once they all stand still: until then one may still answer.
    """
    for process in processes:
        process.suspend()
    while any(process.status() not in {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE} for process in processes):
        time.sleep(0.001)


def watch(pid: int, *folders: Path, stop: str) -> subprocess.Popen[bytes]:
    """
    Watch over a process and its folders for as long as ours lives; then send it the signal, and delete the folders.
    """
    return subprocess.Popen(
        ["/bin/sh", "-c", WATCHER, "watcher", str(pid), stop, *map(str, folders)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )
