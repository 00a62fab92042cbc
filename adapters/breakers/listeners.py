"""Several listeners as one."""

from adapters.breakers.ports import Listener
from domain.breaker_words import Transition


class Listeners:
    """A listener that passes on to all others, in their order, what it is told."""

    def __init__(self, *listeners: Listener) -> None:
        self._listeners = listeners

    def moved(self, transition: Transition, *, shared: bool) -> None:
        """Pass on a transition."""
        for listener in self._listeners:
            listener.moved(transition, shared=shared)

    def degraded(self, reason: str) -> None:
        """Pass on that this process decides alone."""
        for listener in self._listeners:
            listener.degraded(reason)

    def recovered(self) -> None:
        """Pass on that the fleet decides together again."""
        for listener in self._listeners:
            listener.recovered()
