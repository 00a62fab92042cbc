"""
Everything that can go wrong, all at once, and both sides equal afterwards: `make storm`.

Exit status 1 if anything differs.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import orjson

from adapters.demo.circumstances import RATE_LIMIT, RATE_WINDOW_SECONDS
from adapters.telemetry import configure
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer
from tests.storm.play import Outcome, play
from tests.storm.weather import SHORTENED, Weather

MOST_SHOWN = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Let it storm, and return the exit status.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.storm", description=__doc__)
    parser.add_argument("--bookings", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(arguments)
    weather = Weather(bookings=given.bookings, seed=given.seed, database=given.database)
    configure(form="console", level="error")
    outcome = survive(weather)
    print(orjson.dumps(document(outcome)).decode() if given.json else "\n".join(_lines(outcome)))
    return 0 if outcome.is_clean else 1


def survive(weather: Weather) -> Outcome:
    """
    Let it storm in a temporary directory, on a database and a Redis of its own.
    """
    with (
        tempfile.TemporaryDirectory(prefix="calsaga-storm-") as folder,
        _database(weather.database, folder) as database_url,
        _redis() as redis_url,
    ):
        return asyncio.run(play(weather, folder=Path(folder), database_url=database_url, redis_url=redis_url))


@contextmanager
def _database(kind: str, folder: str) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder}/storm.db"
        return
    server = PostgresServer()
    server.start()
    try:
        yield server.create_database("storm")
    finally:
        server.stop()


@contextmanager
def _redis() -> Iterator[str]:
    server = RedisServer()
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


def document(outcome: Outcome) -> dict[str, object]:
    """
    Return the outcome as one JSON object.
    """
    said = asdict(outcome)
    said["verdict"] = {what: len(wrong) for what, wrong in asdict(outcome.verdict).items()}
    return {**said, "settings": _settings(), "clean": outcome.is_clean}


def _settings() -> dict[str, str]:
    limit = f"{RATE_LIMIT} calls in {RATE_WINDOW_SECONDS:g} s"
    return {**SHORTENED, "the sandbox's rate limit": limit}


def _lines(outcome: Outcome) -> Iterator[str]:
    weather = outcome.weather
    whole = sum(outcome.seconds.values())
    yield f"{weather.bookings} bookings on {weather.database}, seed {weather.seed}, {whole:.0f} s"
    told: dict[str, Mapping[str, int]] = {
        "bookings": outcome.standing,
        "customers were told": outcome.answers,
        "people at Cal.com": outcome.people,
        "faults": outcome.faults,
        "webhooks": outcome.webhooks,
        "deaths": outcome.deaths,
        "the last reconcile": outcome.reconciled,
    }
    for what, figures in told.items():
        yield f"{what}: " + (", ".join(f"{count} {name}" for name, count in figures.items()) or "nothing")
    yield "seconds: " + ", ".join(f"{what} {seconds}" for what, seconds in outcome.seconds.items())
    yield "shortened: " + ", ".join(f"{name}={value}" for name, value in _settings().items())
    for what, wrong in asdict(outcome.verdict).items():
        yield f"{what.replace('_', ' '):18}{len(wrong):5}"
        yield from (f"    {one}" for one in wrong[:MOST_SHOWN])
    if not outcome.quiet:
        yield "Some work was still due when the storm gave up waiting."
    if not outcome.is_clean and outcome.complaints:
        yield outcome.complaints
    yield "clean" if outcome.is_clean else "NOT CLEAN"


if __name__ == "__main__":
    sys.exit(main())
