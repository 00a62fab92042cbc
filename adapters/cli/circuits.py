"""`calsaga circuit`: how the fleet's circuit breakers stand, and what people make of them."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from adapters.cli.actors import user_name
from adapters.cli.circuit_events import Json, events
from adapters.cli.failing import FOUND_WRONG, Group, Misused, complain
from adapters.cli.fleet_breakers import ask_redis, shared_snapshots
from adapters.cli.running import ready_settings, say_json
from adapters.cli.standing import Known, dependencies, fresh_snapshot, tell_standing

if TYPE_CHECKING:
    from adapters.breakers.commanding import ResetOf
    from adapters.redis.breakers import RedisBreakers
    from domain.breaker_words import Action, Command, Snapshot

Answer = TypeVar("Answer")

app = typer.Typer(cls=Group, no_args_is_help=True, help="See and set the circuit breakers of all processes.")
app.command()(events)

ALONE = (
    "there is no CALSAGA_REDIS_URL, so each process has a breaker of its own, which no other process reaches. "
    "GET /api/resilience/states tells how a server's own stands; it is closed again once that process is restarted."
)
AWAY = (
    "Redis does not answer, so each process decides alone for now; what was asked of it may still be done "
    "once it does: look then with `calsaga circuit status`"
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Which breaker: calcom.")]
Reason = Annotated[str, typer.Option(help="Why; kept with the breaker while it stands like that.")]
For = Annotated[
    float | None, typer.Option("--for", metavar="SECONDS", help="For how long; until the next command if not given.")
]


app.command()(dependencies)


@app.command()
def status(*, as_json: Json = False) -> None:
    """Show how each breaker stands, and why."""
    from adapters.breakers.documents import assessment_document, breaker_documents

    snapshots = _ask(shared_snapshots)
    settings = ready_settings()
    known = Known(live={one.name: one for one in snapshots}, kept=fresh_snapshot(settings))
    if as_json:
        found = known.assessed(settings)
        kept = None if known.kept is None else {"at": known.kept.at, "services": known.kept.document["services"]}
        judged = {"verdict": None} if found is None else assessment_document(found)
        say_json({"services": breaker_documents(snapshots), **judged, "snapshot": kept})
        return
    _tell(snapshots, as_json=False)
    tell_standing(known, settings)


@app.command(name="open")
def open_(name: Name, *, reason: Reason, seconds: For = None, as_json: Json = False) -> None:
    """Let nothing through; once the time is over, probes decide."""
    _command(name, "open", reason, seconds, as_json=as_json)


@app.command()
def close(name: Name, *, reason: Reason, seconds: For = None, as_json: Json = False) -> None:
    """Let everything through, whatever comes of it."""
    _command(name, "close", reason, seconds, as_json=as_json)


@app.command()
def observe(name: Name, *, reason: Reason, seconds: For = None, as_json: Json = False) -> None:
    """Let everything through, and show what would have opened the breaker."""
    _command(name, "observe", reason, seconds, as_json=as_json)


@app.command()
def reset(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Which breaker: calcom.")] = None,
    *,
    all_: Annotated[bool, typer.Option("--all", help="Every breaker.")] = False,
    reason: Reason = "reset",
    as_json: Json = False,
) -> None:
    """Close a breaker, forget what it has counted, and let it decide by itself again."""
    from adapters.breakers.commanding import reset_each
    from adapters.breakers.policies import SHARED

    if (name is None) is not all_:
        raise Misused("reset: give either NAME or --all")
    if name is not None:
        _command(name, "reset", reason, None, as_json=as_json)
        return
    command = _checked_command("reset", reason, None)
    _tell_resets(_ask(lambda breakers: reset_each(breakers, SHARED, command)), as_json=as_json)


def _command(name: str, action: "Action", reason: str, seconds: float | None, *, as_json: bool) -> None:
    from adapters.breakers.policies import SHARED

    if name not in SHARED:
        message = f"NAME: there is no breaker {name!r}; there are {', '.join(SHARED)}"
        raise Misused(message)
    command = _checked_command(action, reason, seconds)

    async def act(breakers: "RedisBreakers") -> "list[Snapshot]":
        return [await breakers.control(name, command)]

    _tell(_ask(act), as_json=as_json)


def _checked_command(action: "Action", reason: str, seconds: float | None) -> "Command":
    from domain.breaker_words import Command

    try:
        return Command(action=action, actor=user_name(), reason=reason, seconds=seconds)
    except ValueError as error:
        # It names the field, which is the option but for its dashes.
        message = f"--{error}".replace("--seconds", "--for")
        raise Misused(message) from error


def _ask(question: "Callable[[RedisBreakers], Awaitable[list[Answer]]]") -> "list[Answer]":
    from adapters.breakers.ports import SharedStateAway

    settings = ready_settings()
    if settings.redis_url is None:
        complain(ALONE)
        raise typer.Exit(FOUND_WRONG)
    try:
        return ask_redis(settings, question)
    except SharedStateAway:
        complain(AWAY)
        raise typer.Exit(FOUND_WRONG) from None


def _tell(snapshots: "list[Snapshot]", *, as_json: bool) -> None:
    from adapters.breakers.documents import breaker_documents

    if as_json:
        say_json({"services": breaker_documents(snapshots)})
        return
    for one in snapshots:
        typer.echo(_in_a_line(one))


def _tell_resets(done: "list[ResetOf]", *, as_json: bool) -> None:
    from adapters.breakers.documents import breaker_documents

    if as_json:
        services = breaker_documents(one.snapshot for one in done if one.snapshot is not None)
        say_json({"results": {one.name: one.result for one in done}, "services": services})
    for one in done:
        if one.snapshot is None:
            complain(f"{one.name}: {AWAY}")
        elif not as_json:
            typer.echo(_in_a_line(one.snapshot))
    if any(one.result == "failed" for one in done):
        raise typer.Exit(FOUND_WRONG)


def _in_a_line(snapshot: "Snapshot") -> str:
    until = "" if snapshot.open_until is None else f" until {snapshot.open_until.isoformat(timespec='seconds')}"
    held = snapshot.override
    by = "" if held is None else f"\t{held.action} by {held.actor}: {held.reason}"
    return f"{snapshot.name}\t{snapshot.state}{until}\t{snapshot.failures} failed, {snapshot.successes} succeeded{by}"
