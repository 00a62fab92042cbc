"""Where a test can make an append die: before it, when all is written, and once it is committed."""

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from sagas.appending import Append

Probe: TypeAlias = Callable[[str], None]
Point: TypeAlias = Literal["before", "written", "after"]


def ignore(_point: str) -> None:
    """Do nothing, as in production."""


def reached(probe: Probe, point: Point, batch: Sequence[Append]) -> None:
    """Tell the probe, once for each append, by the name of its first event."""
    if probe is ignore:
        return
    for append in batch:
        probe(f"append.{point}:{append.events[0].TOPIC if append.events else 'rows'}")
