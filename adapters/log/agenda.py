"""The agenda port: due work, asked for in a thread."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from adapters.database.reading import Readers
from adapters.recording.backend import DueWork
from adapters.recording.probing import Probe, ignore
from sagas.ports import Claimed


class DatabaseAgenda:
    """The due work of all processes; `probe` is told before and after a claim's commit."""

    def __init__(self, work: DueWork, readers: Readers, *, probe: Probe = ignore) -> None:
        self._work = work
        self._readers = readers
        self._probe = probe

    async def claim(self, *, limit: int, lease: timedelta) -> Sequence[Claimed]:
        """
        Take up to `limit` sagas that are due, most urgent first, and nobody who waits in line.

        Raises:
            AppointmentDatabaseError: the database did not answer; what it claimed all the
                same is due again when the lease has run out.

        """
        self._probe("claim.before")
        claimed = await self._readers.run(lambda: self._work.claim(limit=limit, lease=lease))
        if claimed:
            self._probe("claim.after")
        return claimed

    async def claim_in_line(self, *, lease: timedelta) -> Claimed | None:
        """
        Take whoever is first of those who are due in line, by when their appointment starts; then it is in none.

        Raises:
            AppointmentDatabaseError: as for `claim`; what it claimed all the same is due out of line then.

        """
        self._probe("claim.before")
        claimed = await self._readers.run(lambda: self._work.claim_in_line(lease=lease))
        if claimed is not None:
            self._probe("claim.after")
        return claimed

    async def release(self, claimed: Sequence[tuple[UUID, UUID]]) -> None:
        """
        Make leased work (saga id, lease token) due at once, for another process to take.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        if claimed:
            await self._readers.run(lambda: self._work.release(claimed))

    async def wake(self, saga_id: UUID) -> None:
        """
        Make a saga that waits due at once; one that is leased is left to whoever has it.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        await self._readers.run(lambda: self._work.wake(saga_id))

    async def next_due(self, *, in_line: bool | None = None) -> timedelta | None:
        """
        Return how long until the next work is due (zero if it is), or None if there is none.

        Only what waits `in_line` counts, or only what does not, or all.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        return await self._readers.run(lambda: self._work.next_due(in_line=in_line))
