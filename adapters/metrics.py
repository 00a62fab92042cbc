"""What this process counts, in the form that Prometheus fetches."""

from itertools import product
from typing import Literal, TypeAlias, get_args

from prometheus_client import CollectorRegistry, Counter, ProcessCollector, generate_latest

Tier: TypeAlias = Literal["process", "redis", "log"]
Outcome: TypeAlias = Literal["hit", "miss", "error"]
CacheName: TypeAlias = Literal["availability", "phone", "user"]
CacheOutcome: TypeAlias = Literal["hit", "miss", "stale", "error"]

_CACHES = tuple(product(get_args(CacheName), get_args(CacheOutcome)))
_LOOKUPS = (*product(("process", "redis", "log"), ("hit", "miss")), ("redis", "error"))


class Metrics:
    """The counters of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        lookups = Counter(
            "calsaga_idempotency_lookups",
            "Was this seen before? Asked of this process, of Redis, and last of the log, which alone decides.",
            ("tier", "outcome"),
            registry=self._registry,
        )
        self._lookups = {labels: lookups.labels(*labels) for labels in _LOOKUPS}
        cached = Counter(
            "calsaga_cache_lookups",
            "Was it in the cache? `stale`: loading failed, and an old entry served; `error`: there was none either.",
            ("cache", "outcome"),
            registry=self._registry,
        )
        self._cached = {labels: cached.labels(*labels) for labels in _CACHES}

    def looked_up(self, tier: Tier, outcome: Outcome) -> None:
        """Count one question for what was seen before."""
        self._lookups[tier, outcome].inc()

    def cached(self, cache: CacheName, outcome: CacheOutcome) -> None:
        """Count one question to a cache."""
        self._cached[cache, outcome].inc()

    def exposition(self) -> bytes:
        """Return everything in Prometheus' text form."""
        return generate_latest(self._registry)
