"""
The seeded choice among faults.
"""

from collections import deque
from dataclasses import dataclass
from random import Random

from adapters.sandbox.faults import CallFacts, Fault, Kind, Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """
    What befalls one call: at most one fault of the answer, and beside it at most one lag of the list.
    """

    fault: Fault | None = None
    lag: Fault | None = None


class FaultPlan:
    """
    Choose the faults of each call: what was queued comes first, then the dice of the profile.
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self._dice = Random(profile.seed)  # noqa: S311 - dice, not secrets
        # Dice of their own, so that what befalls calls is the same with and without webhooks.
        self._delivery_dice = Random(profile.seed)  # noqa: S311 - dice, not secrets
        self._queued: deque[Fault] = deque()

    def push(self, fault: Fault, *, times: int = 1) -> None:
        """
        Queue a fault for the next calls, or webhooks, that it covers.
        """
        self._queued.extend([fault] * times)

    @property
    def queued(self) -> int:
        return len(self._queued)

    def choose(self, call: CallFacts) -> Chosen:
        """
        Return what befalls a call.
        """
        if not self._queued and not self.profile.faults:
            return Chosen()
        return Chosen(
            fault=self._next(call, lags=False, dice=self._dice), lag=self._next(call, lags=True, dice=self._dice)
        )

    def choose_for_delivery(self, delivery: CallFacts) -> Fault | None:
        """
        Return what befalls a webhook on its way.
        """
        return self._next(delivery, lags=False, dice=self._delivery_dice)

    def _next(self, call: CallFacts, *, lags: bool, dice: Random) -> Fault | None:
        for position, fault in enumerate(self._queued):
            if (fault.kind is Kind.LIST_LAG) is lags and fault.covers(call):
                del self._queued[position]
                return fault
        fired = [
            fault
            for fault in self.profile.faults
            if (fault.kind is Kind.LIST_LAG) is lags and fault.covers(call) and dice.random() < fault.probability
        ]
        return dice.choice(fired) if fired else None
