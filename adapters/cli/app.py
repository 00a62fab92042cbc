"""All commands in one place, and what happens when one of them fails: a line that helps, never a traceback."""

from importlib.metadata import version
from typing import Annotated

import typer

from adapters.cli import (
    alerts,
    bookings,
    caches,
    checking,
    circuits,
    companies,
    databases,
    demonstrating,
    failures,
    falling_back,
    health,
    importing,
    keys,
    notifications,
    reconciling,
    services,
    serving,
    sync_failures,
)
from adapters.cli import stories as telling
from adapters.cli.failing import Commands
from adapters.collector import collect_seldom

app = typer.Typer(
    name="calsaga",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Plain help: in 80 columns the drawn one cuts the names of options short.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Keep appointments equal in Cal.com and in a local database.",
    epilog="Settings are read from CALSAGA_… variables. Exit codes: 0 done, 1 found something wrong, 2 wrong usage.",
)


def _say_version(asked: bool) -> None:  # noqa: FBT001 - typer's own form
    if asked:
        typer.echo(f"calsaga {version('calsaga')}")
        raise typer.Exit


@app.callback()
def _calsaga(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version, and exit.")
    ] = False,
) -> None:
    pass


app.command()(databases.migrate)
app.command()(serving.serve)
app.command()(serving.worker)
app.command()(serving.sandbox)
app.command()(demonstrating.demo)
app.command()(bookings.book)
app.command()(bookings.cancel)
app.command(name="import")(importing.import_)
app.command()(telling.show)
app.command()(telling.timeline)
app.command()(checking.verify)
app.command()(reconciling.reconcile)
app.command()(health.health)
app.command()(alerts.alerts)
app.add_typer(companies.app, name="companies")
app.add_typer(services.app, name="services")
app.add_typer(keys.app, name="keys")
app.add_typer(checking.projections, name="projections")
app.add_typer(sync_failures.app, name="sync-failures")
app.add_typer(notifications.app, name="notifications")
app.add_typer(caches.app, name="cache")
app.add_typer(circuits.app, name="circuit")
app.add_typer(falling_back.app, name="fallback")
app.add_typer(failures.app, name="failures")


def main() -> None:
    """Run the command that the command line asks for."""
    # To look for garbage among the modules that a command imports would take a tenth of a second.
    collect_seldom()
    app()
