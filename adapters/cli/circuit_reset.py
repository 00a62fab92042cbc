"""`calsaga circuit reset`: one breaker or all of them, and what became of each."""

from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.circuit_events import Json
from adapters.cli.circuit_keeping import write_down
from adapters.cli.circuit_wishes import Reason, checked_command
from adapters.cli.failing import FOUND_WRONG, Misused, complain
from adapters.cli.fleet_breakers import AWAY, ask_redis
from adapters.cli.running import ready_settings, say_json

if TYPE_CHECKING:
    from adapters.breakers.commanding import ResetOf
    from adapters.redis.breakers import RedisBreakers


def reset(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Which breaker.")] = None,
    *,
    all_: Annotated[bool, typer.Option("--all", help="Every breaker.")] = False,
    reason: Reason = "reset",
    as_json: Json = False,
) -> None:
    """
    Close a breaker, forget what it has counted, and let it decide by itself again.

    One that each process has for itself is told of, with the way to it. The exit code is 1 if one that can be reached
    was not reset, or none can be reached.
    """
    from adapters.breakers.commanding import ResetOf, reset_each
    from adapters.breakers.policies import NAMES, SHARED

    if (name is None) is not all_:
        raise Misused("reset: give either NAME or --all")
    if name is not None and name not in NAMES:
        message = f"NAME: there is no breaker {name!r}; there are {', '.join(NAMES)}"
        raise Misused(message)
    command = checked_command("reset", reason, None)
    settings = ready_settings()
    names = NAMES if name is None else (name,)
    shared = [] if settings.redis_url is None else [one for one in names if one in SHARED]

    async def act(breakers: "RedisBreakers") -> "list[ResetOf]":
        done = await reset_each(breakers, shared, command)
        if any(one.result == "reset" for one in done):
            await write_down(settings, breakers)
        return done

    done = {one.name: one for one in ask_redis(settings, act)}
    _tell([done.get(one) or ResetOf(name=one, result="not_reached") for one in names], as_json=as_json)


def _tell(done: "list[ResetOf]", *, as_json: bool) -> None:
    from adapters.breakers.documents import breaker_documents

    if as_json:
        services = breaker_documents(one.snapshot for one in done if one.snapshot is not None)
        remedies = {one.name: _way_to(one.name) for one in done if one.result == "not_reached"}
        say_json({"results": {one.name: one.result for one in done}, "remedies": remedies, "services": services})
    for one in done:
        if one.result == "failed":
            complain(f"{one.name}: {AWAY}")
        elif not as_json:
            typer.echo(_in_a_line(one))
    if {"reset"} != {one.result for one in done} - {"not_reached"}:
        raise typer.Exit(FOUND_WRONG)


def _in_a_line(one: "ResetOf") -> str:
    from adapters.cli.circuit_lines import in_a_line

    return f"{one.name}\tnot reached\t{_way_to(one.name)}" if one.snapshot is None else in_a_line(one.snapshot)


def _way_to(name: str) -> str:
    return (
        "each process has its own, which no command reaches: POST /api/resilience/breakers/"
        f"{name}/reset resets that of the server process that answers, and a restart that of any process"
    )
