"""What operators read of the breakers in the log."""

import structlog

from domain.breaker_words import State, Transition

log = structlog.get_logger("calsaga.breakers")

EVENTS: dict[State, str] = {"closed": "breaker.closed", "open": "breaker.opened", "half_open": "breaker.half_opened"}


class LoggedBreakers:
    """A listener that writes what it hears into the log of this process."""

    def moved(self, transition: Transition, *, shared: bool) -> None:
        """Write that a breaker has moved; that one opened is a warning."""
        write = log.warning if transition.after == "open" else log.info
        write(
            EVENTS[transition.after],
            breaker=transition.name,
            cause=transition.cause,
            failures=transition.failures,
            calls=transition.calls,
            epoch=transition.epoch,
            actor=transition.actor,
            reason=transition.reason,
            shared=shared,
        )

    def degraded(self, reason: str) -> None:
        """Write that this process decides alone."""
        log.warning("breakers.shared.lost", reason=reason)

    def recovered(self) -> None:
        """Write that the fleet decides together again."""
        log.info("breakers.shared.recovered")
