"""
The read model of sync failures over a real log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, insert, select, update

from adapters.followers import Followers
from adapters.log.store import Store
from domain import findings as f
from domain.events import BookingEvent
from domain.person import Remark
from domain.webhook import WebhookReceived
from projections.checkpoints import advance
from projections.failures import SyncFailure
from projections.follower import Follower
from projections.sync_failure_pages import FailureFilter, find_failure, list_failures
from projections.sync_failures import SYNC_FAILURES, evolve_recorded
from projections.tables import sync_failure_bookings, sync_failures
from sagas.appending import Append, NothingDue, Recorded
from tests.histories.appending import append
from tests.histories.bookings import BEGINNING, history, wish
from tests.integration.projections.test_bookings import interleaved

SALON = FailureFilter(company_id="salon")


def histories(count: int, *, first: int = 0) -> list[list[Recorded]]:
    return [with_findings(history(Random(seed), wish(seed))) for seed in range(first, first + count)]


def with_findings(recorded: list[Recorded]) -> list[Recorded]:
    """
    Go on with findings of a reconciler, and an answer of a person.
    """
    random = Random(recorded[-1].version)
    last = recorded[-1]
    at = last.event.at + timedelta(minutes=1)
    found = f.InconsistencyDetected(at=at, kind="time_drift", uid="drifted", evidence="later there", repair="move")
    resolved = f.InconsistencyResolved(at=at, kind="time_drift", uid="drifted", how="moved", actor="calsaga")
    answered = [
        f.ManualReviewAnswered(
            at=at,
            answer="cancel",
            actor="grace",
            person=Remark(reason=""),
            attempt_id=one.attempt_id,
            uid=one.uid,
            status_after="failed",
            reason_after=None,
            detail_after=None,
        )
        for one in (it.event for it in recorded)
        if isinstance(one, f.ManualReviewRequested)
    ]
    choices: list[list[BookingEvent]] = [
        [],
        [found],
        [found, found],
        [found, resolved],
        [*answered],
        [found, *answered],
    ]
    more = random.choice(choices)
    return recorded + [replace(last, version=last.version + n, event=event) for n, event in enumerate(more, 1)]


async def test_it_shows_what_every_stream_says(store: Store) -> None:
    told = histories(60)
    await interleaved(store, told)
    await Followers(store, follow_seconds=1).catch_up()

    assert failures_of(told) == shown(store)
    assert {"pending", "manual_review", "resolved"} == {it.status for it in shown(store).values()}


async def test_batches_of_any_size_and_two_followers_at_once_show_the_same(store: Store) -> None:
    told = histories(40)
    await interleaved(store, told)
    several = [Follower(SYNC_FAILURES, engine=store.engine, source=store.log, batch=size) for size in (1, 3, 7)]
    await asyncio.gather(*(one.catch_up() for one in several))

    assert failures_of(told) == shown(store)


async def test_a_batch_that_comes_again_changes_nothing(store: Store) -> None:
    told = histories(20)
    await interleaved(store, told)
    follower = Follower(SYNC_FAILURES, engine=store.engine, source=store.log, batch=10)
    await follower.catch_up()
    with store.engine.begin() as connection:
        assert advance(connection, ["sync_failures"], expected=await store.log.head(), to=5)
    await follower.catch_up()

    assert failures_of(told) == shown(store)
    assert () == (await follower.status()).parked


async def test_a_rebuild_mends_it_while_it_is_followed(store: Store) -> None:
    told = histories(60)
    for one in told[:30]:
        await append(store.log, one)
    followers = Followers(store, follow_seconds=0.01)
    await followers.catch_up()
    running = shown(store)
    with store.engine.begin() as connection:
        connection.execute(update(sync_failures).where(sync_failures.c.status == "pending").values(status="resolved"))
        connection.execute(delete(sync_failures).where(sync_failures.c.status == "manual_review"))
        connection.execute(update(sync_failure_bookings).values(version=1_000))
        connection.execute(insert(sync_failures).values(stray_row(store)))
    following = asyncio.create_task(followers.run())

    async def go_on() -> None:
        for one in told[30:]:
            await append(store.log, one)

    rebuild = followers.rebuild
    _, *rebuilt = await asyncio.gather(go_on(), rebuild("sync_failures"), rebuild("sync_failures"))
    await followers.stop()
    await following
    await followers.catch_up()

    assert failures_of(told[:30]) == running
    assert failures_of(told) == shown(store)
    assert max(one.differences for one in rebuilt) > 1
    assert 0 == (await followers.rebuild("sync_failures")).differences


async def test_webhooks_are_passed_over(store: Store) -> None:
    received = WebhookReceived(at=BEGINNING, company_id="salon", trigger="PING", digest="0")
    await store.log.append(
        Append(
            stream_id=uuid4(),
            expected_version=0,
            append_id="w",
            correlation_id="c",
            recorded_at=BEGINNING,
            events=(received,),
            due=NothingDue(),
        )
    )
    follower = Follower(SYNC_FAILURES, engine=store.engine, source=store.log)
    await follower.catch_up()

    assert (1, ()) == ((await follower.status()).position, (await follower.status()).parked)


async def test_pages_lead_through_the_list_once_the_newest_first(store: Store) -> None:
    told = histories(40)
    other = with_findings(history(Random(1), wish(1, company_id="another")))
    await interleaved(store, [*told, other])
    await Followers(store, follow_seconds=1).catch_up()
    newest_first = sorted(failures_of(told).values(), key=lambda it: (it.created_at, it.id), reverse=True)
    pending = [it for it in newest_first if it.status == "pending"]

    assert newest_first == list(paged(store, SALON))
    assert pending == list(paged(store, replace(SALON, status="pending")))


async def test_a_cursor_is_bound_to_its_question(store: Store) -> None:
    await interleaved(store, histories(20))
    await Followers(store, follow_seconds=1).catch_up()
    with store.engine.connect() as connection:
        page = list_failures(connection, SALON, limit=1)
        with pytest.raises(ValueError, match="other filters"):
            list_failures(connection, replace(SALON, status="pending"), cursor=page.next_cursor)
        with pytest.raises(ValueError, match="limit"):
            list_failures(connection, SALON, limit=0)
    with pytest.raises(ValueError, match="status must be one of"):
        FailureFilter(company_id="salon", status="lost")


async def test_one_is_found_by_its_company_alone(store: Store) -> None:
    await interleaved(store, histories(20))
    await Followers(store, follow_seconds=1).catch_up()
    one = next(iter(shown(store).values()))
    with store.engine.connect() as connection:
        assert one == find_failure(connection, one.id, company_id="salon")
        assert None is find_failure(connection, one.id, company_id="another")
        assert None is find_failure(connection, UUID(int=1), company_id="salon")


def paged(store: Store, wanted: FailureFilter) -> Iterator[SyncFailure]:
    cursor = None
    with store.engine.connect() as connection:
        while True:
            page = list_failures(connection, wanted, limit=3, cursor=cursor)
            yield from page.failures
            cursor = page.next_cursor
            if cursor is None:
                return


def failures_of(told: Sequence[Sequence[Recorded]]) -> dict[UUID, SyncFailure]:
    return {it.id: it for one in told for it in evolve_recorded(None, one).failures}


def shown(store: Store) -> dict[UUID, SyncFailure]:
    with store.engine.connect() as connection:
        rows = connection.execute(select(sync_failures).where(sync_failures.c.company_id == "salon")).mappings()
        return {row["id"]: SyncFailure(**row) for row in rows}


def stray_row(store: Store) -> dict[str, object]:
    with store.engine.connect() as connection:
        row = connection.execute(select(sync_failures).limit(1)).mappings().one()
    return dict(row) | {"id": UUID(int=1)}
