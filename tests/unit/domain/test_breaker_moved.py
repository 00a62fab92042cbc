"""
One transition of a breaker is one stream, whoever writes it, and no other one's.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from domain.breaker_moved import breaker_moved
from domain.breaker_words import Transition

MOVE = Transition(
    name="calcom",
    before="closed",
    after="open",
    cause="failures",
    at=datetime(2027, 3, 1, 9, 0, tzinfo=UTC),
    epoch=1,
    failures=5,
    calls=7,
)


def test_every_process_gives_a_transition_the_same_stream() -> None:
    ids = {breaker_moved(one, instance=None).stream_id for one in (MOVE, replace(MOVE, failures=6, reason="other"))}

    assert 1 == len(ids)


def test_no_other_transition_has_its_stream() -> None:
    others = [
        breaker_moved(replace(MOVE, name="email"), instance=None),
        breaker_moved(replace(MOVE, epoch=2), instance=None),
        # What Redis counts anew once it was emptied.
        breaker_moved(replace(MOVE, at=MOVE.at + timedelta(milliseconds=1)), instance=None),
        # Of two processes that decide alone in the same instant.
        breaker_moved(MOVE, instance="a"),
        breaker_moved(MOVE, instance="b"),
    ]

    assert 6 == len({breaker_moved(MOVE, instance=None).stream_id, *(one.stream_id for one in others)})
