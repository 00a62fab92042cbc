"""Telling the operators that a breaker is about to open, once each time that it comes near."""

from collections.abc import Mapping

import structlog

from adapters.breakers.ports import Breakers
from domain.breaker_policy import BreakerPolicy
from domain.breaker_pressure import NEAR, pressure

_log = structlog.get_logger("calsaga.health")


class BreakerWatch:
    """Looks at the breakers; what the fleet shares is told by whoever probes for it, all else by each process."""

    def __init__(self, breakers: Breakers, policies: Mapping[str, BreakerPolicy]) -> None:
        self._breakers = breakers
        self._policies = policies
        self._near: set[str] = set()

    async def look(self, leads: bool) -> None:  # noqa: FBT001 - the one thing that it is told
        """Warn of each breaker that has come near to opening since the last look; `leads` if we probe for the fleet."""
        for name, policy in self._policies.items():
            snapshot = await self._breakers.snapshot(name)
            share = pressure(snapshot, policy)
            if share < NEAR:
                self._near.discard(name)
            elif name not in self._near:
                self._near.add(name)
                if leads or not snapshot.shared:
                    _log.warning(
                        "breaker.near", breaker=name, share=round(share, 2), failures=snapshot.failures,
                        successes=snapshot.successes, slow=snapshot.slow,
                    )  # fmt: skip
