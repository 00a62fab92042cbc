"""
Comparing what the database holds about a breaker's transition with what its stream says: pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace

from adapters.difference import NOTHING, Difference, about_row, about_rowless_stream, difference, surplus_rows
from adapters.evidence import Evidence
from domain.breaker_commanded import BreakerCommanded, commands_id_of
from domain.breaker_moved import BreakerMoved
from projections.circuit_breaker_events import CIRCUIT_BREAKER_EVENTS, row_of
from sagas.appending import LogEvent

ROW = "circuit breaker event"


def about_breaker(one: Evidence, events: Sequence[LogEvent]) -> Iterator[Difference]:
    """Yield everything that is wrong with a transition: it is one event under an id of its own, and has one row."""
    (first, *others) = events
    if others or not isinstance(first, BreakerMoved):
        yield difference(one, "stream", "one event of a breaker", f"{len(events)} events")
        return
    if one.stream_id != first.stream_id:
        yield difference(one, "stream", f"the id {first.stream_id}", str(one.stream_id))
    if one.due is not None:
        yield difference(one, "due work", NOTHING, "a row of a breaker")
    yield from _about_row(one, first)
    yield from surplus_rows(replace(one, breaker_event=None), "a row of a breaker")


def about_breaker_commands(one: Evidence, events: Sequence[LogEvent]) -> Iterator[Difference]:
    """Return everything that is wrong with what people wanted of a breaker: one breaker's stream, and no row."""
    return about_rowless_stream(
        one,
        events,
        fits=lambda it: isinstance(it, BreakerCommanded) and commands_id_of(it.service) == one.stream_id,
        wanted="the commands of one breaker",
        owner="a breaker's commands",
    )


def _about_row(one: Evidence, moved: BreakerMoved) -> Iterator[Difference]:
    seen = one.seen_by[CIRCUIT_BREAKER_EVENTS.name]
    if seen.parked is not None:
        yield difference(one, ROW, "applied", f"parked ({seen.parked})")
        return
    expected = asdict(row_of(one.stream_id, moved)) if one.events[0].position <= seen.until else None
    if one.breaker_event is None and one.may_be_pruned(moved.at):
        return
    if expected is not None and one.breaker_event is not None and one.breaker_event.slow is None:
        # Written by an older calsaga, which was still running when the column came, and did not know it.
        expected["slow"] = None
    yield from about_row(one, ROW, expected, None if one.breaker_event is None else asdict(one.breaker_event))
