"""
Cal.com goes down under a steady load, and comes back: what callers were told, what became of their bookings.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

import httpx
from httpx_aiohttp import AiohttpTransport

from adapters.bootstrap import Application, application
from adapters.demo.processes import Processes
from adapters.directory.scopes import Scope
from adapters.directory.services import ServiceWish
from adapters.settings import read_settings
from domain.booking import Booking
from migrations.runner import migrate
from tests.crash.judge import bookings_in, faults_of
from tests.outage.callers import Callers
from tests.outage.weather import SHORTENED, Outage
from tests.servers.processes import free_port

EVENT_TYPE: Final = 1
SERVICE: Final = "consultation"
DOWN: Final = ({"kind": "html_502", "commit": False}, {"kind": "html_502", "operation": "me"})
READY_WITHIN_SECONDS: Final = 30.0
QUIET_WITHIN_SECONDS: Final = 120.0
SAMPLE_SECONDS: Final = 0.5
LEAST_PRESERVED: Final = 0.95
AT_ONCE_SECONDS: Final = 0.1
PROCESSES: Final = 2
UNDER_WAY_SECONDS: Final = 1.0
HERD_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    What the drill has seen.

    `while_open` are the seconds that answers took from when the breaker had opened until Cal.com was back, `herd` is
    the most creates that Cal.com saw in a second once it was back, and `most` how many the fleet may send in one.
    """

    statuses: Mapping[str, int]
    bookings: Mapping[str, int]
    while_open: Sequence[float]
    creates_while_open: int
    herd: float
    most: float
    quiet_after: float | None
    faults: Sequence[str]

    @property
    def preserved(self) -> float:
        """
        Return the share of the bookings that were made after all.
        """
        return self.bookings.get("booked", 0) / max(sum(self.bookings.values()), 1)

    def at(self, share: float) -> float:
        """
        Return a percentile of the answers' seconds.
        """
        times = sorted(self.while_open)
        return times[min(int(share * len(times)), len(times) - 1)] if times else 0.0

    @property
    def is_clean(self) -> bool:
        """
        Tell whether nothing was lost, nothing is apart, Cal.com was left alone, and callers were answered at once.

        By the median: what lies above it is the machine's doing as well, and is told.
        """
        return (
            not self.faults
            and self.quiet_after is not None
            and self.preserved >= LEAST_PRESERVED
            and not self.creates_while_open
            and self.herd <= self.most
            and self.at(0.5) < AT_ONCE_SECONDS
        )


async def go_through(outage: Outage, *, folder: Path, database_url: str, redis_url: str) -> Outcome:
    """
    Go through an outage with two processes that serve, on a database and a Redis of their own.
    """
    async with Processes(logs=folder) as processes:
        sandbox_url = await processes.start_sandbox()
        _settle_in(database_url=database_url, redis_url=redis_url, sandbox_url=sandbox_url)
        migrate(database_url)
        async with (
            httpx.AsyncClient(base_url=sandbox_url, timeout=30) as control,
            application(read_settings(), background=False) as app,
        ):
            key = await _prepare(app, control)
            port = free_port()
            await processes.start("adapters.cli", "serve", "--port", str(port), "--workers", str(PROCESSES))
            async with httpx.AsyncClient(
                transport=AiohttpTransport(trust_env=False),
                base_url=f"http://127.0.0.1:{port}",
                headers={"Authorization": f"Bearer {key}", "Prefer": "wait=2"},
                timeout=30,
            ) as http:
                await _until_ready(http)
                return await _play(outage, app=app, control=control, http=http)


async def _play(outage: Outage, *, app: Application, control: httpx.AsyncClient, http: httpx.AsyncClient) -> Outcome:
    callers = Callers(http=http, service_id=SERVICE)
    coming = asyncio.create_task(callers.come(outage.wishes, per_second=outage.per_second))
    await asyncio.sleep(outage.before)
    await _faults(control, DOWN)
    await _until_open(app)
    # What was on its way then has arrived, or never will.
    await asyncio.sleep(UNDER_WAY_SECONDS)
    opened_at, sent_before = monotonic(), await _creates(control)
    await asyncio.sleep(outage.down)
    sent_while_open = await _creates(control) - sent_before
    back_at = monotonic()
    await _faults(control, ())
    counting = asyncio.create_task(_most_in_a_second(control, until=back_at + HERD_SECONDS))
    await coming
    quiet_after = await _until_quiet(app, since=back_at)
    bookings = await bookings_in(app.store)
    return Outcome(
        statuses=_counted(str(one.status) for one in callers.answers),
        bookings=_counted(map(_end_of, bookings.values())),
        while_open=[one.seconds for one in callers.answers if opened_at <= one.asked_at < back_at],
        creates_while_open=sent_while_open,
        herd=await counting,
        most=PROCESSES * float(SHORTENED["CALSAGA_CIRCUIT_DRAIN_PER_SECOND"]) + outage.per_second,
        quiet_after=quiet_after,
        faults=await faults_of(app.store, (await control.get("/_sandbox/ledger")).json()["bookings"]),
    )


def _counted(names: Iterable[str]) -> Mapping[str, int]:
    return dict(sorted(Counter(names).items()))


def _end_of(booking: Booking) -> str:
    return booking.status.value if booking.failure is None else f"{booking.status.value}: {booking.failure.reason}"


def _settle_in(*, database_url: str, redis_url: str, sandbox_url: str) -> None:
    """
    Make this process, and every one that it starts, work with these and nothing else.
    """
    for name in [name for name in os.environ if name.startswith("CALSAGA_")]:
        del os.environ[name]
    os.environ.update(
        SHORTENED,
        CALSAGA_DATABASE_URL=database_url,
        CALSAGA_REDIS_URL=redis_url,
        CALSAGA_CALCOM_BASE_URL=sandbox_url,
        CALSAGA_CALCOM_API_KEY="cal_outage",
    )


async def _prepare(app: Application, control: httpx.AsyncClient) -> str:
    kind = {"slug": "consultation", "length": 30, "hosts": [EVENT_TYPE]}
    (await control.put(f"/_sandbox/event-types/{EVENT_TYPE}", json=kind)).raise_for_status()
    unlimited = {"limit": 1_000_000, "window_seconds": 1, "block_seconds": 1}
    (await control.put("/_sandbox/rate-limit", json=unlimited)).raise_for_status()
    wish = ServiceWish(
        company_id="default",
        service_id=SERVICE,
        name="Consultation",
        duration_minutes=30,
        calcom_event_type_id=EVENT_TYPE,
        staff_id="ann",
        staff_group=None,
        time_zone=None,
    )
    await app.directory.services.define(wish)
    _, key = await app.directory.keys.create(company_id="default", scopes=list(Scope))
    return key


async def _faults(control: httpx.AsyncClient, faults: Sequence[Mapping[str, object]]) -> None:
    (await control.put("/_sandbox/faults", json={"seed": 1, "faults": list(faults)})).raise_for_status()


async def _creates(control: httpx.AsyncClient) -> int:
    return int((await control.get("/_sandbox/stats")).json()["calls"].get("create", 0))


async def _most_in_a_second(control: httpx.AsyncClient, *, until: float) -> float:
    """
    Return the most creates of one second, of all seconds until then.
    """
    counts = [await _creates(control)]
    while monotonic() < until:
        await asyncio.sleep(SAMPLE_SECONDS)
        counts.append(await _creates(control))
    a_second = round(1 / SAMPLE_SECONDS)
    return float(max((later - sooner for sooner, later in zip(counts, counts[a_second:], strict=False)), default=0))


async def _until_open(app: Application) -> None:
    async with asyncio.timeout(READY_WITHIN_SECONDS):
        while True:
            if (await app.resilience.breakers.snapshot("calcom")).state != "closed":
                return
            await asyncio.sleep(0.02)


async def _until_ready(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(READY_WITHIN_SECONDS):
        while True:
            with suppress(httpx.TransportError):
                if (await http.get("/readyz")).is_success:
                    return
            await asyncio.sleep(0.1)


async def _until_quiet(app: Application, *, since: float) -> float | None:
    """
    Return after how many seconds nothing is due any more, or None if that takes too long.
    """
    while monotonic() < since + QUIET_WITHIN_SECONDS:
        if await app.store.agenda.next_due() is None:
            return round(monotonic() - since, 1)
        await asyncio.sleep(0.25)
    return None
