"""How everything stands, as far as a command can know: what the fleet shares, live; the rest from the last snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapters.cli.failing import note
from adapters.cli.fleet_breakers import ask_redis, shared_snapshots
from adapters.cli.kept_standing import fresh_snapshot
from adapters.cli.running import ready_settings, say_json

if TYPE_CHECKING:
    from adapters.database.snapshots import KeptSnapshot
    from adapters.settings import Settings
    from domain.breaker_words import Snapshot
    from domain.verdict import Assessment

NOT_KNOWN = (
    "how everything stands is not known: there is no snapshot of the last three minutes. A running calsaga "
    "(`serve`, `worker`) keeps one every minute"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """`live` breakers are the fleet's, as they stand now; `kept` is the last snapshot, if it is a fresh one."""

    live: "Mapping[str, Snapshot]" = field(default_factory=dict)
    kept: "KeptSnapshot | None" = None

    def assessed(self, settings: "Settings") -> "Assessment | None":
        """Return how everything stands, by what was kept but for the breakers of now; None if that is not known."""
        from adapters.breakers.documents import read_concerns, read_conditions
        from domain.verdict import Condition, assess, condition_of

        if self.kept is None:
            return None
        kept = self.kept.document
        conditions = read_conditions(kept)
        conditions |= {
            name: condition_of(one, failing=conditions.get(name, Condition()).failing)
            for name, one in self.live.items()
        }
        return assess(conditions, settings.dependencies, concerns=read_concerns(kept))


def dependencies(*, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Show which service needs which, and who is hit by what is down."""
    from adapters.breakers.documents import assessment_document, dependencies_document

    settings = ready_settings()
    known = Known(live=_shared(settings), kept=fresh_snapshot(settings))
    found = known.assessed(settings)
    if found is None:
        note(NOT_KNOWN)
    graph = dependencies_document(settings.dependencies)
    if as_json:
        nothing: dict[str, Any] = {"verdict": None}
        at = None if known.kept is None else known.kept.at
        say_json({"dependencies": graph, "at": at, **(nothing if found is None else assessment_document(found))})
        return
    for name, needed in graph.items():
        needs = f"needs {', '.join(needed)}" if needed else "needs nothing"
        typer.echo("\t".join([name, needs, *([] if found is None else _told(found, name))]))
    for one in () if found is None else found.cascades:
        typer.echo(f"{one.root} hits {', '.join(one.hit)}")
    if found is not None and known.kept is not None:
        _tell_verdict(found, known.kept)


def tell_standing(known: Known, settings: "Settings") -> None:
    """Print each process's own breakers as of the last snapshot, the verdict, and why what is not healthy is so."""
    found = known.assessed(settings)
    if found is None or known.kept is None:
        note(NOT_KNOWN)
        return
    kept = known.kept.document["services"]
    at = known.kept.at.isoformat(timespec="seconds")
    for name, standing in found.standings.items():
        if standing.status == "not_configured":
            typer.echo(f"{name}\tnot configured")
        elif name not in kept and name not in known.live:
            typer.echo(f"{name}\tno breaker")
        elif name not in known.live:
            counted = f"{kept[name]['failures']} failed, {kept[name]['successes']} succeeded"
            typer.echo(f"{name}\t{kept[name]['state']}\t{counted}\tat {at}, in one process")
    _tell_verdict(found, known.kept)
    for name, standing in found.standings.items():
        for reason in standing.reasons:
            typer.echo(f"{name}\t{standing.status}\t{reason.detail}")


def _tell_verdict(found: "Assessment", kept: "KeptSnapshot") -> None:
    age = max((datetime.now(UTC) - kept.at).total_seconds(), 0)
    typer.echo(f"verdict\t{found.verdict}\tby the snapshot of {age:.0f} s ago, and the shared breakers of now")
    for one in found.concerns:
        typer.echo(f"calsaga\t{one.verdict}\t{one.detail}")


def _told(found: "Assessment", name: str) -> list[str]:
    standing = found.standings[name]
    return [standing.status.replace("_", " "), *(one.detail for one in standing.reasons)]


def _shared(settings: "Settings") -> "Mapping[str, Snapshot]":
    from adapters.breakers.ports import SharedStateAway

    try:
        return {one.name: one for one in ask_redis(settings, shared_snapshots)}
    except SharedStateAway:
        return {}
