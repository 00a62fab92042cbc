"""
Measure the points of `docs/performance.md`, and print one JSON object a line.

    python -m benchmarks                 # all points
    python -m benchmarks --quick         # a few, to see whether anything broke
    python -m benchmarks --point '{"database": "postgres", "callers": 64, "processes": 2}'
"""

import argparse
import json
import sys
from collections.abc import Iterator

from benchmarks import cache_hits
from benchmarks.points import Point, measure
from tests.servers.postgres import PostgresServer

CALLERS = (1, 16, 64)


def _all() -> Iterator[Point]:
    for database in ("sqlite", "postgres"):
        for latency_ms in (0, 50):
            for processes in (1, 2):
                for callers in CALLERS:
                    if callers >= processes:
                        yield Point(database=database, callers=callers, processes=processes, latency_ms=latency_ms)
    for database in ("sqlite", "postgres"):
        for latency_ms in (0, 50):
            for callers in CALLERS:
                yield Point(
                    database=database, callers=callers, processes=min(2, callers), latency_ms=latency_ms, through="http"
                )
    for _ in range(2):
        for past_events in (10_000, 1_000_000):
            yield Point(database="postgres", callers=16, past_events=past_events)


def _quick() -> Iterator[Point]:
    for database in ("sqlite", "postgres"):
        for callers in (1, 64):
            yield Point(database=database, callers=callers, warmup=1, seconds=2)


def main() -> None:
    """Measure what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--point", action="append", type=json.loads, metavar="JSON")
    chosen = parser.parse_args()
    points = [Point(**one) for one in chosen.point or []] or list(_quick() if chosen.quick else _all())
    server = PostgresServer(durable=True)
    server.start()
    try:
        for point in points:
            sys.stdout.write(json.dumps(measure(point, server)) + "\n")
            sys.stdout.flush()
    finally:
        server.stop()
    if not (chosen.point or chosen.quick):
        cache_hits.show(seed=1, processes=2, every=cache_hits.SECONDS_BETWEEN_CALLERS)


if __name__ == "__main__":
    main()
