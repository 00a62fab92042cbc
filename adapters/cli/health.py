"""`calsaga health`: how calsaga is, by a look of just now at everything that it stands on."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapters.cli.failing import FOUND_WRONG, complain
from adapters.cli.running import say_json, with_application

if TYPE_CHECKING:
    from adapters.bootstrap import Application
    from adapters.health.seeing import Overview

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def health(*, as_json: Json = False) -> None:
    """Probe every service once, and tell how calsaga is; exit 1 unless it is healthy."""
    from adapters.health.readiness import NO_ANSWER
    from domain.errors import AppointmentDatabaseError

    async def run(app: "Application") -> "Overview":
        await app.health.seen.probe_all()
        return await app.health.seen.overview()

    try:
        overview = with_application(run)
    except AppointmentDatabaseError:
        if not as_json:
            raise
        # Without a database there is nothing to open, and still something to say.
        say_json({"status": "critical", "problems": [NO_ANSWER]})
        raise typer.Exit(FOUND_WRONG) from None
    if as_json:
        say_json(_document(overview))
    else:
        _tell(overview)
    for problem in overview.said:
        complain(problem)
    if overview.verdict != "healthy":
        raise typer.Exit(FOUND_WRONG)


def _document(overview: "Overview") -> dict[str, Any]:
    from adapters.health.documents import overview_document, status_document

    document = overview_document(overview)
    # Breakers that no other process has part in say nothing here: this one has called nobody.
    circuits = {name: one.state for name, one in overview.circuits.items() if one.shared}
    told = status_document(overview, {})
    return document | {"problems": told["problems"], "services": told["services"], "circuits": circuits}


def _tell(overview: "Overview") -> None:
    typer.echo(overview.verdict)
    for name, check in overview.checks.items():
        took = "" if check.response_time_ms is None else f"{check.response_time_ms:.0f} ms"
        typer.echo("\t".join((name, check.status.replace("_", " "), took, check.detail)).rstrip())
