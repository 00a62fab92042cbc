"""How long the log's batches take, for whoever measures."""

import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

from adapters.recording.batch import Late, WriteBatch, nobody
from sagas.appending import Append, AppendResult

Measure: TypeAlias = Callable[[bool, float], None]
"""Is told of each batch whether the database took it, and how many seconds that took; in the writer's thread."""


def timed(write: WriteBatch, measure: Measure) -> WriteBatch:
    """Return the same, with every batch measured, its wait for the writer lock included."""

    def write_timed(batch: Sequence[Append], late: Late = nobody) -> list[AppendResult]:
        began, succeeded = time.perf_counter(), False
        try:
            results = write(batch, late)
            succeeded = True
        finally:
            measure(succeeded, time.perf_counter() - began)
        return results

    return write_timed
