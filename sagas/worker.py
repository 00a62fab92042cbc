"""
The worker: takes due work, whoever left it behind, and drives it on.

Any number of workers run at once, in any number of processes; the agenda's leases keep
them off each other's work, and the log's versions keep them harmless where that fails.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta

from domain.booking import initial_state
from domain.errors import AppointmentDatabaseError
from domain.evolving import fold
from domain.policy import Policy
from domain.webhook import Webhook, fold_webhook
from sagas.appending import booking_events, webhook_events
from sagas.engine import Engine
from sagas.inbox import Inbox
from sagas.ports import Agenda, Claimed, Log, Pace

log = logging.getLogger("calsaga.worker")
IDLE_SECONDS = 1.0
GATHERING_SECONDS = 0.25
"""How long the first who are due in line wait for the others: they are due at the same moment, give or take."""
AFTER_FAILURE_SECONDS = 0.5


class Worker:
    """
    Claims up to `at_once` sagas and webhooks, and drives them; `run` ends when it is cancelled or told to stop.

    Those who wait in line are claimed one by one, each when `drain` says so: who is first is known no sooner.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        inbox: Inbox,
        events: Log,
        agenda: Agenda,
        drain: Pace,
        policy: Policy,
        at_once: int = 32,
    ) -> None:
        self._engine = engine
        self._inbox = inbox
        self._events = events
        self._agenda = agenda
        self._drain = drain
        self._policy = policy
        self._at_once = at_once
        self._driving: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._due_parked, self._line_parked = engine.parked.listen(), engine.parked.listen()

    async def run(self) -> None:
        """Work until `stop` is called."""
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self._run_due(), name="due work")
            loops.create_task(self._run_line(), name="the line")

    async def _run_due(self) -> None:
        while not self._stopping.is_set():
            self._due_parked.clear()
            try:
                claimed = await self._claim()
                pause = 0.0 if claimed else _pause(await self._agenda.next_due(in_line=False))
            except AppointmentDatabaseError as error:
                error.correlated(self._engine.new_correlation_id())
                log.warning("worker.claim.failed", extra=error.as_log())
                pause = AFTER_FAILURE_SECONDS
            if pause or len(self._driving) >= self._at_once:
                await self._rest(pause or IDLE_SECONDS, self._due_parked)

    async def _run_line(self) -> None:
        are_gathered = False
        while not self._stopping.is_set():
            self._line_parked.clear()
            try:
                pause = _pause(await self._agenda.next_due(in_line=True), at_least=0.0)
                if not pause and are_gathered:
                    await self._claim_in_line()
            except AppointmentDatabaseError as error:
                error.correlated(self._engine.new_correlation_id())
                log.warning("worker.claim.failed", extra=error.as_log())
                pause = AFTER_FAILURE_SECONDS
            if pause or len(self._driving) >= self._at_once:
                are_gathered = False
                await self._rest(pause or IDLE_SECONDS, self._line_parked)
            elif not are_gathered:
                are_gathered = True
                await asyncio.sleep(GATHERING_SECONDS)

    async def run_due(self) -> int:
        """Drive everything that is due now, wait for it, and return how many sagas that were."""
        claimed = await self._claim()
        while await self._is_line_due() and await self._claim_in_line():
            claimed += 1
        if self._driving:
            await asyncio.wait(self._driving)
        return claimed

    async def stop(self, *, within: timedelta) -> None:
        """Take no more work, and wait for what is being driven, at most this long; then leave it to others."""
        self._stopping.set()
        self._engine.parked.tell()
        if self._driving:
            _, late = await asyncio.wait(self._driving, timeout=within.total_seconds())
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _claim(self) -> int:
        free = self._at_once - len(self._driving)
        if free <= 0:
            return 0
        return await self._begin(await self._agenda.claim(limit=free, lease=self._policy.lease))

    async def _is_line_due(self) -> bool:
        return await self._agenda.next_due(in_line=True) == timedelta(0)

    async def _claim_in_line(self) -> int:
        """Claim whoever is first when it is this process's turn."""
        if len(self._driving) >= self._at_once:
            return 0
        await self._drain.wait()
        if self._stopping.is_set():
            return 0
        first = await self._agenda.claim_in_line(lease=self._policy.lease)
        return 0 if first is None else await self._begin([first], in_turn=True)

    async def _begin(self, claimed: Sequence[Claimed], *, in_turn: bool = False) -> int:
        if claimed and self._stopping.is_set():
            # Nobody waits any more for what begins now.
            await self._agenda.release([(one.saga_id, one.token) for one in claimed])
            return 0
        for one in claimed:
            task = asyncio.create_task(self._drive(one, in_turn=in_turn), name=f"saga {one.saga_id}")
            self._driving.add(task)
            task.add_done_callback(self._driving.discard)
        return len(claimed)

    async def _drive(self, claimed: Claimed, *, in_turn: bool) -> None:
        # Until the saga's own is known.
        correlation_id = self._engine.new_correlation_id()
        try:
            recorded = await self._events.read(claimed.saga_id)
            if any(webhook_events(recorded[:1])):
                correlation_id = claimed.saga_id.hex
                await self._inbox.process(fold_webhook(Webhook(webhook_id=claimed.saga_id), webhook_events(recorded)))
            else:
                booking = fold(initial_state(claimed.saga_id), booking_events(recorded))
                run = self._engine.begin(booking, token=claimed.token, in_turn=in_turn)
                correlation_id = run.correlation_id or correlation_id
                await self._engine.drive(run)
        except AppointmentDatabaseError as error:
            # The lease runs out and somebody takes the saga up again.
            told = error.correlated(correlation_id).as_log()
            log.warning("worker.saga.left", extra={"saga_id": str(claimed.saga_id), **told})
        except Exception:
            # A saga that trips over a defect must not take the others down; its lease spaces the tries.
            told = {"saga_id": str(claimed.saga_id), "correlation_id": correlation_id, "attempt": claimed.attempt}
            log.exception("worker.saga.crashed", extra=told)

    async def _rest(self, seconds: float, parked: asyncio.Event) -> None:
        """Wait for the time to pass, for work to be parked in this process, or for a driven saga to end."""
        told = asyncio.create_task(parked.wait())
        full = self._driving if len(self._driving) >= self._at_once else set()
        await asyncio.wait({told, *full}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()


def _pause(due: timedelta | None, *, at_least: float = 0.005) -> float:
    return IDLE_SECONDS if due is None else min(max(due.total_seconds(), at_least), IDLE_SECONDS)
