"""What people may want of a circuit breaker, as options of a command."""

from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.actors import user_name
from adapters.cli.failing import Misused

if TYPE_CHECKING:
    from domain.breaker_words import Action, Command

Reason = Annotated[str, typer.Option(help="Why; kept with the breaker while it stands like that.")]
For = Annotated[
    float | None, typer.Option("--for", metavar="SECONDS", help="For how long; until the next command if not given.")
]


def checked_command(action: "Action", reason: str, seconds: float | None) -> "Command":
    """
    Return a command in the name of whoever is logged in.

    Raises:
        Misused: an option cannot be meant; the message names it.

    """
    from domain.breaker_words import Command

    try:
        return Command(action=action, actor=user_name(), reason=reason, seconds=seconds)
    except ValueError as error:
        # It names the field, which is the option but for its dashes.
        message = f"--{error}".replace("--seconds", "--for")
        raise Misused(message) from error
