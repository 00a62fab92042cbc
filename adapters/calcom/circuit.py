"""
Cal.com's circuit breaker, as the requests of this process meet it: a permit before each, a verdict after it (ADR-004).

A create is never the first to try whether Cal.com is well again: a read is (`adapters/calcom/recovery.py`).
"""

import asyncio
import time
from collections.abc import Callable
from typing import Literal, TypeAlias

from adapters.breakers.ports import Breakers
from adapters.calcom.endpoints import Call
from adapters.calcom.key_watch import is_rejection
from adapters.calcom.replies import Answer, Reply, Unsent
from adapters.resilience.http_answers import is_fault
from domain.breaker_words import Outcome, Permit, Refusal
from domain.full_fallback import FULL_FALLBACK

CALCOM = "calcom"
LONGEST_MEMORY = 5.0
"""For how many seconds a refusal is taken for granted; a person may have closed the breaker since."""
UNTIL_TOLD = 30.0
"""How many seconds a booking is deferred for while nobody can say when the breaker closes."""
WHILE_PROBED = 2.0
"""How many seconds probes take to come to a verdict."""
HELD_BY_FALLBACK = frozenset({"create", "reschedule", "slots"})
"""What full fallback keeps from Cal.com: all that is not needed to settle what was begun, or to take it back."""
MOVED_AGAIN_AFTER = 60.0
"""After how many seconds a move is tried again at most while full fallback holds; it may end sooner than it was to."""

Told: TypeAlias = Outcome | Literal["refused"]
_TOO_MANY_REQUESTS = 429


class Circuit:
    """
    `refused` is set from the first refusal on until the breaker is known to be closed again.

    `count` is told the service, the operation, what came of it and how many seconds it took, of a refused one none.
    `fallback` returns for how many seconds full fallback holds, at most; None if it does not.
    """

    def __init__(
        self,
        breakers: Breakers,
        *,
        count: Callable[[str, str, Told, float | None], None] = lambda _name, _operation, _outcome, _seconds: None,
        fallback: Callable[[], float | None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._breakers = breakers
        self._count = count
        self._fallback = fallback
        self._clock = clock
        self._remembered_until = 0.0
        self._opens_at = 0.0
        self._is_probed = False
        self.refused = asyncio.Event()

    def held_back(self, call: Call) -> Unsent | None:
        """Refuse a change, as far as this process remembers that it would be refused."""
        switched = self._switched(call)
        if switched is not None:
            return switched
        now = self._clock()
        if now >= self._remembered_until or (self._is_probed and call.spends_reserve):
            return None
        self._refuse(call.op)
        return _unsent(max(self._opens_at - now, WHILE_PROBED))

    async def enter(self, call: Call) -> Permit | Unsent:
        """Ask for leave to send a request."""
        switched = self._switched(call)
        if switched is not None:
            return switched
        # What the rate limit keeps a reserve for, looks and compensations, is what has a share of the permits.
        answer = await self._breakers.acquire(
            CALCOM, operation=call.op, probe=call.method == "GET", settles=call.spends_reserve
        )
        if isinstance(answer, Refusal):
            self._refuse(call.op)
            return self._remember(answer)
        return answer

    async def leave(self, permit: Permit, reply: Reply | None, *, seconds: float) -> None:
        """Say what came of the request in so many seconds; None if whoever sent it went away."""
        outcome = verdict(reply)
        # A rejected key speaks for Cal.com, so that one company's keeps nobody else's calls back. The call failed.
        counted: Outcome = "failed" if is_rejection(reply) else outcome
        self._count(CALCOM, permit.operation, counted, None if counted == "ignored" else seconds)
        await self._breakers.record(permit, outcome)

    async def is_closed(self) -> bool:
        """Ask whether the breaker lets everything through, and forget what it refused if it does."""
        closed = (await self._breakers.snapshot(CALCOM)).state == "closed"
        if closed:
            self._remembered_until = 0.0
            self.refused.clear()
        return closed

    def _refuse(self, operation: str) -> None:
        self._count(CALCOM, operation, "refused", None)

    def _switched(self, call: Call) -> Unsent | None:
        left = self._fallback() if call.op in HELD_BY_FALLBACK else None
        if left is None:
            return None
        return _switched(left if call.op == "create" else min(left, MOVED_AGAIN_AFTER))

    def _remember(self, refusal: Refusal) -> Unsent:
        wait = UNTIL_TOLD if refusal.retry_after is None else refusal.retry_after
        self._is_probed = refusal.reason == "half_open"
        if self._is_probed:
            wait = min(wait, WHILE_PROBED)
        now = self._clock()
        self._opens_at = now + wait
        self._remembered_until = now + min(wait, LONGEST_MEMORY)
        self.refused.set()
        return _unsent(wait)


def verdict(reply: Reply | None) -> Outcome:
    """
    Return what a reply says of Cal.com's health.

    An answer that refuses a request, or a key, is a sign of life. Too many requests are our fault,
    and so is a request that left too late.
    """
    match reply:
        case Answer(status=status):
            if status == _TOO_MANY_REQUESTS:
                return "ignored"
            return "failed" if is_fault(status) else "succeeded"
        case Unsent(reason="unreachable"):
            return "failed"
        case Unsent() | None:
            return "ignored"
        case _:
            return "failed"


def _switched(wait: float) -> Unsent:
    detail = "not sent, because somebody has switched full fallback on"
    return Unsent(reason=FULL_FALLBACK, detail=detail, retry_after=wait, defer=True)


def _unsent(wait: float) -> Unsent:
    detail = "not sent, because Cal.com has failed lately"
    return Unsent(reason="breaker_open", detail=detail, retry_after=wait, defer=True)
