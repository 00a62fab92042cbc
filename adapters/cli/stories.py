"""`calsaga show` and `calsaga timeline`: what happened to a booking."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from adapters.cli.failing import FOUND_WRONG, Misused, complain
from adapters.cli.running import say_json, with_application

if TYPE_CHECKING:
    from adapters.bootstrap import Application
    from sagas.appending import Recorded

BookingId = Annotated[UUID, typer.Argument(metavar="ID", help="The booking's id.")]


class Form(StrEnum):
    """How a timeline is written."""

    TEXT = "text"
    MERMAID = "mermaid"
    JSON = "json"


def show(
    booking_id: BookingId,
    *,
    as_of: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="As it was then, such as 2027-03-02T10:00:00Z.")
    ] = None,
    at_version: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="As it was after that many events.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show a booking's events, its state and its effect ledger, now or as it was."""
    from adapters.cli.lines import read_instant
    from adapters.cli.story_pages import print_story
    from projections.story import as_json as in_json
    from projections.story import story

    if as_of is not None and at_version is not None:
        message = "show: give --as-of or --at-version, not both"
        raise Misused(message)
    instant = None if as_of is None else read_instant(as_of, field="--as-of")
    recorded = _recorded(booking_id)
    try:
        told = story(recorded, as_of=instant, at_version=at_version)
    except (LookupError, ValueError) as error:
        complain(str(error))
        raise typer.Exit(FOUND_WRONG) from error
    if as_json:
        say_json(in_json(told))
    else:
        print_story(told)


def timeline(
    booking_id: BookingId,
    *,
    form: Annotated[Form, typer.Option("--format", help="How to write it.")] = Form.TEXT,
) -> None:
    """Show who said what to whom, and when, as a sequence diagram."""
    from projections import timeline as telling
    from projections.story import as_json as in_json

    recorded = _recorded(booking_id)
    match form:
        case Form.TEXT:
            typer.echo(telling.timeline_text(recorded))
        case Form.MERMAID:
            typer.echo(telling.timeline_mermaid(recorded))
        case Form.JSON:
            say_json(in_json(telling.timeline(recorded)))


def _recorded(booking_id: UUID) -> "Sequence[Recorded]":
    async def run(app: "Application") -> "Sequence[Recorded]":
        return await app.store.log.read(booking_id)

    recorded = with_application(run)
    if not recorded:
        complain(f"there is no booking {booking_id}")
        raise typer.Exit(FOUND_WRONG)
    return recorded
