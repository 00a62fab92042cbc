"""
The probes of a fleet: made by whichever process holds the lease, and by every process while the database is away.

Each probe has a rhythm of its own, and none waits for another, for the lease, or for the database. What is found
waits in memory until the database takes it. Whoever holds the lease when it is back writes what it has found
meanwhile; the others forget theirs.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Protocol

import structlog

from adapters.health.board import Board
from adapters.health.probes import Probe, make
from domain.errors import AppointmentDatabaseError
from domain.health import Check
from sagas.ports import Clock

NAME = "health"
RENEWED_SO_OFTEN = 3
"""How often within its length a lease is renewed: one renewal may be late, and one may fail."""
FORGET_EVERY_SECONDS = 3600.0

_log = structlog.get_logger("calsaga.health")


class Lease(Protocol):
    """Who of the fleet probes."""

    async def hold(self, *, seconds: float) -> bool:
        """Take or renew the lease, and tell whether it is ours."""
        ...

    async def release(self) -> None:
        """Give it back, if it is ours."""
        ...


class Archive(Protocol):
    """Where checks are kept for everybody to see."""

    async def write(self, checks: Sequence[Check]) -> None:
        """Keep checks."""
        ...

    async def forget(self, *, older_than: timedelta) -> int:
        """Delete what is too old."""
        ...


class HealthRunner:
    """Has probes made; `run` ends when it is cancelled or told to stop. `each_round` is told whether we lead."""

    def __init__(
        self,
        probes: Sequence[Probe],
        *,
        board: Board,
        lease: Lease,
        archive: Archive,
        clock: Clock,
        lease_seconds: float,
        keep: timedelta,
        each_round: Callable[[bool], Awaitable[None]],
    ) -> None:
        self._probes = [one for one in probes if one.ask is not None]
        self._board = board
        self._lease = lease
        self._archive = archive
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._keep = keep
        self._each_round = each_round
        self._probing = asyncio.Event()
        self._stopping = asyncio.Event()
        self._leads = False
        self._forgets_at = 0.0

    async def run(self) -> None:
        """Probe whenever it is ours to do, until `stop` is called."""
        rhythms = [asyncio.create_task(self._keep_probing(one), name=f"probe of {one.service}") for one in self._probes]
        try:
            while not self._stopping.is_set():
                await self._round()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._lease_seconds / RENEWED_SO_OFTEN):
                        await self._stopping.wait()
        finally:
            for one in rhythms:
                one.cancel()
            await asyncio.gather(*rhythms, return_exceptions=True)
        await self._hand_over()

    async def stop(self) -> None:
        """Tell `run` to end."""
        self._stopping.set()

    async def _round(self) -> None:
        try:
            self._leads = await self._lease.hold(seconds=self._lease_seconds)
            if self._leads:
                self._probing.set()
                await self._write()
            else:
                self._probing.clear()
                self._board.forget_waiting()
        except AppointmentDatabaseError:
            # Nobody can tell who is to probe, so that everybody does for themselves.
            self._leads = False
            self._probing.set()
        except Exception:  # noqa: BLE001 - a defect in what keeps checks must not end the probing
            _log.exception("health.crashed")
        with suppress(AppointmentDatabaseError):
            await self._each_round(self._leads)

    async def _write(self) -> None:
        waiting = self._board.waiting
        await self._archive.write(waiting)
        self._board.kept(waiting)
        loop_time = asyncio.get_running_loop().time()
        if loop_time >= self._forgets_at:
            self._forgets_at = loop_time + FORGET_EVERY_SECONDS
            await self._archive.forget(older_than=self._keep)

    async def _hand_over(self) -> None:
        if self._leads:
            with suppress(AppointmentDatabaseError):
                await self._write()
                await self._lease.release()

    async def _keep_probing(self, probe: Probe) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._probing.wait()
            next_at = loop.time() + probe.policy.interval_seconds
            try:
                self._note(await make(probe, now=self._clock.now))
            except Exception:  # noqa: BLE001 - a defect in one probe must not end the others
                _log.exception("health.probe.crashed", service=probe.service)
            await asyncio.sleep(next_at - loop.time())

    def _note(self, check: Check) -> None:
        before = self._board.note(check)
        if before is not None and before.status != check.status:
            write = _log.info if check.status in {"healthy", "not_configured"} else _log.warning
            write(
                "health.changed",
                service=check.service,
                before=before.status,
                after=check.status,
                detail=check.detail,
                response_time_ms=check.response_time_ms,
            )
