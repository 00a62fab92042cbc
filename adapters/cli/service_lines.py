"""The lines of a file of services: read, checked, and defined one by one."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from adapters.cli.import_run import lines_of
from adapters.cli.lines import ServiceLine, ServiceRow, read_fields
from adapters.directory.services import ServiceWish
from adapters.web.body import NotAnObject, parse_object
from domain.errors import AppointmentDatabaseError, CalcomBookingError, CustomerValidationError
from domain.offer import Offer

SURPLUS = "more than the header has"


class Defines(Protocol):
    """Stores services after a look at their event types."""

    async def define(self, wish: ServiceWish) -> tuple[Offer, bool]:
        """Define a service."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with one field of a line, or, without a field, with the whole of it."""

    line: int
    field: str | None
    message: str

    def __str__(self) -> str:
        """Return the problem as people read it."""
        return f"line {self.line}: {self.message if self.field is None else f'{self.field}: {self.message}'}"


async def define_all(file: Path, services: Defines, *, company_id: str) -> tuple[int, list[Problem]]:
    """Define what the file holds, and return how many services that were and what was wrong with the rest."""
    defined = 0
    problems: list[Problem] = []
    # One after the other, because each asks Cal.com, whose rate limit is for everybody.
    for number, line in _lines(file):
        found = await _define(number, line, services, company_id=company_id)
        defined += not found
        problems += found
    return defined, problems


async def _define(
    number: int, line: bytes | dict[str, Any] | csv.Error, services: Defines, *, company_id: str
) -> list[Problem]:
    if isinstance(line, csv.Error):
        return [Problem(line=number, field=None, message=f"cannot be read: {line}")]
    try:
        service = (
            read_fields(ServiceLine, parse_object(line)) if isinstance(line, bytes) else read_fields(ServiceRow, line)
        )
        await services.define(ServiceWish(company_id=company_id, **dict(service)))
    except NotAnObject as error:
        return [Problem(line=number, field=None, message=str(error))]
    except CustomerValidationError as error:
        return [Problem(line=number, field=one.field, message=one.message) for one in error.errors]
    except CalcomBookingError as error:
        return [Problem(line=number, field="calcom_event_type_id", message=error.message)]
    except AppointmentDatabaseError as error:
        return [Problem(line=number, field="database", message=error.message)]
    return []


def _lines(file: Path) -> Iterator[tuple[int, bytes | dict[str, Any] | csv.Error]]:
    if file.suffix.lower() == ".csv":
        yield from _rows(file)
    else:
        yield from lines_of(file)


def _rows(file: Path) -> Iterator[tuple[int, dict[str, Any] | csv.Error]]:
    # utf-8-sig, because spreadsheets begin their files with a byte order mark.
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as text:
        rows = csv.DictReader(text, restkey=SURPLUS)
        while True:
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield rows.reader.line_num, error
                if rows.reader.line_num == 1:
                    # Without its header nothing in the file can be understood.
                    return
            else:
                yield (
                    rows.reader.line_num,
                    {name.strip(): value for name, value in row.items() if value not in (None, "")},
                )
