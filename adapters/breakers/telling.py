"""Telling what happens to breakers: a line in the log of the process that saw it, and figures for Prometheus."""

from collections.abc import Callable

import structlog

from domain.breaker_words import State, Transition

_log = structlog.get_logger("calsaga.breakers")


class Telling:
    """`moved_to` is told of every state that a breaker enters, `alone` with 1 when this process decides alone."""

    def __init__(self, *, moved_to: Callable[[str, State], None], alone: Callable[[int], None]) -> None:
        self._moved_to = moved_to
        self._alone = alone

    def moved(self, transition: Transition, *, shared: bool) -> None:
        """Take note of a transition."""
        self._moved_to(transition.name, transition.after)
        say = _log.warning if transition.after == "open" else _log.info
        say(
            "breaker.moved",
            breaker=transition.name,
            before=transition.before,
            after=transition.after,
            cause=transition.cause,
            failures=transition.failures,
            calls=transition.calls,
            actor=transition.actor,
            reason=transition.reason,
            shared=shared,
        )

    def degraded(self, reason: str) -> None:
        """Take note that from now on this process decides alone."""
        self._alone(1)
        _log.warning("breakers.alone", reason=reason)

    def recovered(self) -> None:
        """Take note that the fleet decides together again."""
        self._alone(0)
        _log.info("breakers.together")
