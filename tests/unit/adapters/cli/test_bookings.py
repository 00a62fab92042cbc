"""
What `book` and `cancel` exit with.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from typer.testing import CliRunner

from adapters.cli.app import app
from domain import events as e
from sagas.orchestrator import BookingResult
from tests.fakes.given import ABSENT, BOOKED, IN_DOUBT, cancellation, cancelled, cancelled_there, failed, given, review

BOOK = (
    *("book", "--service", "haircut", "--name", "Ada", "--phone", "+491701234567"),
    *("--starts-at", "2027-03-02T10:00:00Z", "--time-zone", "UTC"),
)
CANCEL = ("cancel", "5f76468b-1d5c-46ef-bd0e-ab2608f9947a", "--reason", "ill")


@pytest.mark.parametrize(
    ("events", "booking", "cancelling"),
    [
        (BOOKED, 0, 0),
        (IN_DOUBT, 0, 0),
        ((*ABSENT, failed()), 1, 0),
        ((*BOOKED, cancellation(), cancelled_there(), cancelled()), 1, 0),
        ((*BOOKED, cancellation(), review()), 1, 1),
    ],
)
def test_the_exit_code_says_whether_it_came_about(
    monkeypatch: pytest.MonkeyPatch, events: Sequence[e.BookingEvent], booking: int, cancelling: int
) -> None:
    result = BookingResult(booking=given(*events))
    monkeypatch.setattr("adapters.cli.bookings.with_application", lambda *_, **__: result)

    assert booking == CliRunner().invoke(app, BOOK).exit_code
    assert cancelling == CliRunner().invoke(app, CANCEL).exit_code
