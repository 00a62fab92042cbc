"""
What goes on by itself while an application is open, and how it comes to an end.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial

import structlog

from adapters.bootstrap.parts import Application
from domain.errors import AppointmentDatabaseError

LAST_SECONDS = 2.0
"""How long each thing may take that is left to do at the end, once the sagas have come to a stop."""
TASK_SECONDS = 0.5
"""How long what was told to stop may go on by itself: a pass of the reconciler is not worth the leases' time."""

ANEW_SECONDS = 1.0
"""How long work rests that has died of a defect."""

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def running(work: Callable[[], Coroutine[None, None, None]], *, name: str) -> AsyncIterator[None]:
    """
    Have work done that nobody waits for, until the block is left; if it dies of a defect, it is begun anew.
    """
    task = asyncio.create_task(_again_and_again(work, name), name=name)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _again_and_again(work: Callable[[], Coroutine[None, None, None]], name: str) -> None:
    while True:
        try:
            return await work()
        except Exception as problem:  # noqa: BLE001 - whatever it died of, the next turn may go well
            _log.critical("background.died", part=name, exc_info=problem)
        await asyncio.sleep(ANEW_SECONDS)


@asynccontextmanager
async def background_work(opened: Application, *, runs: bool) -> AsyncIterator[None]:
    """
    Have due work done and read models followed if it `runs`; on leaving, let sagas finish or park them.

    A part that dies of a defect sets the application's `ending`, and is raised on leaving.
    """
    works: dict[str, Callable[[], Coroutine[None, None, None]]] = {}
    if runs:
        works = {
            "worker": opened.worker.run,
            "followers": opened.followers.run,
            "reconciler": opened.reconciling.run,
            "alerts": opened.resilience.levels.alerting.run,
        }
        if opened.settings.health_probing:
            works["health"] = opened.health.runner.run
    tasks = [asyncio.create_task(run(), name=name) for name, run in works.items()]
    for task in tasks:
        task.add_done_callback(partial(_notice, opened.ending))
    try:
        yield
    finally:
        seconds = opened.settings.drain_seconds
        sagas_seconds = max(seconds - LAST_SECONDS, seconds / 2)
        # Whoever waits then waits for a database that hangs, and so would all of this.
        asyncio.get_running_loop().call_later(sagas_seconds + LAST_SECONDS, opened.store.connections.cut)
        await _drain(opened, within=timedelta(seconds=sagas_seconds))
        await opened.followers.stop()
        await opened.reconciling.stop()
        await opened.health.runner.stop()
        await opened.resilience.levels.alerting.stop()
        await _end(tasks)
        await _hand_over(opened)
    for task in tasks:
        if not task.cancelled():
            task.result()


def _notice(ending: asyncio.Event, task: asyncio.Task[None]) -> None:
    if _log_death(task):
        ending.set()


def _log_death(task: asyncio.Task[None]) -> bool:
    problem = None if task.cancelled() else task.exception()
    if problem is not None:
        _log.critical("background.died", part=task.get_name(), exc_info=problem)
    return problem is not None


async def _drain(opened: Application, *, within: timedelta) -> None:
    """Let the sagas of this process come to a stop."""
    stopping = asyncio.create_task(opened.worker.stop(within=within))
    await opened.orchestrator.drain(within=within)
    await stopping


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=TASK_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


async def _hand_over(opened: Application) -> None:
    """Release what was left unfinished, once no append is under way that would lease it anew."""
    await opened.resilience.breaker_events.finish(within=LAST_SECONDS)
    await opened.store.log.aclose(within=LAST_SECONDS)
    with suppress(AppointmentDatabaseError, TimeoutError):
        # If the database is away, the leases run out by themselves.
        async with asyncio.timeout(LAST_SECONDS):
            await opened.store.agenda.release(list(opened.engine.leased))
