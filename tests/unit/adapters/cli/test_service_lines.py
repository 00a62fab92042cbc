"""
What becomes of a file of services, line by line.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.cli.service_lines import Problem, define_all
from adapters.directory.services import ServiceWish
from domain.errors import AppointmentDatabaseError, AppointmentError, CalcomBookingError
from domain.service import Service

HEADER = "service_id,name,duration_minutes,calcom_event_type_id\n"


class FakeServices:
    """
    Remembers what was defined, or fails.
    """

    def __init__(self, error: AppointmentError | None = None) -> None:
        self.error = error
        self.defined: list[str] = []

    async def define(self, wish: ServiceWish) -> tuple[Service, bool]:
        if self.error is not None:
            raise self.error
        self.defined.append(wish.service_id)
        service = Service(
            company_id=wish.company_id,
            service_id=wish.service_id,
            name=wish.name,
            duration_minutes=30,
            calcom_event_type_id=1,
        )
        return service, True


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (
            CalcomBookingError("Cal.com could not be reached.", status=None),
            Problem(line=2, field="calcom_event_type_id", message="Cal.com could not be reached."),
        ),
        (
            AppointmentDatabaseError("the database is away", kind="connection_lost"),
            Problem(line=2, field="database", message="the database is away"),
        ),
    ],
)
async def test_a_line_that_fails_says_on_whose_side(tmp_path: Path, error: AppointmentError, problem: Problem) -> None:
    file = tmp_path / "services.csv"
    file.write_text(f"{HEADER}cut,Haircut,30,1\n")

    assert (0, [problem]) == await define_all(file, FakeServices(error), company_id="acme")
