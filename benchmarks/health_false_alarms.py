"""
How often health warns of nothing, and how often of what is there; prints one JSON object.

    python -m benchmarks.health_false_alarms [--days N] [--seed N]

Services are made up from a seed: answers with heavy tails that follow each other (log-normal, correlated, one in fifty
several times as slow), a daily cycle, days that differ, one check in five hundred without an answer. Healthy ones count
for false alarms, and so do restless ones, whose times wander by a quarter within an hour. Others get worse
from noon of the last day on, and count for detection within two hours. Advice is asked for every five minutes, as if
somebody watched all the time; an alarm is a sign that was not there before.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import exp, pi, sin
from random import Random

from domain.health import Check, ProbePolicy, Said, judge
from domain.health_forecast import AROUND, TREND_OVER, Seen, Sign, forecast
from domain.health_hours import Hour

POLICY = ProbePolicy()
INTERVAL = timedelta(seconds=POLICY.interval_seconds)
DAYS_BEFORE = 7
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LOOK_EVERY = timedelta(minutes=5)
BEGAN = datetime(2027, 3, 1, tzinfo=UTC)
SPEAKS_BY = timedelta(hours=2)
STATISTICAL: tuple[Sign, ...] = ("failing", "rising", "unusual", "bad_hour")

WANDERS_ON = exp(-INTERVAL / HOUR)
"""How much of its wandering a restless service has kept after one interval: a third after an hour."""
RESTLESS = 0.25

Ailment = Callable[[float, Random], tuple[float, float]]
"""Hours since it began → by how much answers take longer, and which share of checks fails."""


def _healthy(_hours: float, _random: Random) -> tuple[float, float]:
    return 1.0, 0.0


SLOW: tuple[Sign, ...] = ("rising", "unusual")
AILMENTS: dict[str, tuple[tuple[Sign, ...], Ailment]] = {
    "three times as slow at once": (SLOW, lambda _hours, _random: (3.0, 0.0)),
    "five times as slow at once": (SLOW, lambda _hours, _random: (5.0, 0.0)),
    "doubles every hour": (SLOW, lambda hours, _random: (2.0**hours, 0.0)),
    "half as slow again every hour": (SLOW, lambda hours, _random: (1.5**hours, 0.0)),
    "half of the checks fail": (("failing",), lambda _hours, _random: (1.0, 0.5)),
}


def service(
    random: Random, *, days: int, ailment: Ailment = _healthy, bad_hour: int | None = None, wanders: float = 0.0
) -> Iterator[Check]:
    """Yield the checks of a service; `ailment` begins at noon of the last day, a bad hour fails on most days."""
    usual_ms, swing, noise = random.uniform(40, 400), random.uniform(0.1, 0.4), random.uniform(0.2, 0.4)
    follows, phase = random.uniform(0.3, 0.7), random.uniform(0, 2 * pi)
    state = wandering = random.gauss(0, 1)
    ill_from = BEGAN + (days - 0.5) * DAY
    for day in range(days):
        level = usual_ms * exp(random.gauss(0, 0.1))
        bad_today = random.random() < 0.8
        for number in range(DAY // INTERVAL):
            at = BEGAN + day * DAY + number * INTERVAL
            state = follows * state + (1 - follows**2) ** 0.5 * random.gauss(0, 1)
            factor, failing = (1.0, 0.0) if at < ill_from else ailment((at - ill_from) / HOUR, random)
            if bad_hour == at.hour and bad_today:
                failing = max(failing, 0.3)
            ms = level * (1 + swing * sin(2 * pi * number * INTERVAL / DAY + phase)) * factor
            wandering = WANDERS_ON * wandering + (1 - WANDERS_ON**2) ** 0.5 * random.gauss(0, 1)
            ms *= exp(noise * state + wanders * wandering)
            if random.random() < 0.02:
                ms *= 1 + random.paretovariate(1.5)
            fails = random.random() < 0.002 + failing or ms > POLICY.limit_seconds * 1000
            said = Said(status="down", answered=False) if fails else Said()
            yield judge("calcom", said, POLICY, checked_at=at, seconds=ms / 1000)


def hours_of(checks: Sequence[Check]) -> list[Hour]:
    """Return how each hour was."""
    found: dict[datetime, list[bool]] = {}
    for one in checks:
        begins_at = one.checked_at.replace(minute=0, second=0, microsecond=0)
        found.setdefault(begins_at, []).append(one.status in {"down", "degraded"})
    return [Hour(begins_at=at, checks=len(unwell), unwell=sum(unwell)) for at, unwell in found.items()]


@dataclass(frozen=True, slots=True)
class Watched:
    """The checks of a service by their place, so that looking back costs little."""

    checks: Sequence[Check]
    hours: Sequence[Hour]

    def seen(self, now: datetime) -> Seen:
        """Return what is known at an instant."""
        since = now - DAYS_BEFORE * DAY
        hours = [one for one in self.hours if since <= one.begins_at and one.begins_at + HOUR <= now]
        days = [now - day * DAY for day in range(DAYS_BEFORE, 0, -1)]
        before = [one for day in days for one in self._between(day - AROUND, day + AROUND)]
        return Seen(checks=[*before, *self._between(now - TREND_OVER, now)], hours=hours)

    def _between(self, since: datetime, until: datetime) -> Sequence[Check]:
        first, last = ((at - BEGAN) // INTERVAL for at in (since, until))
        return self.checks[max(first, 0) : max(last, 0)]


def alarms(watched: Watched, *, since: datetime, until: datetime) -> Iterator[tuple[Sign, datetime]]:
    """Yield each sign that was not there five minutes before."""
    before: set[Sign] = set()
    now = since
    while now < until:
        signs = {*forecast(watched.seen(now), POLICY, now=now).signs}
        for sign in signs - before:
            yield sign, now
        before = signs
        now += LOOK_EVERY


def watch(random: Random, *, days: int, **what: object) -> Watched:
    """Return a service with its hours."""
    checks = list(service(random, days=days, **what))  # type: ignore[arg-type]
    return Watched(checks, hours_of(checks))


def false_alarms(random: Random, *, days: int, wanders: float = 0.0) -> dict[Sign, int]:
    """Return how many signs healthy services give in so many days, each service watched for a day after a week."""
    found = dict.fromkeys(STATISTICAL, 0)
    for _ in range(days):
        healthy = watch(random, days=DAYS_BEFORE + 1, wanders=wanders)
        for sign, _ in alarms(healthy, since=BEGAN + DAYS_BEFORE * DAY, until=BEGAN + (DAYS_BEFORE + 1) * DAY):
            found[sign] += 1
    return found


def detected(random: Random, *, times: int) -> dict[str, dict[str, float]]:
    """Return of each ailment which share was seen in time, and how many minutes that took in the median."""
    found = {}
    noon = BEGAN + (DAYS_BEFORE + 0.5) * DAY
    for name, (wanted, ailment) in AILMENTS.items():
        took = []
        for _ in range(times):
            ill = watch(random, days=DAYS_BEFORE + 1, ailment=ailment)
            told = [at for sign, at in alarms(ill, since=noon, until=noon + SPEAKS_BY) if sign in wanted]
            took += [(told[0] - noon) / timedelta(minutes=1)] if told else []
        found[name] = _figures(took, times)
    took = []
    for _ in range(times):
        hour = random.randrange(24)
        ill = watch(random, days=DAYS_BEFORE + 1, bad_hour=hour)
        now = BEGAN + DAYS_BEFORE * DAY + hour * HOUR - timedelta(minutes=10)
        took += [-10.0] if "bad_hour" in forecast(ill.seen(now), POLICY, now=now).signs else []
    found["bad at the same hour on four days of five"] = _figures(took, times)
    return found


def _figures(took: Sequence[float], times: int) -> dict[str, float]:
    middle = sorted(took)[len(took) // 2] if took else float("nan")
    return {"share": round(len(took) / times, 3), "median_minutes": middle}


def main() -> None:
    """Measure, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=200, help="of healthy services; a tenth as many of each ailment")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    random = Random(given.seed)
    found = false_alarms(random, days=given.days)
    restless = false_alarms(random, days=given.days, wanders=RESTLESS)
    figures = {
        "service_days": given.days,
        "false_alarms": found,
        "false_alarms_a_service_day": round(sum(found.values()) / given.days, 4),
        "false_alarms_of_restless_services": restless,
        "false_alarms_a_restless_service_day": round(sum(restless.values()) / given.days, 4),
        "detected_within_two_hours": detected(random, times=max(given.days // 10, 1)),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
