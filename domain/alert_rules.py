"""
The rules by which alerts are raised (M32), as one function from what was measured to a judgment for each.

Fewer calls than `ENOUGH` in a window say nothing: one failure of two is no 50 %.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.alert import AlertRule
from domain.alerting import Judgment, Level
from domain.concerns import RejectedKey
from domain.service_level import BURNING, BurnWindows, Counts, Objectives, burn_rate
from domain.spike import Found

ENOUGH = 10
"""From how many calls in a window on its shares are judged."""
ENOUGH_FOR_PERCENTILE = 20
ANSWER_WARNING, ANSWER_CRITICAL = 1.5, 2.0
"""How many seconds one answer in twenty of our own API may take."""
LOOKED_BACK = timedelta(minutes=5)
"""The window of percentiles, of bookings, of the database's failures and of caches."""
SETTLED = timedelta(minutes=1)
"""For how long a breaker must be closed before what it raised is cleared."""
NOT_CLOSED_WARNING, NOT_CLOSED_CRITICAL = 30.0, 120.0
"""For how many seconds a breaker may be open or half-open."""
BREAKERS_AT_ONCE = 1.5
"""Two breakers that are not closed are a cascade, and one is none."""
BOOKINGS_FAILED_WARNING, BOOKINGS_FAILED_CRITICAL = 0.05, 0.10
DATABASE, DATABASE_FAILURES = "database", 3
"""How many calls to the database may fail within the last minutes."""
MISSES, ENOUGH_LOOKUPS = 0.20, 200
"""Which share of the questions to a cache may be misses, of so many at least."""
JUDGED_CACHES = ("availability", "user")
"""Not `phone`: whoever books for the first time is a miss, and nothing is wrong with that."""
FLEET, APPOINTMENTS, CACHE, API = "fleet", "appointments", "cache", "api"
"""What alerts are about that are about no service: all of them, how bookings end, what caches hold, our own answers."""
NO_SERVICES = frozenset({APPOINTMENTS, CACHE, API})
"""What is counted like the calls to a service, and is held to no service level."""
KEY_REJECTED = 30.0
"""For how many seconds Cal.com may reject a company's key: one try more."""
FALLBACK_LASTS = 900.0
"""For how many seconds full fallback may hold before somebody is asked whether it is still meant to."""
NOTHING, NONE_FOUND = Counts(), Found()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceReading:
    """
    What was measured of a service: its calls in each window, and how its breakers stand.

    The p99 is that of its slowest operation in the last minutes; `failed` is how many calls failed in these.
    Of several breakers for one service, each process its own, the one that has been unwell longest counts, and the one
    that was closed last. A service without a breaker is never unwell.
    """

    service: str
    spans: Mapping[timedelta, Counts] = field(default_factory=dict)
    p99_seconds: float | None = None
    p99_calls: int = 0
    failed: int = 0
    unwell_since: datetime | None = None
    well_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """
    What was measured of the fleet; `bookings` are those of the last minutes that ended.

    `answer_p95_seconds` is that of the API's slowest operation lately, None if none was called often enough.
    `caches` are the questions to each cache in the last minutes, failed if it was a miss; `sync_failures` were found.
    `rejected_keys` are those that Cal.com rejects now, and `fallback_since` is when full fallback began, if it holds.
    """

    at: datetime
    services: Sequence[ServiceReading]
    bookings: Counts = NOTHING
    answer_p95_seconds: float | None = None
    caches: Mapping[str, Counts] = field(default_factory=dict)
    sync_failures: Found = NONE_FOUND
    rejected_keys: Sequence[RejectedKey] = ()
    fallback_since: datetime | None = None


def judge(reading: Reading, objectives: Objectives) -> list[Judgment]:
    """Return what every rule says."""
    return [
        *(judgment for one in reading.services for judgment in _of_service(one, objectives, now=reading.at)),
        _cascade(reading),
        _bookings(reading.bookings),
        _answers(reading.answer_p95_seconds),
        *(_cache(name, reading.caches.get(name, NOTHING)) for name in JUDGED_CACHES),
        _spike(reading.sync_failures),
        *(_rejected(key, now=reading.at) for key in reading.rejected_keys),
        _fallback(reading.fallback_since, now=reading.at),
    ]


def _of_service(one: ServiceReading, objectives: Objectives, *, now: datetime) -> Iterator[Judgment]:
    yield Judgment(rule="availability", service=one.service, levels=tuple(_burning(one, objectives)))
    yield Judgment(rule="latency", service=one.service, levels=tuple(_slow(one, objectives)))
    yield _unwell("recovery", one, objectives.recovery_seconds, objectives.recovery_critical_seconds, now)
    yield _unwell("breaker_not_closed", one, NOT_CLOSED_WARNING, NOT_CLOSED_CRITICAL, now)
    if one.service == DATABASE:
        failed = Level(severity="critical", value=one.failed, threshold=DATABASE_FAILURES)
        yield Judgment(rule="database_errors", service=DATABASE, levels=(failed,))


def _burning(one: ServiceReading, objectives: Objectives) -> Iterator[Level]:
    for windows in BURNING:
        yield Level(severity=windows.severity, value=_both(one, windows, objectives), threshold=windows.rate)
    quickest = BURNING[0]
    # What is critical for its own sake, however slowly that would spend the budget.
    critical = (1.0 - objectives.availability_critical) / (1.0 - objectives.availability)
    yield Level(severity="critical", value=_both(one, quickest, objectives), threshold=critical)


def _both(one: ServiceReading, windows: BurnWindows, objectives: Objectives) -> float:
    found = [one.spans.get(span, NOTHING) for span in (windows.long, windows.short)]
    if any(counts.requests < ENOUGH for counts in found):
        return 0.0
    return min(burn_rate(counts, objectives.availability) for counts in found)


def _slow(one: ServiceReading, objectives: Objectives) -> Iterator[Level]:
    if one.p99_seconds is not None and one.p99_calls >= ENOUGH_FOR_PERCENTILE:
        yield Level(severity="warning", value=one.p99_seconds, threshold=objectives.p99_seconds)
        yield Level(severity="critical", value=one.p99_seconds, threshold=objectives.p99_critical_seconds)


def _unwell(rule: AlertRule, one: ServiceReading, warning: float, critical: float, now: datetime) -> Judgment:
    seconds = 0.0 if one.unwell_since is None else max((now - one.unwell_since).total_seconds(), 0.0)
    levels = (
        Level(severity="warning", value=seconds, threshold=warning),
        Level(severity="critical", value=seconds, threshold=critical),
    )
    return Judgment(
        rule=rule, service=one.service, levels=levels, since=one.unwell_since, settled=_is_settled(one, now)
    )


def _is_settled(one: ServiceReading, now: datetime) -> bool:
    """Tell whether the breaker is closed, and has been for a while."""
    return one.unwell_since is None and (one.well_since is None or one.well_since + SETTLED <= now)


def _cascade(reading: Reading) -> Judgment:
    unwell = sorted(one.unwell_since for one in reading.services if one.unwell_since is not None)
    unsettled = sum(1 for one in reading.services if not _is_settled(one, reading.at))
    return Judgment(
        rule="breaker_cascade",
        service=FLEET,
        levels=(Level(severity="critical", value=len(unwell), threshold=BREAKERS_AT_ONCE),),
        since=unwell[1] if len(unwell) > 1 else None,
        settled=unsettled < BREAKERS_AT_ONCE,
    )


def _bookings(counts: Counts) -> Judgment:
    if counts.requests < ENOUGH:
        return Judgment(rule="booking_success", service=APPOINTMENTS)
    levels = (
        Level(severity="warning", value=counts.bad_share, threshold=BOOKINGS_FAILED_WARNING),
        Level(severity="critical", value=counts.bad_share, threshold=BOOKINGS_FAILED_CRITICAL),
    )
    return Judgment(rule="booking_success", service=APPOINTMENTS, levels=levels)


def _answers(p95: float | None) -> Judgment:
    if p95 is None:
        return Judgment(rule="slow_answers", service=API)
    levels = (
        Level(severity="warning", value=p95, threshold=ANSWER_WARNING),
        Level(severity="critical", value=p95, threshold=ANSWER_CRITICAL),
    )
    return Judgment(rule="slow_answers", service=API, levels=levels)


def _cache(name: str, counts: Counts) -> Judgment:
    if counts.requests < ENOUGH_LOOKUPS:
        return Judgment(rule="cache_misses", service=name)
    missed = Level(severity="warning", value=counts.bad_share, threshold=MISSES)
    return Judgment(rule="cache_misses", service=name, levels=(missed,))


def _spike(found: Found) -> Judgment:
    spike = Level(severity="warning", value=found.lately, threshold=found.usual)
    return Judgment(rule="sync_failure_spike", service=FLEET, levels=(spike,))


def _rejected(key: RejectedKey, *, now: datetime) -> Judgment:
    lasts = Level(
        severity="critical" if key.is_critical else "warning",
        value=(now - key.since).total_seconds(),
        threshold=KEY_REJECTED,
    )
    return Judgment(rule="key_rejected", service=key.company_id, levels=(lasts,), since=key.since)


def _fallback(since: datetime | None, *, now: datetime) -> Judgment:
    if since is None:
        return Judgment(rule="full_fallback", service=FLEET)
    lasts = Level(severity="warning", value=(now - since).total_seconds(), threshold=FALLBACK_LASTS)
    return Judgment(rule="full_fallback", service=FLEET, levels=(lasts,), since=since)
