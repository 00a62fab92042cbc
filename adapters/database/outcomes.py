"""What comes of every call to the database, passed on to whoever listens."""

from typing import Protocol

from domain.errors import AppointmentDatabaseError


class CallListener(Protocol):
    """Is told in the event loop's thread, and must not raise."""

    def __call__(self, error: AppointmentDatabaseError | None, *, wrote: bool, seconds: float | None = None) -> None:
        """
        Take note of a call that failed, or, with None, went well, and of how many seconds it took, if that is known.

        `wrote` says that it was the writer's.
        """
        ...


def _nobody(error: AppointmentDatabaseError | None, *, wrote: bool, seconds: float | None = None) -> None:
    pass


class CallOutcomes:
    """Has one listener, or none yet."""

    def __init__(self) -> None:
        self.tell: CallListener = _nobody

    def listen(self, listener: CallListener) -> None:
        """Have a listener told from now on."""
        self.tell = listener
