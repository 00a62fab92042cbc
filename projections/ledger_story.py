"""
The effect ledger of one booking as people read it: one row an attempt, with its first outcome and its verdict.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from domain import events as e
from domain.booking import Booking
from domain.ledger import Line, LineStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine:
    """
    One attempt at Cal.com.

    `outcome` is what was known at first, `verdict` what is known by now. The request
    could leave until `send_by`, and be answered until `answer_by`.
    """

    attempt: str
    number: int
    attempted_at: datetime
    send_by: datetime | None
    answer_by: datetime
    outcome: str
    looks: int
    clean_looks: int
    cancels: int
    uid: str | None
    verdict: str


def ledger_lines(
    booking: Booking, events: Sequence[e.BookingEvent], mask: Callable[[str], str]
) -> tuple[LedgerLine, ...]:
    """Return the booking's ledger, told with the events that it came from."""
    return tuple(_line(line, events, mask) for line in booking.ledger.lines)


def _line(line: Line, events: Sequence[e.BookingEvent], mask: Callable[[str], str]) -> LedgerLine:
    attempted = (one for one in events if isinstance(one, e.CalcomBookingAttempted))
    send_by = next((one.send_by for one in attempted if one.attempt_id == line.attempt_id), None)
    told = (_outcome(one) for one in events if getattr(one, "attempt_id", None) == line.attempt_id)
    return LedgerLine(
        attempt=line.attempt_id,
        number=line.number,
        attempted_at=line.attempted_at,
        send_by=send_by,
        answer_by=line.answer_by,
        outcome=mask(next((outcome for outcome in told if outcome is not None), "none yet")),
        looks=line.looks,
        clean_looks=line.clean_looks,
        cancels=line.cancels,
        uid=line.uid,
        verdict=mask(_verdict(line)),
    )


def _outcome(event: e.BookingEvent) -> str | None:
    match event:
        case e.CalcomBookingCreated():
            return f"{event.how}, late" if event.late else event.how
        case e.CalcomBookingRefused():
            return f"refused ({event.reason})"
        case e.CalcomBookingNotSent():
            return f"not sent ({event.reason})"
        case e.CalcomOutcomeUnknown():
            return f"unknown ({event.reason})"
        case e.CalcomBookingCancelled():
            return "found cancelled"
        case _:
            return None


def _verdict(line: Line) -> str:
    match line.status:
        case LineStatus.INTENDED:
            return "waiting for its answer"
        case LineStatus.IN_DOUBT:
            return "in doubt, being looked for"
        case LineStatus.LIVE:
            return f"live at Cal.com ({line.calcom_status}{', made there' if line.foreign else ''})"
        case LineStatus.NOT_SENT:
            return "never left"
        case LineStatus.REFUSED:
            return "made nothing: the slot was taken" if line.conflict else "made nothing"
        case LineStatus.ABSENT:
            return "absent, to be confirmed at the horizon"
        case LineStatus.ABSENT_FOR_GOOD:
            return "absent"
        case LineStatus.CANCELLED:
            return "cancelled at Cal.com"
        case LineStatus.SET_ASIDE:
            return "set aside by a person"
        case _:
            assert_never(line.status)
