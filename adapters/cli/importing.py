"""`calsaga import`: many bookings from a file, at once, and again without booking anything twice."""

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.bookings import Company
from adapters.cli.failing import FOUND_WRONG, Misused, complain, note
from adapters.cli.running import ready_settings, say_json, with_application

if TYPE_CHECKING:
    from adapters.bootstrap import Application
    from adapters.cli.import_run import Rejected

SHOWN = 20


def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="One JSON object a line.")],
    *,
    company: Company = None,
    at_once: Annotated[int, typer.Option(min=1, max=500, help="How many bookings to work on at once.")] = 16,
    run: Annotated[str, typer.Option(help="Another name tries lines anew that failed under this one.")] = "import",
    report: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write the rejected and unsettled lines here, as JSON.")
    ] = None,
    wait: Annotated[float, typer.Option(min=0, max=300, help="How long to wait for each outcome.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as one JSON object.")] = False,
) -> None:
    """
    Book what stands in a file: the fields of POST /api/bookings, one JSON object a line.

    A line's key is its own `idempotency_key`, or made of its content: running the same
    file again goes on where it stopped. Wrong lines are reported and do not stop the rest.
    """
    from adapters.cli.import_run import ImportRun, count_lines
    from adapters.cli.progress import progress_bar

    settings = ready_settings()
    _make_sure_of(report)
    importing = ImportRun(company_id=company or settings.default_company, name=run, at_once=at_once, patience=wait)

    async def work(app: "Application") -> None:
        with progress_bar("Importing", total=count_lines(file)) as advance:
            await importing.run(file, app.orchestrator, advance=advance)

    with_application(work, background=True, settings=settings)
    rejected = sorted([*importing.rejected, *importing.unsettled], key=lambda one: one.line)
    _write(report, rejected)
    _tell(importing.counts, as_json=as_json)
    if rejected:
        _complain_of(rejected, shown=SHOWN if report is None else 0)
        raise typer.Exit(FOUND_WRONG)


def _tell(counts: Counter[str], *, as_json: bool) -> None:
    said = {name: counts[name] for name in ("booked", "already_booked", "under_way", "unsettled", "rejected")}
    if as_json:
        say_json(said)
    else:
        typer.echo(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in said.items()))
    if said["under_way"]:
        note("What is under way is durable: a worker finishes it, and running the import again shows the outcome.")


def _complain_of(rejected: "list[Rejected]", *, shown: int) -> None:
    for one in rejected[:shown]:
        complain(f"line {one.line}: {one.reason}")
    if shown and len(rejected) > shown:
        complain(f"… and {len(rejected) - shown} more; --report FILE writes all of them")


def _make_sure_of(report: Path | None) -> None:
    """Find out that the report cannot be written before the work is done, not after."""
    if report is None:
        return
    try:
        report.open("a").close()
    except OSError as error:
        message = f"--report {report}: {error.strerror}"
        raise Misused(message) from error


def _write(report: Path | None, rejected: "list[Rejected]") -> None:
    if report is not None:
        lines = (json.dumps({"line": one.line, "reason": one.reason, "booking_id": one.booking_id}) for one in rejected)
        report.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
