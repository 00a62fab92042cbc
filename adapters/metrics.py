"""What this process counts, in the form that Prometheus fetches."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from functools import cache
from itertools import product
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from adapters.absences import USES, Use
from adapters.limits.ports import Kind
from adapters.pools import PoolCollector, Pools
from domain.booking_result import Result
from domain.breaker_words import Outcome as CallOutcome
from domain.breaker_words import State
from domain.fallback import Rung
from domain.webhook import WebhookOutcome
from sagas.inbox import Stored, WebhookNews

Tier: TypeAlias = Literal["process", "redis", "log"]
Outcome: TypeAlias = Literal["hit", "miss", "error"]
CacheName: TypeAlias = Literal["availability", "phone", "user"]
CacheOutcome: TypeAlias = Literal["hit", "miss", "stale", "error"]
WebhookRefusal: TypeAlias = Literal["bad_signature", "unknown_company"]

_CALL_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""The p99 that is aimed at, 1 s, and the critical one, 5 s, are among them."""
_ANSWER_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 5.0, 10.0, 30.0, 60.0)
"""What the p95 of our own answers may be, 1.5 s, and what is critical, 2 s, are among them."""
_CACHES = tuple(product(get_args(CacheName), get_args(CacheOutcome)))
_STATES: dict[State, int] = {"closed": 0, "half_open": 1, "open": 2}
_LOOKUPS = (*product(("process", "redis", "log"), ("hit", "miss")), ("redis", "error"))
_WEBHOOKS = dict.fromkeys(
    (*get_args(WebhookRefusal), *get_args(Stored), "put_off", "failed", *get_args(WebhookOutcome))
)


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
        webhooks = Counter(
            "calsaga_webhooks",
            "What became of webhooks: of each when it came, and again whenever it was looked into.",
            ("outcome",),
            registry=self._registry,
        )
        self._webhooks = {outcome: webhooks.labels(outcome) for outcome in _WEBHOOKS}
        cached = Counter(
            "calsaga_cache_lookups",
            "Was it in the cache? `stale`: loading failed, and an old entry served; `error`: there was none either.",
            ("cache", "outcome"),
            registry=self._registry,
        )
        self._cached = {labels: cached.labels(*labels) for labels in _CACHES}

        self._breaker_states = Gauge(
            "circuit_breaker_state",
            "0 closed, 1 half-open, 2 open.",
            ("service",),
            registry=self._registry,
        )
        breaker_calls = {
            "refused": self._of_service("circuit_breaker_open", "Calls that an open breaker has refused."),
            "succeeded": self._of_service(
                "circuit_breaker_success", "Calls that a breaker let through, and that succeeded."
            ),
            "failed": self._of_service("circuit_breaker_failure", "Calls that a breaker let through, and that failed."),
        }
        # Each call looks for its series, which costs more than counting it.
        self._breaker_calls = {outcome: cache(counter.labels) for outcome, counter in breaker_calls.items()}
        self._rungs = Counter(
            "calsaga_fallback_answers",
            "Which rung of the fallback chain has answered: the source itself, or what stands in for it.",
            ("operation", "rung"),
            registry=self._registry,
        )
        bookings = Counter(
            "calsaga_bookings",
            "Bookings that have ended; `ignored`: refused for the customer's own reason.",
            ("outcome",),
            registry=self._registry,
        )
        self._bookings = {outcome: bookings.labels(outcome) for outcome in get_args(Result)}
        call_seconds = Histogram(
            "calsaga_call_seconds",
            "How long calls to a service took that succeeded or failed.",
            ("service", "operation"),
            buckets=_CALL_SECONDS,
            registry=self._registry,
        )
        self._call_seconds = cache(call_seconds.labels)
        answer_seconds = Histogram(
            "calsaga_answer_seconds",
            "How long callers of the API waited for its answer, by method and route.",
            ("operation",),
            buckets=_ANSWER_SECONDS,
            registry=self._registry,
        )
        self._answer_seconds = cache(answer_seconds.labels)
        self._budget_left = Gauge(
            "calsaga_slo_error_budget_left",
            "Which share of the error budget of the period is left, of all processes, as of a minute ago.",
            ("service",),
            registry=self._registry,
        )
        self._burn_rate = Gauge(
            "calsaga_slo_burn_rate",
            "How many times as fast as it may the error budget goes, by window, of all processes.",
            ("service", "window"),
            registry=self._registry,
        )
        self._redis_losses = Counter(
            "calsaga_redis_losses",
            "How often this process has lost Redis and gone on by itself, by what it asks Redis for.",
            ("used_for",),
            registry=self._registry,
        )
        self._redis_away_since = Gauge(
            "calsaga_redis_away_since_timestamp_seconds",
            "Since when this process has gone on without Redis; 0 while it is there.",
            ("used_for",),
            registry=self._registry,
        )
        for use in USES:
            self._redis_losses.labels(use)
            self._redis_away_since.labels(use)
        breakers_alone = Gauge(
            "calsaga_breakers_alone",
            "1 while Redis is away and this process decides by itself.",
            registry=self._registry,
        )

        limited = Counter(
            "calsaga_api_rate_limited",
            "Requests that were answered 429, by the limit that they exceed.",
            ("limit",),
            registry=self._registry,
        )
        self._limited = {kind: limited.labels(kind) for kind in get_args(Kind)}
        limits_alone = Gauge(
            "calsaga_api_rate_limits_alone",
            "1 while Redis is away and this process counts requests by itself.",
            registry=self._registry,
        )
        self._alone: dict[Use, Gauge] = {"breakers": breakers_alone, "rate_limits": limits_alone}

    def serve_breakers(self, services: Iterable[str]) -> None:
        """Tell of the calls of these from the start, so that the first one is seen as a rise."""
        for series in self._breaker_calls.values():
            for service in services:
                series(service)

    def watch_fallback(self, holds: Callable[[], bool]) -> None:
        """Tell whether full fallback holds, too, as far as this process knows when somebody fetches the figures."""
        gauge = Gauge(
            "calsaga_full_fallback",
            "1 while a person has switched full fallback on, so that bookings wait.",
            registry=self._registry,
        )
        gauge.set_function(holds)

    def watch_rejected_keys(self, rejected: Callable[[], Collection[str]], *, default: str) -> None:
        """Tell how many companies' keys Cal.com rejects, too, and whether the default company's is one of them."""
        gauge = Gauge(
            "calsaga_calcom_keys_rejected",
            "How many companies' API keys Cal.com rejects, as far as this process has called with them.",
            ("company",),
            registry=self._registry,
        )
        gauge.labels("default").set_function(lambda: default in rejected())
        gauge.labels("other").set_function(lambda: len(set(rejected()) - {default}))

    def watch(self, pools: Pools) -> None:
        """Tell how these pools stand, too, whenever somebody fetches the figures."""
        self._registry.register(PoolCollector(pools))

    def rate_limited(self, kind: Kind) -> None:
        """Count a request that was more than a limit allows."""
        self._limited[kind].inc()

    def breaker_called(self, service: str, outcome: CallOutcome | Literal["refused"]) -> None:
        """Count a call, or one that was refused; what says nothing of the service is not counted."""
        if outcome != "ignored":
            self._breaker_calls[outcome](service).inc()

    def booking_ended(self, result: Result) -> None:
        """Count a booking that has ended, and how."""
        self._bookings[result].inc()

    def fell_back(self, operation: str, rung: Rung) -> None:
        """Count one answer, and where it came from."""
        self._rungs.labels(operation, rung).inc()

    def call_took(self, service: str, operation: str, seconds: float) -> None:
        """Take note of how long a call took."""
        self._call_seconds(service, operation).observe(seconds)

    def answered(self, operation: str, seconds: float) -> None:
        """Take note of how long an answer of our own took."""
        self._answer_seconds(operation).observe(seconds)

    def budget_spent(self, service: str, *, left: float, burn_rates: Mapping[str, float]) -> None:
        """Take note of what is left of a service's error budget, and how fast it goes, by window."""
        self._budget_left.labels(service).set(left)
        for window, rate in burn_rates.items():
            self._burn_rate.labels(service, window).set(rate)

    def redis_away(self, use: Use, since: datetime | None) -> None:
        """Take note of since when this process goes on without Redis; of None, that Redis is back."""
        self._redis_away_since.labels(use).set(0.0 if since is None else since.timestamp())
        if since is not None:
            self._redis_losses.labels(use).inc()
        if use in self._alone:
            self._alone[use].set(since is not None)

    def _of_service(self, name: str, told: str) -> Counter:
        return Counter(name, told, ("service",), registry=self._registry)

    def looked_up(self, tier: Tier, outcome: Outcome) -> None:
        """Count one question for what was seen before."""
        self._lookups[tier, outcome].inc()

    def cached(self, cache: CacheName, outcome: CacheOutcome) -> None:
        """Count one question to a cache."""
        self._cached[cache, outcome].inc()

    def webhook(self, outcome: WebhookNews | WebhookRefusal) -> None:
        """Count what has become of a webhook."""
        self._webhooks[outcome].inc()

    def exposition(self, breakers: Mapping[str, State] = MappingProxyType({})) -> bytes:
        """Return everything in Prometheus' text form, with how breakers stand, which other processes move as well."""
        for service, state in breakers.items():
            self._breaker_states.labels(service).set(_STATES[state])
        return generate_latest(self._registry)
