"""
Five minutes without Cal.com, in a quarter of a minute: `make outage`.

Exit status 1 if a booking is lost or stands in one place alone, if fewer than 95 % are made after all, or if Cal.com is
not left alone while it is down or overrun once it is back, or if the median of the answers takes 100 ms or more while
the breaker is open. Whether 95 % stay below that is told, for people to judge: on a busy machine they may not.
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

from adapters.telemetry import configure
from tests.outage.drill import AT_ONCE_SECONDS, Outcome, go_through
from tests.outage.weather import COMPRESSION, SHORTENED, Outage
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer

MOST_SHOWN = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Go through the outage, and return the exit status.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.outage", description=__doc__)
    parser.add_argument("--per-second", type=float, default=Outage().per_second)
    parser.add_argument("--down", type=float, default=Outage().down, help="seconds, each of them twenty in life")
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(arguments)
    outage = Outage(per_second=given.per_second, down=given.down)
    configure(form="console", level="error")
    outcome = survive(outage, database=given.database)
    said = document(outage, outcome)
    print(orjson.dumps(said).decode() if given.json else "\n".join(_lines(outage, outcome)))
    return 0 if outcome.is_clean else 1


def survive(outage: Outage, *, database: str) -> Outcome:
    """
    Go through it in a temporary directory, on a database and a Redis of its own.
    """
    redis = RedisServer()
    with tempfile.TemporaryDirectory(prefix="calsaga-outage-") as folder, _database(database, folder) as url:
        redis.start()
        try:
            return asyncio.run(go_through(outage, folder=Path(folder), database_url=url, redis_url=redis.url))
        finally:
            redis.stop()


@contextmanager
def _database(kind: str, folder: str) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder}/outage.db"
        return
    server = PostgresServer()
    server.start()
    try:
        yield server.create_database("outage")
    finally:
        server.stop()


def document(outage: Outage, outcome: Outcome) -> dict[str, object]:
    """
    Return the outcome as one JSON object.
    """
    quickness = {f"p{share}_ms": round(1000 * outcome.at(share / 100), 1) for share in (50, 95, 99)}
    said = {name: value for name, value in asdict(outcome).items() if name != "while_open"}
    return {
        **asdict(outage),
        "compression": COMPRESSION,
        "answers_while_open": {"count": len(outcome.while_open), **quickness},
        **said,
        "preserved": round(outcome.preserved, 4),
        "settings": SHORTENED,
        "clean": outcome.is_clean,
    }


def _lines(outage: Outage, outcome: Outcome) -> Iterator[str]:
    life = outage.down * COMPRESSION
    yield f"{outage.wishes} bookings, {outage.per_second:g} a second"
    yield f"Cal.com down for {outage.down:g} s, which are {life:g} s in life"
    yield "answers: " + _told(outcome.statuses)
    quickness = ", ".join(f"p{share} {1000 * outcome.at(share / 100):.0f} ms" for share in (50, 95, 99))
    yield f"while the breaker was open: {len(outcome.while_open)} answers, {quickness}"
    yield f"below 100 ms: p50 {_at_once(outcome, 0.5)} (counts), p95 {_at_once(outcome, 0.95)} (does not)"
    yield "bookings: " + _told(outcome.bookings)
    yield f"preserved: {outcome.preserved:.1%}"
    yield f"creates sent while it was down: {outcome.creates_while_open}"
    yield f"the most creates in a second once it was back: {outcome.herd:g} (at most {outcome.most:g})"
    yield f"quiet after {outcome.quiet_after} s"
    yield "shortened: " + ", ".join(f"{name}={value}" for name, value in SHORTENED.items())
    yield f"orphans, ghosts, doubles and what else differs: {len(outcome.faults)}"
    yield from (f"    {one}" for one in outcome.faults[:MOST_SHOWN])
    yield "clean" if outcome.is_clean else "NOT CLEAN"


def _at_once(outcome: Outcome, share: float) -> str:
    return "yes" if outcome.at(share) < AT_ONCE_SECONDS else "no"


def _told(figures: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in figures.items()) or "none"


if __name__ == "__main__":
    sys.exit(main())
