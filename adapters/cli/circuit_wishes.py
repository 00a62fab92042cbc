"""What people may want of a circuit breaker, as options of a command."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.actors import user_name
from adapters.cli.durations import duration
from adapters.cli.failing import Misused

if TYPE_CHECKING:
    from domain.breaker_words import Action, Command

Reason = Annotated[str, typer.Option(help="Why; kept with the breaker while it stands like that.")]
For = Annotated[
    str | None,
    typer.Option("--for", metavar="30m", help="For how long, or in seconds; until the next command if not given."),
]


def checked_command(action: "Action", reason: str, lasts: str | None) -> "Command":
    """
    Return a command in the name of whoever is logged in.

    Raises:
        Misused: an option cannot be meant; the message names it.

    """
    from domain.breaker_words import Command

    seconds = _seconds(lasts)
    try:
        return Command(action=action, actor=user_name(), reason=reason, seconds=seconds)
    except ValueError as error:
        # It names the field, which is the option but for its dashes.
        message = f"--{error}".replace("--seconds", "--for")
        raise Misused(message) from error


def _seconds(lasts: str | None) -> float | None:
    from domain.breaker_words import LONGEST_OVERRIDE

    if lasts is None:
        return None
    try:
        return float(lasts)
    except ValueError:
        longest = timedelta(seconds=LONGEST_OVERRIDE)
        return duration(lasts, option="--for", at_most=longest, said="a year").total_seconds()
