"""The reconciler on a schedule: one runner for the whole fleet, as far as the database can tell."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from adapters.log.store import Store
from adapters.turn import turn
from domain.errors import AppointmentDatabaseError
from sagas.reconciling import Reconciler, Sweep

log = logging.getLogger("calsaga.reconciler")
NAME = "reconciler"


class ReconcilerRunner:
    """Reconciles every `seconds`; `run` ends when it is cancelled or told to stop."""

    def __init__(self, reconciler: Reconciler, store: Store, *, seconds: float) -> None:
        self._reconciler = reconciler
        self._store = store
        self._seconds = seconds
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Reconcile until `stop` is called; the first time once a whole pause has passed."""
        while not await self._stopped_within(self._seconds):
            await self._once()

    async def stop(self) -> None:
        """Tell `run` to end."""
        self._stopping.set()

    async def _once(self) -> None:
        try:
            async with turn(self._store.engine, NAME) as mine:
                if mine:
                    _tell(await self._reconciler.reconcile())
        except AppointmentDatabaseError as error:
            log.warning("reconciler.left", extra=error.as_log())
        except Exception:
            # A defect in what one company's calendar says must not end the comparing of all others.
            log.exception("reconciler.crashed")

    async def _stopped_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
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
