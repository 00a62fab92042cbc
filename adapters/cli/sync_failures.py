"""`calsaga sync-failures`: what differs between both sides, and what people decide about it."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from adapters.cli.actors import user_name
from adapters.cli.bookings import Company, Wait
from adapters.cli.failing import Group, Misused, note
from adapters.cli.running import ready_settings, say_json, with_application

if TYPE_CHECKING:
    from adapters.bootstrap import Application
    from adapters.web.answering import Decided
    from domain.findings import ReviewAnswer
    from projections.failures import SyncFailure

app = typer.Typer(
    cls=Group, no_args_is_help=True, help="See and settle what differs between Cal.com and the local database."
)

FailureId = Annotated[UUID, typer.Argument(metavar="ID", help="As `calsaga sync-failures list` shows it.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
PAGE = 200


class Status(StrEnum):
    """How far a sync failure is."""

    PENDING = "pending"
    MANUAL_REVIEW = "manual_review"
    RESOLVED = "resolved"


@app.command(name="list")
def list_(
    *,
    status: Annotated[Status | None, typer.Option(help="Only those; all if not given.")] = None,
    company: Company = None,
    as_json: Json = False,
) -> None:
    """List a company's sync failures, the newest first."""
    from adapters.representation import sync_failure_document

    settings = ready_settings()
    owner = company or settings.default_company

    async def run(app: "Application") -> "list[SyncFailure]":
        await app.followers.catch_up()
        return await _all(app, company_id=owner, status=None if status is None else status.value)

    failures = with_application(run, settings=settings)
    if as_json:
        say_json({"sync_failures": [sync_failure_document(one) for one in failures]})
        return
    if not failures:
        note(f"{owner} has no {'' if status is None else f'{status.value} '}sync failures")
    for one in failures:
        typer.echo(_in_a_line(one))


@app.command()
def retry(failure_id: FailureId, *, company: Company = None, wait: Wait = 10, as_json: Json = False) -> None:
    """Try again to make both sides equal."""
    _decide(failure_id, "retry", company=company, wait=wait, as_json=as_json)


@app.command()
def resolve(
    failure_id: FailureId,
    *,
    adopt: Annotated[str | None, typer.Option(metavar="UID", help="It is this booking of Cal.com's.")] = None,
    absent: Annotated[bool, typer.Option("--absent", help="Cal.com holds nothing of it.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel it at Cal.com.")] = False,
    keep_local: Annotated[
        bool, typer.Option("--keep-local", help="What stands here stands, whatever Cal.com holds.")
    ] = False,
    note: Annotated[str, typer.Option(help="Why; kept with the answer.")] = "",
    company: Company = None,
    wait: Wait = 10,
    as_json: Json = False,
) -> None:
    """Decide what becomes of a difference; your user name is recorded with the answer."""
    choices: dict[ReviewAnswer, bool] = {
        "adopt": adopt is not None,
        "absent": absent,
        "cancel": cancel,
        "keep_local": keep_local,
    }
    chosen = [answer for answer, given in choices.items() if given]
    if len(chosen) != 1:
        message = "resolve: give exactly one of --adopt UID, --absent, --cancel, --keep-local"
        raise Misused(message)
    _decide(failure_id, chosen[0], adopt=adopt, note=note, company=company, wait=wait, as_json=as_json)


def _decide(
    failure_id: UUID,
    answer: "ReviewAnswer",
    *,
    adopt: str | None = None,
    note: str = "",
    company: str | None,
    wait: float,
    as_json: bool,
) -> None:
    from adapters.database.sync_failures import StoredSyncFailures
    from adapters.web.answering import Decision, decide

    settings = ready_settings()
    decision = Decision(
        company_id=company or settings.default_company,
        failure_id=failure_id,
        answer=answer,
        actor=user_name(),
        adopt=adopt,
        note=note,
    )

    async def run(app: "Application") -> "Decided":
        await app.followers.catch_up()
        stored = StoredSyncFailures(engine=app.store.engine, readers=app.store.readers)
        return await decide(decision, failures=stored, streams=app.store.log, repairs=app.repairs, patience=wait)

    _tell(with_application(run, settings=settings), as_json=as_json)


def _tell(decided: "Decided", *, as_json: bool) -> None:
    from adapters.cli.outcomes import in_a_line
    from adapters.representation import booking_document, sync_failure_document
    from projections.bookings import summary

    if as_json:
        booking = booking_document(summary(decided.booking))
        say_json({"booking": booking, "sync_failure": sync_failure_document(decided.failure)})
        return
    typer.echo(_in_a_line(decided.failure))
    typer.echo(in_a_line(decided.booking))


async def _all(app: "Application", *, company_id: str, status: str | None) -> "list[SyncFailure]":
    from adapters.database.sync_failures import StoredSyncFailures
    from projections.sync_failure_pages import FailureFilter

    stored = StoredSyncFailures(engine=app.store.engine, readers=app.store.readers)
    wanted = FailureFilter(company_id=company_id, status=status)
    page = await stored.page(wanted, limit=PAGE, cursor=None)
    failures = [*page.failures]
    while page.next_cursor is not None:
        page = await stored.page(wanted, limit=PAGE, cursor=page.next_cursor)
        failures += page.failures
    return failures


def _in_a_line(failure: "SyncFailure") -> str:
    from adapters.representation import sync_failure_document

    ended = "" if failure.resolution is None else f"\t{failure.resolution}, by {failure.actor}"
    about = failure.calcom_booking_id or failure.attempt_id or "-"
    said = sync_failure_document(failure)["error_message"]
    return (
        f"{failure.id}\t{failure.status}\t{failure.failure_type}\tbooking {failure.booking_id}\t{about}"
        f"\t{failure.created_at:%Y-%m-%d %H:%M} UTC\t{said}{ended}"
    )
