"""One attempt behind a breaker, then in a bulkhead, then within a time limit."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import wraps
from typing import Concatenate, Final, ParamSpec, TypeVar

from adapters.breakers.ports import Breakers
from adapters.resilience.bulkhead import Bulkhead
from adapters.resilience.classifying import Failure
from adapters.resilience.classifying import classify as classify_by_default
from domain.breaker_words import Outcome, Refusal
from domain.errors import CalcomBookingError, CircuitOpenError

P = ParamSpec("P")
R = TypeVar("R")

UNTIL_TOLD = 30.0
"""How many seconds to stay away while nobody can say when the breaker closes."""
_SAYS_NOTHING: Final = frozenset({"http_429", "circuit_open", "bulkhead_full"})
_ANSWERS: Final = frozenset({"constraint", "data"})
"""What a database says of what it was asked to do."""
_NO_WAY_IN: Final = frozenset({"certificate", "tls", "unauthorized"})
"""Does not pass by itself, and yet nothing that is asked gets an answer."""


def _cancellations() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


@dataclass(slots=True)
class _Attempt:
    """How far an attempt has come, which `limit` ends with all others of its call."""

    limit: asyncio.Timeout
    has_asked: bool = False
    cancelled_before: int = field(default_factory=_cancellations)

    @property
    def was_cut_off(self) -> bool:
        """Tell whether the far side was asked, and nothing but our own time limit ended the wait for it."""
        return self.has_asked and self.limit.expired() and _cancellations() == self.cancelled_before + 1


def guarded(
    function: Callable[P, Awaitable[R]],
    *,
    attempt_seconds: float | None,
    breakers: Breakers | None,
    breaker: str | None,
    bulkhead: Bulkhead | None,
    classify: Callable[[Exception], Failure] = classify_by_default,
) -> Callable[Concatenate[asyncio.Timeout, P], Awaitable[R]]:
    """
    Return the function behind what is given; it is called with the time limit of the whole, which others keep.

    `classify` says what an error means, to the breaker as to whoever tries again.
    """

    async def inside(attempt: _Attempt, /, *args: P.args, **kwargs: P.kwargs) -> R:
        async with bulkhead or nullcontext(), asyncio.timeout(attempt_seconds):
            attempt.has_asked = True
            return await function(*args, **kwargs)

    async def unguarded(limit: asyncio.Timeout, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await inside(_Attempt(limit), *args, **kwargs)

    if breaker is None:
        return wraps(function)(unguarded)
    if breakers is None:
        msg = f"to call {breaker} behind its breaker, give `breakers`, too: `application.resilience.breakers`, say"
        raise TypeError(msg)

    @wraps(function)
    async def behind_the_breaker(limit: asyncio.Timeout, /, *args: P.args, **kwargs: P.kwargs) -> R:
        attempt = _Attempt(limit)
        permit = await breakers.acquire(breaker)
        if isinstance(permit, Refusal):
            wait = UNTIL_TOLD if permit.retry_after is None else permit.retry_after
            raise CircuitOpenError(breaker, retry_after=wait)
        outcome: Outcome = "ignored"
        try:
            result = await inside(attempt, *args, **kwargs)
            outcome = "succeeded"
        except asyncio.CancelledError:
            outcome = "failed" if attempt.was_cut_off else "ignored"
            raise
        except Exception as error:
            outcome = verdict(error, classify)
            raise
        else:
            return result
        finally:
            await breakers.record(permit, outcome)

    return behind_the_breaker


def verdict(error: Exception, classify: Callable[[Exception], Failure] = classify_by_default) -> Outcome:
    """
    Return what an error says of the far side's health.

    An answer that refuses a request is a sign of life; that nobody can be talked to is none, whether it passes or
    not. Too many requests, a full bulkhead and a defect of the caller's say nothing.
    """
    failure = classify(error)
    if failure.kind in _SAYS_NOTHING:
        return "ignored"
    if failure.passing or failure.kind in _NO_WAY_IN:
        return "failed"
    return "succeeded" if failure.kind in _ANSWERS or _has_status(error, failure) else "ignored"


def _has_status(error: Exception, failure: Failure) -> bool:
    return failure.kind.startswith("http_") or (isinstance(error, CalcomBookingError) and error.status is not None)
