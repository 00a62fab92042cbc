"""
`verify` sees what is wrong with the stream of full fallback.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from adapters.evidence import Evidence
from adapters.judging_fallback import about_full_fallback
from domain.full_fallback import STREAM, FullFallbackBegun, FullFallbackEnded
from domain.notice import OperatorNotified
from sagas.appending import LogEvent
from tests.fakes.time import START

BEGUN = FullFallbackBegun(at=START, since=START, expires_at=START + timedelta(minutes=1), actor="a", reason="b")
ENDED = FullFallbackEnded(at=START, actor="a", reason="b")
NOTICE = object.__new__(OperatorNotified)


def a_stream(*, stream_id: UUID = STREAM, due: object = None) -> Evidence:
    return Evidence(
        stream_id=stream_id,
        events=(),
        appointments={},
        claims={},
        due=due,  # type: ignore[arg-type]
        listed=None,
        failures=(),
        failures_of=None,
        standing=None,
        requests=(),
        breaker_event=None,
        seen_by={},
    )


def judged(events: list[LogEvent], evidence: Evidence) -> list[str]:
    return [one.what for one in about_full_fallback(evidence, events)]


def test_what_begins_and_ends_is_well() -> None:
    assert [] == judged([BEGUN, BEGUN, ENDED, BEGUN], a_stream())


@pytest.mark.parametrize("events", [[ENDED], [BEGUN, ENDED, ENDED], [BEGUN, NOTICE]])
def test_what_cannot_have_happened_is_told(events: list[LogEvent]) -> None:
    assert ["stream"] == judged(events, a_stream())


def test_another_stream_or_a_row_of_it_is_told() -> None:
    assert ["stream"] == judged([BEGUN], a_stream(stream_id=UUID(int=1)))
    assert ["due work"] == judged([BEGUN], a_stream(due=object()))
