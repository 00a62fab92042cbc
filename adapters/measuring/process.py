"""What this process itself takes: memory and CPU time."""

import os
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_STATM = Path("/proc/self/statm")
_STARTED = time.monotonic()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessUse:
    """Memory in bytes, as it is now where the system tells, else at its highest; times in seconds."""

    pid: int
    memory_bytes: int
    cpu_seconds: float
    up_seconds: float


def process_use() -> ProcessUse:
    """Return what this process has taken so far."""
    return ProcessUse(
        pid=os.getpid(),
        memory_bytes=_memory(),
        cpu_seconds=time.process_time(),
        up_seconds=time.monotonic() - _STARTED,
    )


def _memory() -> int:
    try:
        resident = int(_STATM.read_text().split()[1])
    except OSError:
        highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return highest if sys.platform == "darwin" else highest * 1024
    return resident * resource.getpagesize()
