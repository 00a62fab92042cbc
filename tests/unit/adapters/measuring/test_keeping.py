"""
What was counted waits for a database that is away, and is stored once, whatever the clock does.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from adapters.measuring.keeping import LONGEST_WAIT, Keeper
from adapters.measuring.meter import Meter
from adapters.measuring.stored import Measured
from domain.errors import AppointmentDatabaseError
from tests.fakes.time import FakeClock

AWAY = AppointmentDatabaseError("away", kind="connection_lost")


class Shelf:
    """
    Where minutes are stored by when they begin, as the database does.
    """

    def __init__(self) -> None:
        self.away = False
        self.held: dict[datetime, Measured] = {}
        self.folded: list[datetime] = []

    async def store(self, measured: Measured) -> None:
        if self.away:
            raise AWAY
        self.held[measured.starts_at] = measured

    async def fold(self, *, now: datetime, keep: timedelta) -> None:
        if self.away:
            raise AWAY
        self.folded.append(now)

    @property
    def calls(self) -> int:
        return sum(tally.succeeded for one in self.held.values() for tally in one.tallies.values())


class Place:
    def __init__(self) -> None:
        self.clock, self.meter, self.shelf = FakeClock(), Meter(), Shelf()
        self.keeper = Keeper(
            self.meter,
            self.shelf,  # type: ignore[arg-type]
            clock=self.clock,
            seconds=60,
            keep=timedelta(days=30),
        )

    def unstored(self) -> int:
        return sum(tally.succeeded for one in self.keeper.unstored() for tally in one.tallies.values())


acts = st.lists(st.sampled_from(("call", "minute", "moment", "back", "keep", "away", "here")), max_size=60)


@given(acts)
@example(["call", "minute", "away", "keep", "call"])
async def test_every_call_is_either_stored_or_waits_and_never_both(told: list[str]) -> None:
    here, calls = Place(), 0
    for act in told:
        match act:
            case "call":
                here.meter.record("calcom", "get", "succeeded", 0.1)
                calls += 1
            case "minute" | "moment" | "back":
                here.clock.advance({"minute": 60, "moment": 7, "back": -90}[act])
            case "keep":
                await here.keeper.keep()
            case _:
                here.shelf.away = act == "away"
        assert calls == here.shelf.calls + here.unstored()
    here.shelf.away = False
    await here.keeper.aclose()
    assert (calls, 0) == (here.shelf.calls, here.unstored())


async def test_hours_are_folded_once_each_even_if_the_database_was_away() -> None:
    here = Place()
    here.shelf.away = True
    await here.keeper.keep()
    here.shelf.away = False
    for _ in range(130):
        await here.keeper.keep()
        here.clock.advance(60)

    assert [0, 60, 120] == [(one - here.clock.start) / timedelta(minutes=1) for one in here.shelf.folded]


async def test_a_process_that_ends_without_a_database_does_not_wait_for_it() -> None:
    here = Place()
    here.meter.record("calcom", "get", "succeeded", 0.1)
    here.shelf.away = True
    await here.keeper.aclose()

    assert 1 == here.unstored()


async def test_what_waits_for_too_long_is_given_up_by_name_and_the_rest_is_stored() -> None:
    here = Place()
    here.shelf.away = True
    with capture_logs() as lines:
        for _ in range(LONGEST_WAIT + 2):
            here.meter.record("calcom", "get", "succeeded", 0.1)
            here.clock.advance(60)
            await here.keeper.keep()
        here.shelf.away = False
        await here.keeper.keep()

    given_up = [one for one in lines if one["event"] == "measuring.given_up"]
    assert [("09:00", {"calcom": 1}), ("09:01", {"calcom": 1})] == [
        (it["since"][11:16], it["calls"]) for it in given_up
    ]
    assert LONGEST_WAIT == here.shelf.calls
