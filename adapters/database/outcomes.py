"""What comes of every call to the database, passed on to whoever listens."""

from collections.abc import Callable

from domain.errors import AppointmentDatabaseError

CallListener = Callable[[AppointmentDatabaseError | None], None]
"""Is told the error of a call, or None if it went well; in the event loop's thread, and it must not raise."""


def _nobody(_error: AppointmentDatabaseError | None) -> None:
    pass


class CallOutcomes:
    """Has one listener, or none yet."""

    def __init__(self) -> None:
        self.tell: CallListener = _nobody

    def listen(self, listener: CallListener) -> None:
        """Have a listener told from now on."""
        self.tell = listener
