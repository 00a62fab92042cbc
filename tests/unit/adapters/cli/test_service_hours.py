"""
Services come from files as they come from bodies, opening hours included.
"""

from __future__ import annotations

from pathlib import Path

from adapters.cli.service_lines import define_all
from domain.opening_hours import parse_opening_hours
from tests.unit.adapters.web.fake_companies import FakeServices

HOURS = parse_opening_hours({"mon": [["09:00", "12:30"]]})
HEADER = "service_id,name,duration_minutes,calcom_event_type_id,opening_hours\n"


async def test_a_table_has_the_hours_as_json(tmp_path: Path) -> None:
    file = tmp_path / "services.csv"
    file.write_text(
        HEADER
        + 'cut,Cut,30,1,"{""mon"": [[""09:00"", ""12:30""]]}"\n'
        + "shave,Shave,30,2,\n"
        + "color,Color,30,3,mornings\n"
        + 'dye,Dye,30,4,"{""monday"": []}"\n'
        + 'comb,Comb,30,5,"[1]"\n'
    )
    services = FakeServices()

    defined, problems = await define_all(file, services, company_id="acme")

    assert (2, [("cut", HOURS), ("shave", None)]) == (
        defined,
        [(one.service_id, one.opening_hours) for one in services.defined],
    )
    assert [(4, "opening_hours"), (5, "opening_hours"), (6, "opening_hours")] == [
        (one.line, one.field) for one in problems
    ]


async def test_a_line_has_the_hours_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "services.jsonl"
    file.write_text(
        '{"service_id": "cut", "name": "Cut", "duration_minutes": 30, "calcom_event_type_id": 1, '
        '"opening_hours": {"mon": [["09:00", "12:30"]]}}\n'
    )
    services = FakeServices()

    assert (1, []) == await define_all(file, services, company_id="acme")
    assert [HOURS] == [one.opening_hours for one in services.defined]
