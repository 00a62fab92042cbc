"""One thing in the database that is not as the log says."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row

from adapters.evidence import Evidence
from sagas.appending import LogEvent

NOTHING: Final = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as the log says; `stream_id` is None if it is not about one booking or webhook."""

    stream_id: UUID | None
    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        """Return it in one line."""
        return f"{self.stream_id or '-'}  {self.what}: expected {self.expected}, found {self.found}"


def difference(one: Evidence, what: str, expected: str, found: str) -> Difference:
    """Return a difference in what is known of one stream."""
    return Difference(stream_id=one.stream_id, what=what, expected=expected, found=found)


def unequal(one: Evidence, what: str, expected: dict[str, Any], found: Row[Any]) -> Iterator[Difference]:
    """Yield the columns that a row has otherwise."""
    for name, value in expected.items():
        if value != getattr(found, name):
            yield difference(one, f"{what}, {name}", str(value), str(getattr(found, name)))


def about_row(
    one: Evidence, what: str, expected: dict[str, Any] | None, found: dict[str, Any] | None
) -> Iterator[Difference]:
    """Yield what differs in a row that there may be, or not."""
    if (expected is None) != (found is None):
        yield difference(one, what, *("a row" if it else NOTHING for it in (expected, found)))
    elif expected is not None and found is not None:
        for name, value in expected.items():
            if value != found[name]:
                yield difference(one, f"{what}, {name}", str(value), str(found[name]))


def about_rowless_stream(
    one: Evidence, events: Sequence[LogEvent], *, fits: Callable[[LogEvent], bool], wanted: str, owner: str
) -> Iterator[Difference]:
    """Yield what is wrong with a stream that holds what is `wanted` alone, and has no row: those are of an `owner`."""
    strange = next((it for it in events if not fits(it)), None)
    if strange is not None:
        yield difference(one, "stream", wanted, strange.TOPIC)
        return
    if one.due is not None:
        yield difference(one, "due work", NOTHING, f"a row of {owner}")
    yield from surplus_rows(one, f"a row of {owner}")


def surplus_rows(one: Evidence, why: str) -> Iterator[Difference]:
    """Yield the rows that a booking would have, and this stream must not, but for due work."""
    rows = {
        "appointment": one.appointments,
        "claim": one.claims,
        "list of bookings": one.listed,
        "sync failures": one.failures,
        "booking of sync failures": one.failures_of,
        "standing": one.standing,
        "notification requests": one.requests,
        "alert": one.alert,
        "circuit breaker event": one.breaker_event,
    }
    for what, found in rows.items():
        if found:
            yield difference(one, what, NOTHING, why)
