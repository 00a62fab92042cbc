"""`calsaga demo`: see it work, against faults, and have the result checked."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.failing import FOUND_WRONG

if TYPE_CHECKING:
    from adapters.bootstrap import Application
    from adapters.demo.rehearsal import Outcome


class Faults(StrEnum):
    """How badly the sandbox behaves."""

    NONE = "none"
    DEFAULT = "default"
    STORM = "storm"


def demo(
    *,
    bookings: Annotated[int, typer.Option(min=1, max=5000, help="How many appointments to ask for.")] = 200,
    faults: Annotated[Faults, typer.Option(help="How badly the outside behaves.")] = Faults.DEFAULT,
    seed: Annotated[int, typer.Option(help="The seed of the requests and of the faults' dice.")] = 1,
    serve: Annotated[bool, typer.Option("--serve", help="Then serve the API on the result, until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """
    Book a few days of a practice against a faulty Cal.com, and compare both sides at the end.

    Everything runs in a temporary directory, in processes of its own; one of them is
    killed in the middle. Exit code 1 if the two sides differ.
    """
    from adapters.demo.rehearsal import rehearse
    from adapters.demo.telling import tell

    async def tell_and_serve(outcome: "Outcome", app: "Application") -> None:
        from adapters.demo.serving import serve as run

        tell(outcome, as_json=as_json)
        await run(app)

    outcome = rehearse(bookings=bookings, faults=faults.value, seed=seed, afterwards=tell_and_serve if serve else None)
    if not serve:
        tell(outcome, as_json=as_json)
    if not outcome.is_clean:
        raise typer.Exit(FOUND_WRONG)
