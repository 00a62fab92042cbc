"""`calsaga keys`: who may use the API."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.bookings import Company
from adapters.cli.failing import FOUND_WRONG, Group, complain, note
from adapters.cli.running import ready_settings, with_application
from adapters.directory.scopes import Scope

if TYPE_CHECKING:
    from adapters.bootstrap import Application
    from adapters.directory.keys import KeyRecord

app = typer.Typer(cls=Group, no_args_is_help=True, help="Create, list and revoke the API's keys.")


@app.command()
def create(
    *,
    company: Company = None,
    scope: Annotated[
        list[Scope] | None, typer.Option(help="May be given several times; both of bookings:… if not.")
    ] = None,
) -> None:
    """Create a key and print it, this once: calsaga keeps only its digest."""
    settings = ready_settings()
    owner = company or settings.default_company
    scopes = [one.value for one in scope or (Scope.BOOKINGS_WRITE, Scope.BOOKINGS_READ)]

    async def run(app: "Application") -> "tuple[KeyRecord, str]":
        return await app.directory.keys.create(company_id=owner, scopes=scopes)

    record, key = with_application(run, settings=settings)
    note(f"key {record.key_id} of {owner} ({', '.join(scopes)}); it is shown this once:")
    typer.echo(key)


@app.command(name="list")
def list_(*, company: Company = None) -> None:
    """List a company's keys, never the keys themselves."""
    settings = ready_settings()
    owner = company or settings.default_company

    async def run(app: "Application") -> "Sequence[KeyRecord]":
        return await app.directory.keys.list(company_id=owner)

    keys = with_application(run, settings=settings)
    if not keys:
        note(f"{owner} has no API keys; `calsaga keys create` makes one")
    for one in keys:
        ended = "" if one.revoked_at is None else f"\trevoked {one.revoked_at:%Y-%m-%d %H:%M} UTC"
        typer.echo(f"{one.key_id}\t{', '.join(one.scopes)}\tcreated {one.created_at:%Y-%m-%d %H:%M} UTC{ended}")


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="As `calsaga keys list` shows it.")],
    *,
    company: Company = None,
) -> None:
    """Make a key useless."""
    settings = ready_settings()
    owner = company or settings.default_company

    async def run(app: "Application") -> bool:
        return await app.directory.keys.revoke(company_id=owner, key_id=key_id)

    if not with_application(run, settings=settings):
        complain(f"{owner} has no key {key_id}")
        raise typer.Exit(FOUND_WRONG)
    note(f"revoked {key_id}")
