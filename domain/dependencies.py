"""
Which services calsaga stands on, and which of them need which (M10).

The graph explains and judges. It stops no call: only a call's own breaker does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

SERVICES = ("calcom", "retell", "database", "redis", "webhooks", "email", "sms", "appointments")
"""Everything that has, or will have, a breaker."""
DEFAULT_NEEDS: Mapping[str, tuple[str, ...]] = {
    "retell": ("calcom",),
    "appointments": ("calcom", "retell"),
    "webhooks": ("database",),
}


@dataclass(frozen=True, slots=True)
class Dependencies:
    """
    What each service needs to do its work; a service that is left out needs nothing.

    Raises:
        ValueError: a service is unknown, or needs itself in the end; the message names the way.

    """

    needs: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: DEFAULT_NEEDS)

    def __post_init__(self) -> None:
        """Refuse what is no graph of our services without cycles."""
        for service, needed in self.needs.items():
            for name in (service, *needed):
                if name not in SERVICES:
                    raise ValueError(f"{service}: there is no service {name!r}; there are {', '.join(SERVICES)}")
        cycle = self._cycle()
        if cycle:
            raise ValueError(f"{cycle[0]} needs itself: {' → '.join(cycle)}; leave one of these out")

    def of(self, service: str) -> tuple[str, ...]:
        """Return what a service needs directly."""
        return self.needs.get(service, ())

    def ways_from(self, service: str, *, among: Mapping[str, object]) -> Mapping[str, tuple[str, ...]]:
        """Return all that a service needs in the end, with the shortest way there, through those `among` alone."""
        ways: dict[str, tuple[str, ...]] = {}
        ends: list[tuple[str, ...]] = [(service,)]
        while ends:
            longer = [(*way, needed) for way in ends for needed in self.of(way[-1]) if needed in among]
            ends = []
            for way in longer:
                if way[-1] not in ways:
                    ways[way[-1]] = way[1:]
                    ends.append(way)
        return ways

    def _cycle(self) -> tuple[str, ...]:
        for service in SERVICES:
            ways = self.ways_from(service, among=dict.fromkeys(SERVICES))
            if service in ways:
                return (service, *ways[service])
        return ()
