"""
Runs a scenario in a process that dies on the way, has another one clean up, and judges.

The processes are forked from a server that has imported everything, so that a death costs
milliseconds; they are the server's children, and it waits for them.
"""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from threading import Lock
from typing import Any, Final
from uuid import uuid4

import httpx

from adapters.log.store import open_store
from tests.crash import child
from tests.crash.judge import bookings_in, faults_of
from tests.crash.scenarios import Scenario
from tests.crash.timing import short_settings, unhurried
from tests.servers.forking import FORKED

# Whoever recovers beside one that sleeps with SQLite's lock waits with each write, and with all that it does last.
LONGEST_SECONDS: Final = 90
# A process that starts looks after all its siblings, and an exit status can be read only once: two threads that read
# the same one at once would see a process that ended well as one that did not.
_ONE_AT_A_TIME: Final = Lock()
HOLD_SECONDS: Final = 2.5
"""How long a stopped process sleeps: longer than its lease, its deadline and the visibility window together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """
    What became of one death.
    """

    scenario: str
    point: str
    died: bool
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """
    Where scenarios are played: a sandbox, and fresh databases.
    """

    sandbox_url: str
    new_database: Callable[[], str]
    at_once: bool = True
    """
    Whether PostgreSQL writes appends at once, as it does, or each goes the other course.
    """

    def points(self, scenario: Scenario) -> list[str]:
        """
        Return the crash points that the scenario reaches when nothing dies, in their order.
        """
        with tempfile.TemporaryDirectory() as folder:
            trace = Path(folder) / "trace"
            play = _Play(self, scenario, crash_trace=str(trace))
            play.work()
            faults = play.finish()
            assert not faults, faults
            return trace.read_text().split()

    def die_at(self, scenario: Scenario, points: Sequence[str], number: int, *, how: str = "KILL") -> Verdict:
        """
        Let the process die, or sleep, where it came to `points[number - 1]` when nothing died.

        The point is named, with how often it had been reached by then: followers and workers go on beside the
        booking, so that the numbers of all points together are not the same twice.
        """
        point = points[number - 1]
        turn = points[:number].count(point)
        with tempfile.TemporaryDirectory() as folder:
            play = _Play(
                self, scenario, crash_at=f"{point}#{turn}", crash_signal=how, crash_trace=str(Path(folder) / "trace")
            )
            try:
                died, faults = play.work(), play.finish()
            except AssertionError as fault:
                # A sweep goes on, and says where.
                died, faults = True, [str(fault)]
        return Verdict(scenario=scenario.name, point=f"{point}#{turn}", died=died, faults=tuple(faults))


class _Play:
    def __init__(self, stage: Stage, scenario: Scenario, **crash: object) -> None:
        self._scenario = scenario
        self._at_once = stage.at_once
        self._event_type = 1000 + uuid4().int % 10**9
        self._sandbox = httpx.Client(base_url=stage.sandbox_url, timeout=10)
        self._settings = short_settings(database_url=stage.new_database(), calcom_url=stage.sandbox_url)
        self._crashing = self._settings.model_copy(update=crash)
        self._said: list[tuple[str, str]] = []
        self._set_up()

    def work(self) -> bool:
        """
        Play the scenario, and tell whether the process was killed or stopped on the way.
        """
        heard, said = FORKED.Pipe(duplex=False)
        process = self._start(child.work, self._crashing, self._scenario, self._at_once, said)
        said.close()
        if self._crashing.crash_signal == "STOP" and self._crashing.crash_at:
            return self._outlive(process, heard)
        _join(process)
        self._said += _drain(heard)
        assert process.exitcode in {0, -signal.SIGKILL}, (self._scenario.name, process.exitcode)
        return process.exitcode != 0

    def _outlive(self, process: ForkServerProcess, heard: Connection) -> bool:
        stopped = _await_stop(process)
        if stopped:
            # Another process finishes the booking while this one sleeps, and then it wakes up.
            time.sleep(HOLD_SECONDS)
            # SQLite's lock may sleep with it, and then nobody can: the rest is done after it has woken up.
            self._recover(must_finish=self._settings.database_url.startswith("postgresql"))
            os.kill(process.pid or 0, signal.SIGCONT)
        _join(process)
        assert process.exitcode == 0, (self._scenario.name, process.exitcode)
        self._said += _drain(heard)
        return stopped

    def finish(self) -> list[str]:
        """
        Have the rest done, and return what is wrong then.
        """
        self._recover()
        ledger = self._sandbox.get("/_sandbox/ledger", params={"event_type_id": self._event_type}).json()["bookings"]
        self._sandbox.close()
        return asyncio.run(self._judge(ledger))

    async def _judge(self, ledger: list[dict[str, object]]) -> list[str]:
        async with open_store(self._settings.database_url) as store:
            bookings = await bookings_in(store)
            faults = await faults_of(store, ledger)
        found = {str(booking.booking_id): booking.status.value for booking in bookings.values()}
        times = {str(booking.booking_id): booking.starts_at for booking in bookings.values()}
        faults += [f"{it} ended {end}" for it, end in found.items() if end not in self._ends()]
        broken = [fault for told, it in self._said if (fault := self._broken(told, found.get(it)))]
        # Whoever was told that it is being moved, or is moved, finds it there.
        moving = {it for told, it in self._said if told in {"moved", "rescheduling"}}
        return faults + broken + [f"{it} stayed where it was" for it in moving if times[it] != child.MOVED_TO]

    def _ends(self) -> frozenset[str]:
        # A process that dies before the cancellation is acknowledged may leave the booking booked.
        heard = any(told in {"cancelling", "cancelled"} for told, _ in self._said)
        return self._scenario.ends if heard or self._scenario.cancels == "no" else self._scenario.ends | {"booked"}

    def _broken(self, told: str, found: str | None) -> str | None:
        """
        Say which promise was broken: what a caller was told must survive.
        """
        kept = {
            "moved": {"booked"},
            "rescheduling": {"booked"},
            "pending": {"booked", "failed", "cancelled"},
            "compensating": {"failed"},
            "cancelling": {"cancelled"},
        }
        if told == "booked" and self._scenario.cancels != "no":
            kept["booked"] = {"booked", "cancelled"}
        return None if found in kept.get(told, {told}) else f"the caller was told {told}, and now it is {found}"

    def _recover(self, *, must_finish: bool = True) -> None:
        heard, said = FORKED.Pipe(duplex=False)
        process = self._start(child.recover, self._settings, said)
        said.close()
        _join(process)
        assert process.exitcode == 0, (self._scenario.name, process.exitcode)
        quiet = _drain(heard) == ["quiet"]
        assert quiet or not must_finish, f"{self._scenario.name}: work was still due after the recovery"

    def _start(self, target: Callable[..., None], *arguments: object) -> ForkServerProcess:
        process = FORKED.Process(target=target, args=arguments, daemon=True)
        with _ONE_AT_A_TIME:
            process.start()
        return process

    def _set_up(self) -> None:
        kind = {"slug": f"crash-{self._event_type}", "hosts": [self._event_type], "length": 30}
        self._put(f"/_sandbox/event-types/{self._event_type}", kind)
        asyncio.run(child.define_service(unhurried(self._settings), event_type_id=self._event_type))
        for fault in self._scenario.faults:
            once = {**fault, "match": {"event_type_id": self._event_type}, "times": 1}
            self._sandbox.post("/_sandbox/faults", json=once).raise_for_status()
        if self._scenario.stranger:
            booking = {"action": "book", "event_type_id": self._event_type, "start": child.START.isoformat()}
            self._sandbox.post("/_sandbox/people", json=booking).raise_for_status()

    def _put(self, path: str, body: object) -> None:
        self._sandbox.put(path, json=body).raise_for_status()


def _join(process: ForkServerProcess) -> None:
    wait([process.sentinel], LONGEST_SECONDS)
    with _ONE_AT_A_TIME:
        process.join(0)


def _is_alive(process: ForkServerProcess) -> bool:
    with _ONE_AT_A_TIME:
        return process.is_alive()


def _drain(heard: Connection) -> list[Any]:
    said: list[Any] = []
    try:
        while True:
            said.append(heard.recv())
    except EOFError:
        return said


def _await_stop(process: ForkServerProcess) -> bool:
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline and _is_alive(process):
        try:
            state = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            # It ended before its file was opened, or before it was read.
            return False
        if state == "T":
            return True
        time.sleep(0.01)
    return False
