"""The outcome for people and for programs."""

from dataclasses import asdict

import orjson
from rich.console import Console
from rich.table import Table

from adapters.demo import circumstances as under
from adapters.demo.rehearsal import Outcome


def document(outcome: Outcome) -> dict[str, object]:
    """Return the outcome as one JSON object."""
    return {
        **asdict(outcome.played),
        "seconds": outcome.seconds,
        **asdict(outcome.verdict),
        "left_behind_by_the_killed_process": outcome.left_behind,
        "overtaken_by_the_front_desk": outcome.written_by_hand,
        "faults_injected": dict(outcome.injected),
        "settings": _settings(),
        "quiet": outcome.quiet,
        "clean": outcome.is_clean,
    }


def tell(outcome: Outcome, *, as_json: bool) -> None:
    """Print the outcome on stdout."""
    if as_json:
        Console(soft_wrap=True, highlight=False, markup=False).print(orjson.dumps(document(outcome)).decode())
    else:
        _print(outcome)


def _print(outcome: Outcome) -> None:
    verdict, console = outcome.verdict, Console(highlight=False)
    table = Table("what", "count", title=f"{outcome.played.bookings} requests, faults: {outcome.played.faults}")
    table.columns[1].justify = "right"
    happened = {
        "booked": verdict.booked,
        "compensated (the front desk had given the slot away)": verdict.compensated,
        "refused (the slot was taken, or Cal.com could not be reached)": verdict.refused,
        "cancelled by the customer": verdict.cancelled,
        "waiting for a person": verdict.needs_review,
        "in doubt for a while": verdict.in_doubt,
        "… and resolved by looking": verdict.in_doubt_resolved,
        "made at Cal.com too late, and cancelled": verdict.late_cancelled,
        "duplicates answered with the first booking": verdict.duplicates_answered,
        "left behind by the killed process, and finished": outcome.left_behind,
    }
    must_be_none = {
        "orphans (at Cal.com only)": verdict.orphans,
        "ghosts (here only)": verdict.ghosts,
        "doubles": verdict.doubles,
        "differing times": verdict.drifts,
        "lost": verdict.lost,
    }
    for what, count in happened.items():
        table.add_row(what, str(count))
    table.add_section()
    for what, count in must_be_none.items():
        table.add_row(what, str(count), style="bold green" if not count else "bold red")
    console.print(table)
    console.print(_explanation(outcome), style="dim")
    if not outcome.quiet:
        console.print(
            "Some work was still due when the demo gave up waiting: it counts as lost above.",
            style="bold red",
        )
    if not outcome.is_clean and outcome.complaints:
        Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(outcome.complaints)


def _explanation(outcome: Outcome) -> str:
    injected = ", ".join(f"{count} {kind}" for kind, count in outcome.injected.items()) or "none"
    settings = ", ".join(f"{name}={value}" for name, value in _settings().items())
    return (
        f"Computed from the database and the sandbox's own ledger in {outcome.seconds} s, seed {outcome.played.seed}.\n"
        f"Faults injected: {injected}.\nShortened for the demo: {settings}."
    )


def _settings() -> dict[str, str]:
    limit = f"{under.RATE_LIMIT} calls in {under.RATE_WINDOW_SECONDS:g} s"
    return {**under.SHORTENED, "the sandbox's rate limit": limit}
