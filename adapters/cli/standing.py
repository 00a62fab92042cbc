"""How everything stands, as far as a command can know: what the fleet shares, live; the rest from the last snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapters.cli.failing import note
from adapters.cli.fleet_breakers import ask_redis, shared_snapshots
from adapters.cli.kept_standing import Remembered, remembered
from adapters.cli.running import ready_settings, say_json

if TYPE_CHECKING:
    from adapters.database.snapshots import KeptSnapshot
    from adapters.settings import Settings
    from domain.breaker_words import Snapshot
    from domain.verdict import Assessment, Condition

NOT_KNOWN = (
    "how everything stands is not known: there is no snapshot of the last three minutes. A running calsaga "
    "(`serve`, `worker`) keeps one every minute"
)


AWAY = "the database does not answer: nothing is booked, and what only it knows is not told"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """`live` breakers are the fleet's, as they stand now; `database` is what that remembers."""

    live: "Mapping[str, Snapshot]" = field(default_factory=dict)
    database: Remembered = field(default_factory=Remembered)

    @property
    def kept(self) -> "KeptSnapshot | None":
        """Return the last snapshot, if it is a fresh one."""
        return self.database.kept

    def assessed(self, settings: "Settings") -> "Assessment | None":
        """
        Return how everything stands; None if that is not known.

        It is what was kept, but for the breakers of now, for full fallback, and for a database that is away.
        """
        from adapters.breakers.documents import read_concerns, read_conditions
        from domain.concerns import concerns_of, is_of_fallback
        from domain.verdict import Condition, assess

        if self.database.is_away:
            # The snapshot is with it: nothing but this and the shared breakers is known.
            conditions = {"database": Condition(failing=AWAY)}
            return assess(conditions | self._shared({}), settings.dependencies)
        if self.kept is None:
            return None
        kept = self.kept.document
        conditions = read_conditions(kept)
        concerns = [one for one in read_concerns(kept) if not is_of_fallback(one)]
        concerns += concerns_of((), self.database.fallback)
        return assess(conditions | self._shared(conditions), settings.dependencies, concerns=concerns)

    def _shared(self, kept: "Mapping[str, Condition]") -> "dict[str, Condition]":
        from adapters.breakers.policies import CALLERS
        from domain.verdict import Condition, condition_of

        conditions = {}
        for name, one in self.live.items():
            if name in CALLERS and name not in kept and not one.is_used:
                # What nobody uses is not configured, whatever a person has made of its breaker.
                continue
            before = kept.get(name, Condition())
            # What a probe found while the breaker was not closed yet says nothing of now.
            is_over = self.kept is not None and one.state == "closed" and one.since and one.since > self.kept.at
            failing = None if is_over else before.failing
            conditions[name] = condition_of(one, failing=failing, failures=before.failures)
        return conditions


def dependencies(*, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Show which service needs which, and who is hit by what is down."""
    from adapters.breakers.documents import assessment_document, dependencies_document

    settings = ready_settings()
    known = Known(live=_shared(settings), database=remembered(settings))
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
    if found is not None:
        _tell_verdict(found, known.kept)


def tell_standing(known: Known, settings: "Settings") -> None:
    """Print each process's own breakers as of the last snapshot, the verdict, and why what is not healthy is so."""
    from domain.concerns import concerns_of

    found = known.assessed(settings)
    if found is None:
        note(NOT_KNOWN)
        for one in concerns_of((), known.database.fallback):
            typer.echo(f"calsaga\t{one.verdict}\t{one.said}")
        return
    if known.kept is not None:
        _tell_kept(found, known)
    _tell_verdict(found, known.kept)
    for name, standing in found.standings.items():
        for reason in standing.reasons:
            typer.echo(f"{name}\t{standing.status}\t{reason.detail}")


def _tell_kept(found: "Assessment", known: Known) -> None:
    if known.kept is None:
        return
    kept = known.kept.document["services"]
    at = known.kept.at.isoformat(timespec="seconds")
    for name, standing in found.standings.items():
        if name in known.live:
            continue
        if standing.status == "not_configured":
            typer.echo(f"{name}\tnot configured")
        elif name not in kept:
            typer.echo(f"{name}\tno breaker")
        else:
            counted = f"{kept[name]['failures']} failed, {kept[name]['successes']} succeeded"
            typer.echo(f"{name}\t{kept[name]['state']}\t{counted}\tat {at}, in one process")


def _tell_verdict(found: "Assessment", kept: "KeptSnapshot | None") -> None:
    by = ""
    if kept is not None:
        age = max((datetime.now(UTC) - kept.at).total_seconds(), 0)
        by = f"\tby the snapshot of {age:.0f} s ago, and the shared breakers of now"
    typer.echo(f"verdict\t{found.verdict}{by}")
    for one in found.concerns:
        typer.echo(f"calsaga\t{one.verdict}\t{one.said}")


def _told(found: "Assessment", name: str) -> list[str]:
    standing = found.standings[name]
    return [standing.status.replace("_", " "), *(one.detail for one in standing.reasons)]


def _shared(settings: "Settings") -> "Mapping[str, Snapshot]":
    from adapters.breakers.ports import SharedStateAway

    try:
        return {one.name: one for one in ask_redis(settings, shared_snapshots)}
    except SharedStateAway:
        return {}
