"""What most commands begin with: settings, logs, and the application on an event loop."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import typer

if TYPE_CHECKING:
    from adapters.bootstrap import Application
    from adapters.settings import Settings

Result = TypeVar("Result")


def ready_settings() -> "Settings":
    """
    Return the settings of the environment, with the logs going where they say.

    Raises:
        BadSettings: a variable has a value that cannot be used.

    """
    from adapters.settings import read_settings
    from adapters.telemetry import configure

    settings = read_settings()
    configure(form=settings.log_format, level=settings.log_level)
    return settings


def with_application(
    action: "Callable[[Application], Awaitable[Result]]",
    *,
    background: bool = False,
    settings: "Settings | None" = None,
) -> Result:
    """Open the application, do something with it, close it, and return what came of it."""
    import uvloop

    from adapters.bootstrap import application

    chosen = settings or ready_settings()

    async def run() -> Result:
        async with application(chosen, background=background) as opened:
            return await action(opened)

    return uvloop.run(run())


def say_json(document: object) -> None:
    """Print one JSON object on stdout; instants and UUIDs are written as text."""
    import orjson

    typer.echo(orjson.dumps(document).decode())
