"""What operators are told of the breakers: lines in the log of the process that saw it, and figures for Prometheus."""

from collections.abc import Callable

import structlog

from domain.breaker_words import State, Transition

EVENTS: dict[State, str] = {"closed": "breaker.closed", "open": "breaker.opened", "half_open": "breaker.half_opened"}


class Telling:
    """A listener; `alone` is given 1 while this process decides alone."""

    def __init__(self, *, alone: Callable[[int], None] = lambda _alone: None) -> None:
        self._alone = alone
        self._log = structlog.get_logger("calsaga.breakers")

    def moved(self, transition: Transition, *, shared: bool) -> None:
        """Tell that a breaker has moved; that one opened is a warning."""
        write = self._log.warning if transition.after == "open" else self._log.info
        write(
            EVENTS[transition.after],
            breaker=transition.name,
            cause=transition.cause,
            failures=transition.failures,
            calls=transition.calls,
            slow=transition.slow,
            epoch=transition.epoch,
            actor=transition.actor,
            reason=transition.reason,
            shared=shared,
        )

    def degraded(self, reason: str) -> None:
        """Tell that this process decides alone."""
        self._alone(1)
        self._log.warning("breakers.shared.lost", reason=reason)

    def recovered(self) -> None:
        """Tell that the fleet decides together again."""
        self._alone(0)
        self._log.info("breakers.shared.recovered")
