"""
Trying again what may be tried again, as a decorator for callers' own code.

    budget = RetryBudget()

    @retry(budget=budget, within=20, attempt_seconds=5)
    async def opening_hours(client, branch):
        answer = await client.get(f"/branches/{branch}/hours")
        answer.raise_for_status()
        return answer.json()

For work that may be done twice, and for nothing else: reads, and writes that carry an idempotency key. calsaga itself
never sends a create to Cal.com through it: after a time-out it looks first (ADR-007).

From the outside in: fallback, total time limit, retry, breaker, bulkhead, attempt time limit.
"""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import wraps
from random import random
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

import structlog

from adapters.breakers.ports import Breakers
from adapters.resilience import fitting
from adapters.resilience.budget import RetryBudget
from adapters.resilience.bulkhead import Bulkhead
from adapters.resilience.classifying import Failure, classify
from adapters.resilience.guarding import guarded
from domain.retry import RetryPolicy

P = ParamSpec("P")
R = TypeVar("R")

WITHIN = 30.0

_log = structlog.get_logger("calsaga.resilience")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """What `on_retry` is told: the function's name, how often it has failed, how, and how long it is waited now."""

    name: str
    failures: int
    error: Exception
    failure: Failure
    wait: float


class Decorator(Protocol):
    """What `retry` returns."""

    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]:
        """Return the function, tried again when it fails for a passing reason."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    name: str
    policy: RetryPolicy
    within: float
    budget: RetryBudget | None
    classify: Callable[[BaseException], Failure]
    on_retry: Callable[[Retry], None]
    clock: Callable[[], float]


@dataclass(slots=True)
class _Course:
    """One call's way through its attempts; it only decides, and neither calls nor waits."""

    plan: _Plan
    ends_at: float = field(init=False)
    failures: int = 0
    salt: str = field(default_factory=lambda: str(random()))  # noqa: S311 - spreads retries, keeps no secret

    def __post_init__(self) -> None:
        self.ends_at = self.plan.clock() + self.plan.within
        if self.plan.budget is not None:
            self.plan.budget.called()

    @property
    def left(self) -> float:
        return self.ends_at - self.plan.clock()

    def wait_after(self, error: Exception) -> float | None:
        """Return how long to wait before the next attempt, or None to give up."""
        self.failures += 1
        failure, policy = self.plan.classify(error), self.plan.policy
        asked = failure.retry_after
        if not failure.passing or (asked is not None and asked > policy.cap):
            return None
        delay = policy.retry_after(self.failures, salt=self.salt, asked_for=asked)
        # To wait for an attempt that cannot be made any more would only keep the caller waiting.
        if delay is None or delay.total_seconds() >= self.left:
            return None
        if self.plan.budget is not None and not self.plan.budget.may_retry():
            error.add_note("not tried again, since the retry budget is spent")
            return None
        wait = delay.total_seconds()
        self._tell(Retry(name=self.plan.name, failures=self.failures, error=error, failure=failure, wait=wait))
        return wait

    def _tell(self, news: Retry) -> None:
        try:
            self.plan.on_retry(news)
        except Exception as error:  # noqa: BLE001 - somebody else's code, whose failure must not hide what is tried again
            _log.warning("retry.on_retry.failed", name=news.name, error=type(error).__name__)


def retry(
    function: None = None,
    /,
    *,
    policy: RetryPolicy | None = None,
    within: float = WITHIN,
    attempt_seconds: float | None = None,
    budget: RetryBudget | None = None,
    breakers: Breakers | None = None,
    breaker: str | None = None,
    bulkhead: Bulkhead | None = None,
    fallback: Callable[..., Any] | None = None,
    on_retry: Callable[[Retry], None] = lambda _: None,
    classify: Callable[[BaseException], Failure] = classify,
    clock: Callable[[], float] = time.monotonic,
) -> Decorator:
    """
    Return a decorator that tries a function again when it fails for a passing reason.

    It waits as `policy` says, or as long as the far side asked if that is longer; gives up if that is longer than the
    policy's cap or than what is left of `within` seconds; and then raises the last error, or returns what `fallback`
    returns for the same arguments. A breaker that is open is asked again only after the time that it has said.
    `attempt_seconds`, `breaker` (a name in `breakers`) and `bulkhead` are for coroutine functions; those are cut off
    at the end of their time as well, while an ordinary function is only not tried again. A far side that has not
    answered by then has failed. `classify` says which errors pass, to the breaker as well: these are its failures. Of
    a name that is no breaker's, each call raises a ValueError.

    `on_retry` is an ordinary function; what it raises stands in the log, and the retry goes on.

    `breakers` says whose the breaker is. That of `application.resilience.breakers` is the fleet's where there is a
    Redis, and obeys there; `database`, `webhooks` and `appointments` are this process's own. Each process lists it
    from its own first call on. `budget` is for one far side: all functions that call it are to have the same.

    Raises:
        TypeError: the function is none that can be cut off, counted or limited like that, or none that can be tried
            again: a generator; one that is not `async def` and yet returns a coroutine, when it is called.
        ValueError: `within` or `attempt_seconds` is no time.

    """
    if function is not None:
        raise TypeError("retry takes its settings first: write @retry(), with brackets")
    fitting.check_times(within=within, attempt_seconds=attempt_seconds)
    fitting.check_listener(on_retry)

    def decorate(function: Callable[P, R], /) -> Callable[P, R]:
        plan = _Plan(
            name=getattr(function, "__qualname__", repr(function)),
            policy=policy or RetryPolicy(),
            within=within,
            budget=budget,
            classify=classify,
            on_retry=on_retry,
            clock=clock,
        )
        fitting.refuse_generator(function, name=plan.name)
        if fitting.is_async(function):
            once = guarded(
                cast("Callable[P, Awaitable[Any]]", function),
                attempt_seconds=attempt_seconds,
                breakers=breakers,
                breaker=breaker,
                bulkhead=bulkhead,
                classify=classify,
            )
            return cast("Callable[P, R]", _async(once, plan, fallback))
        if attempt_seconds is not None or breaker is not None or bulkhead is not None:
            msg = f"{plan.name} is no coroutine function: attempt_seconds, breaker and bulkhead are not for it"
            raise TypeError(msg)
        return _sync(function, plan, fallback)

    return decorate


def _async(
    once: Callable[Concatenate[asyncio.Timeout, P], Awaitable[R]], plan: _Plan, fallback: Callable[..., Any] | None
) -> Callable[P, Awaitable[R]]:
    async def attempts(*args: P.args, **kwargs: P.kwargs) -> R:
        course = _Course(plan)
        while True:
            try:
                async with asyncio.timeout(max(course.left, 0)) as limit:
                    return await once(limit, *args, **kwargs)
            except Exception as error:
                wait = course.wait_after(error)
                if wait is None:
                    raise
            await asyncio.sleep(wait)

    @wraps(once)
    async def whole(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await attempts(*args, **kwargs)
        except Exception:
            if fallback is None:
                raise
            instead = fallback(*args, **kwargs)
            return cast("R", await instead if inspect.isawaitable(instead) else instead)

    return whole


def _sync(function: Callable[P, R], plan: _Plan, fallback: Callable[..., Any] | None) -> Callable[P, R]:
    @wraps(function)
    def whole(*args: P.args, **kwargs: P.kwargs) -> R:
        course = _Course(plan)
        while True:
            try:
                return fitting.result(function(*args, **kwargs), name=plan.name)
            except Exception as error:
                wait = course.wait_after(error)
                if wait is None:
                    if fallback is None:
                        raise
                    return cast("R", fallback(*args, **kwargs))
            time.sleep(wait)

    return whole
