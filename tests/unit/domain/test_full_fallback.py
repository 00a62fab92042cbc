"""
The switch of full fallback, as a stream of events.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.full_fallback import (
    LONGEST,
    FullFallbackBegun,
    FullFallbackEnded,
    FullFallbackEvent,
    SwitchOff,
    SwitchOn,
    expire,
    holding,
    switch_off,
    switch_on,
)
from tests.fakes.given import at

MINUTE = timedelta(minutes=1)
ON = SwitchOn(actor="ada", reason="they move house", lasts=10 * MINUTE)
OFF = SwitchOff(actor="bob")
STEPS = st.lists(st.tuples(st.sampled_from(["on", "off", "expire"]), st.integers(0, 20)), max_size=12)


def played(steps: list[tuple[str, int]]) -> tuple[list[FullFallbackEvent], list[tuple[datetime, bool, bool]]]:
    """
    Return what was written, and at each moment whether it holds, and whether it should by what was asked for.
    """
    events: list[FullFallbackEvent] = []
    seen = []
    until, now = at(0), at(0)
    for act, minutes in steps:
        now += minutes * MINUTE
        last = events[-1] if events else None
        match act:
            case "on":
                events += switch_on(last, ON, now=now)
                until = now + ON.lasts
            case "off":
                events += switch_off(last, OFF, now=now)
                until = min(until, now)
            case _:
                events += expire(last, now=now)
        seen.append((now, holding(events[-1] if events else None, now) is not None, now < until))
    return events, seen


@given(STEPS)
def test_it_holds_from_the_switch_until_somebody_ends_it_or_its_time_is_over(steps: list[tuple[str, int]]) -> None:
    _, seen = played(steps)

    assert [expected for _, _, expected in seen] == [holds for _, holds, _ in seen]


@given(STEPS)
def test_each_end_ends_what_had_begun_and_is_written_once(steps: list[tuple[str, int]]) -> None:
    events, _ = played(steps)

    assert not events or isinstance(events[0], FullFallbackBegun)
    assert not any(
        isinstance(before, FullFallbackEnded) and isinstance(after, FullFallbackEnded)
        for before, after in pairwise(events)
    )
    for before, after in pairwise(events):
        if isinstance(before, FullFallbackBegun) and isinstance(after, FullFallbackBegun):
            assert before.since == after.since
        assert before.at <= after.at


def test_what_is_switched_on_again_goes_on_since_the_first_time() -> None:
    (begun,) = switch_on(None, ON, now=at(0))

    (again,) = switch_on(begun, SwitchOn(actor="bob", reason="not yet done", lasts=MINUTE), now=at(60))

    assert FullFallbackBegun(at=at(60), since=at(0), expires_at=at(120), actor="bob", reason="not yet done") == again


def test_what_is_over_is_ended_by_calsaga_before_it_begins_anew() -> None:
    (begun,) = switch_on(None, ON, now=at(0))

    expired, again = switch_on(begun, ON, now=at(900))

    assert FullFallbackEnded(at=at(600), actor="calsaga", reason="expired") == expired
    assert isinstance(again, FullFallbackBegun)
    assert at(900) == again.since
    assert (expired,) == switch_off(begun, OFF, now=at(900))


def test_switching_off_what_is_off_says_nothing() -> None:
    (begun,) = switch_on(None, ON, now=at(0))
    (ended,) = switch_off(begun, OFF, now=at(1))

    assert () == switch_off(None, OFF, now=at(0))
    assert () == switch_off(ended, OFF, now=at(2))
    assert () == expire(ended, now=at(900))


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("actor", {"actor": " "}),
        ("reason", {"reason": "\x00"}),
        ("seconds", {"lasts": timedelta(0)}),
        ("seconds", {"lasts": LONGEST + timedelta.resolution}),
    ],
)
def test_what_nobody_could_answer_for_is_refused(field: str, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"^{field} must"):
        SwitchOn(**{"actor": "ada", "reason": "why", **wrong})  # type: ignore[arg-type]


def test_an_end_needs_somebody_as_well() -> None:
    with pytest.raises(ValueError, match=r"^actor must"):
        SwitchOff(actor="")
