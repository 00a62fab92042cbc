"""One attempt behind a breaker, then in a bulkhead, then within a time limit."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import wraps
from typing import ParamSpec, TypeVar

from adapters.breakers.ports import Breakers
from adapters.resilience.bulkhead import Bulkhead
from adapters.resilience.classifying import classify
from domain.breaker_words import Outcome, Refusal
from domain.errors import CircuitOpenError

P = ParamSpec("P")
R = TypeVar("R")

UNTIL_TOLD = 30.0
"""How many seconds to stay away while nobody can say when the breaker closes."""
_SAYS_NOTHING = frozenset({"http_429", "circuit_open", "bulkhead_full", "other"})


def guarded(
    function: Callable[P, Awaitable[R]],
    *,
    attempt_seconds: float | None,
    breakers: Breakers | None,
    breaker: str | None,
    bulkhead: Bulkhead | None,
) -> Callable[P, Awaitable[R]]:
    """Return the function behind what is given."""

    async def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        async with AsyncExitStack() as stack:
            if bulkhead is not None:
                await stack.enter_async_context(bulkhead)
            if attempt_seconds is not None:
                await stack.enter_async_context(asyncio.timeout(attempt_seconds))
            return await function(*args, **kwargs)

    if breaker is None:
        return wraps(function)(inside)
    if breakers is None:
        msg = f"to call {breaker} behind its breaker, give `breakers`, too: `application.resilience.breakers`, say"
        raise TypeError(msg)

    @wraps(function)
    async def behind_the_breaker(*args: P.args, **kwargs: P.kwargs) -> R:
        permit = await breakers.acquire(breaker)
        if isinstance(permit, Refusal):
            wait = UNTIL_TOLD if permit.retry_after is None else permit.retry_after
            raise CircuitOpenError(breaker, retry_after=wait)
        outcome: Outcome = "ignored"
        try:
            result = await inside(*args, **kwargs)
            outcome = "succeeded"
        except Exception as error:
            outcome = verdict(error)
            raise
        else:
            return result
        finally:
            await breakers.record(permit, outcome)

    return behind_the_breaker


def verdict(error: Exception) -> Outcome:
    """
    Return what an error says of the far side's health.

    An answer that refuses a request is a sign of life; too many requests, a full bulkhead and a defect of the
    caller's say nothing.
    """
    failure = classify(error)
    if failure.kind in _SAYS_NOTHING:
        return "ignored"
    return "failed" if failure.passing else "succeeded"
