"""`calsaga circuit events`: how the circuit breakers have moved."""

from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.circuit_lines import moved_in_a_line
from adapters.cli.failing import Misused, note
from adapters.cli.running import say_json, with_application

if TYPE_CHECKING:
    from adapters.bootstrap import Application
    from projections.circuit_breaker_events import CircuitBreakerEvent

LATEST = 50

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def events(
    *,
    service: Annotated[str | None, typer.Option(metavar="NAME", help="Those of one breaker; all if not given.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = LATEST,
    as_json: Json = False,
) -> None:
    """List how the breakers have moved, the newest first."""
    from adapters.breakers.documents import breaker_event_document
    from domain.dependencies import SERVICES

    if service is not None and service not in SERVICES:
        message = f"--service: there is no service {service!r}; there are {', '.join(SERVICES)}"
        raise Misused(message)
    moves = with_application(lambda app: _latest(app, service, limit))
    if as_json:
        say_json({"events": [breaker_event_document(one) for one in moves]})
        return
    if not moves:
        note("no breaker has moved" if service is None else f"{service} has not moved")
    for one in moves:
        typer.echo(moved_in_a_line(one))


async def _latest(app: "Application", service: str | None, limit: int) -> "list[CircuitBreakerEvent]":
    from adapters.database.breaker_events import StoredBreakerEvents
    from projections.keyset import HIGHEST_LIMIT

    # What nobody has written yet, because no process runs, or the one that made it has died.
    await app.resilience.breaker_events.look_at(app.resilience.breakers)
    await app.resilience.breaker_events.write()
    await app.followers.catch_up()
    stored = StoredBreakerEvents(engine=app.store.engine, readers=app.store.readers)
    found: list[CircuitBreakerEvent] = []
    cursor: str | None = None
    while len(found) < limit:
        page = await stored.page(service=service, limit=min(limit - len(found), HIGHEST_LIMIT), cursor=cursor)
        found += page.events
        cursor = page.next_cursor
        if cursor is None:
            break
    return found
