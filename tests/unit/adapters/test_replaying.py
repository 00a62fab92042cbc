"""
Whether a saga ended with an open line, told from its events.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from adapters.replaying import replay
from domain.events import BookingEvent
from tests.fakes.evidence import evidence
from tests.fakes.given import (
    ABSENT,
    BOOKED,
    BOOKING_ID,
    IN_DOUBT,
    attempted,
    booked,
    cancelled,
    cancelled_there,
    created,
    failed,
    initiated,
    unknown,
)
from tests.fakes.moves import move_failed, requested

# An attempt was given up, another one is booked, and then the answer to the first one is lost.
IN_DOUBT_AGAIN = (*ABSENT, attempted("two", number=2), created("two"), booked(), unknown(seconds=200))


@pytest.mark.parametrize(
    ("events", "open_"),
    [
        (BOOKED, False),
        ((*IN_DOUBT, failed()), True),
        ((*IN_DOUBT, failed(), cancelled()), True),
        (IN_DOUBT_AGAIN, False),
        ((*IN_DOUBT_AGAIN, cancelled_there("uid-1", attempt="two"), cancelled()), False),
        ((*IN_DOUBT_AGAIN, requested(), move_failed()), False),
    ],
)
def test_a_saga_ends_with_an_open_line_if_one_was_open_when_it_first_ended(
    events: Sequence[BookingEvent], *, open_: bool
) -> None:
    assert open_ is replay(evidence(BOOKING_ID), (initiated(), *events)).ended_open
