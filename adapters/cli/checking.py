"""`calsaga verify` and `calsaga projections`: whether what people see is what the log says."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.failing import FOUND_WRONG, complain, note
from adapters.cli.running import ready_settings, say_json, with_application

if TYPE_CHECKING:
    from adapters.bootstrap import Application

projections = typer.Typer(no_args_is_help=True, help="Look after the read models.")


def verify(*, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Replay every stream, and compare the read models and the local appointments with it."""


@projections.command()
def status() -> None:
    """Show how far each read model is behind the log."""


@projections.command()
def rebuild(name: Annotated[str, typer.Argument(help="The read model, as `projections status` shows it.")]) -> None:
    """Build a read model anew from the log."""
