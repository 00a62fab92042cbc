"""
What an answer says about trying again.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from adapters.resilience.http_answers import asked_wait, is_fault, is_passing

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 599])
def test_these_may_pass(status: int) -> None:
    assert is_passing(status)
    assert is_fault(status) == (status != 429)


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 409, 410, 422])
def test_these_do_not(status: int) -> None:
    assert not is_passing(status)
    assert not is_fault(status)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7),
        ({"retry-after": "0"}, 0),
        ({"Retry-After": "Mon, 01 Mar 2027 12:00:30 GMT"}, 30),
        ({"Retry-After": "Mon, 01 Mar 2027 11:00:30 GMT"}, 0),
        ({"Retry-After": "Mon, 01 Mar 2027 12:00:30 -0000"}, 30),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "٣"}, None),
        ({"Retry-After": "soon", "X-RateLimit-Reset": "9"}, 9),
        ({"X-RateLimit-Reset": "12"}, 12),
        ({"X-RateLimit-Reset-Default": "12", "X-RateLimit-Reset-Burst": "3"}, 12),
        # A moment, as some others give it, is no wait.
        ({"X-RateLimit-Reset": "1893456000"}, None),
        ({"X-RateLimit-Resettled": "5"}, None),
    ],
)
def test_how_long_it_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert seconds == asked_wait(headers, now=NOW)
