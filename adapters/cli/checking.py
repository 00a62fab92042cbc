"""`calsaga verify` and `calsaga projections`: whether what people see is what the log says."""

from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.counting import counted
from adapters.cli.failing import FOUND_WRONG, Group, complain
from adapters.cli.running import say_json, with_application

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.bootstrap import Application
    from projections.follower import FollowerStatus
    from projections.rebuilding import Rebuilt

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def verify(*, as_json: Json = False) -> None:
    """Replay every stream, and compare the read models and the local appointments with it."""
    from adapters.verify import verify as run

    differences = with_application(lambda app: run(app.store, policy=app.settings.policy()))
    if as_json:
        say_json({"differences": [str(one) for one in differences]})
    else:
        typer.echo(counted(len(differences), "difference"))
    for one in differences:
        complain(str(one))
    if differences:
        raise typer.Exit(FOUND_WRONG)


projections = typer.Typer(cls=Group, no_args_is_help=True, help="Look after the read models.")


@projections.command()
def status(*, as_json: Json = False) -> None:
    """Show how far each read model is behind the log, and what it leaves out."""
    from projections.story import as_json as in_json

    async def run(app: "Application") -> "Sequence[FollowerStatus]":
        return await app.followers.status()

    statuses = with_application(run)
    if as_json:
        say_json([in_json(one) | {"lag": one.lag} for one in statuses])
    else:
        for one in statuses:
            typer.echo(f"{one.name}\tat {one.position} of {one.head}\tlag {one.lag}\t{len(one.parked)} parked")
    wrong = [one for one in statuses if one.parked or one.problem]
    for one in wrong:
        if one.problem:
            complain(f"{one.name}: {one.problem}")
        for left_out in one.parked:
            complain(f"{one.name}: stream {left_out.stream_id} is parked at {left_out.position}: {left_out.error}")
    if wrong:
        raise typer.Exit(FOUND_WRONG)


@projections.command()
def rebuild(
    name: Annotated[str, typer.Argument(help="The read model, as `calsaga projections status` shows it.")],
) -> None:
    """Build a read model anew from the log, while everybody goes on reading it."""

    async def run(app: "Application") -> "Rebuilt":
        return await app.followers.rebuild(name)

    rebuilt = with_application(run)
    differed = f"{counted(rebuilt.differences, 'row')} differed from the log"
    typer.echo(f"rebuilt {rebuilt.name} up to {rebuilt.position}: {differed}")
