"""`calsaga reconcile`: compare Cal.com with the local side, both ways, and mend what can be mended."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapters.cli.counting import counted
from adapters.cli.durations import duration
from adapters.cli.failing import FOUND_WRONG, complain
from adapters.cli.running import say_json, with_application

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.bootstrap import Application
    from sagas.reconciling import Finding, Progress, Sweep

_LONGEST = timedelta(days=366)


def reconcile(
    *,
    since: Annotated[
        str | None, typer.Option(metavar="24h", help="How far back to go; without it, to the end of the last sweep.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan, and change nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare everything that Cal.com holds with everything that stands here; exit 1 if anything differed."""
    from adapters.cli.progress import told_progress

    back = None if since is None else duration(since, option="reconcile: --since", at_most=_LONGEST, said="a year")

    async def run(app: "Application") -> "Sequence[Sweep]":
        with told_progress("Comparing event types") as show:

            def told(progress: "Progress") -> None:
                said = counted(progress.findings, "difference")
                show(progress.done, total=progress.event_types, said=said)

            return await app.reconciler.reconcile(since=back, dry_run=dry_run, told=told)

    sweeps = with_application(run)
    findings = [finding for sweep in sweeps for finding in sweep.findings]
    if as_json:
        say_json({"dry_run": dry_run, "sweeps": [_swept(one) for one in sweeps]})
    else:
        seen = counted(sum(one.seen for one in sweeps), "booking")
        differences = counted(len(findings), "difference")
        typer.echo(f"{counted(len(sweeps), 'event type')}, {seen} seen, {differences}")
        for one in findings:
            typer.echo(f"{one.kind}\t{one.uid}\t{one.repair}\t{_outcome(one)}\t{one.evidence}")
    problems = [one for one in sweeps if one.problem is not None]
    for sweep in problems:
        complain(f"{sweep.company_id}, event type {sweep.event_type_id}: could not be seen ({sweep.problem})")
    if findings or problems:
        raise typer.Exit(FOUND_WRONG)


def _outcome(finding: "Finding") -> str:
    if finding.converged is None:
        return "planned"
    return finding.converged.outcome or f"not now: {finding.converged.detail}"


def _swept(sweep: "Sweep") -> dict[str, Any]:
    return {
        "company_id": sweep.company_id,
        "event_type_id": sweep.event_type_id,
        "seen": sweep.seen,
        "problem": sweep.problem,
        "findings": [
            {
                "kind": one.kind,
                "uid": one.uid,
                "repair": one.repair,
                "outcome": _outcome(one),
                "evidence": one.evidence,
                "booking_id": one.booking_id,
            }
            for one in sweep.findings
        ],
    }
