"""`calsaga fallback`: keeping the whole fleet from using Cal.com for a while, and seeing what waits."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapters.cli.actors import user_name
from adapters.cli.durations import duration
from adapters.cli.failing import Group, Misused, note
from adapters.cli.running import say_json, with_application

if TYPE_CHECKING:
    from adapters.bootstrap import Application
    from adapters.database.queue import Queued
    from adapters.fallback.switch import Standing
    from domain.degradation import Mode

app = typer.Typer(cls=Group, no_args_is_help=True, help="See and set full fallback: no process uses Cal.com for now.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command()
def on(
    *,
    reason: Annotated[str, typer.Option(help="Why; kept in the log.")],
    lasts: Annotated[
        str,
        typer.Option("--for", metavar="30m", help="For how long at most, up to 24h; then it ends by itself."),
    ] = "30m",
    as_json: Json = False,
) -> None:
    """Have bookings taken and wait, in every process; said again, it holds for the new time and reason."""
    from domain.full_fallback import LONGEST, SwitchOn

    until = duration(lasts, option="fallback on: --for", at_most=LONGEST, said="24h")
    wish = _checked(lambda: SwitchOn(actor=user_name(), reason=reason, lasts=until))
    _tell(lambda opened: opened.resilience.fallback.on(wish), as_json=as_json)


@app.command()
def off(
    *,
    reason: Annotated[str, typer.Option(help="Why; kept in the log.")] = "switched off",
    as_json: Json = False,
) -> None:
    """Have Cal.com used again; those who wait go on in line."""
    from domain.full_fallback import SwitchOff

    wish = _checked(lambda: SwitchOff(actor=user_name(), reason=reason))
    _tell(lambda opened: opened.resilience.fallback.off(wish), as_json=as_json)


@app.command()
def status(*, as_json: Json = False) -> None:
    """Show whether it holds, who wants it, why, and until when at the latest."""
    _tell(lambda opened: opened.resilience.fallback.standing(), as_json=as_json)


@app.command()
def features(*, as_json: Json = False) -> None:
    """Show what is offered as long as all is well, and what while Cal.com cannot be used."""
    from adapters.fallback.documents import feature_documents

    normal, degraded = feature_documents("normal"), feature_documents("degraded")
    if as_json:
        say_json({"normal": normal, "degraded": degraded, "full_fallback": feature_documents("full_fallback")})
        return
    for name, told in degraded.items():
        typer.echo(f"{name}\t{'on' if told['available'] else 'off'} while degraded\t{told['meaning']}")


@app.command()
def queue(
    *,
    company: Annotated[str | None, typer.Option(metavar="ID", help="Of this company alone.")] = None,
    as_json: Json = False,
) -> None:
    """List the bookings that are tried again by themselves, the next first."""

    async def run(opened: "Application") -> "list[Queued]":
        await opened.followers.catch_up()
        return await _all(opened, company)

    queued = with_application(run)
    if as_json:
        say_json({"queue": [asdict(one) for one in queued]})
        return
    if not queued:
        note("nothing waits to be tried again")
    for one in queued:
        hand = ", in hand" if one.in_hand else ""
        typer.echo(
            f"{one.booking_id}\t{one.company_id}\t{one.status}\twaits for {one.waits_for}"
            f"\tsince {_at(one.since)}\tnext {_at(one.next_try_at)}{hand}"
        )


async def _all(opened: "Application", company: str | None) -> "list[Queued]":
    from adapters.database.queue import RetryQueue
    from projections.keyset import HIGHEST_LIMIT

    stored = RetryQueue(engine=opened.store.engine, readers=opened.store.readers, decoded=opened.store.log.decoded)
    page = await stored.page(company, limit=HIGHEST_LIMIT)
    queued = [*page.queued]
    while page.next_cursor is not None:
        page = await stored.page(company, limit=HIGHEST_LIMIT, cursor=page.next_cursor)
        queued += page.queued
    return queued


def _checked(make: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever is made
    try:
        return make()
    except ValueError as error:
        # It names the field, which is the option but for its dashes.
        message = f"--{error}"
        raise Misused(message) from error


def _tell(ask: "Callable[[Application], Awaitable[Standing]]", *, as_json: bool) -> None:
    from adapters.fallback.documents import standing_document

    async def run(opened: "Application") -> "tuple[Standing, Mode]":
        return await ask(opened), opened.resilience.fallback.mode

    standing, mode = with_application(run)
    if as_json:
        # Without the mode: this command sees no breaker of a server's.
        told = standing_document(standing, mode)
        del told["mode"]
        say_json(told)
        return
    held = standing.holds
    if held is None:
        typer.echo("off")
        return
    left = timedelta(seconds=round((held.expires_at - standing.asked_at).total_seconds()))
    when = f"since {_at(held.since)}\tuntil {_at(held.expires_at)}, {left} left"
    typer.echo(f"on\tby {held.actor}: {held.reason}\t{when}")


def _at(moment: Any) -> str:  # noqa: ANN401 - a datetime, whose module is not loaded here
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
