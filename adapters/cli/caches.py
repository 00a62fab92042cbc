"""`calsaga cache`: forgetting what is cached, in every process."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.failing import FOUND_WRONG, Group, Misused, complain
from adapters.cli.running import ready_settings

if TYPE_CHECKING:
    from adapters.redis.clearing import Cleared

app = typer.Typer(cls=Group, no_args_is_help=True, help="Look after what is cached.")

ALONE = (
    "there is no CALSAGA_REDIS_URL, so nothing was cleared: each process keeps what it has cached in its own memory, "
    "which no other process reaches, and this one has none. Restart the process whose cache is wrong, or wait: free "
    "slots are kept for ten minutes, API keys for five, whose a phone is for an hour."
)


class Which(StrEnum):
    """What is cached."""

    AVAILABILITY = "availability"
    CUSTOMERS = "customers"
    KEYS = "keys"
    ALL = "all"


# A group of its own even while it has one command, so that `cache clear` is how it is called.
@app.callback()
def caches() -> None:
    """Look after what is cached."""


@app.command()
def clear(
    *,
    tag: Annotated[Which, typer.Option(help="What to forget.")] = Which.ALL,
    company: Annotated[
        str | None, typer.Option(metavar="ID", help="Of this company alone; keys are forgotten for all.")
    ] = None,
) -> None:
    """Clear what is cached in Redis, and have every running process forget its own."""
    import uvloop

    from domain.text import identifier_problem

    problem = None if company is None else identifier_problem(company)
    if problem is not None:
        message = f"--company {problem}"
        raise Misused(message)
    settings = ready_settings()
    if settings.redis_url is None:
        complain(ALONE)
        raise typer.Exit(FOUND_WRONG)
    cleared = uvloop.run(_clear(settings.redis_url.get_secret_value(), tag, company))
    typer.echo(f"cleared {cleared.entries} entries in Redis, told {cleared.processes} processes to forget theirs")


async def _clear(url: str, tag: Which, company: str | None) -> "Cleared":
    from adapters.redis.clearing import clear as clear_all
    from adapters.redis.connection import connect

    async with connect(url) as client:
        return await clear_all(client, tag.value, company)
