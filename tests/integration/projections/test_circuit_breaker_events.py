"""
The list of the breakers' transitions: in pages, rebuilt from the log, and held against it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, insert, null, update

from adapters.database.breaker_events import StoredBreakerEvents, StoredTransitions
from adapters.database.tables import saga_due
from adapters.followers import Followers
from adapters.log.store import Store
from domain.breaker_moved import BreakerMoved, breaker_moved
from domain.breaker_words import State, Transition
from projections.circuit_breaker_events import CIRCUIT_BREAKER_EVENTS, CircuitBreakerEvent, row_of
from projections.tables import circuit_breaker_events as rows
from sagas.appending import NothingDue
from tests.histories.driving import Salon
from tests.integration.projections.tampering import IN_AN_HOUR, booked, found, tamper, written
from tests.unit.domain.test_breaker_moved import MOVE

WHAT = "circuit breaker event"


def moved(epoch: int = 1, *, name: str = "calcom", after: float = 0, instance: str | None = None) -> BreakerMoved:
    move = replace(MOVE, name=name, epoch=epoch, at=MOVE.at + timedelta(seconds=after))
    return breaker_moved(move, instance=instance)


async def put(store: Store, *moves: BreakerMoved) -> list[UUID]:
    for one in moves:
        await written(store, one, due=NothingDue(), stream_id=one.stream_id)
    await Followers(store, follow_seconds=1).catch_up()
    return [one.stream_id for one in moves]


async def listed(store: Store, *, service: str | None = None, limit: int = 200) -> list[CircuitBreakerEvent]:
    """
    Return all pages as one list.
    """
    stored = StoredBreakerEvents(engine=store.engine, readers=store.readers)
    page = await stored.page(service=service, limit=limit, cursor=None)
    events = [*page.events]
    while page.next_cursor is not None:
        page = await stored.page(service=service, limit=limit, cursor=page.next_cursor)
        assert page.events
        events += page.events
    return events


@pytest.mark.parametrize("limit", [1, 2, 3, 200])
async def test_they_are_listed_the_newest_first_in_pages_of_any_size(store: Store, limit: int) -> None:
    # Not in the order of the log, and some in one instant: the end of an override, and the probe after it.
    moves = [moved(3, after=2), moved(1), moved(2, after=2), moved(9, name="email", after=1), moved(4, instance="a")]
    await put(store, *moves)

    expected = [row_of(moves[at].stream_id, moves[at]) for at in (0, 2, 3, 4, 1)]
    assert expected == await listed(store, limit=limit)
    assert expected[2:3] == await listed(store, service="email", limit=limit)
    assert [] == await listed(store, service="sms", limit=limit)


async def test_a_cursor_belongs_to_its_question(store: Store) -> None:
    await put(store, moved(1), moved(2))
    stored = StoredBreakerEvents(engine=store.engine, readers=store.readers)
    page = await stored.page(service=None, limit=1, cursor=None)

    for cursor in (page.next_cursor, "nonsense"):
        with pytest.raises(ValueError, match="cursor"):
            await stored.page(service="calcom", limit=1, cursor=cursor)
    with pytest.raises(ValueError, match="limit"):
        await stored.page(service=None, limit=201, cursor=None)


async def test_the_transitions_since_an_instant_begin_where_the_breaker_left_closed(store: Store) -> None:
    def went(before: State, to: State, after: float, **others: Any) -> BreakerMoved:  # noqa: ANN401
        return replace(moved(int(after), after=after + 0.123457, **others), before=before, after=to)

    outage = [went("closed", "open", 3), went("open", "half_open", 4), went("half_open", "closed", 6)]
    others = [went("closed", "open", 5, instance="a"), went("closed", "open", 5, name="email")]
    await put(store, went("closed", "open", 1), went("open", "closed", 2), *outage, *others)
    stored = StoredTransitions(engine=store.engine, readers=store.readers, instance="a")

    async def since(after: float, *, shared: bool = True) -> list[Transition]:
        found = await stored.since(MOVE.at + timedelta(seconds=after), shared={"calcom": shared, "sms": True})
        assert [] == found["sms"]
        return list(found["calcom"])

    assert outage == [breaker_moved(one, instance=None) for one in await since(5)]
    assert outage == [breaker_moved(one, instance=None) for one in await since(100)]
    assert 5 == len(await since(0))
    assert others[:1] == [breaker_moved(one, instance="a") for one in await since(0, shared=False)]


async def test_a_rebuild_finds_the_same_and_mends_what_differs(store: Store) -> None:
    (first, second) = await put(store, moved(1), moved(2, instance="a"))
    before = await listed(store)
    rebuilt = await Followers(store, follow_seconds=1).rebuild(CIRCUIT_BREAKER_EVENTS.name)
    assert 0 == rebuilt.differences
    tamper(store, update(rows).where(rows.c.id == first).values(failures=0))
    tamper(store, delete(rows).where(rows.c.id == second))

    rebuilt = await Followers(store, follow_seconds=1).rebuild(CIRCUIT_BREAKER_EVENTS.name)

    assert 2 == rebuilt.differences
    assert before == await listed(store)


async def test_verify_objects_to_nothing_that_is_as_it_must_be(store: Store, salon: Salon) -> None:
    await booked(salon)
    (first, _) = await put(store, moved(1), moved(2, instance="a"))

    assert [] == await found(store, first)


async def test_verify_finds_a_row_that_differs(store: Store) -> None:
    (first,) = await put(store, moved(1))
    tamper(store, update(rows).values(to_state="half_open", actor="somebody"))

    assert {(f"{WHAT}, to_state", "open", "half_open"), (f"{WHAT}, actor", "None", "somebody")} == set(
        await found(store, first)
    )


async def test_verify_asks_nothing_of_a_row_that_an_older_calsaga_wrote(store: Store) -> None:
    (first,) = await put(store, replace(moved(1), slow=2))
    tamper(store, update(rows).values(slow=null()))

    assert [] == await found(store, first)


async def test_verify_finds_a_row_that_is_missing(store: Store) -> None:
    (first,) = await put(store, moved(1))
    tamper(store, delete(rows))

    assert [(WHAT, "a row", "nothing")] == await found(store, first)


async def test_verify_finds_a_row_that_nothing_was_said_of(store: Store) -> None:
    await put(store)
    surplus = vars(row_of(uuid4(), moved(1)))
    tamper(store, insert(rows).values(surplus))

    assert [(WHAT, "nothing", "a row without a stream")] == await found(store, surplus["id"])


async def test_verify_finds_a_transition_under_a_strange_id(store: Store) -> None:
    stream_id = await written(store, moved(1), due=IN_AN_HOUR, stream_id=uuid4())

    expected = {
        ("stream", f"the id {moved(1).stream_id}", str(stream_id)),
        ("due work", "nothing", "a row of a breaker"),
    }
    assert expected <= set(await found(store, stream_id))
    tamper(store, delete(saga_due))


async def test_verify_finds_a_transition_that_is_followed_by_something(store: Store) -> None:
    (first,) = await put(store, moved(1))
    await written(store, moved(2), due=NothingDue(), stream_id=first, after=1)

    assert ("stream", "one event of a breaker", "2 events") in await found(store, first)
