"""What this process has found itself: the newest check of each service, and those that nobody else can see yet."""

from collections import deque
from collections.abc import Mapping, Sequence

from domain.health import Check

MOST_WAITING = 5_000
"""How many checks wait for a database that is away, some six hours' worth; after that the oldest are forgotten."""


class Board:
    """Holds checks; those of a service that is not configured are shown, and not kept."""

    def __init__(self, *, most_waiting: int = MOST_WAITING) -> None:
        self._latest: dict[str, Check] = {}
        self._waiting: deque[Check] = deque(maxlen=most_waiting)

    @property
    def latest(self) -> Mapping[str, Check]:
        """The newest check of each service."""
        return self._latest

    @property
    def waiting(self) -> Sequence[Check]:
        """The checks that are to be kept, the oldest first."""
        return tuple(self._waiting)

    def note(self, check: Check) -> Check | None:
        """Take a check in, and return the one before it."""
        before = self._latest.get(check.service)
        self._latest[check.service] = check
        if check.status != "not_configured":
            self._waiting.append(check)
        return before

    def kept(self, checks: Sequence[Check]) -> None:
        """Take note that these are kept."""
        kept = set(checks)
        while self._waiting and self._waiting[0] in kept:
            self._waiting.popleft()

    def forget_waiting(self) -> None:
        """Leave it to others to say what was found."""
        self._waiting.clear()
