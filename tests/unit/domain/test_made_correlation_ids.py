"""
Every error has a correlation id: the one that it was given, or one that is made of what it says.
"""

from __future__ import annotations

import pytest

from domain.errors import AppointmentDatabaseError, AppointmentError, CircuitOpenError


@pytest.mark.parametrize(
    "error",
    [AppointmentError("no"), CircuitOpenError("calcom", retry_after=5), AppointmentDatabaseError("x", kind="other")],
)
def test_an_error_without_one_makes_one_that_stays(error: AppointmentError) -> None:
    made = error.correlation_id

    assert 32 == len(made)
    assert made == error.correlation_id == error.as_log()["correlation_id"]
    assert made != AppointmentError("something else").correlation_id


def test_that_of_a_request_takes_the_place_of_one_that_was_made() -> None:
    error = AppointmentError("no")
    assert error.correlation_id

    assert "c-1" == error.correlated("c-1").correlation_id
