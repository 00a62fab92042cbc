"""`calsaga serve`, `worker` and `sandbox`: what runs until it is told to stop."""

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.failing import Misused
from adapters.cli.running import ready_settings, with_application

if TYPE_CHECKING:
    from adapters.bootstrap import Application

Host = Annotated[str, typer.Option(help="The address to listen at.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="The port to listen at; 0 lets the system choose.")]


def serve(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[int, typer.Option(min=1, max=256, help="How many processes.")] = 1,
    background: Annotated[
        bool, typer.Option(help="Whether to finish due work, too; else run `calsaga worker`.")
    ] = True,
) -> None:
    """Serve the HTTP API until SIGTERM or SIGINT, which let requests finish."""
    from adapters.web.server import serve as run

    settings = ready_settings()
    run(settings, host=host, port=port, workers=workers, background=background)


def worker() -> None:
    """Take up and finish due work, whoever left it, until SIGTERM or SIGINT, which let it finish what it does."""
    from adapters.collector import spare_what_stays

    async def run(app: "Application") -> None:
        spare_what_stays()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, app.ending.set)
        await app.ending.wait()

    with_application(run, background=True)


def sandbox(
    *,
    port: Port = 4010,
    faults: Annotated[str, typer.Option(metavar="FILE|NAME", help="none, default, storm, or a JSON file.")] = "none",
    rate_limit: Annotated[int, typer.Option(min=0, help="Calls in 60 s for each key; 0 is no limit.")] = 120,
    seed: Annotated[int | None, typer.Option(help="The seed of the faults, in place of the profile's own.")] = None,
    host: Host = "127.0.0.1",
) -> None:
    """Serve a double of Cal.com's API that can be told to misbehave. It writes its address to stdout."""
    from dataclasses import replace

    from adapters.sandbox.profiles import load_profile
    from adapters.sandbox.server import run

    try:
        profile = load_profile(faults)
    except ValueError as error:
        message = f"--faults {Path(faults).name}: {error}"
        raise Misused(message) from error
    run(host=host, port=port, faults=profile if seed is None else replace(profile, seed=seed), rate_limit=rate_limit)
