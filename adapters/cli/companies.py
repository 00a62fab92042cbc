"""`calsaga companies`: whose keys and secrets calsaga keeps, encrypted."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.failing import Group, Misused, note
from adapters.cli.identifiers import company_id as company_id_of
from adapters.cli.running import with_application

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.bootstrap import Application
    from adapters.database.companies import CompanyRecord

app = typer.Typer(cls=Group, no_args_is_help=True, help="Give a company its own Cal.com key and webhook secret.")

Secret = Annotated[str | None, typer.Option(metavar="TEXT|-", help="`-` reads it from stdin, away from the history.")]
Secrets = Annotated[
    list[str] | None, typer.Option(metavar="TEXT|-", help="As above; given twice, both hold while one is replaced.")
]


@app.command(name="set")
def set_(
    company_id: Annotated[str, typer.Argument(metavar="ID", callback=company_id_of, help="The company.")],
    *,
    calcom_key: Secret = None,
    webhook_secret: Secrets = None,
) -> None:
    """Store a company's secrets, encrypted; those not given stay as they are. Several webhook secrets hold at once."""
    if calcom_key is None and not webhook_secret:
        message = "companies set: give --calcom-key, --webhook-secret, or both"
        raise Misused(message)
    key = _read(calcom_key, "--calcom-key")
    secrets = [secret for one in webhook_secret or () if (secret := _read(one, "--webhook-secret")) is not None]

    async def run(app: "Application") -> None:
        await app.directory.companies.put(company_id, calcom_key=key, webhook_secrets=secrets or None)

    with_application(run)
    note(f"stored the secrets of {company_id}")


@app.command(name="list")
def list_() -> None:
    """List the companies, and which secrets each has; never what they are."""

    async def run(app: "Application") -> "Sequence[CompanyRecord]":
        return await app.directory.companies.list()

    companies = with_application(run)
    if not companies:
        note("no company has secrets of its own; `calsaga companies set` stores some")
    for one in companies:
        has = {"calcom-key": one.has_calcom_key, "webhook-secret": one.has_webhook_secret}
        typer.echo(f"{one.company_id}\t{', '.join(name for name, there in has.items() if there) or '–'}")


def _read(given: str | None, option: str) -> str | None:
    from adapters.directory.secrets import secret_problem

    if given is None:
        return None
    secret = sys.stdin.readline().strip() if given == "-" else given
    problem = secret_problem(secret)
    if problem is not None:
        message = f"{option}: {problem}"
        raise Misused(message)
    return secret
