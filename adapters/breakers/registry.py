"""
All breakers by the name of their service, and how everything stands together (M10).

A name leads to one breaker and to no other, whoever asks. What needs what is asked only when somebody looks: it
explains, and never stands between a caller and a call.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from adapters.breakers.ports import Restorable
from adapters.breakers.watched import WatchedBreaker
from domain.breaker_words import Command, Commanded, Outcome, Permit, Refusal, Snapshot
from domain.dependencies import SERVICES, Dependencies
from domain.verdict import Assessment, Concern, Condition, Failures, assess, condition_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How each breaker stands that is used, or that a person has set, and what that means together."""

    snapshots: Mapping[str, Snapshot]
    assessment: Assessment
    dependencies: Dependencies


def _uncounted(_name: str, _operation: str, _outcome: Outcome | Literal["refused"], _seconds: float | None) -> None:
    """Count nothing."""


class Registry:
    """
    `fleet` has the breakers that all processes share, `watched` are this process's own.

    `configured` are the services whose calls go through the fleet's, and which count these themselves. Any other
    service is so from the moment that somebody uses its breaker, here or, as is seen by looking, in another process.
    What comes of its calls is told to `count`. A command alone configures nothing: what nobody uses is not down.
    `redis_lost` tells since when Redis has been away, None if it is there; without it there is no Redis.
    """

    def __init__(
        self,
        fleet: Restorable,
        *,
        watched: Iterable[WatchedBreaker] = (),
        configured: Iterable[str] = ("calcom",),
        redis_lost: Callable[[], datetime | None] | None = None,
        dependencies: Dependencies | None = None,
        count: Callable[[str, str, Outcome | Literal["refused"], float | None], None] = _uncounted,
    ) -> None:
        self._fleet = fleet
        self._watched = {one.name: one for one in watched}
        self._redis_lost = redis_lost
        self._dependencies = dependencies or Dependencies()
        redis = () if redis_lost is None else ("redis",)
        self._configured = {*configured, *self._watched, *redis}
        self._counted_elsewhere = frozenset(self._configured)
        self._count = count
        self._known = tuple(it for it in SERVICES if not self._is_left_alone(it))

    @property
    def names(self) -> tuple[str, ...]:
        """Return the services that are configured; the last is Redis, if there is one."""
        return tuple(sorted((it for it in SERVICES if it in self._configured), key=lambda name: name == "redis"))

    @property
    def obeying(self) -> tuple[str, ...]:
        """Return the breakers of these that obey commands: all but Redis's, which is none."""
        return tuple(name for name in self.names if not self._is_left_alone(name))

    async def acquire(
        self, name: str, *, operation: str = "call", probe: bool = True, settles: bool = False
    ) -> Permit | Refusal:
        """
        Ask for leave to call; a breaker of this process counts no permits, and says what it would say to any caller.

        Raises:
            ValueError: there is no such breaker; the message names those that there are.

        """
        if name in self._watched:
            return self._watched[name].held_back() or Permit(name=name, id="", epoch=0, operation=operation)
        self._need(name)
        self._configured.add(name)
        answer = await self._fleet.acquire(name, operation=operation, probe=probe, settles=settles)
        if isinstance(answer, Refusal):
            self._tell(name, operation, "refused")
        return answer

    async def record(self, permit: Permit, outcome: Outcome) -> None:
        """Give a permit back, to whoever gave it."""
        watched = self._watched.get(permit.name)
        if watched is None:
            self._tell(permit.name, permit.operation, outcome)
            await self._fleet.record(permit, outcome)
        elif outcome == "succeeded":
            watched.succeeded(permit.operation)
        elif outcome == "failed":
            watched.failed(permit.operation)

    def held_back(self, name: str) -> Refusal | None:
        """Say that callers who need a service of this process's own should be refused, or None."""
        watched = self._watched.get(name)
        return None if watched is None else watched.held_back()

    async def snapshot(self, name: str) -> Snapshot:
        """Return how a breaker stands."""
        if name in self._watched:
            return self._watched[name].snapshot()
        if self._redis_lost is not None and name == "redis":
            return _of_redis(self._redis_lost())
        snapshot = await self._fleet.snapshot(name)
        if snapshot.is_used:
            self._configured.add(name)
        return snapshot

    async def control(self, name: str, command: Command) -> Snapshot:
        """
        Do what a person wants, with a breaker of the fleet, or of this process alone.

        Raises:
            ValueError: there is no such breaker; the message names those that there are.

        """
        if name in self._watched:
            return self._watched[name].control(command)
        self._need(name)
        return await self._fleet.control(name, command)

    async def restore(self, name: str, commanded: Commanded) -> None:
        """Put back what a person wanted of a breaker of the fleet, if it was lost."""
        await self._fleet.restore(name, commanded)

    async def look(
        self,
        *,
        probed: Mapping[str, str | None] = MappingProxyType({}),
        failures: Mapping[str, Failures] = MappingProxyType({}),
        concerns: Sequence[Concern] = (),
    ) -> Look:
        """Return how everything stands; `probed` services have a probe, which has found this in words, or no fault."""
        snapshots = await self._snapshots()
        conditions = {
            name: Condition(failing=probed.get(name), failures=failures.get(name)) for name in {*probed, *failures}
        }
        conditions |= {
            name: condition_of(snapshots[name], failing=probed.get(name), failures=failures.get(name))
            for name in self.names
        }
        return Look(
            snapshots=snapshots,
            assessment=assess(conditions, self._dependencies, concerns=concerns),
            dependencies=self._dependencies,
        )

    async def _snapshots(self) -> dict[str, Snapshot]:
        # Redis comes last: whether it is there is known from having asked it about the others.
        everyone = sorted(SERVICES, key=lambda name: name == "redis")
        found = {name: await self.snapshot(name) for name in everyone}
        return {name: one for name, one in found.items() if name in self._configured or one.epoch}

    def _tell(self, name: str, operation: str, outcome: Outcome | Literal["refused"]) -> None:
        if name not in self._counted_elsewhere:
            self._count(name, operation, outcome, None)

    def _need(self, name: str) -> None:
        if name not in self._known:
            msg = f"there is no breaker {name!r}; there are {', '.join(self._known)}"
            raise ValueError(msg)

    def _is_left_alone(self, name: str) -> bool:
        # Nobody asks for leave to use the Redis that the breakers are kept in: see `_of_redis`.
        return self._redis_lost is not None and name == "redis"


def _of_redis(lost_at: datetime | None) -> Snapshot:
    """Say in a breaker's words whether Redis is left alone: tried again every few seconds, by one caller at a time."""
    return Snapshot(
        name="redis",
        state="closed" if lost_at is None else "open",
        since=lost_at,
        failures=0,
        successes=0,
        slow=0,
        under_way=0,
        half_open_quota=1,
        last_failure_at=lost_at,
        open_until=None,
        failed_probes=0,
        epoch=0,
        override=None,
        would_open=None,
    )
