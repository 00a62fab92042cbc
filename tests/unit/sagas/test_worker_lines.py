"""
The lines of the worker's log lead to the saga that they tell of.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from sagas.appending import DueAfter
from tests.fakes.given import BOOKING_ID, initiated
from tests.fakes.office import Office


@pytest.mark.parametrize(("fate", "line"), [("database", "worker.saga.left"), ("defect", "worker.saga.crashed")])
def test_a_line_about_a_saga_has_the_correlation_id_of_its_caller(
    fate: str, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    office = Office()
    asked = initiated(staff_id=None, correlation_id="c-1")
    office.log.write(BOOKING_ID, asked)
    office.agenda.put(BOOKING_ID, DueAfter(delay=timedelta(0)))
    if fate == "database":
        office.log.fates.append("fails_before")
    else:
        office.calendar.create = None  # type: ignore[method-assign, assignment]

    office.run(office.worker.run_due())

    assert [(line, "c-1")] == [
        (one.message, one.correlation_id)  # type: ignore[attr-defined]
        for one in caplog.records
        if one.message.startswith("worker.")
    ]
