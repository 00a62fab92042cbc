"""
A log with one stream, and any number of processes that switch and watch it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from adapters.fallback.known import KnownFallback
from adapters.fallback.switch import FallbackSwitch
from adapters.fallback.watch import FallbackWatch
from adapters.recording.errors import UnknownTopic
from domain.errors import AppointmentDatabaseError
from domain.full_fallback import STREAM, SwitchOn
from sagas.appending import Append, Appended, AppendResult, LogEvent, Lost, Recorded
from tests.fakes.ids import FakeIds
from tests.fakes.time import START, FakeClock

ON = SwitchOn(actor="ada", reason="they move house", lasts=timedelta(minutes=10))


class SwitchedLog:
    """
    The stream, whose last event may be `of_a_newer_one`.

    `away` refuses everything, `read_only` what is to be written, and `first` writes before the next append.
    """

    def __init__(self) -> None:
        self.events: list[LogEvent] = []
        self.away = self.read_only = self.of_a_newer_one = False
        self.first: list[LogEvent] = []

    async def append(self, append: Append) -> AppendResult:
        if self.away or self.read_only:
            raise AppointmentDatabaseError("it takes nothing", kind="connection_lost")
        self.events += self.first
        self.first = []
        if append.expected_version != len(self.events):
            return Lost()
        self.events += append.events
        return Appended(events=append.events)

    async def read(self, stream_id: UUID) -> Sequence[Recorded]:
        return [self._recorded(place) for place in range(len(self.events))]

    async def last(self, stream_id: UUID) -> Recorded | None:
        if self.away:
            raise AppointmentDatabaseError("it does not answer", kind="connection_lost")
        if self.of_a_newer_one:
            raise UnknownTopic("full-fallback.begun.v2")
        assert STREAM == stream_id
        return self._recorded(len(self.events) - 1) if self.events else None

    def _recorded(self, place: int) -> Recorded:
        return Recorded(
            stream_id=STREAM,
            version=place + 1,
            event=self.events[place],
            append_id="a",
            correlation_id="c",
            recorded_at=START,
        )


@dataclass
class Process:
    """
    One process of a fleet, on the clock of all.
    """

    log: SwitchedLog
    clock: FakeClock
    let_go: list[float] = field(default_factory=list)
    line_away: bool = False

    def __post_init__(self) -> None:
        self.known = KnownFallback(clock=lambda: self.clock.seconds)
        self.switch = FallbackSwitch(events=self.log, clock=self.clock, ids=FakeIds(1))
        self.watch = FallbackWatch(self.switch, self.known, let_go=self._let_go, seconds=1)

    async def _let_go(self) -> int:
        if self.line_away:
            raise AppointmentDatabaseError("it takes nothing", kind="connection_lost")
        self.let_go.append(self.clock.seconds)
        return 1


@dataclass
class Fleet:
    log: SwitchedLog = field(default_factory=SwitchedLog)
    clock: FakeClock = field(default_factory=FakeClock)

    def process(self) -> Process:
        return Process(self.log, self.clock)

    @property
    def written(self) -> list[str]:
        return [type(one).__name__ for one in self.log.events]
