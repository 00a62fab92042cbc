"""
The database goes away in the middle of bookings, and comes back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import pytest

from adapters.bootstrap import wiring
from adapters.log.store import open_store
from domain.errors import AppointmentDatabaseError
from tests.integration.system import callers
from tests.integration.system.account import Account
from tests.integration.system.installation import PATIENT, Installation, a_wish, eventually, named, quick, quiet, story
from tests.integration.system.outage import HeldFile, KilledServer, Outage
from tests.integration.system.processes import children
from tests.servers.postgres import PostgresServer

BOOKINGS = 60
KILLED_AFTER = (8, 20, 35)
"""After how many answers the server is killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """
    An installation, and its database's way of being away.
    """

    here: Installation
    outage: Outage

    @property
    def longer_than_a_lease(self) -> float:
        return self.here.settings.lease_seconds * 1.5


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, account: Account) -> Iterator[Place]:
    more = {"calcom_send_seconds": 0.8, "calcom_attempt_seconds": 0.8, "lease_seconds": 2}
    if request.param == "sqlite":
        url = request.getfixturevalue("sqlite_url")
        outage: Outage = HeldFile(url)
    else:
        url = request.getfixturevalue("mortal_url")
        outage = KilledServer(request.getfixturevalue("mortal_server"))
    yield Place(here=Installation(settings=quick(url, account, **more)), outage=outage)
    outage.ends()


async def test_a_server_that_is_killed_under_load_loses_nothing(
    mortal_server: PostgresServer, mortal_url: str, account: Account
) -> None:
    here = Installation(settings=quick(mortal_url, account))
    await here.define(account.event_type())
    wishes = [a_wish(number) for number in range(1, BOOKINGS + 1)]

    told: dict[str, str] = {}
    with children(*[(callers.work, here)] * 2) as others:
        # A process that starts while the server is away ends at once.
        assert ["ready"] * 2 == [other.says() for other in others]
        with children((callers.one_after_another, here, wishes)) as (caller,):
            for answer in caller.all_said():
                told[answer[1]] = answer[2]
                if len(told) in KILLED_AFTER:
                    await asyncio.to_thread(mortal_server.kill)
                    await asyncio.to_thread(mortal_server.restart)
            assert 0 == caller.ends()
        await here.is_quiet()
        for other in others:
            other.terminate()
        assert [0, 0] == [other.ends() for other in others]

    assert BOOKINGS == len(told)
    async with here.opened(background=False) as app:
        ends = {it: (await app.engine.load(UUID(it))).status.value for it in told}
    assert {"booked"} == set(ends.values())
    assert BOOKINGS == len(account.live())
    assert [] == await here.faults(account.ledger())


async def test_an_outcome_is_kept_until_the_database_is_back(
    place: Place, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The writer gives up soon, so that it is the engine that insists.
    monkeypatch.setattr(wiring, "open_store", partial(open_store, patience=0.3, read_timeout=1))
    await place.here.define(account.event_type())
    gone: list[str] = []

    def lose_it(point: str) -> None:
        if point == "calcom.create.after" and not gone:
            gone.append(point)
            place.outage.begins()

    # Nobody else is there to do it.
    async with place.here.opened(background=False, on_point=lose_it) as app:
        booking = asyncio.create_task(app.orchestrator.book(a_wish(), patience=PATIENT))
        await eventually(gone, "the database is away")
        await asyncio.sleep(place.longer_than_a_lease)
        assert not booking.done()
        place.outage.ends()
        result = await booking
        await quiet(app)
        happened = named(await story(app.store, result.booking.booking_id))

    assert "booked" == result.booking.status.value
    assert ["BookingInitiated", "CalcomBookingAttempted", "CalcomBookingCreated", "AppointmentBooked"] == happened
    assert 1 == len(account.ledger()) == account.calls("create")
    assert [] == await place.here.faults(account.ledger())


async def test_a_process_that_dies_with_an_outcome_while_the_database_is_away_leaves_one_booking(
    place: Place, account: Account
) -> None:
    await place.here.define(account.event_type())

    with children((callers.book, place.here, a_wish(), "calcom.create.after")) as (doomed,):
        assert "calcom.create.after" == doomed.says()
        place.outage.begins()
        doomed.tell("go on")
        await asyncio.sleep(place.longer_than_a_lease)
        doomed.kill()
    place.outage.ends()
    await place.here.recovers()

    async with place.here.opened(background=False) as app:
        answer = await app.orchestrator.book(a_wish(), patience=PATIENT)
        happened = named(await story(app.store, answer.booking.booking_id))
    assert ("booked", True) == (answer.booking.status.value, answer.replayed)
    assert "CalcomOutcomeUnknown" in happened
    assert 1 == len(account.ledger()) == account.calls("create")
    assert [] == await place.here.faults(account.ledger())


async def test_who_asks_while_the_database_is_away_is_told_so_and_may_ask_again(
    mortal_server: PostgresServer, mortal_url: str, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "open_store", partial(open_store, patience=0.3, read_timeout=1))
    here = Installation(settings=quick(mortal_url, account))
    await here.define(account.event_type())

    async with here.opened() as app:
        await app.orchestrator.book(a_wish(1), patience=PATIENT)
        mortal_server.kill()
        began = time.monotonic()
        with pytest.raises(AppointmentDatabaseError) as caught:
            await app.orchestrator.book(a_wish(2), patience=5)
        assert time.monotonic() - began < 30
        assert caught.value.retryable
        assert caught.value.booking_id is not None
        assert 1 == account.calls("create")
        mortal_server.restart()
        result = await app.orchestrator.book(a_wish(2), patience=PATIENT)

    assert ("booked", caught.value.booking_id) == (result.booking.status.value, result.booking.booking_id)
    assert [] == await here.faults(account.ledger())
