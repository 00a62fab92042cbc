"""
Plans at random: by a seed, and by Hypothesis.
"""

from __future__ import annotations

import random
from itertools import chain
from typing import Literal

from hypothesis import strategies as st

from domain.full_fallback import FULL_FALLBACK
from tests.fakes.calcom import CancelFate, CreateFate, LookFate, MoveFate
from tests.fakes.log import DatabaseFate
from tests.properties.plan import WISHES, Action, AtCalcom, Book, Cancel, Plan, Reschedule, TakeOver

_CREATES: tuple[tuple[int, str], ...] = (
    (6, "made"),
    (1, "pending"),
    (4, "lost"),
    (4, "committed"),
    (2, "double"),
    (6, "late"),
    (4, "slow"),
    (3, "asleep"),
    (1, "conflict"),
    (1, "refused"),
    (3, "not_sent"),
    (1, "deferred"),
    (1, "held_back"),
)
_MOVES = (
    (5, "moved"),
    (3, "committed"),
    (2, "lost"),
    (3, "late"),
    (2, "asleep"),
    (1, "conflict"),
    (1, "refused"),
    (1, "not_sent"),
    (2, "held_back"),
    (2, "shut"),
)
_DELIVERIES: tuple[tuple[float, ...], ...] = ((), (), (0.0,), (0.0,), (0.5, 0.6), (3.0,), (90.0, 0.1))
_CANCELS = ((4, "cancels"), (3, "fails"), (2, "cancels_silently"), (1, "refuses"), (1, "held_back"), (1, "shut"))
_BECAUSE = ("breaker_open", "breaker_open", "rate_limited")
_DATABASE = ((12, "works"), (2, "fails_before"), (2, "fails_after"), (1, "rejects_before"), (1, "rejects_after"))
# Seconds that decide: around an answer, an attempt's last possible answer, the lease, the window, the horizon.
_SECONDS = (0.0, 0.0, 0.0, 0.3, 2.0, 9.0, 16.0, 44.0, 50.0, 80.0, 130.0, 200.0)
_AT = (0.0, 0.0, 0.1, 1.0, 5.0, 20.0, 60.0, 95.0, 130.0, 400.0)
_LATE = (0.5, 5.0, 14.0, 40.0, 74.0, 100.0, 125.0, 160.0, 300.0, 700.0, 1200.0)


def random_plan(seed: int) -> Plan:
    """
    Return the plan of a seed, for sweeps by the thousand.
    """
    chance = random.Random(seed)
    return Plan(
        actions=(_book(chance), *chain.from_iterable(_actions(chance) for _ in range(chance.choice((0, 2, 4, 6))))),
        creates=tuple(_create(chance) for _ in range(chance.randrange(6))),
        looks=tuple(_look(chance) for _ in range(chance.choice((0, 0, 4, 9)))),
        cancels=tuple(_cancel(chance) for _ in range(chance.choice((0, 1, 3)))),
        silences=tuple(chance.random() < 0.5 for _ in range(chance.choice((0, 0, 3)))),
        moves=tuple(_move(chance) for _ in range(chance.choice((0, 2, 4)))),
        traces=tuple(_look(chance) for _ in range(chance.choice((0, 0, 6)))),
        webhooks=tuple(chance.choice(_DELIVERIES) for _ in range(chance.choice((0, 6, 12)))),
        appends=tuple(_database(chance) for _ in range(chance.choice((0, 0, 0, 8, 25)))),
        reads=tuple(_database(chance) for _ in range(chance.choice((0, 0, 0, 8)))),
        deaths=frozenset(chance.randrange(60) for _ in range(chance.choice((0, 0, 1, 2)))),
        pauses={chance.randrange(80): chance.choice(_SECONDS) for _ in range(chance.choice((0, 0, 1, 3)))},
        tells_refusal_again=chance.random() < 0.5,
        hints=tuple(chance.choice((True, False, None)) for _ in range(chance.choice((0, 6, 12)))),
        seed=seed,
    )


def plans() -> st.SearchStrategy[Plan]:
    """
    Return plans that Hypothesis can make smaller.
    """
    seconds = st.sampled_from(_SECONDS)
    which = st.integers(0, 3)
    process = st.integers(0, 1)
    at = st.sampled_from((0.0, 0.0, 0.1, 1.0, 5.0, 20.0, 60.0, 95.0, 130.0, 400.0))
    book = st.builds(
        Book, at=at, wish=st.sampled_from(WISHES), process=process, patience=st.sampled_from((10.0, 0.0, 60.0))
    )
    others = st.one_of(
        book,
        st.builds(Cancel, at=at, which=which, process=process),
        st.builds(Reschedule, at=at, which=which, process=process, minutes=st.sampled_from((15, 60, 180))),
        st.builds(TakeOver, at=at, which=which, process=process),
        st.builds(
            AtCalcom,
            at=at,
            does=st.sampled_from(("cancel", "move", "stranger", "forge", "stranger goes", "row", "row elsewhere")),
            which=which,
        ),
    )
    database: st.SearchStrategy[DatabaseFate] = st.sampled_from(
        ("works", "fails_before", "fails_after", "rejects_before", "rejects_after")
    )
    gate = st.integers(0, 60)
    return st.builds(
        Plan,
        actions=st.tuples(book, st.lists(others, max_size=4)).map(lambda parts: (parts[0], *parts[1])),
        creates=st.lists(
            st.builds(
                CreateFate,
                does=st.sampled_from(tuple(name for _, name in _CREATES)),
                waits=seconds.filter(lambda it: it < 10),
                late_by=st.sampled_from(_LATE),
                answers=seconds,
                retry_after=st.sampled_from((None, 3.0, 100.0)),
                because=st.sampled_from(("rate_limited", "breaker_open", FULL_FALLBACK)),
                squeezes_in=st.booleans(),
            ),
            max_size=5,
        ).map(tuple),
        looks=st.lists(
            st.builds(
                LookFate,
                does=st.sampled_from(("reads", "errs")),
                lag=st.sampled_from((0.0, 0.0, 10.0, 55.0)),
                answers=seconds,
            ),
            max_size=8,
        ).map(tuple),
        cancels=st.lists(
            st.builds(
                CancelFate,
                does=st.sampled_from(tuple(name for _, name in _CANCELS)),
                waits=seconds,
                answers=seconds,
                retry_after=st.sampled_from((3.0, 100.0, 4000.0)),
                because=st.sampled_from(_BECAUSE),
            ),
            max_size=3,
        ).map(tuple),
        silences=st.lists(st.booleans(), max_size=3).map(tuple),
        moves=st.lists(
            st.builds(
                MoveFate,
                does=st.sampled_from(tuple(name for _, name in _MOVES)),
                waits=seconds.filter(lambda it: it < 10),
                late_by=st.sampled_from(_LATE),
                answers=seconds,
                retry_after=st.sampled_from((3.0, 100.0, 4000.0)),
                because=st.sampled_from(_BECAUSE),
            ),
            max_size=3,
        ).map(tuple),
        traces=st.lists(st.builds(LookFate, does=st.sampled_from(("reads", "errs")), answers=seconds), max_size=4).map(
            tuple
        ),
        webhooks=st.lists(st.sampled_from(_DELIVERIES), max_size=6).map(tuple),
        appends=st.lists(database, max_size=10).map(tuple),
        reads=st.lists(database, max_size=6).map(tuple),
        hints=st.lists(st.sampled_from((None, True, False)), max_size=6).map(tuple),
        deaths=st.frozensets(gate, max_size=2),
        pauses=st.dictionaries(gate, seconds, max_size=2),
        tells_refusal_again=st.booleans(),
    )


def _actions(chance: random.Random) -> tuple[Action, ...]:
    action = _action(chance)
    if isinstance(action, AtCalcom) and action.does == "move":
        # What was moved there and is cancelled here must be followed.
        return (action, Cancel(at=action.at + chance.choice((0.0, 5.0, 300.0)), which=action.which))
    return (action,)


def _book(chance: random.Random) -> Book:
    return Book(
        at=chance.choice(_AT),
        wish=chance.choice(WISHES),
        process=chance.randrange(2),
        patience=chance.choice((10.0, 0.0, 60.0)),
    )


def _action(chance: random.Random) -> Action:
    kind = chance.randrange(13)
    if kind < 5:
        return _book(chance)
    at, process, which = chance.choice(_AT), chance.randrange(2), chance.randrange(4)
    if kind in {5, 6}:
        return Cancel(at=at, which=which, process=process)
    if kind in {9, 10}:
        return Reschedule(at=at, which=which, process=process, minutes=chance.choice((15, 60, 180)))
    if kind in {7, 8}:
        return TakeOver(at=at, which=which, process=process)
    return AtCalcom(
        at=at,
        does=chance.choice(("cancel", "move", "stranger", "forge", "stranger goes", "row", "row elsewhere")),
        which=which,
    )


def _weighted(chance: random.Random, choices: tuple[tuple[int, str], ...]) -> str:
    return chance.choices([name for _, name in choices], [weight for weight, _ in choices])[0]


def _create(chance: random.Random) -> CreateFate:
    return CreateFate(
        does=_weighted(chance, _CREATES),  # type: ignore[arg-type]
        waits=chance.choice((0.0, 0.0, 0.0, 1.0, 4.0, 9.0)),
        late_by=chance.choice(_LATE),
        answers=chance.choice(_SECONDS),
        retry_after=chance.choice((None, None, 3.0, 100.0)),
        squeezes_in=chance.random() < 0.3,
    )


def _move(chance: random.Random) -> MoveFate:
    does, waits = _weighted(chance, _MOVES), chance.choice((0.0, 0.0, 0.0, 1.0, 4.0, 9.0))
    late_by = chance.choice(_LATE)
    return MoveFate(
        does=does,  # type: ignore[arg-type]
        waits=waits,
        late_by=late_by,
        answers=chance.choice(_SECONDS),
        retry_after=late_by * 4,
        because="breaker_open" if late_by > 20 else "rate_limited",
    )


def _look(chance: random.Random) -> LookFate:
    does: Literal["reads", "errs"] = "errs" if chance.random() < 0.3 else "reads"
    return LookFate(does=does, lag=chance.choice((0.0, 0.0, 10.0, 55.0)), answers=chance.choice(_SECONDS))


def _cancel(chance: random.Random) -> CancelFate:
    does, waits = _weighted(chance, _CANCELS), chance.choice(_SECONDS)
    return CancelFate(
        does=does,  # type: ignore[arg-type]
        waits=waits,
        answers=chance.choice(_SECONDS),
        retry_after=waits * 20 + 3,
        because="breaker_open" if waits else "rate_limited",
    )


def _database(chance: random.Random) -> DatabaseFate:
    return _weighted(chance, _DATABASE)  # type: ignore[return-value]
