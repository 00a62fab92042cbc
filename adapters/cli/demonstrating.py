"""`calsaga demo`: see it work, against faults, and have the result checked."""

from enum import StrEnum
from typing import Annotated

import typer

from adapters.cli.failing import FOUND_WRONG


class Faults(StrEnum):
    """How badly the sandbox behaves."""

    NONE = "none"
    DEFAULT = "default"
    STORM = "storm"


def demo(
    *,
    bookings: Annotated[int, typer.Option(min=1, max=5000, help="How many appointments to ask for.")] = 200,
    faults: Annotated[Faults, typer.Option(help="How badly the outside behaves.")] = Faults.DEFAULT,
    seed: Annotated[int, typer.Option(help="The seed of the day's requests and of the faults.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """
    Book a few days of a practice against a faulty Cal.com, and compare both sides at the end.

    Everything runs in a temporary directory, in processes of its own; one of them is
    killed in the middle. Exit code 1 if the two sides differ.
    """
    from adapters.demo.rehearsal import rehearse
    from adapters.demo.telling import tell

    outcome = rehearse(bookings=bookings, faults=faults.value, seed=seed)
    tell(outcome, as_json=as_json)
    if not outcome.is_clean:
        raise typer.Exit(FOUND_WRONG)
