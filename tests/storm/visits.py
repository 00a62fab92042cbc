"""
What each customer wants in the end: the appointment, another time, or nothing any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final, Literal

from adapters.demo import day
from adapters.demo.day import Request
from tests.storm.weather import Weather

MOVES, CANCELS = 0.1, 0.08
GROUP: Final = "practice"
Kind = Literal["one", "anybody", "row"]
KINDS: Final[dict[Kind, int]] = {"one": 70, "anybody": 20, "row": 10}
"""For how many in a hundred it is one service, one of whoever has time, or two in a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """
    A request, and the second thoughts of whoever made it, so many seconds after the answer.
    """

    request: Request
    kind: Kind = "one"
    moves_to: datetime | None = None
    cancels: bool = False
    thinks: float = 0.0


def visits(weather: Weather) -> list[Visit]:
    """
    Return the same visits for the same seed.
    """
    random = Random(f"visits {weather.seed}")
    requests = day.requests(
        bookings=weather.bookings,
        seed=weather.seed,
        today=datetime.now(UTC).date(),
        seconds=weather.seconds,
        troubled=False,
    )
    return [_visit(request, requests, random) for request in requests]


def _visit(request: Request, requests: Sequence[Request], random: Random) -> Visit:
    thinks = random.uniform(0, 3)
    fate = random.random()
    (kind,) = random.choices([*KINDS], weights=[*KINDS.values()])
    if fate < MOVES:
        return Visit(request=request, kind=kind, moves_to=another_time(random, requests), thinks=thinks)
    return Visit(request=request, kind=kind, cancels=fate < MOVES + CANCELS, thinks=thinks)


def another_time(random: Random, requests: Sequence[Request]) -> datetime:
    """
    Return a time at which the practice may be open, and whoever is asked may be free.
    """
    near = random.choice(requests).wish.starts_at
    if random.random() < 1 / 2:
        # After hours, when there is always somebody.
        return near.replace(hour=random.choice((18, 19, 20)), minute=random.choice((0, 30)))
    return near + random.choice((-2, -1, 1, 2)) * timedelta(minutes=30)


def kind_of(service_id: str) -> str:
    """
    Return what a service is, whoever does it: services of the same kind have the same name.
    """
    return service_id.rpartition("-")[0]
