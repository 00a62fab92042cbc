"""
A wall clock that jumps in one process: leases and windows are by the database's clock.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from adapters.bootstrap import Application
from adapters.database.tables import saga_due
from domain import events as e
from tests.integration.system import callers
from tests.integration.system.account import Account
from tests.integration.system.installation import Installation, a_wish, quick, story
from tests.integration.system.processes import children

JUMPS = [timedelta(minutes=5), timedelta(minutes=-5)]


@pytest.fixture
def with_long_leases(database_url: str, account: Account) -> Installation:
    """
    An installation whose leases outlast the slowest machine, but not a jump of five minutes.
    """
    more = {
        "calcom_send_seconds": 60,
        "calcom_attempt_seconds": 60,
        "calcom_total_seconds": 60,
        "lease_seconds": 200,
        "calcom_horizon_seconds": 200,
    }
    return Installation(settings=quick(database_url, account, **more))


@pytest.mark.parametrize("jump", JUMPS, ids=["ahead", "behind"])
async def test_a_lease_is_not_taken_away_by_a_worker_whose_clock_is_wrong(
    with_long_leases: Installation, account: Account, jump: timedelta
) -> None:
    here = with_long_leases
    await here.define(account.event_type())

    with children((callers.book, here, a_wish(), "calcom.create.after")) as (caller,):
        assert "calcom.create.after" == caller.says()
        async with here.opened(background=False) as app:
            before = await _due(app)
            with children((callers.poll, here, jump)) as (worker,):
                claimed = worker.says()
                assert 0 == worker.ends()
            after = await _due(app)
        caller.tell("go on")
        _, booking_id, status = caller.says()
        assert 0 == caller.ends()

    assert 0 == claimed
    assert [1] == [attempt for _, _, attempt in before]
    assert before == after
    assert "booked" == status
    async with here.opened(background=False) as app:
        assert 4 == len(await story(app.store, UUID(booking_id)))
    assert [] == await here.faults(account.ledger())


@pytest.mark.parametrize("jump", JUMPS, ids=["ahead", "behind"])
async def test_absence_is_not_declared_early_by_a_process_whose_clock_jumps(
    installation: Installation, account: Account, jump: timedelta
) -> None:
    await installation.define(account.event_type())
    # Later than any number of looks, and before the first one that counts.
    account.breaks("late_commit", operation="create", seconds=2.5)

    with children((callers.book_on_a_jumping_clock, installation, a_wish(), jump)) as (caller,):
        _, booking_id, status = caller.says()
        off_by = caller.says()
        assert 0 == caller.ends()

    assert 290 < off_by < 310
    assert ("booked", 1, 1) == (status, account.calls("create"), len(account.ledger()))
    async with installation.opened(background=False) as app:
        happened = await story(app.store, UUID(booking_id))
        now = app.store.clock.now()
    assert all(now - timedelta(minutes=2) < one.at <= now for one in happened)
    assert not any(one.counted for one in happened if isinstance(one, e.CalcomLooked))
    assert [] == await installation.faults(account.ledger())


async def _due(app: Application) -> list[tuple[object, object, int]]:
    def read() -> list[tuple[object, object, int]]:
        with app.store.engine.connect() as connection:
            query = sa.select(saga_due.c.due_at, saga_due.c.lease_token, saga_due.c.attempt)
            return [(row.due_at, row.lease_token, row.attempt) for row in connection.execute(query)]

    return await app.store.readers.run(read)
