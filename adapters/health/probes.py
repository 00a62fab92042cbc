"""One probe: asked, cut when its time is up, and judged; whatever becomes of it, nobody else waits."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from domain.health import Check, ProbePolicy, Said, judge

Ask = Callable[[], Awaitable[Said]]

LETTING_GO_SECONDS = 0.5
"""How long a probe that is no longer wanted may take to end."""


class NoAnswer(Exception):
    """The service did not answer; the text says how, and holds neither a secret nor an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """How a service is asked, and how often. With `ask` None there is nobody to ask: it is not configured."""

    service: str
    policy: ProbePolicy
    ask: Ask | None


async def make(probe: Probe, *, now: Callable[[], datetime]) -> Check:
    """Return what a service says, or that it says nothing, after `probe.policy.limit_seconds` at most."""
    # Not the loop's time: uvloop's stands still for a whole round, and counts in milliseconds.
    checked_at, began = now(), time.perf_counter()
    if probe.ask is None:
        said = Said(status="not_configured", answered=False)
    else:
        said = await _within(probe.policy.limit_seconds, probe.ask)
    return judge(probe.service, said, probe.policy, checked_at=checked_at, seconds=time.perf_counter() - began)


async def _within(limit: float, ask: Ask) -> Said:
    asking = asyncio.ensure_future(_told(ask))
    try:
        # Not `timeout`, which waits for what it has cancelled: a probe may be deaf to that.
        done, _ = await asyncio.wait([asking], timeout=limit)
    except asyncio.CancelledError:
        asking.cancel()
        await asyncio.wait([asking], timeout=LETTING_GO_SECONDS)
        raise
    if not done:
        asking.cancel()
        return _down(f"no answer within {limit:g} s")
    return asking.result()


async def _told(ask: Ask) -> Said:
    try:
        return await ask()
    except NoAnswer as error:
        return _down(str(error))
    except Exception as error:  # noqa: BLE001 - whatever a client raises about a service that fails
        # The text of what somebody else raises may hold an address, with a password in it.
        return _down(f"no answer: {type(error).__name__}")


def _down(detail: str) -> Said:
    return Said(status="down", detail=detail, answered=False)
