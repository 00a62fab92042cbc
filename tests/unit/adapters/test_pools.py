"""
Pools as Prometheus hears of them.
"""

from __future__ import annotations

from adapters.metrics import Metrics
from adapters.pools import PoolState


def test_pools_are_looked_at_when_somebody_asks() -> None:
    states = [PoolState(limit=4, size=2, in_use=1, waiting=3, longest_wait=0.5, timeouts=7)]
    metrics = Metrics()
    metrics.watch({"a": lambda: states[-1], "b": lambda: PoolState(limit=1, size=1, in_use=0)})
    states.append(PoolState(limit=4, size=4, in_use=4, waiting=9, longest_wait=0.75, timeouts=8))
    lines = metrics.exposition().decode().splitlines()

    told = {line for line in lines if line.startswith("calsaga_pool_") and 'pool="a"' in line}
    assert {
        'calsaga_pool_limit{pool="a"} 4.0',
        'calsaga_pool_size{pool="a"} 4.0',
        'calsaga_pool_in_use{pool="a"} 4.0',
        'calsaga_pool_waiting{pool="a"} 9.0',
        'calsaga_pool_longest_wait_seconds{pool="a"} 0.75',
        'calsaga_pool_timeouts_total{pool="a"} 8.0',
    } == told
    assert not any(line.startswith('calsaga_pool_longest_wait_seconds{pool="b"}') for line in lines)
