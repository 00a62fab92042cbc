"""
What becomes of a file of services, line by line.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.cli.service_lines import SURPLUS, Problem, define_all
from adapters.directory.services import ServiceWish
from domain.errors import AppointmentDatabaseError, AppointmentError, CalcomBookingError
from domain.offer import Offer
from domain.service import Service

HEADER = "service_id,name,duration_minutes,calcom_event_type_id\n"


class FakeServices:
    """
    Remembers what was defined, or fails.
    """

    def __init__(self, error: AppointmentError | None = None) -> None:
        self.error = error
        self.defined: list[str] = []

    async def define(self, wish: ServiceWish) -> tuple[Offer, bool]:
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
        return Offer(service=service), True


async def test_a_row_that_is_longer_than_its_header_does_not_stop_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "services.csv"
    file.write_text(f"{HEADER}cut,Haircut,30,1,what,else\nwash,Wash,30,1\n")
    services = FakeServices()
    defined, problems = await define_all(file, services, company_id="acme")

    assert (1, ["wash"]) == (defined, services.defined)
    assert [(2, SURPLUS)] == [(one.line, one.field) for one in problems]


@pytest.mark.parametrize("text", ["x" * 200_000, "x\0y"])
async def test_a_cell_that_cannot_be_read_does_not_stop_the_rest(tmp_path: Path, text: str) -> None:
    file = tmp_path / "services.csv"
    file.write_text(f"{HEADER}cut,{text},30,1\nwash,Wash,30,1\n")
    services = FakeServices()
    defined, problems = await define_all(file, services, company_id="acme")

    assert (1, ["wash"]) == (defined, services.defined)
    assert [2] == [one.line for one in problems]


async def test_a_header_that_cannot_be_read_is_a_wrong_line(tmp_path: Path) -> None:
    file = tmp_path / "services.csv"
    file.write_text("x" * 200_000)

    assert [1] == [one.line for one in (await define_all(file, FakeServices(), company_id="acme"))[1]]


async def test_a_cell_of_several_lines_counts_from_its_first(tmp_path: Path) -> None:
    file = tmp_path / "services.csv"
    file.write_text(f'{HEADER}cut,"Hair\ncut",30,1\n')
    _, problems = await define_all(file, FakeServices(), company_id="acme")

    assert {3} == {one.line for one in problems}


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


async def test_a_number_in_quotes_is_refused_in_json_and_taken_from_a_table(tmp_path: Path) -> None:
    lines, table = tmp_path / "services.jsonl", tmp_path / "services.csv"
    fields = {"service_id": "cut", "name": "Haircut", "duration_minutes": "30", "calcom_event_type_id": 1}
    lines.write_text(json.dumps(fields))
    table.write_text(f"{HEADER}cut,Haircut,30,1\n")

    _, problems = await define_all(lines, FakeServices(), company_id="acme")

    assert [(1, "duration_minutes")] == [(one.line, one.field) for one in problems]
    assert (1, []) == await define_all(table, FakeServices(), company_id="acme")


async def test_a_line_that_is_no_json_is_told_by_its_number_alone(tmp_path: Path) -> None:
    file = tmp_path / "services.jsonl"
    file.write_text("\nnot json\n")

    _, problems = await define_all(file, FakeServices(), company_id="acme")

    assert ["line 2: is not JSON: column 1"] == list(map(str, problems))
