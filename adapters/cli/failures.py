"""`calsaga failures`: how many calls of each service failed lately, and clearing that once the cause is gone."""

from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.actors import user_name
from adapters.cli.failing import Group, Misused
from adapters.cli.running import say_json, with_application

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.bootstrap import Application
    from adapters.failure_detector import Found

app = typer.Typer(cls=Group, no_args_is_help=True, help="See and clear how many calls of each service failed lately.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command(name="list")
def list_(*, as_json: Json = False) -> None:
    """Show how each service has done lately, of all processes together."""

    async def run(app: "Application") -> "Mapping[str, Found]":
        return await app.resilience.failures.find()

    _tell(with_application(run), as_json=as_json)


@app.command()
def clear(
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="As `calsaga failures list` shows it.")],
    *,
    reason: Annotated[str, typer.Option(help="Why; kept with your user name.")] = "cleared",
    as_json: Json = False,
) -> None:
    """Let nothing count that failed until now; what fails from the next minute on counts anew."""
    from domain.dependencies import SERVICES
    from domain.failures_cleared import LONGEST_REASON
    from domain.text import text_problem

    if service not in SERVICES:
        message = f"SERVICE: there is no service {service!r}; there are {', '.join(SERVICES)}"
        raise Misused(message)
    problem = text_problem(reason, at_most=LONGEST_REASON)
    if problem is not None:
        message = f"--reason {problem}"
        raise Misused(message)

    async def run(app: "Application") -> "Mapping[str, Found]":
        return {service: await app.resilience.failures.clear(service, actor=user_name(), reason=reason)}

    _tell(with_application(run), as_json=as_json)


def _tell(found: "Mapping[str, Found]", *, as_json: bool) -> None:
    from adapters.failure_documents import found_document

    if as_json:
        say_json({"services": {name: found_document(one) for name, one in found.items()}})
        return
    for name, one in found.items():
        typer.echo(_in_a_line(name, one))


def _in_a_line(name: str, found: "Found") -> str:
    detected, cleared = found.detected, found.cleared
    rate = f"{detected.rate:.1%}"
    counted = f"{detected.failures} of {detected.requests} failed ({rate}), {detected.failures_in_a_minute} in a minute"
    line = f"{name}\t{detected.judgment}\t{detected.severity}\t{counted}"
    if cleared is None:
        return line
    return f"{line}\tcleared {cleared.at.isoformat(timespec='seconds')} by {cleared.actor}: {cleared.reason}"
