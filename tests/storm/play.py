"""
The storm itself: customers, people at Cal.com and processes that die, then quiet, and the judgement.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Final

import httpx
import orjson
from httpx_aiohttp import AiohttpTransport
from redis.asyncio import Redis

from adapters.bootstrap import Application, application
from adapters.demo import day
from adapters.demo.inside import Chronicle
from adapters.demo.outside import Outside
from adapters.demo.processes import Processes
from adapters.directory.scopes import Scope
from adapters.directory.services import ServiceWish
from adapters.log.store import Store
from adapters.settings import read_settings
from adapters.verify import verify
from migrations.runner import migrate
from tests.servers.processes import free_port
from tests.storm.customers import Customers
from tests.storm.judge import Evidence, Verdict, judge
from tests.storm.people import STRANGE_EVENT_TYPE, People
from tests.storm.rows import booked_rows
from tests.storm.visits import GROUP, kind_of, visits
from tests.storm.weather import SECRET, Weather, settle_in, storm_profile

QUIET_WITHIN_SECONDS: Final = 150.0
READY_WITHIN_SECONDS: Final = 30.0
MOST_LINES: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    What happened, and what is wrong; `quiet` says that nothing was due any more when the judge came.
    """

    weather: Weather
    seconds: Mapping[str, float]
    quiet: bool
    standing: Mapping[str, int]
    answers: Mapping[str, int]
    people: Mapping[str, int]
    faults: Mapping[str, int]
    webhooks: Mapping[str, int]
    deaths: Mapping[str, int]
    reconciled: Mapping[str, int]
    verdict: Verdict
    complaints: str

    @property
    def is_clean(self) -> bool:
        return self.quiet and self.verdict.is_clean


class _Stopwatch:
    """
    How many seconds each part has taken.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = monotonic()

    def stop(self, what: str) -> None:
        self.seconds[what] = round(monotonic() - self._since, 1)
        self._since = monotonic()


@dataclass(slots=True, kw_only=True)
class _Fleet:
    """
    A server and a worker, killed and started again.
    """

    processes: Processes
    port: int
    redis_url: str
    running: dict[str, Process]
    deaths: Counter[str]

    async def start(self, name: str) -> None:
        words = ("serve", "--port", str(self.port)) if name == "server" else ("worker",)
        self.running[name] = await self.processes.start("adapters.cli", *words)

    async def suffer(self, seconds: float) -> None:
        """
        Lose the worker twice and the server once, and what Redis holds twice.
        """
        for what in ("worker", "redis", "server", "redis", "worker"):
            await asyncio.sleep(seconds / 6)
            if what == "redis":
                await self._flush()
                continue
            self.running[what].kill()
            await self.running[what].wait()
            self.deaths[f"{what} killed"] += 1
            await self.start(what)

    async def _flush(self) -> None:
        async with Redis.from_url(self.redis_url) as redis:
            await redis.flushdb()
        self.deaths["redis flushed"] += 1


async def play(weather: Weather, *, folder: Path, database_url: str, redis_url: str) -> Outcome:
    """
    Let the storm come and go, and judge what it has left.
    """
    clock = _Stopwatch()
    async with Processes(logs=folder) as processes:
        sandbox_url = await processes.start_sandbox()
        settle_in(folder, sandbox_url=sandbox_url, database_url=database_url, redis_url=redis_url)
        migrate(database_url)
        async with (
            httpx.AsyncClient(base_url=sandbox_url, timeout=30) as control,
            application(read_settings(), background=False) as app,
        ):
            fleet = _Fleet(processes=processes, port=free_port(), redis_url=redis_url, running={}, deaths=Counter())
            key = await _prepare(app, control, fleet)
            async with httpx.AsyncClient(
                # Quick with hundreds who wait, which the usual one is not.
                transport=AiohttpTransport(trust_env=False),
                base_url=f"http://127.0.0.1:{fleet.port}",
                headers={"Authorization": f"Bearer {key}"},
                timeout=20,
            ) as http:
                customers = Customers(http)
                await _until_ready(http)
                planned = visits(weather)
                people = People(http=control, weather=weather, requests=tuple(one.request for one in planned))
                (await control.put("/_sandbox/faults", json=storm_profile(weather.seed))).raise_for_status()
                async with asyncio.TaskGroup() as group:
                    group.create_task(customers.come(planned))
                    group.create_task(people.live())
                    group.create_task(fleet.suffer(weather.seconds))
            clock.stop("storm")
            stats = (await control.get("/_sandbox/stats")).json()
            (await control.put("/_sandbox/faults", json={"profile": "none"})).raise_for_status()
            quiet = await _until_quiet(app.store, control)
            clock.stop("until quiet")
            reconciled = await _reconcile()
            quiet = await _until_quiet(app.store, control) and quiet
            clock.stop("reconciled and quiet again")
            verdict, standing = await _judged(app, control, customers, asked=len(planned))
            clock.stop("judged")
            return Outcome(
                weather=weather,
                seconds=clock.seconds,
                quiet=quiet,
                standing=standing,
                answers=dict(sorted(customers.statuses.items())),
                people=dict(sorted(people.done.items())),
                faults=dict(sorted(stats["faults"].items())),
                webhooks=stats["webhooks"],
                deaths=fleet.deaths,
                reconciled=reconciled,
                verdict=verdict,
                complaints=_last_lines(processes.complaints()),
            )


def _last_lines(text: str) -> str:
    """
    Return what was said last, without what a rejected key is bound to bring about.
    """
    lines = [line for line in text.splitlines() if "calcom.key.rejected" not in line]
    return "\n".join(lines[-MOST_LINES:])


async def _prepare(app: Application, control: httpx.AsyncClient, fleet: _Fleet) -> str:
    """
    Define everything on both sides, start the fleet, and return a key of the API.
    """
    await Outside(control).prepare(day.offers())
    strange = {"slug": "strange", "length": 30, "hosts": [STRANGE_EVENT_TYPE]}
    (await control.put(f"/_sandbox/event-types/{STRANGE_EVENT_TYPE}", json=strange)).raise_for_status()
    for offer in day.offers():
        wish = ServiceWish(
            company_id=day.COMPANY,
            service_id=offer.service_id,
            name=kind_of(offer.service_id),
            duration_minutes=offer.minutes,
            calcom_event_type_id=offer.event_type_id,
            staff_id=offer.staff_id,
            staff_group=GROUP,
            time_zone=day.TIME_ZONE,
        )
        await app.directory.services.define(wish)
    hook = {"subscriberUrl": f"http://127.0.0.1:{fleet.port}/api/webhooks/calcom/{day.COMPANY}", "secret": SECRET}
    (await control.post("/_sandbox/webhooks", json=hook)).raise_for_status()
    for name in ("server", "worker"):
        await fleet.start(name)
    _, key = await app.directory.keys.create(company_id=day.COMPANY, scopes=list(Scope))
    return key


async def _until_ready(http: httpx.AsyncClient) -> None:
    deadline = monotonic() + READY_WITHIN_SECONDS
    while monotonic() < deadline:
        with suppress(httpx.TransportError):
            if (await http.get("/readyz")).is_success:
                return
        await asyncio.sleep(0.1)
    raise TimeoutError("the server did not come up")


async def _until_quiet(store: Store, control: httpx.AsyncClient) -> bool:
    """
    Return once nothing is due and nothing is under way at Cal.com; False if that takes too long.
    """
    deadline = monotonic() + QUIET_WITHIN_SECONDS
    while monotonic() < deadline:
        # In this order: what is done late at Cal.com is still looked for by a saga, or told by a webhook.
        stats = (await control.get("/_sandbox/stats")).json()
        late = stats["late_commits_to_come"] or stats["webhooks"]["to_come"]
        if not late and await store.agenda.next_due() is None:
            return True
        await asyncio.sleep(0.25)
    return False


async def _reconcile() -> dict[str, int]:
    """
    Run `calsaga reconcile` once, and return how many differences of each kind it has found and what came of them.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "adapters.cli", "reconcile", "--json", env=dict(os.environ), stdout=PIPE
    )
    said, _ = await process.communicate()
    sweeps: list[dict[str, Any]] = orjson.loads(said)["sweeps"]
    found = [f"{one['kind']}, {one['outcome']}" for sweep in sweeps for one in sweep["findings"]]
    problems = [f"unseen: {sweep['problem']}" for sweep in sweeps if sweep["problem"] is not None]
    return dict(sorted(Counter([*found, *problems]).items()))


async def _judged(
    app: Application, control: httpx.AsyncClient, customers: Customers, *, asked: int
) -> tuple[Verdict, dict[str, int]]:
    chronicle = Chronicle(app.store.log)
    await chronicle.read_on()
    evidence = Evidence(
        asked=frozenset(range(asked)),
        answers=customers.answers,
        bookings=chronicle.bookings,
        rows=await asyncio.to_thread(booked_rows, app.store),
        ledger=(await control.get("/_sandbox/ledger")).json()["bookings"],
        contradictions=[str(one) for one in await verify(app.store, policy=app.settings.policy())],
    )
    waiting = (f"needs_review ({it.review.reason})" for it in chronicle.bookings.values() if it.review is not None)
    standing = chronicle.standing() + Counter(waiting)
    return judge(evidence), dict(sorted(standing.items()))
