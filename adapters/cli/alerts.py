"""`calsaga alerts`: what goes wrong at the moment, and what went wrong before."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.failing import note
from adapters.cli.running import say_json, with_application

if TYPE_CHECKING:
    from adapters.alerting.figures import Figure
    from adapters.bootstrap import Application
    from domain.alert import Alert


def alerts(
    *,
    past: Annotated[bool, typer.Option("--past", help="Those that are over as well.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the alerts of all processes, the active ones first, then the newest; that there are some is no failure."""
    from adapters.alerting.documents import alert_document

    async def run(app: "Application") -> "Sequence[tuple[Alert, Figure | None]]":
        await app.followers.catch_up()
        levels = app.resilience.levels
        listed = await levels.alerts.list(status=None if past else "active", limit=limit)
        figures = await levels.alert_figures.of(listed)
        return [(one, figures.get(one.id)) for one in listed]

    found = with_application(run)
    if as_json:
        say_json({"alerts": [alert_document(one, figure) for one, figure in found]})
        return
    if not found:
        note("there are no alerts" if past else "there are no active alerts")
    for one, figure in found:
        typer.echo(_in_a_line(one, figure))


def _in_a_line(alert: "Alert", figure: "Figure | None") -> str:
    from adapters.alerting.documents import UNITS, runbook, summary

    worst = alert.value if figure is None else max(figure.worst, alert.value)
    went = f"told at {alert.value:.4g}, worst {worst:.4g} {UNITS[alert.rule]}"
    ended = "" if alert.cleared_at is None else f"\tcleared {alert.cleared_at:%Y-%m-%d %H:%M} UTC"
    return (
        f"{alert.severity}\t{alert.rule}\t{alert.service}\tsince {alert.since:%Y-%m-%d %H:%M} UTC"
        f"\t{summary(alert, figure)}\t{went}\t{runbook(alert.rule)}{ended}"
    )
