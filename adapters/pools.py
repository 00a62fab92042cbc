"""How a pool stands, whatever it holds: connections, threads, leave to call."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolState:
    """
    Places that there may be, that there are, and that are taken; who waits, and how long anybody had to (seconds).

    `timeouts` is how many have waited in vain, ever. `longest_wait` is None where nobody measures it.
    """

    limit: int
    size: int
    in_use: int
    waiting: int = 0
    longest_wait: float | None = None
    timeouts: int = 0


Pools: TypeAlias = Mapping[str, Callable[[], PoolState]]


class PoolCollector(Collector):
    """Tells Prometheus of pools, which are looked at when it asks."""

    def __init__(self, pools: Pools) -> None:
        self._pools = pools

    def collect(self) -> Iterator[Metric]:
        """Yield one family a figure."""
        states = {name: look() for name, look in self._pools.items()}
        gauges: dict[str, tuple[str, Callable[[PoolState], float | None]]] = {
            "limit": ("Places that a pool may have.", lambda state: state.limit),
            "size": ("Places that a pool has.", lambda state: state.size),
            "in_use": ("Places of a pool that are taken.", lambda state: state.in_use),
            "waiting": ("Callers who wait for a place.", lambda state: state.waiting),
            "longest_wait_seconds": ("The longest that anybody has waited.", lambda state: state.longest_wait),
        }
        for figure, (told, value_of) in gauges.items():
            gauge = GaugeMetricFamily(f"calsaga_pool_{figure}", told, labels=("pool",))
            for name, state in states.items():
                value = value_of(state)
                if value is not None:
                    gauge.add_metric((name,), value)
            yield gauge
        timeouts = CounterMetricFamily("calsaga_pool_timeouts", "Callers who have waited in vain.", labels=("pool",))
        for name, state in states.items():
            timeouts.add_metric((name,), state.timeouts)
        yield timeouts
