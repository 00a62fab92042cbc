"""`calsaga services`: what can be booked."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.bookings import Company
from adapters.cli.failing import FOUND_WRONG, Group, complain, note
from adapters.cli.running import ready_settings, with_application

if TYPE_CHECKING:
    from adapters.bootstrap import Application
    from adapters.cli.service_lines import Problem
    from domain.offer import Offer

app = typer.Typer(cls=Group, no_args_is_help=True, help="Define and list services.")


@app.command(name="import")
def import_(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="A .csv file with a header, or a .jsonl file.")
    ],
    *,
    company: Company = None,
) -> None:
    """
    Define the services of a file, each checked against its event type at Cal.com.

    The fields are those of PUT /api/services and `service_id`; in a table the opening
    hours are JSON. A wrong line is reported with its number and field, and does not stop
    the rest.
    """
    from adapters.cli.service_lines import define_all

    settings = ready_settings()
    owner = company or settings.default_company

    async def run(app: "Application") -> "tuple[int, list[Problem]]":
        return await define_all(file, app.directory.services, company_id=owner)

    defined, problems = with_application(run, settings=settings)
    typer.echo(f"{defined} defined, {len({one.line for one in problems})} rejected")
    for one in problems:
        complain(str(one))
    if problems:
        raise typer.Exit(FOUND_WRONG)


@app.command(name="list")
def list_(*, company: Company = None) -> None:
    """List a company's services."""
    settings = ready_settings()
    owner = company or settings.default_company

    async def run(app: "Application") -> "Sequence[Offer]":
        return await app.directory.services.list(company_id=owner)

    offers = with_application(run, settings=settings)
    if not offers:
        note(f"{owner} has no services yet; `calsaga services import` defines some")
    for offer in offers:
        one = offer.service
        staff = f"{one.staff_id or '–'}" + (f" ({one.staff_group})" if one.staff_group else "")
        hours = "–" if offer.opening_hours is None else str(offer.opening_hours)
        typer.echo(
            f"{one.service_id}\t{one.name}\t{one.duration_minutes} min\tevent type {one.calcom_event_type_id}"
            f"\t{staff}\t{hours}"
        )
