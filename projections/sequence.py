"""What is new of a stream to a read model that has come to one of its versions already."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from projections.errors import OutOfOrder
from sagas.appending import Recorded


class Versioned(Protocol):
    """What a read model knows of a stream, up to a version of it."""

    @property
    def version(self) -> int:
        """Return the version of the last event that it contains."""
        ...


S = TypeVar("S", bound=Versioned)


def unseen(recorded: Sequence[Recorded], *, after: int) -> Iterator[Recorded]:
    """
    Yield those of a stream's events that follow on a version; what the read model contains already is left out.

    Raises:
        OutOfOrder: an event is missing in between.

    """
    for one in recorded:
        if one.version <= after:
            continue
        if one.version != after + 1:
            raise OutOfOrder(stream_id=one.stream_id, expected=after + 1, found=one.version)
        yield one
        after = one.version


def caught_up(state: S | None, recorded: Sequence[Recorded], step: Callable[[S | None, Recorded], S]) -> S:
    """
    Return a state after recorded events of its stream; `step` takes it, or None before the first, over one event.

    Raises:
        OutOfOrder: an event is missing in between.

    """
    for one in unseen(recorded, after=0 if state is None else state.version):
        state = step(state, one)
    if state is None:
        raise OutOfOrder(stream_id=recorded[0].stream_id, expected=1, found=recorded[0].version)
    return state
