"""
Full fallback: a person's word to the whole fleet not to use Cal.com for a while, as a stream of its own in the log.

The last event alone says how it stands, so that whoever asks reads no more than that.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, TypeAlias
from uuid import NAMESPACE_URL, uuid5

from domain.text import text_problem

STREAM = uuid5(NAMESPACE_URL, "urn:calsaga:full-fallback")
FULL_FALLBACK = "full_fallback"
"""Why a booking is deferred while it holds."""
LONGEST = timedelta(hours=24)
"""A switch that is forgotten must not defer every booking until it expires."""
UNTIL_EXPIRY = timedelta(minutes=30)
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FullFallbackBegun:
    """Somebody has switched it on, or on again for another time or reason; `since` is when it began."""

    TOPIC: ClassVar[str] = "full-fallback.begun.v1"
    at: datetime
    since: datetime
    expires_at: datetime
    actor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FullFallbackEnded:
    """Somebody has switched it off, or its time was over; then the `actor` is calsaga."""

    TOPIC: ClassVar[str] = "full-fallback.ended.v1"
    at: datetime
    actor: str
    reason: str


FullFallbackEvent: TypeAlias = FullFallbackBegun | FullFallbackEnded


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchOn:
    """
    What a person wants: that it holds from now on for so long.

    Raises:
        ValueError: the actor, the reason or the time is none; the message begins with the field.

    """

    actor: str
    reason: str
    lasts: timedelta = UNTIL_EXPIRY

    def __post_init__(self) -> None:
        """Refuse what nobody could answer for later."""
        _check("actor", self.actor)
        _check("reason", self.reason)
        if not timedelta(0) < self.lasts <= LONGEST:
            raise ValueError(f"seconds must be above 0, and {LONGEST.total_seconds():.0f} at most")


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchOff:
    """
    What a person wants: that it holds no longer.

    Raises:
        ValueError: the actor or the reason is none; the message begins with the field.

    """

    actor: str
    reason: str = "switched off"

    def __post_init__(self) -> None:
        """Refuse what nobody could answer for later."""
        _check("actor", self.actor)
        _check("reason", self.reason)


def holding(last: FullFallbackEvent | None, now: datetime) -> FullFallbackBegun | None:
    """Return what holds now by the stream's last event, or None."""
    return last if isinstance(last, FullFallbackBegun) and now < last.expires_at else None


def switch_on(last: FullFallbackEvent | None, wish: SwitchOn, *, now: datetime) -> tuple[FullFallbackEvent, ...]:
    """Return what is added to the stream; what has expired unseen ends first."""
    held = holding(last, now)
    begun = FullFallbackBegun(
        at=now,
        since=now if held is None else held.since,
        expires_at=now + wish.lasts,
        actor=wish.actor,
        reason=wish.reason,
    )
    return (*expire(last, now=now), begun)


def switch_off(last: FullFallbackEvent | None, wish: SwitchOff, *, now: datetime) -> tuple[FullFallbackEvent, ...]:
    """Return what is added to the stream; nothing if it does not hold, but for an end that nobody has written."""
    if holding(last, now) is None:
        return expire(last, now=now)
    return (FullFallbackEnded(at=now, actor=wish.actor, reason=wish.reason),)


def expire(last: FullFallbackEvent | None, *, now: datetime) -> tuple[FullFallbackEvent, ...]:
    """Return the end of what holds no longer, if it is not written yet."""
    if not isinstance(last, FullFallbackBegun) or now < last.expires_at:
        return ()
    return (FullFallbackEnded(at=last.expires_at, actor="calsaga", reason="expired"),)


def _check(field: str, text: str) -> None:
    problem = text_problem(text, at_most=LONGEST_REASON)
    if problem is not None:
        raise ValueError(f"{field} {problem}")
