"""
The database is asked whether it is well again, and nobody else has to find out.
"""

from __future__ import annotations

import asyncio

from adapters.breakers.feeding import DatabaseFeed
from adapters.breakers.watched import WatchedBreaker
from adapters.database.recovery import DatabaseRecovery
from domain.breaker_policy import BreakerPolicy
from domain.breaker_words import Command
from domain.errors import AppointmentDatabaseError
from tests.breakers.listening import Heard
from tests.fakes.time import FakeClock, run_virtually

POLICY = BreakerPolicy(open_seconds=1, open_cap_seconds=5, open_jitter=0.0, lease_seconds=10)


class Database:
    def __init__(self, clock: FakeClock) -> None:
        self.breaker = WatchedBreaker("database", POLICY, listener=Heard(), clock=lambda: clock.seconds + 1e6)
        self.is_away = True
        self.asked: list[float] = []
        self.clock = clock

    async def write(self) -> None:
        self.asked.append(round(self.clock.seconds, 1))
        if self.is_away:
            self.breaker.failed()
            raise AppointmentDatabaseError("away", kind="connection_lost")

    def recovery(self) -> DatabaseRecovery:
        return DatabaseRecovery(self.breaker, write=self.write, listener=DatabaseFeed(self.breaker))


def test_it_is_asked_when_it_may_be_until_it_is_well_and_then_no_more() -> None:
    clock = FakeClock()
    database = Database(clock)

    async def main() -> None:
        recovering = asyncio.create_task(database.recovery().run())
        await asyncio.sleep(100)
        assert [] == database.asked
        for _ in range(5):
            database.breaker.failed()
        await asyncio.sleep(4)
        database.is_away = False
        await asyncio.sleep(100)
        recovering.cancel()

    run_virtually(main(), clock)

    # Open for 1 s, then for 1.5 and 2.25 s, as each probe fails; two that go well close it.
    assert [101.0, 102.5, 104.8, 105.0] == database.asked
    assert database.breaker.held_back() is None


def test_what_a_person_holds_open_is_not_asked_all_the_time() -> None:
    clock = FakeClock()
    database = Database(clock)

    async def main() -> None:
        recovering = asyncio.create_task(database.recovery().run())
        database.breaker.control(Command(action="open", actor="ada", reason="they move house"))
        await asyncio.sleep(21)
        database.breaker.control(Command(action="reset", actor="ada", reason="done"))
        await asyncio.sleep(21)
        recovering.cancel()

    run_virtually(main(), clock)

    assert [5.0, 10.0, 15.0, 20.0, 25.0] == database.asked
