"""
What operators read of the breakers.
"""

from __future__ import annotations

from structlog.testing import capture_logs

from adapters.breakers.local import LocalBreakers
from adapters.breakers.telling import Telling
from domain.breaker_words import Command


async def test_whoever_opens_a_breaker_stands_in_the_log_with_the_reason() -> None:
    breakers = LocalBreakers({}, listener=Telling())
    with capture_logs() as lines:
        await breakers.control("calcom", Command(action="open", actor="ann", reason="maintenance"))
        await breakers.control("calcom", Command(action="reset", actor="bob", reason="it is over"))

    assert [
        ("breaker.opened", "warning", "calcom", "ann", "maintenance"),
        ("breaker.closed", "info", "calcom", "bob", "it is over"),
    ] == [(line["event"], line["log_level"], line["breaker"], line["actor"], line["reason"]) for line in lines]


def test_that_a_process_decides_alone_is_a_warning() -> None:
    with capture_logs() as lines:
        Telling().degraded("TimeoutError: ")
        Telling().recovered()

    assert [("breakers.shared.lost", "warning"), ("breakers.shared.recovered", "info")] == [
        (line["event"], line["log_level"]) for line in lines
    ]
