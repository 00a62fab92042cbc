"""`calsaga notifications`: what customers are to be told."""

from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.bookings import Company
from adapters.cli.failing import note
from adapters.cli.running import ready_settings, say_json, with_application

if TYPE_CHECKING:
    from adapters.bootstrap import Application
    from projections.notification_requests import NotificationRequest

from adapters.cli.failing import Group

app = typer.Typer(cls=Group, no_args_is_help=True, help="See what customers are to be told; nothing sends it yet.")


@app.command(name="list")
def list_(
    *,
    company: Company = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List a company's notification requests, the newest first."""
    from projections.notification_requests import newest
    from projections.story import as_json as in_json

    settings = ready_settings()
    owner = company or settings.default_company

    async def run(app: "Application") -> "list[NotificationRequest]":
        await app.followers.catch_up()

        def ask() -> "list[NotificationRequest]":
            with app.store.engine.connect() as connection:
                return newest(connection, company_id=owner, limit=limit)

        return await app.store.readers.run(ask)

    requests = with_application(run, settings=settings)
    if as_json:
        say_json({"notification_requests": [in_json(one) for one in requests]})
        return
    if not requests:
        note(f"{owner} has no notification requests")
    for one in requests:
        typer.echo(f"{one.id}\t{one.status}\t{one.kind}\tbooking {one.booking_id}\t{one.created_at:%Y-%m-%d %H:%M} UTC")
