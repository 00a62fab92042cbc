"""
Where a process may die, and a way to make it die there (B3).

Named points stand before and after every commit and every call to Cal.com:
`append.before:TOPIC`, `append.written:TOPIC`, `append.after:TOPIC` (the topic is that
of the append's first event), `calcom.OPERATION.before`, `calcom.OPERATION.after`,
`calcom.OPERATION.announced` (of what has a deadline to leave by: before that is computed),
`claim.before`, `claim.after` (due work), `follower.before:NAME`, `follower.written:NAME`,
`follower.after:NAME` (a batch of a read model).

`CALSAGA_CRASH_AT=POINT` (or `POINT#3` for the third time it is reached, or `#7` for
the seventh point of any name) sends the process the signal `CALSAGA_CRASH_SIGNAL`,
KILL or STOP. `CALSAGA_CRASH_TRACE=FILE` writes down every point that is reached.
Without these settings a point costs one call of an empty function.
"""

import os
import signal
from collections import Counter
from pathlib import Path

from adapters.recording.probing import Probe, ignore


def crash_points(*, crash_at: str | None, crash_signal: str, trace: str | None) -> Probe:
    """Return the probe that the settings ask for."""
    if crash_at is None and trace is None:
        return ignore
    name, _, nth = (crash_at or "").partition("#")
    reached: Counter[str] = Counter()

    def probe(point: str) -> None:
        reached[point] += 1
        reached[""] += 1
        if trace is not None:
            with Path(trace).open("a") as file:
                file.write(f"{point}\n")
        if crash_at is not None and name in {"", point} and reached[name] == int(nth or 1):
            os.kill(os.getpid(), signal.Signals[f"SIG{crash_signal}"])

    return probe
