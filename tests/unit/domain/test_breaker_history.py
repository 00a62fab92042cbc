"""
Time in each state and recoveries, held against a telling of each second.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.breaker_history import BreakerHistory, history
from domain.breaker_words import State, Transition

START = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
WINDOW = 100


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def moves(*told: tuple[int, State], first: State = "closed", epoch: int = 1) -> list[Transition]:
    states = [first, *(state for _, state in told)]
    return [
        Transition(
            name="calcom",
            before=states[place],
            after=state,
            cause="manual",
            at=at(second),
            epoch=epoch + place,
            failures=0,
            calls=0,
        )
        for place, (second, state) in enumerate(told)
    ]


def seen(transitions: list[Transition], *, state: State = "closed", since: datetime | None = None) -> BreakerHistory:
    if transitions:
        state, since = transitions[-1].after, transitions[-1].at
    return history(transitions, state=state, since=since, start=START, now=at(WINDOW))


def seconds(found: BreakerHistory) -> dict[State, float]:
    return {state: time.total_seconds() for state, time in found.in_state.items()}


states = st.sampled_from(("closed", "open", "half_open"))
tellings = st.lists(st.tuples(st.integers(-50, WINDOW - 1), states), max_size=8, unique_by=lambda one: one[0])


@given(tellings, states)
def test_the_states_add_up_to_what_a_watch_would_have_shown(told: list[tuple[int, State]], first: State) -> None:
    told = sorted(told)
    shown: dict[State, int] = {"closed": 0, "open": 0, "half_open": 0}
    for second in range(WINDOW):
        shown[next((state for when, state in reversed(told) if when <= second), first)] += 1

    found = seen(moves(*told, first=first), state=first)

    assert shown == seconds(found)
    assert START == found.observed_since
    assert sum(when >= 0 for when, _ in told) == found.transitions


@given(tellings)
def test_it_is_unwell_while_it_is_not_closed_and_recoveries_never_overlap(told: list[tuple[int, State]]) -> None:
    found = seen(moves(*sorted(told)))

    assert (found.unwell_since is None) == (not told or max(told)[1] == "closed")
    assert found.unwell_since is None or found.well_since is None
    assert sum(found.recoveries, timedelta(0)) <= timedelta(seconds=WINDOW + 50)
    assert all(one > timedelta(0) for one in found.recoveries)


def test_a_recovery_lasts_from_leaving_closed_until_closed_again() -> None:
    found = seen(moves((10, "open"), (20, "half_open"), (22, "open"), (50, "half_open"), (52, "closed"), (90, "open")))

    assert (timedelta(seconds=42),) == found.recoveries
    assert (at(90), None) == (found.unwell_since, found.well_since)
    assert {"closed": 48, "open": 48, "half_open": 4} == seconds(found)


def test_a_recovery_belongs_to_the_time_in_which_it_ended() -> None:
    found = seen(moves((-30, "open"), (-10, "closed"), (-5, "open"), (15, "closed")))

    assert (timedelta(seconds=20),) == found.recoveries
    assert at(15) == found.well_since


@given(tellings, st.randoms())
def test_neither_their_order_nor_that_some_are_told_twice_matters(
    told: list[tuple[int, State]], chance: random.Random
) -> None:
    known = moves(*sorted(told))
    mixed = [*known, *known[len(known) // 2 :]]
    chance.shuffle(mixed)
    state = known[-1].after if known else "closed"
    since = known[-1].at if known else None

    assert seen(known) == history(mixed, state=state, since=since, start=START, now=at(WINDOW))


def test_where_one_is_missing_the_history_begins_after_the_gap() -> None:
    (*before, _missing, half_open, closed) = moves(
        (5, "open"), (20, "half_open"), (30, "open"), (40, "half_open"), (45, "closed")
    )

    found = seen([*before, half_open, closed])

    assert (at(40), 2) == (found.observed_since, found.transitions)
    assert {"closed": 55, "open": 0, "half_open": 5} == seconds(found)


def test_a_breaker_that_was_closed_when_its_epochs_began_anew_has_no_gap() -> None:
    found = seen([*moves((10, "open"), (20, "closed"), epoch=8), *moves((50, "open"), (60, "closed"))])

    assert (at(10), (timedelta(seconds=10),) * 2) == (found.observed_since, found.recoveries)
    assert {"closed": 70, "open": 20, "half_open": 0} == seconds(found)


def test_a_breaker_that_was_forgotten_while_it_was_open_is_known_from_its_next_move_on() -> None:
    forgotten = moves((10, "open"))
    again = moves((50, "open"), (60, "closed"))

    assert at(50) == seen([*forgotten, *again]).observed_since
    assert {"closed": 40, "open": 10, "half_open": 0} == seconds(seen([*forgotten, *again]))
    never = history(forgotten, state="closed", since=None, start=START, now=at(WINDOW))
    assert (at(10), None, None) == (never.observed_since, never.unwell_since, never.well_since)
    assert {"closed": 90, "open": 0, "half_open": 0} == seconds(never)


def test_where_the_first_moves_are_forgotten_the_history_begins_later() -> None:
    found = seen(moves((40, "half_open"), (45, "closed"), first="open", epoch=7))

    assert (at(40), 2) == (found.observed_since, found.transitions)
    assert {"closed": 55, "open": 0, "half_open": 5} == seconds(found)
    assert (timedelta(seconds=5),) == found.recoveries


def test_a_breaker_of_which_only_the_state_is_known_is_seen_from_then_on() -> None:
    assert {"closed": 0, "open": 30, "half_open": 0} == seconds(seen([], state="open", since=at(70)))
    assert at(70) == seen([], state="open", since=at(70)).unwell_since
    assert {"closed": 100, "open": 0, "half_open": 0} == seconds(seen([]))
    assert (None, None) == (seen([]).unwell_since, seen([]).well_since)


def test_a_clock_that_was_set_back_makes_nothing_negative() -> None:
    ahead = moves((WINDOW + 20, "open"))
    found = history(ahead, state="open", since=at(WINDOW + 20), start=START, now=at(WINDOW))

    assert START <= found.observed_since <= at(WINDOW)
    assert all(time >= timedelta(0) for time in found.in_state.values())
