"""
Comparing what the database holds about an alert with what its stream says: pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from itertools import pairwise

from adapters.difference import NOTHING, Difference, difference, surplus_rows
from adapters.evidence import Evidence
from domain.alert import AlertCleared, AlertEvent, AlertRaised, alert_id_of
from projections.alerts import ALERTS, evolve_recorded
from sagas.appending import Recorded


def about_alert(one: Evidence, recorded: Sequence[Recorded]) -> Iterator[Difference]:
    """Yield everything that is wrong with an alert: raised once under an id of its own, cleared once, and its row."""
    events = [it.event for it in recorded]
    first, strange = events[0], next((it for it in events if not isinstance(it, AlertEvent)), None)
    if strange is not None or not isinstance(first, AlertRaised):
        yield difference(one, "stream", f"begins with {AlertRaised.TOPIC}", (strange or first).TOPIC)
        return
    expected = alert_id_of(first.rule, first.service, first.occasion)
    if one.stream_id != expected:
        yield difference(one, "stream", f"the id {expected}", str(one.stream_id))
        return
    for before, after in pairwise(events):
        if isinstance(before, AlertCleared) or isinstance(after, AlertRaised):
            yield difference(one, "stream", "one raise and one clear", f"{after.TOPIC} after {before.TOPIC}")
    yield from _about_row(one, recorded)
    if one.due is not None:
        yield difference(one, "due work", NOTHING, "a row of an alert")
    yield from surplus_rows(replace(one, alert=None), "a row of an alert")


def _about_row(one: Evidence, recorded: Sequence[Recorded]) -> Iterator[Difference]:
    seen = one.seen_by[ALERTS.name]
    if seen.parked is not None:
        yield difference(one, "alert", "applied", f"parked ({seen.parked})")
        return
    known = [it for it in recorded if it.position <= seen.until]
    expected = evolve_recorded(None, known) if known else None
    over_at = None if expected is None else expected.cleared_at
    if one.alert is None and over_at is not None and one.may_be_pruned(over_at):
        return
    if (expected is None) != (one.alert is None):
        yield difference(one, "alert", *("a row" if it else NOTHING for it in (expected, one.alert)))
    elif expected is not None and one.alert is not None:
        found = asdict(one.alert)
        for name, value in asdict(expected).items():
            if value != found[name]:
                yield difference(one, f"alert, {name}", str(value), str(found[name]))
