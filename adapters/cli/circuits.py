"""`calsaga circuit`: how the circuit breakers stand, and what people make of those that all processes share."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.circuit_events import Json, events
from adapters.cli.circuit_keeping import write_down
from adapters.cli.circuit_lines import in_a_line, last_move_in_a_line
from adapters.cli.circuit_reset import reset
from adapters.cli.circuit_wishes import For, Reason, checked_command
from adapters.cli.failing import FOUND_WRONG, Group, Misused, complain, note
from adapters.cli.fleet_breakers import ALONE, AWAY, ask_redis, shared_snapshots
from adapters.cli.kept_standing import remembered
from adapters.cli.running import ready_settings, say_json
from adapters.cli.standing import AWAY as DATABASE_AWAY
from adapters.cli.standing import Known, dependencies, tell_standing

if TYPE_CHECKING:
    from adapters.redis.breakers import RedisBreakers
    from adapters.settings import Settings
    from domain.breaker_words import Action, Snapshot
    from projections.circuit_breaker_events import CircuitBreakerEvent

app = typer.Typer(cls=Group, no_args_is_help=True, help="See and set the circuit breakers.")
Name = Annotated[str, typer.Argument(metavar="NAME", help="Which breaker: calcom, retell, email or sms.")]

app.command()(events)
app.command()(dependencies)
app.command()(reset)


@app.command()
def status(*, as_json: Json = False) -> None:
    """
    Show how each breaker stands, and why; without Redis, what the database knows of it.

    The exit code is 1 if Redis or the database does not answer, or if nothing is known.
    """
    settings = ready_settings()
    snapshots = _shared_now(settings)
    known = Known(live={one.name: one for one in snapshots or ()}, database=remembered(settings))
    moves = [one for one in known.database.moves if one.service not in known.live]
    if as_json:
        _say_status(known, settings, moves)
    else:
        for snapshot in snapshots or ():
            typer.echo(in_a_line(snapshot))
        tell_standing(known, settings)
        for move in moves:
            typer.echo(last_move_in_a_line(move))
    if known.database.is_away:
        complain(DATABASE_AWAY)
    if snapshots is None or known.database.is_away or not (known.live or known.kept or moves):
        raise typer.Exit(FOUND_WRONG)


@app.command(name="open")
def open_(name: Name, *, reason: Reason, lasts: For = None, as_json: Json = False) -> None:
    """Let nothing through; once the time is over, probes decide."""
    _command(name, "open", reason, lasts, as_json=as_json)


@app.command()
def close(name: Name, *, reason: Reason, lasts: For = None, as_json: Json = False) -> None:
    """Let everything through, whatever comes of it."""
    _command(name, "close", reason, lasts, as_json=as_json)


@app.command()
def observe(name: Name, *, reason: Reason, lasts: For = None, as_json: Json = False) -> None:
    """Let everything through, and show what would have opened the breaker."""
    _command(name, "observe", reason, lasts, as_json=as_json)


def _command(name: str, action: "Action", reason: str, lasts: str | None, *, as_json: bool) -> None:
    from adapters.breakers.documents import breaker_documents
    from adapters.breakers.policies import SHARED
    from adapters.breakers.ports import SharedStateAway

    if name not in SHARED:
        message = f"NAME: there is no breaker {name!r} that all processes share; there are {', '.join(SHARED)}"
        raise Misused(message)
    command = checked_command(action, reason, lasts)

    async def act(breakers: "RedisBreakers") -> "list[Snapshot]":
        done = [await breakers.control(name, command)]
        await write_down(settings, breakers)
        return done

    settings = ready_settings()
    if settings.redis_url is None:
        complain(ALONE)
        raise typer.Exit(FOUND_WRONG)
    try:
        (snapshot,) = ask_redis(settings, act)
    except SharedStateAway:
        complain(AWAY)
        raise typer.Exit(FOUND_WRONG) from None
    if as_json:
        say_json({"services": breaker_documents([snapshot])})
    else:
        typer.echo(in_a_line(snapshot))


def _shared_now(settings: "Settings") -> "list[Snapshot] | None":
    """Return how the shared breakers stand, none without Redis; None if it does not answer."""
    from adapters.breakers.ports import SharedStateAway

    if settings.redis_url is None:
        note(ALONE)
    try:
        return ask_redis(settings, shared_snapshots)
    except SharedStateAway:
        complain(AWAY)
        return None


def _say_status(known: Known, settings: "Settings", moves: "Iterable[CircuitBreakerEvent]") -> None:
    from adapters.breakers.documents import assessment_document, breaker_documents, breaker_event_document

    found = known.assessed(settings)
    kept = None if known.kept is None else {"at": known.kept.at, "services": known.kept.document["services"]}
    say_json(
        {
            "services": breaker_documents(known.live.values()),
            **({"verdict": None} if found is None else assessment_document(found)),
            "snapshot": kept,
            "last_events": {one.service: breaker_event_document(one) for one in moves},
        }
    )
