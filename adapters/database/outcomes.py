"""What comes of every call to the database, passed on to whoever listens."""

from collections.abc import Callable
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


def _no() -> bool:
    return False


class CallOutcomes:
    """Has one listener, or none yet; `is_left_alone` tells whether calls are kept from a database that has failed."""

    def __init__(self) -> None:
        self.tell: CallListener = _nobody
        self.is_left_alone: Callable[[], bool] = _no

    def listen(self, listener: CallListener, *, is_left_alone: Callable[[], bool] = _no) -> None:
        """Have a listener told from now on, and heed what it makes of that."""
        self.tell = listener
        self.is_left_alone = is_left_alone
