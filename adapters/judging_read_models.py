"""
Comparing what the read models show of a booking with what its stream says, as far as each of them has come: pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from adapters.difference import Difference, about_row, difference
from adapters.evidence import Evidence
from domain.booking import Booking
from projections.bookings import BOOKINGS, summary
from projections.notification_requests import requested
from projections.reactions import REACTIONS
from projections.standing import changes
from projections.sync_failures import SYNC_FAILURES, evolve_recorded
from sagas.appending import Recorded

LIST = "list of bookings"


def about_read_models(one: Evidence, recorded: Sequence[Recorded], listed: Booking) -> Iterator[Difference]:
    """Yield what is not as it would be if the read models were built anew; `listed` is what the list had seen."""
    if _is_parked(one, BOOKINGS.name):
        yield _parked(one, BOOKINGS.name, LIST)
    else:
        yield from about_row(one, LIST, asdict(summary(listed)) if listed.version else None, _row(one.listed))
    if _is_parked(one, SYNC_FAILURES.name):
        yield _parked(one, SYNC_FAILURES.name, "sync failures")
    else:
        yield from _about_failures(one, _seen(one, recorded, SYNC_FAILURES.name))
    if _is_parked(one, REACTIONS.name):
        yield _parked(one, REACTIONS.name, "reactions")
    else:
        yield from _about_reactions(one, _seen(one, recorded, REACTIONS.name))


def _about_failures(one: Evidence, recorded: Sequence[Recorded]) -> Iterator[Difference]:
    expected = evolve_recorded(None, recorded) if recorded else None
    booking = None if one.failures_of is None else dict(one.failures_of._mapping)  # noqa: SLF001 - the public way to a dict
    yield from about_row(one, "booking of sync failures", _row(expected, without="failures"), booking)
    wanted = () if expected is None else expected.failures
    of_both = [{row.id: asdict(row) for row in rows} for rows in (wanted, one.failures)]
    yield from _about_rows(one, "sync failure", *of_both)


def _about_reactions(one: Evidence, recorded: Sequence[Recorded]) -> Iterator[Difference]:
    changed = changes(None, recorded) if recorded else []
    yield from about_row(one, "standing", _row(changed[-1].after) if changed else None, _row(one.standing))
    wanted = [request for change in changed if (request := requested(change)) is not None]
    # What became of a request is not for the log to say.
    of_both = [{it.id: _row(it, without="status") for it in requests} for requests in (wanted, one.requests)]
    yield from _about_rows(one, "notification request", *of_both)


def _about_rows(
    one: Evidence, what: str, expected: Mapping[UUID, dict[str, Any]], found: Mapping[UUID, dict[str, Any]]
) -> Iterator[Difference]:
    for key in sorted({*expected, *found}):
        yield from about_row(one, f"{what} {key}", expected.get(key), found.get(key))


def _row(thing: Any, *, without: str = "") -> Any:  # noqa: ANN401 - any row
    return None if thing is None else {name: value for name, value in asdict(thing).items() if name != without}


def _seen(one: Evidence, recorded: Sequence[Recorded], name: str) -> Sequence[Recorded]:
    return [it for it in recorded if it.position <= one.seen_by[name].until]


def _is_parked(one: Evidence, name: str) -> bool:
    return one.seen_by[name].parked is not None


def _parked(one: Evidence, name: str, what: str) -> Difference:
    return difference(one, what, "applied", f"parked ({one.seen_by[name].parked})")
