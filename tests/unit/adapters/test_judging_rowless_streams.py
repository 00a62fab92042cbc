"""
`verify` notices what does not belong on the streams of commands and clearings, and rows that they must not have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID

import pytest

from adapters.difference import Difference
from adapters.evidence import Evidence
from adapters.judging_breakers import about_breaker_commands
from adapters.judging_clearings import about_clearings
from domain.breaker_commanded import BreakerCommanded, commands_id_of
from domain.failures_cleared import clear_failures, clearings_id_of
from sagas.appending import LogEvent
from tests.fakes.evidence import evidence

AT = datetime(2027, 1, 1, 10, tzinfo=UTC)
Judge: TypeAlias = Callable[[Evidence, Sequence[LogEvent]], Iterator[Difference]]


def commanded(service: str) -> BreakerCommanded:
    return BreakerCommanded(at=AT, service=service, action="open", actor="ada", reason="a test", expires_at=None)


def cleared(service: str) -> LogEvent:
    return clear_failures(service, actor="ada", reason="a test", at=AT)


STREAMS = pytest.mark.parametrize(
    ("judge", "id_of", "event", "foreign"),
    [
        (about_breaker_commands, commands_id_of, commanded, cleared),
        (about_clearings, clearings_id_of, cleared, commanded),
    ],
)


@STREAMS
def test_what_belongs_there_is_right_and_what_does_not_is_told(
    judge: Judge, id_of: Callable[[str], UUID], event: Callable[[str], LogEvent], foreign: Callable[[str], LogEvent]
) -> None:
    one = evidence(id_of("calcom"))

    assert [] == list(judge(one, [event("calcom"), event("calcom")]))
    assert ["stream"] == [it.what for it in judge(one, [event("calcom"), event("email")])]
    assert ["stream"] == [it.what for it in judge(one, [event("calcom"), foreign("calcom")])]


@STREAMS
def test_due_work_that_nobody_could_do_is_told(
    judge: Judge, id_of: Callable[[str], UUID], event: Callable[[str], LogEvent], foreign: Callable[[str], LogEvent]
) -> None:
    assert ["due work"] == [it.what for it in judge(evidence(id_of("calcom"), due=object()), [event("calcom")])]
