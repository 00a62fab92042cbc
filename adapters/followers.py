"""
The read models of a process: followed in the background, caught up, rebuilt.

One task asks the log for news at a steady pace (ADR-010), and all read models that
stand at the same place go on together; if one of them cannot, each goes on by itself.
Of all processes over one PostgreSQL one at a time does this; should two ever do, the
checkpoints let only one of them count.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from uuid import UUID

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from adapters.log.store import Store
from adapters.operator_notices import OperatorNotices
from adapters.recording.probing import Probe, ignore
from adapters.turn import turn
from domain.errors import AppointmentDatabaseError, DatabaseKind
from projections.catalog import PROJECTIONS
from projections.errors import LogRestored, UnknownProjection
from projections.follower import Follower, FollowerStatus, Stepped, catch_up_together, no_reaction, step_together
from projections.operator_notices import OPERATOR_NOTICES
from projections.poison import said_of
from projections.rebuilding import Rebuild, Rebuilt
from projections.source import Projection

log = logging.getLogger("calsaga.followers")
AFTER_FAILURE_SECONDS = 1.0
TURN = "followers"


class Followers:
    """Followers of all read models; `run` ends when it is cancelled or told to stop."""

    def __init__(
        self,
        store: Store,
        *,
        follow_seconds: float,
        projections: Sequence[Projection] = PROJECTIONS,
        probe: Probe = ignore,
    ) -> None:
        self._store = store
        self._pause = follow_seconds
        self._projections = {one.name: one for one in projections}
        reactions = {OPERATOR_NOTICES.name: OperatorNotices(events=store.log, clock=store.clock).react}
        self._followers = {
            one.name: Follower(
                one,
                engine=store.engine,
                source=store.log,
                probe=probe,
                react=reactions.get(one.name, no_reaction),
            )
            for one in projections
        }
        self._problems: dict[str, str] = {}
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Follow the log until `stop` is called."""
        while not self._stopping.is_set():
            works = await self._take_turn()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause if works else max(AFTER_FAILURE_SECONDS, self._pause)):
                    await self._stopping.wait()

    async def stop(self) -> None:
        """Tell `run` to end after the batches that are being applied."""
        self._stopping.set()

    async def catch_up(self) -> None:
        """
        Apply everything that is in the log by now to all read models.

        Raises:
            LogRestored: a read model is ahead of the log; rebuild it.
            AppointmentDatabaseError: the database did not answer.

        """
        with _own_words():
            await catch_up_together([*self._followers.values()])

    async def status(self) -> list[FollowerStatus]:
        """
        Return where each read model stands.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        with _own_words():
            return [
                replace(await follower.status(), problem=self._problems.get(name))
                for name, follower in self._followers.items()
            ]

    async def rebuild(self, name: str) -> Rebuilt:
        """
        Build a read model anew from the log, while everybody goes on reading it.

        Raises:
            UnknownProjection: there is no such read model.
            AppointmentDatabaseError: the database failed; the read model is as it was.

        """
        projection = self._projections.get(name)
        if projection is None:
            raise UnknownProjection(name)
        with _own_words():
            rebuild = Rebuild(
                projection, engine=self._store.engine, source=self._store.log, react=self._followers[name].react
            )
            return await rebuild.run()

    async def unpark(self, name: str, stream_id: UUID) -> bool:
        """
        Take a parked stream in again; False if it still cannot be applied.

        Raises:
            UnknownProjection: there is no such read model.
            NotParked: the stream is not parked.
            AppointmentDatabaseError: the database failed; the stream is still parked.

        """
        if name not in self._followers:
            raise UnknownProjection(name)
        with _own_words():
            return await self._followers[name].unpark(stream_id)

    async def _take_turn(self) -> bool:
        """Go on with all read models, and tell whether that went well."""
        try:
            async with turn(self._store.engine, TURN) as mine:
                # A steady trickle of events must not keep it going: each batch costs the same, however small.
                while mine and not self._stopping.is_set() and await self._step_together() is Stepped.APPLIED:
                    pass
        except Exception:  # noqa: BLE001 - said below, of the read model that it comes from
            return await self._take_turns_alone()
        self._problems.clear()
        return True

    async def _step_together(self) -> Stepped:
        return await step_together([*self._followers.values()])

    async def _take_turns_alone(self) -> bool:
        """Go on with each read model by itself, so that the troubles of one do not stop the others."""
        works = True
        for follower in self._followers.values():
            try:
                async with turn(self._store.engine, follower.name) as mine:
                    while mine and not self._stopping.is_set() and await follower.step() is Stepped.APPLIED:
                        pass
                self._problems.pop(follower.name, None)
            except Exception as problem:  # noqa: BLE001 - whatever it is, the other read models go on
                self._note(follower.name, problem)
                works = False
        return works

    def _note(self, name: str, problem: Exception) -> None:
        said = said_of(problem)
        # What goes on being wrong is said once.
        if self._problems.get(name) != said:
            expected = isinstance(problem, LogRestored | SQLAlchemyError | AppointmentDatabaseError)
            log.error(
                "follower.stopped", extra={"follower": name, "problem": said}, exc_info=None if expected else problem
            )
        self._problems[name] = said


@contextmanager
def _own_words() -> Iterator[None]:
    try:
        yield
    except DBAPIError as exc:
        kind: DatabaseKind = "connection_lost" if exc.connection_invalidated else "other"
        raise AppointmentDatabaseError("the database failed under a read model", kind=kind) from exc
