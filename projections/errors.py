"""
What can go wrong with a read model.

    ProjectionError
    ├── LogRestored        the read model has seen events that the log does not hold
    ├── OutOfOrder         an event of a stream is missing, or came before its first
    ├── UnknownProjection  no read model has this name
    └── NotParked          the stream is not parked
"""

from uuid import UUID


class ProjectionError(Exception):
    """A read model cannot go on."""


class LogRestored(ProjectionError):
    """
    The checkpoint lies beyond the head of the log.

    The log was restored from a backup: what the read model shows of the events that
    are gone is not true any more. Rebuild it.
    """

    def __init__(self, *, name: str, position: int, head: int) -> None:
        super().__init__(
            f"The read model {name!r} has applied the log up to position {position}, but the log ends at {head}: "
            f"it was restored from a backup. Run: calsaga projections rebuild {name}"
        )
        self.name = name
        self.position = position
        self.head = head


class OutOfOrder(ProjectionError):
    """The log lost an event, or the read model did; rebuild it, and run `calsaga verify` on the log."""

    def __init__(self, *, stream_id: UUID, expected: int, found: int) -> None:
        super().__init__(f"stream {stream_id}: expected version {expected}, found {found}")
        self.stream_id = stream_id
        self.expected = expected
        self.found = found


class UnknownProjection(ProjectionError):
    """There is no read model of this name; `calsaga projections status` lists them."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no read model {name!r}")
        self.name = name


class NotParked(ProjectionError):
    """The stream is not parked, or somebody else has unparked it; `calsaga projections status` lists those parked."""

    def __init__(self, *, name: str, stream_id: UUID) -> None:
        super().__init__(f"stream {stream_id} is not parked in the read model {name!r}")
        self.name = name
        self.stream_id = stream_id
