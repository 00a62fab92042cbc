"""What comes of every call to the database, passed on to whoever listens."""

from collections.abc import Callable
from typing import Protocol

from domain.breaker_words import Refusal
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


def _never() -> Refusal | None:
    return None


class CallOutcomes:
    """Has one listener, or none yet; `held_back` says why callers are kept from the database, None if they are not."""

    def __init__(self) -> None:
        self.tell: CallListener = _nobody
        self.held_back: Callable[[], Refusal | None] = _never

    def listen(self, listener: CallListener, *, held_back: Callable[[], Refusal | None] = _never) -> None:
        """Have a listener told from now on, and heed what it makes of that."""
        self.tell = listener
        self.held_back = held_back

    @property
    def is_left_alone(self) -> bool:
        """Tell whether the database is left alone because it has failed, and not because a person wants that."""
        refusal = self.held_back()
        return refusal is not None and refusal.reason != "manual"
