"""
Telling the operators of sync failures: an event in the log, and a line in the logs of the process that wrote it.

A batch is looked through before its checkpoint moves, so that no notice is missed when
a process dies. Whoever looks through it again finds the notice's stream written: its
first version can be written once only, whatever process does it.
"""

import logging
from collections.abc import Sequence
from uuid import UUID, uuid4

from adapters.recording.errors import UnreadableEvent
from domain.notice import OperatorNotified
from projections.errors import ProjectionError
from projections.operator_notices import Notice, findings_in, notices
from projections.source import Entry
from sagas.appending import Append, Lost, NothingDue
from sagas.ports import Clock, Log

log = logging.getLogger("calsaga.operators")


class OperatorNotices:
    """The reaction to findings; no saga has any part in it."""

    def __init__(self, *, events: Log, clock: Clock) -> None:
        self._events = events
        self._clock = clock

    async def react(self, entries: Sequence[Entry]) -> None:
        """
        Write the notices that a batch gives rise to, those that are not written yet.

        Raises:
            AppointmentDatabaseError: not all of them are known to be written.

        """
        for booking_id in findings_in(entries):
            for notice in await self._notices(booking_id):
                if await self._write(notice):
                    _tell(notice)

    async def _notices(self, booking_id: UUID) -> list[Notice]:
        try:
            return notices(await self._events.read(booking_id))
        except (UnreadableEvent, ProjectionError) as problem:
            # `projections status` and `verify` show such a stream; it must not keep everybody else's notices back.
            log.error("operator.notice.left_out", extra={"booking_id": str(booking_id), "problem": str(problem)})  # noqa: TRY400 - the problem is named
            return []

    async def _write(self, notice: Notice) -> bool:
        """Write a notice, and tell whether it was written now."""
        failure = notice.failure
        now = self._clock.now()
        notified = OperatorNotified(
            at=now,
            company_id=failure.company_id,
            booking_id=failure.booking_id,
            failure_id=failure.id,
            failure_type=failure.failure_type,
            cause=notice.cause,
            occasion=notice.occasion,
        )
        append = Append(
            stream_id=notice.notice_id,
            expected_version=0,
            append_id=uuid4().hex,
            correlation_id=notice.notice_id.hex,
            recorded_at=now,
            events=(notified,),
            due=NothingDue(),
        )
        return not isinstance(await self._events.append(append), Lost)


def _tell(notice: Notice) -> None:
    # Not what was seen: it may quote Cal.com, and that may name somebody.
    failure = notice.failure
    log.log(
        logging.WARNING if notice.cause == "needs_person" else logging.INFO,
        "operator.notified",
        extra={
            "cause": notice.cause,
            "occasion": notice.occasion,
            "company_id": failure.company_id,
            "booking_id": str(failure.booking_id),
            "failure_id": str(failure.id),
            "failure_type": failure.failure_type,
        },
    )
