"""
Let a fault befall a call: what happens to its commit, and what its caller gets to see.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from starlette.responses import Response

from adapters.sandbox import errors
from adapters.sandbox.announcements import Announcement
from adapters.sandbox.announcing import announce
from adapters.sandbox.answers import Answer
from adapters.sandbox.connection import Drop
from adapters.sandbox.desk import Circumstances
from adapters.sandbox.errors import Refusal, Shape
from adapters.sandbox.faults import CallFacts, Fault, Kind, Moment
from adapters.sandbox.state import Sandbox

Action = Callable[[Circumstances], Answer]
Foretelling = Callable[[Circumstances], tuple[Announcement, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """
    One call, ready to be done, once or late. ``answered`` is set when its caller has an answer, or nothing.
    """

    facts: CallFacts
    action: Action
    foretell: Foretelling | None
    answered: asyncio.Event
    authenticated: bool
    headers: dict[str, str]


async def perform(call: Call, *, sandbox: Sandbox) -> Response:
    """
    Do a call, with whatever fault the plan has for it.

    Raises:
        Refusal: by the rules of Cal.com, or by the fault.
    """
    chosen = sandbox.faults.choose(call.facts)
    if chosen.lag is not None:
        sandbox.injected[chosen.lag.kind] += 1
    lag = timedelta(seconds=chosen.lag.seconds) if chosen.lag else timedelta()

    async def commit() -> Answer:
        given = Circumstances(
            now=sandbox.now(),
            authenticated=call.authenticated,
            raced=chosen.fault is not None and chosen.fault.kind is Kind.RACE,
            list_lag=lag,
        )
        return await _commit(call, given=given, sandbox=sandbox)

    if chosen.fault is None:
        return (await commit()).render(call.headers)
    return await _befall(chosen.fault, commit=commit, call=call, sandbox=sandbox)


async def _commit(call: Call, *, given: Circumstances, sandbox: Sandbox) -> Answer:
    if call.foretell is not None:
        await announce(sandbox, news=call.foretell(given), answered=call.answered)
        # Time has passed, in which somebody else may have done the same.
        given = replace(given, now=sandbox.now(), raced=True)
    answer = call.action(given)
    # Before the answer, as at Cal.com: a subscriber can hear of a booking that its maker does not know of yet.
    await announce(sandbox, news=answer.news, answered=call.answered)
    return answer


async def _befall(fault: Fault, *, commit: Callable[[], Awaitable[Answer]], call: Call, sandbox: Sandbox) -> Response:
    match fault.kind:
        case Kind.LATE_COMMIT | Kind.LATE_COMMIT_TIMEOUT:
            sandbox.later(lambda: _commit_late(commit, sandbox=sandbox), seconds=fault.seconds)
        case Kind.DELAY if fault.moment is Moment.BEFORE:
            await asyncio.sleep(fault.seconds)
    answer = await commit() if _commits_now(fault) else None
    # Counted only here, because a call that the rules refuse is refused plainly.
    sandbox.injected[fault.kind] += 1
    if refusal := _refusal(fault):
        raise refusal
    if answer is None or fault.kind is Kind.DROP_AFTER_COMMIT:
        return Drop(after_seconds=fault.hold_seconds if fault.kind is Kind.LATE_COMMIT_TIMEOUT else 0.0)
    if fault.kind is Kind.DELAY and fault.moment is Moment.AFTER:
        await asyncio.sleep(fault.seconds)
    if fault.kind is Kind.UNREADABLE_2XX:
        return answer.render_unreadable(call.headers)
    return answer.render(call.headers)


def _commits_now(fault: Fault) -> bool:
    match fault.kind:
        case Kind.HTML_502:
            return fault.commit
        case Kind.ERROR_AFTER_COMMIT | Kind.DROP_AFTER_COMMIT | Kind.UNREADABLE_2XX | Kind.DELAY | Kind.RACE:
            return True
        case _:
            return False


def _refusal(fault: Fault) -> Refusal | None:
    match fault.kind:
        case Kind.ERROR_BEFORE_COMMIT | Kind.ERROR_AFTER_COMMIT:
            return errors.internal(fault.shape)
        case Kind.HTML_502:
            return errors.internal(Shape.HTML)
        case Kind.RATE_LIMITED:
            return errors.too_many_requests()
        case Kind.UNAUTHORIZED:
            return errors.api_key_invalid()
        case _:
            return None


async def _commit_late(commit: Callable[[], Awaitable[Answer]], *, sandbox: Sandbox) -> None:
    try:
        await commit()
    except Refusal:
        # The time was given to somebody else meanwhile; nobody is there to be told.
        sandbox.late_refused += 1
