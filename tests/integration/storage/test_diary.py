"""
The diary's page and what the log has added, in one statement of either database.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, event, insert, text

from adapters.availability import log_watch
from adapters.availability.diary import DatabaseDiary, diary_query
from adapters.availability.log_watch import LogWatch
from adapters.database.tables import appointments, slot_claims, stored_events
from adapters.log.event_log import Unreadable
from adapters.log.store import Store, open_store
from tests.integration.storage.appends import append, deferred
from tests.integration.storage.test_taken import HOUR, TEN, claim, plan, row

STAFF = ("ada", "ben")


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """
    The store of a database of either kind: ada is booked, ben is claimed, and some events are in the log.
    """
    async with open_store(database_url) as store:
        with store.engine.begin() as connection:
            connection.execute(insert(appointments), [row("ada", TEN), row("cal", TEN)])
            connection.execute(insert(slot_claims), [claim("ben", TEN)])
        await _add(store, 3)
        yield store


async def _add(store: Store, number: int) -> None:
    await store.log.append(append(uuid4(), 0, *(deferred() for _ in range(number))))


def _diary(store: Store, watch: LogWatch) -> DatabaseDiary:
    return DatabaseDiary(engine=store.engine, readers=store.readers, log=store.log, watch=watch)


@pytest.fixture
def statements(store: Store) -> Iterator[list[str]]:
    """
    What the engine is asked, while everything else is read by the library's recorder.
    """
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    yield asked
    event.remove(store.engine, "before_cursor_execute", note)


async def _read(store: Store, watch: LogWatch) -> Any:  # noqa: ANN401 - a page
    return await _diary(store, watch).read(HOUR, company_id="acme", staff_ids=STAFF)


async def test_one_statement_tells_who_is_busy_and_reads_on_for_the_watch(store: Store, statements: list[str]) -> None:
    watch = LogWatch(store.log)
    await watch.catch_up()
    await _add(store, 2)
    page = await _read(store, watch)
    # Nothing more is asked for.
    store.log.read_all = None  # type: ignore[method-assign, assignment]
    await watch.catch_up(page.as_of)

    assert [("ada", TEN), ("ben", TEN)] == sorted((one.staff_id, one.period.starts_at) for one in page.busy)
    assert (5, 5, 1) == (page.as_of, watch.position, len(statements))


async def test_what_it_has_read_is_what_the_log_would_have_said(store: Store) -> None:
    watch = LogWatch(store.log)
    await watch.catch_up()
    await _add(store, 2)
    with store.engine.begin() as connection:
        odd = {"originator_id": uuid4(), "originator_version": 1, "topic": "from.tomorrow.v9", "state": b"{}"}
        connection.execute(insert(stored_events), [odd])
    await _add(store, 1)
    handed: list[Any] = []
    watch.hand = handed.extend  # type: ignore[method-assign, assignment]
    page = await _read(store, watch)

    after, limit = watch.next_batch
    assert handed == list(await store.log.read_all(after=after, limit=limit))
    assert (6 + 1, 1) == (page.as_of, sum(isinstance(one, Unreadable) for one in handed))


async def test_where_nothing_was_added_the_page_is_as_of_the_last_event(store: Store) -> None:
    watch = LogWatch(store.log)
    await watch.catch_up()

    assert 3 == (await _read(store, watch)).as_of


async def test_how_far_the_log_has_come_is_not_known_before_the_watch_has_begun_or_when_it_is_far_behind(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_watch, "BATCH", 2)
    watch = LogWatch(store.log)
    first = await _read(store, watch)
    await watch.catch_up(first.as_of)
    await _add(store, 4)
    late = await _read(store, watch)
    await watch.catch_up(late.as_of)

    assert (None, None, 7) == (first.as_of, late.as_of, watch.position)
    assert 2 == len(first.busy) == len(late.busy)


def test_it_reads_no_table_from_end_to_end(engine: Engine) -> None:
    rows = [row(f"staff-{number % 40}", TEN) for number in range(4000)]
    events = [{"originator_id": uuid4(), "originator_version": 1, "topic": "x", "state": b"{}"} for _ in range(4000)]
    for one in rows:
        one["overlap_allowed"] = True
    with engine.begin() as connection:
        connection.execute(insert(appointments), rows)
        connection.execute(insert(stored_events), events)
        connection.execute(text("ANALYZE"))
        query = diary_query(
            HOUR, company_id="acme", staff_ids=["staff-1"], dialect=engine.dialect.name, after=3990, limit=501
        )
        told = "\n".join(plan(connection, query))

    for table in ("appointments", "stored_events"):
        assert table in told
        assert f"Seq Scan on {table}" not in told, told
        assert f"SCAN {table}" not in told, told
