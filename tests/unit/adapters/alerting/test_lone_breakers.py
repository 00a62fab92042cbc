"""
What a process notes of its own breakers: nothing while all is well, and the end of what it has noted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.alerting.lone_breakers import KEY, Condition, LoneBreakerNotes, rejected_since
from adapters.breakers.local import LocalBreakers
from adapters.breakers.telling import Telling
from domain.breaker_words import Command, Snapshot
from domain.errors import AppointmentDatabaseError
from tests.fakes.time import FakeClock


class Place:
    """
    One process with one breaker, which may be the fleet's; and a database that may be away.
    """

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.local = LocalBreakers({}, listener=Telling(), clock=lambda: self.clock.now().timestamp())
        self.shared = False
        self.away = False
        self.rejected: dict[str, datetime] = {}
        self.noted: list[Sequence[Condition]] = []
        self.notes = LoneBreakerNotes(
            self,  # type: ignore[arg-type]
            self,  # type: ignore[arg-type]
            names=("calcom",),
            rejected=lambda: self.rejected,
            clock=self.clock,
            seconds=15,
        )

    async def snapshot(self, name: str) -> Snapshot:
        return replace(await self.local.snapshot(name), shared=self.shared)

    async def note(self, conditions: Sequence[Condition], *, now: datetime) -> None:
        if self.away:
            raise AppointmentDatabaseError("away", kind="connection_lost")
        self.noted.append(conditions)

    async def opens(self) -> None:
        await self.local.control("calcom", Command(action="open", actor="ada", reason="a test"))

    async def closes(self) -> None:
        await self.local.control("calcom", Command(action="reset", actor="ada", reason="a test"))

    async def passes(self) -> list[tuple[bool, bool]]:
        """
        Let some time pass, and return of each note whether it says unwell, and well again.
        """
        self.clock.advance(15)
        self.noted.clear()
        await self.notes.note()
        return [(one.unwell_since is not None, one.well_since is not None) for noted in self.noted for one in noted]


async def test_as_long_as_all_is_well_nothing_is_written() -> None:
    here = Place()

    assert [[], [], []] == [await here.passes() for _ in range(3)]


async def test_what_is_not_closed_is_noted_each_time_and_its_end_once() -> None:
    here = Place()
    await here.opens()
    assert [(True, False)] == await here.passes()
    assert [(True, False)] == await here.passes()
    await here.closes()
    assert [(False, True)] == await here.passes()

    assert [] == await here.passes()


async def test_a_breaker_of_the_fleet_is_not_this_processs_to_note() -> None:
    here = Place()
    here.shared = True
    await here.opens()

    assert [] == await here.passes()


async def test_once_the_fleet_decides_together_again_what_it_thought_alone_is_over() -> None:
    here = Place()
    await here.opens()
    assert [(True, False)] == await here.passes()
    here.shared = True

    assert [(False, True)] == await here.passes()
    assert [] == await here.passes()


async def test_an_end_that_could_not_be_noted_is_noted_later() -> None:
    here = Place()
    await here.opens()
    await here.passes()
    await here.closes()
    here.away = True
    assert [] == await here.passes()
    here.away = False

    assert [(False, True)] == await here.passes()


async def test_a_rejected_key_is_noted_as_long_as_it_is_and_once_more_when_it_is_not() -> None:
    here = Place()
    since = here.clock.now()
    here.rejected = {"acme": since}
    for _ in range(2):
        await here.notes.note()
    here.rejected = {}
    here.clock.advance(15)
    for _ in range(2):
        await here.notes.note()

    first, second, last = here.noted
    assert [Condition(service=f"{KEY}acme", unwell_since=since, well_since=None)] == first == second
    assert [Condition(service=f"{KEY}acme", unwell_since=None, well_since=here.clock.now())] == last
    assert ({"acme": since}, {}) == (rejected_since([*first, *second]), rejected_since(last))
