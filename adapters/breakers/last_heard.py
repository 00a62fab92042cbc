"""What this process has last heard of the fleet's breakers, for when they cannot be asked, or have been lost."""

from collections.abc import Callable
from dataclasses import replace
from math import inf

from domain.breaker_words import Commanded, Permit, Refusal, Snapshot


class LastHeard:
    """
    Only what the fleet's breakers have said; `clock` is this process's own, in seconds.

    `not_closed` are the breakers that were not closed, each with the least epoch that this can have been in, and
    `commanded` what a person has wanted last of each.
    """

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._refused: dict[str, tuple[Refusal, float]] = {}
        self._epochs: dict[str, int] = {}
        self.not_closed: dict[str, int] = {}
        self.commanded: dict[str, Commanded] = {}

    def answered(self, name: str, answer: Permit | Refusal, *, closed: bool) -> None:
        """Take note of an answer to whoever asked for leave; `closed` if only a closed breaker lets such a call go."""
        if isinstance(answer, Permit):
            self._refused.pop(name, None)
            self._epochs[name] = answer.epoch
            if closed:
                self.not_closed.pop(name, None)
            return
        self.not_closed[name] = max(self.not_closed.get(name, 0), self._epochs.get(name, 0) + 1)
        if answer.reason == "half_open":
            self._refused.pop(name, None)
        else:
            wait = inf if answer.retry_after is None else answer.retry_after
            self._refused[name] = (answer, self._clock() + wait)

    def looked(self, snapshot: Snapshot) -> None:
        """Take note of how a breaker stands."""
        self._epochs[snapshot.name] = snapshot.epoch
        if snapshot.state == "closed":
            self._refused.pop(snapshot.name, None)
            self.not_closed.pop(snapshot.name, None)
        else:
            self.not_closed[snapshot.name] = snapshot.epoch
        if snapshot.commanded is not None:
            self.keep(snapshot.name, snapshot.commanded)

    def keep(self, name: str, commanded: Commanded) -> None:
        """Take note of what a person has wanted."""
        known = self.commanded.get(name)
        if known is None or known.at < commanded.at:
            self.commanded[name] = commanded

    def forget(self, name: str) -> None:
        """Forget what a breaker has said: a person says what it is."""
        self._refused.pop(name, None)
        self.not_closed.pop(name, None)

    def is_lost(self, name: str, epoch: int) -> bool:
        """Tell whether a breaker that is closed in this epoch was not closed in a later one, which Redis has lost."""
        return epoch < self.not_closed.get(name, 0)

    def still_refused(self, name: str) -> Refusal | None:
        """Return what was refused last, for as long as that was said to hold."""
        refusal, until = self._refused.get(name, (None, 0.0))
        left = until - self._clock()
        if refusal is None or left <= 0:
            return None
        return replace(refusal, retry_after=None if refusal.retry_after is None else left)
