"""What an HTTP answer says about trying again: its status, and how long it asks to wait."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

LONGEST_WAIT = 3600.0
"""Seconds; a longer one is no wait but a refusal, or a moment (in seconds since 1970) where a wait should be."""
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
_FIRST_FAULT = 500
_RESET = "x-ratelimit-reset"
_LONGEST_NUMBER = len("1000000000")


def is_passing(status: int) -> bool:
    """Tell whether the same request may be answered otherwise later: 408, 429 and 5xx."""
    return status >= _FIRST_FAULT or status in _PASSING


def is_fault(status: int) -> bool:
    """Tell whether an answer speaks against whoever gave it: 429 is the caller's own doing."""
    return status >= _FIRST_FAULT or status == HTTPStatus.REQUEST_TIMEOUT


def whole_seconds(text: str | None) -> float | None:
    """Return a header's whole seconds; None for anything else, since a word is no promise that can be kept."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > _LONGEST_NUMBER:
        return None
    return float(text)


def asked_wait(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """
    Return how many seconds an answer asks to wait.

    `Retry-After` in either form, else `X-RateLimit-Reset`, which is seconds left; of several limits the one that lasts
    longest counts.
    """
    named = {name.lower(): value for name, value in headers.items()}
    asked = whole_seconds(named.get("retry-after"))
    if asked is None and "retry-after" in named:
        asked = _until(named["retry-after"], now or datetime.now(UTC))
    if asked is not None:
        return asked
    resets = [whole_seconds(value) for name, value in named.items() if name == _RESET or name.startswith(f"{_RESET}-")]
    return max((seconds for seconds in resets if seconds is not None and seconds <= LONGEST_WAIT), default=None)


def _until(date: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max((aware - now).total_seconds(), 0.0)
