"""The lines of a file of services: read, checked, and defined one by one."""

import asyncio
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.web.ports import ServiceWish
from domain.errors import AppointmentError, CustomerValidationError
from domain.service import Service


class Defines(Protocol):
    """Stores services after a look at their event types."""

    async def define(self, wish: ServiceWish) -> tuple[Service, bool]:
        """Define a service."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with one field of a line."""

    line: int
    field: str
    message: str


class _Line(BaseModel):
    # Not strict: every value of a CSV file is text.
    model_config = ConfigDict(extra="forbid")

    service_id: str = Field(min_length=1, max_length=100)
    name: str = Field(min_length=1, max_length=200)
    duration_minutes: int = Field(gt=0, le=24 * 60)
    calcom_event_type_id: int = Field(gt=0)
    staff_id: str | None = None
    staff_group: str | None = None
    time_zone: str | None = None


async def define_all(file: Path, services: Defines, *, company_id: str) -> tuple[int, list[Problem]]:
    """Define what the file holds, and return how many services that were and what was wrong with the rest."""
    results = []
    for number, values in _lines(file):
        results.append(await _define(number, values, services, company_id=company_id))
        # One at a time, because each asks Cal.com, whose rate limit is for everybody.
        await asyncio.sleep(0)
    problems = [problem for found in results for problem in found]
    return sum(not found for found in results), problems


async def _define(number: int, values: Any, services: Defines, *, company_id: str) -> list[Problem]:  # noqa: ANN401 - JSON
    try:
        line = _Line.model_validate(values)
        await services.define(ServiceWish(company_id=company_id, **line.model_dump()))
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        return [Problem(line=number, field=".".join(map(str, one["loc"])) or "line", message=one["msg"]) for one in found]
    except CustomerValidationError as error:
        return [Problem(line=number, field=one.field, message=one.message) for one in error.errors]
    except AppointmentError as error:
        return [Problem(line=number, field="calcom_event_type_id", message=error.message)]
    return []


def _lines(file: Path) -> Iterator[tuple[int, Any]]:
    if file.suffix.lower() == ".csv":
        # utf-8-sig, because spreadsheets begin their files with a byte order mark.
        with file.open(encoding="utf-8-sig", newline="") as text:
            rows = csv.DictReader(text, restkey="more than the header has", strict=True)
            for row in rows:
                yield rows.line_num, {name: value for name, value in row.items() if value not in {None, ""}}
        return
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield number, _object(line)


def _object(line: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return line
