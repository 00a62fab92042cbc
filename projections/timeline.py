"""
A booking as a sequence diagram (M27): for a terminal, for Mermaid, and as data.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from projections.masking import masker
from projections.messages import Lane, messages
from sagas.appending import Recorded

_WIDTH = 11
_LANES = list(Lane)
# A semicolon ends a Mermaid statement, and a number sign begins an entity.
_ESCAPES = str.maketrans({"#": "#35;", ";": "#59;"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One message; `elapsed_ms` counts from the first event of the booking."""

    at: datetime
    elapsed_ms: int
    version: int
    source: str
    target: str
    text: str


def timeline(recorded: Sequence[Recorded]) -> tuple[TimelineEntry, ...]:
    """Return every message of a booking, in order, with the persons masked."""
    mask = masker(recorded)
    return tuple(
        TimelineEntry(
            at=one.event.at,
            elapsed_ms=(one.event.at - recorded[0].event.at) // timedelta(milliseconds=1),
            version=one.version,
            source=message.source.value,
            target=message.target.value,
            text=mask(message.text),
        )
        for one in recorded
        for message in messages(one.event)
    )


def timeline_text(recorded: Sequence[Recorded]) -> str:
    """Return the timeline as lines for a terminal: elapsed milliseconds, an arrow between the lanes, what was said."""
    head = "".join(lane.value.ljust(_WIDTH) for lane in _LANES)
    lines = [f"{'ms':>8}  {head}".rstrip()]
    lines += [f"{one.elapsed_ms:>8}  {_arrow(one)}{one.text}" for one in timeline(recorded)]
    return "\n".join(lines)


def timeline_mermaid(recorded: Sequence[Recorded]) -> str:
    """Return the timeline as a Mermaid sequence diagram."""
    lines = ["sequenceDiagram", *(f"    participant {lane.name} as {lane.value}" for lane in _LANES)]
    for one in timeline(recorded):
        source, target = Lane(one.source).name, Lane(one.target).name
        said = f"{one.elapsed_ms} ms: {one.text}".translate(_ESCAPES)
        said = " ".join(said.split())
        lines.append(f"    Note over {source}: {said}" if source == target else f"    {source}->>{target}: {said}")
    return "\n".join(lines)


def _arrow(one: TimelineEntry) -> str:
    source, target = (_LANES.index(Lane(name)) for name in (one.source, one.target))
    row = ["│" if column % _WIDTH == 0 else " " for column in range(_WIDTH * len(_LANES))]
    first, last = sorted((source * _WIDTH, target * _WIDTH))
    if first == last:
        row[first] = "●"
    else:
        row[first:last] = "─" * (last - first)
        row[target * _WIDTH] = "▶" if target > source else "◀"
        row[source * _WIDTH] = "├" if target > source else "┤"
    return "".join(row)
