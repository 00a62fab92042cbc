"""One point: a database, callers, processes, a latency; measured once, as one JSON object."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.callers import Orders
from benchmarks.databases import fresh
from benchmarks.meters import Cost, Meter, cost
from benchmarks.processes import free_port, spawn
from tests.servers.postgres import PostgresServer

IDLE_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Where to measure. `through` is `python` for the Python API, `http` for the HTTP API."""

    database: str
    callers: int
    processes: int = 1
    latency_ms: float = 0
    through: str = "python"
    doomed_share: float = 0.1
    past_events: int = 0
    warmup: float = 2
    seconds: float = 6


def measure(point: Point, server: PostgresServer) -> dict[str, object]:
    """Return the figures of one point, with a fresh database and a fresh calendar."""
    with ExitStack() as stack:
        url = stack.enter_context(fresh(point.database, server, past_events=point.past_events))
        mock_port = free_port()
        calendar = stack.enter_context(
            spawn([sys.executable, "-m", "benchmarks.mock_calendar", str(mock_port), str(point.latency_ms)], os.environ)
        )
        _expect(calendar, "ready")
        environment = {
            **os.environ,
            "CALSAGA_DATABASE_URL": url,
            "CALSAGA_CALCOM_BASE_URL": f"http://127.0.0.1:{mock_port}",
            "CALSAGA_CALCOM_API_KEY": "cal_bench",
            "CALSAGA_LOG_LEVEL": "warning",
            # All callers have one key.
            "CALSAGA_API_RATE_PER_SECOND": "1000000",
            "CALSAGA_API_RATE_BURST": "1000000",
        }
        served = stack.enter_context(_serving(point, environment))
        crew = [stack.enter_context(_caller(point, number, environment, served)) for number in range(point.processes)]
        for one in crew:
            _expect(one, "ready")
        ours = [one.pid for one in (*crew, *served.processes)]
        on_postgres = point.database == "postgres"
        meter = Meter(
            processes=ours, database_url=url if on_postgres else None, postmaster=server.pid if on_postgres else None
        )
        spent = _let_run(point, crew, meter)
        tallies = [json.loads(_line(one)) for one in crew]
    return _figures(point, tallies, spent)


@dataclass(frozen=True, slots=True)
class _Served:
    url: str | None
    api_key: str | None
    processes: tuple[subprocess.Popen[str], ...] = ()


@contextmanager
def _serving(point: Point, environment: dict[str, str]) -> Iterator[_Served]:
    if point.through == "python":
        yield _Served(None, None)
        return
    calsaga = [sys.executable, "-m", "adapters.cli"]
    keys = [*calsaga, "keys", "create", "--company", "default", "--scope", "bookings:write", "--scope", "bookings:read"]
    key = subprocess.run(keys, env=environment, check=True, capture_output=True, text=True).stdout.strip()
    port = free_port()
    command = [*calsaga, "serve", "--port", str(port), "--workers", str(point.processes)]
    with spawn(command, environment) as server:
        _await_port(port)
        yield _Served(f"http://127.0.0.1:{port}", key, (server,))


@contextmanager
def _caller(point: Point, number: int, environment: dict[str, str], served: _Served) -> Iterator[subprocess.Popen[str]]:
    share = point.callers // point.processes + (number < point.callers % point.processes)
    orders = Orders(
        name=f"p{number}",
        callers=share,
        warmup=point.warmup,
        seconds=point.seconds,
        doomed_share=point.doomed_share,
        url=served.url,
        api_key=served.api_key,
    )
    with spawn([sys.executable, "-m", "benchmarks.callers", json.dumps(asdict(orders))], environment) as process:
        yield process


def _let_run(point: Point, crew: Sequence[subprocess.Popen[str]], meter: Meter) -> Cost:
    idle_from = meter.read()
    time.sleep(IDLE_SECONDS)
    idle = (idle_from, meter.read())
    for one in crew:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    time.sleep(point.warmup)
    before = meter.read()
    time.sleep(point.seconds)
    return cost(before, meter.read(), idle=idle)


def _figures(point: Point, tallies: Sequence[dict[str, Any]], spent: Cost) -> dict[str, object]:
    times: list[float] = sorted(time for tally in tallies for time in tally["times"])
    count = len(times)

    def quantile(share: float) -> float:
        return round(1000 * times[min(count - 1, int(share * count))], 2)

    figures: dict[str, object] = {
        **asdict(point),
        "bookings": count,
        "unanswered": sum(tally["unanswered"] for tally in tallies),
        "bookings_per_s": round(count / point.seconds, 1),
        "p50_ms": quantile(0.5),
        "p95_ms": quantile(0.95),
        "p99_ms": quantile(0.99),
        "cpu_ms_per_booking": round(1000 * spent.cpu / count, 3),
    }
    if point.database == "postgres":
        figures["database_cpu_ms_per_booking"] = round(1000 * spent.database_cpu / count, 3)
        figures["commits_per_booking"] = round(spent.commits / count, 3)
        figures["statements_per_booking"] = round(spent.statements / count, 2)
    return figures


def _expect(process: subprocess.Popen[str], word: str) -> None:
    line = _line(process).strip()
    if line != word:
        msg = f"expected {word!r} and got {line!r}"
        raise RuntimeError(msg)


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def _await_port(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    msg = "the server did not come up"
    raise RuntimeError(msg)
