"""The reconciler on a schedule: one pass an interval, made by one process of the whole fleet."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from adapters.database.passes import Passes
from domain.errors import AppointmentDatabaseError
from sagas.reconciling import Reconciler, Sweep

log = logging.getLogger("calsaga.reconciler")
NAME = "reconciler"

NOTED_SO_OFTEN = 3
"""How often within an interval a pass under way is noted: one note may be late, and one may fail."""


class ReconcilerRunner:
    """Sees to it that everything is reconciled every `seconds`; `run` ends when it is cancelled or told to stop."""

    def __init__(self, reconciler: Reconciler, passes: Passes, *, seconds: float) -> None:
        self._reconciler = reconciler
        self._passes = passes
        self._every = timedelta(seconds=seconds)
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Reconcile until `stop` is called, whenever no process has for the length of the interval."""
        while not await self._stopped_within(await self._pause()):
            await self._once()

    async def stop(self) -> None:
        """Tell `run` to end."""
        self._stopping.set()

    async def _pause(self) -> timedelta:
        try:
            return await self._passes.until_next(every=self._every)
        except AppointmentDatabaseError:
            return self._every

    async def _once(self) -> None:
        try:
            if await self._passes.begin(every=self._every):
                async with self._noted():
                    _tell(await self._reconciler.reconcile())
        except AppointmentDatabaseError as error:
            log.warning("reconciler.left", extra=error.as_log())
        except Exception:
            # A defect in what one company's calendar says must not end the comparing of all others.
            log.exception("reconciler.crashed")

    @asynccontextmanager
    async def _noted(self) -> AsyncIterator[None]:
        """Keep all others from beginning a pass beside this one."""
        noting = asyncio.create_task(self._go_on())
        try:
            yield
        finally:
            noting.cancel()
            await asyncio.wait([noting])

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(self._every.total_seconds() / NOTED_SO_OFTEN)
            # Who cannot note it now tries again; at the worst two compare the same.
            with suppress(AppointmentDatabaseError):
                await self._passes.go_on()

    async def _stopped_within(self, pause: timedelta) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(pause.total_seconds()):
                await self._stopping.wait()
        return self._stopping.is_set()


def _tell(sweeps: Sequence[Sweep]) -> None:
    for sweep in sweeps:
        where = {"company_id": sweep.company_id, "event_type_id": sweep.event_type_id}
        if sweep.problem is not None:
            log.warning("reconciler.sweep.failed", extra={**where, "problem": sweep.problem})
        for finding in sweep.findings:
            told = {**where, "kind": finding.kind, "uid": finding.uid, "repair": finding.repair}
            log.warning("reconciler.difference.found", extra={**told, "booking_id": str(finding.booking_id or "")})
