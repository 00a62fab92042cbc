"""The log as the sagas write it, with the ends of bookings counted by whichever process brought them about."""

from collections.abc import Callable, Sequence
from uuid import UUID

from domain.booking_result import Result, result_of
from sagas.appending import Append, Appended, AppendResult, Recorded
from sagas.ports import Log


class CountedLog:
    """A log; `count` is told how each booking has ended."""

    def __init__(self, log: Log, count: Callable[[Result], None]) -> None:
        self._log = log
        self._count = count

    async def append(self, append: Append) -> AppendResult:
        """
        Write one append, and count the booking that ends with it.

        Raises:
            AppointmentDatabaseError: it is not known to be written. Appending the very same `append` again is safe.

        """
        result = await self._log.append(append)
        if isinstance(result, Appended):
            ended = result_of(result.events)
            if ended is not None:
                self._count(ended)
        return result

    async def read(self, stream_id: UUID) -> Sequence[Recorded]:
        """
        Return a stream from its first event on; empty if there is none.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        return await self._log.read(stream_id)
