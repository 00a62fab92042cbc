"""`calsaga migrate`: bring the database to the tables that this calsaga needs."""

from typing import Annotated

import typer

from adapters.cli.failing import Misused
from adapters.cli.running import ready_settings


def migrate(
    *, to: Annotated[str, typer.Option(metavar="REVISION", help="A revision other than the newest.")] = "head"
) -> None:
    """Create or update the tables. Any number of processes may do so at once."""
    from alembic.util import CommandError

    from migrations.runner import current
    from migrations.runner import migrate as run

    settings = ready_settings()
    before = current(settings.database_url)
    try:
        run(settings.database_url, to=to)
    except CommandError as error:
        message = f"--to {to}: {error}"
        raise Misused(message) from error
    after = current(settings.database_url)
    typer.echo(f"already at revision {after}" if before == after else f"migrated to revision {after}")
