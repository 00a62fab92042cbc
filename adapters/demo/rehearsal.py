"""
The rehearsal: a practice's requests, a faulty Cal.com, a process that is killed, and the judgement at the end.

The sandbox, two workers and one of the two doors are processes of their own; the other
door is in this one.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Final

import httpx

from adapters.bootstrap import Application, application
from adapters.demo import circumstances as under
from adapters.demo import day
from adapters.demo.day import Request
from adapters.demo.inside import Chronicle, owes_anything, rows_of
from adapters.demo.judging import Evidence, Verdict, judge
from adapters.demo.opening_hours import Day, OpeningHours
from adapters.demo.outside import Outside
from adapters.demo.processes import Processes
from adapters.demo.watching import Watch, watching
from adapters.directory.services import ServiceWish
from adapters.settings import read_settings
from adapters.telemetry import configure

LOOK_EVERY_SECONDS: Final = 0.25


class Terminated(Exception):
    """The rehearsal was ended by SIGTERM; its processes are gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What is to be played: so many bookings, under these faults, by this seed."""

    bookings: int
    faults: str
    seed: int

    @property
    def is_troubled(self) -> bool:
        """Tell whether anything goes wrong by purpose."""
        return self.faults != "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    What the rehearsal has come to.

    `left_behind` counts the sagas that the killed process had begun, `quiet` says that
    nobody owed anything any more when the judge came.
    """

    played: Rehearsal
    quiet: bool
    seconds: float
    left_behind: int
    written_by_hand: int
    injected: Mapping[str, int]
    verdict: Verdict
    complaints: str

    @property
    def is_clean(self) -> bool:
        """Tell whether both sides are equal, and stay so."""
        return self.quiet and self.verdict.is_clean


Afterwards = Callable[[Outcome, Application], Awaitable[None]]


def rehearse(*, bookings: int, faults: str, seed: int, afterwards: Afterwards | None = None) -> Outcome:
    """
    Play a few days of a practice in a temporary directory, and judge the result.

    This process gives up its own settings for those of the demo. `afterwards` is given
    the outcome while everything still stands.

    Raises:
        Terminated: SIGTERM came first.

    """
    rehearsal = Rehearsal(bookings=bookings, faults=faults, seed=seed)
    configure(form="console", level="error")
    with TemporaryDirectory(prefix="calsaga-demo-") as folder:
        try:
            return asyncio.run(_play(rehearsal, Path(folder), afterwards))
        except asyncio.CancelledError:
            raise Terminated from None


async def _play(rehearsal: Rehearsal, folder: Path, afterwards: Afterwards | None) -> Outcome:
    begun = monotonic()
    _end_on_sigterm()
    database = under.database_of(folder)
    async with Processes(logs=folder) as processes, _outside(processes) as (url, outside):
        under.settle_in(folder, sandbox_url=url)
        async with application(read_settings(), background=False) as app:
            requests = await _prepare(rehearsal, app, outside)
            for _ in range(under.WORKERS):
                await processes.start("adapters.cli", "worker")
            chronicle = Chronicle(app.store.log)
            practice = OpeningHours(
                orchestrator=app.orchestrator,
                processes=processes,
                chronicle=Chronicle(app.store.log),
                database=database,
                kills=rehearsal.is_troubled,
            )
            with watching(rehearsal.bookings) as watch:
                async with _looking_on(chronicle, watch):
                    today = await practice.pass_by(requests)
                    quiet = await _until_quiet(database, outside)
            await chronicle.read_on()
            verdict = judge(await _evidence(requests, today, chronicle, database, outside))
            outcome = Outcome(
                played=rehearsal,
                quiet=quiet,
                seconds=round(monotonic() - begun, 1),
                left_behind=today.left_behind,
                written_by_hand=today.written_by_hand,
                injected=await outside.faults(),
                verdict=verdict,
                complaints=processes.complaints(),
            )
            if afterwards is not None:
                await afterwards(outcome, app)
            return outcome


@asynccontextmanager
async def _outside(processes: Processes) -> AsyncIterator[tuple[str, Outside]]:
    url = await processes.start_sandbox()
    async with httpx.AsyncClient(base_url=url, timeout=10) as http:
        yield url, Outside(http)


async def _prepare(rehearsal: Rehearsal, app: Application, outside: Outside) -> Sequence[Request]:
    """Define everything on both sides, and return the day's requests."""
    requests = day.requests(
        bookings=rehearsal.bookings,
        seed=rehearsal.seed,
        today=datetime.now(UTC).date(),
        seconds=max(rehearsal.bookings / under.ARRIVALS_PER_SECOND, 2.0),
        troubled=rehearsal.is_troubled,
    )
    await outside.prepare(day.offers())
    for offer in day.offers():
        wish = ServiceWish(
            company_id=day.COMPANY,
            service_id=offer.service_id,
            name=offer.name,
            duration_minutes=offer.minutes,
            calcom_event_type_id=offer.event_type_id,
            staff_id=offer.staff_id,
            time_zone=day.TIME_ZONE,
        )
        await app.directory.services.define(wish)
    await outside.trouble(requests, profile=rehearsal.faults, seed=rehearsal.seed)
    return requests


@asynccontextmanager
async def _looking_on(chronicle: Chronicle, watch: Watch) -> AsyncIterator[None]:
    async def look_on() -> None:
        while True:
            await chronicle.read_on()
            watch.show(chronicle.standing())
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    looking = asyncio.create_task(look_on())
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def _until_quiet(database: Path, outside: Outside) -> bool:
    """Wait until nobody owes anything and nothing is under way; False if that takes too long."""
    deadline = monotonic() + under.QUIET_WITHIN_SECONDS
    while monotonic() < deadline:
        # In this order: what is done late at Cal.com is still looked for by a saga.
        late = await outside.late_commits()
        if not late and not await asyncio.to_thread(owes_anything, database):
            return True
        await asyncio.sleep(LOOK_EVERY_SECONDS)
    return False


async def _evidence(
    requests: Sequence[Request], today: Day, chronicle: Chronicle, database: Path, outside: Outside
) -> Evidence:
    return Evidence(
        asked=frozenset(one.number for one in requests),
        answers=today.answers,
        bookings=chronicle.bookings,
        streams=chronicle.streams,
        rows=rows_of(database),
        entries=await outside.ledger(),
    )


def _end_on_sigterm() -> None:
    playing = asyncio.current_task()
    if playing is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, playing.cancel)
