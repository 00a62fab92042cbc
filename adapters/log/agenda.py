"""The agenda port: due work, asked for in a thread."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from adapters.database.reading import Readers
from adapters.recording.backend import DueWork
from sagas.ports import Claimed


class DatabaseAgenda:
    """The due work of all processes."""

    def __init__(self, work: DueWork, readers: Readers) -> None:
        self._work = work
        self._readers = readers

    async def claim(self, *, limit: int, lease: timedelta) -> Sequence[Claimed]:
        """
        Take up to `limit` sagas that are due, most urgent first.

        Raises:
            AppointmentDatabaseError: the database did not answer; what it claimed all the
                same is due again when the lease has run out.

        """
        return await self._readers.run(lambda: self._work.claim(limit=limit, lease=lease))

    async def release(self, claimed: Sequence[tuple[UUID, UUID]]) -> None:
        """
        Make leased work (saga id, lease token) due at once, for another process to take.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        if claimed:
            await self._readers.run(lambda: self._work.release(claimed))

    async def next_due(self) -> timedelta | None:
        """
        Return how long until the next work is due (zero if it is), or None if there is none.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        return await self._readers.run(self._work.next_due)
