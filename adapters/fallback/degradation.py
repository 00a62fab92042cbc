"""In which mode this process is, and what it offers then."""

from collections.abc import Callable

from adapters.fallback.known import KnownFallback
from domain.degradation import Feature, Mode, is_feature_available, mode_of


class Degradation:
    """Asks nobody: `failing` tells whether Cal.com's breaker has refused, and has not been seen closed since."""

    def __init__(self, known: KnownFallback, *, failing: Callable[[], bool]) -> None:
        self._known = known
        self._failing = failing

    @property
    def mode(self) -> Mode:
        """Return the mode."""
        return mode_of(full_fallback=self._known.seconds_left is not None, failing=self._failing())

    def offers(self, feature: Feature) -> bool:
        """Tell whether a feature is offered now."""
        return is_feature_available(feature, self.mode)
