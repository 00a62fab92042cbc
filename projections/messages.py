"""
Who told whom what: each event of a booking as messages between the caller, calsaga, Cal.com and the database.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, assert_never

from domain import events as e
from domain import findings as f
from domain import moving as m
from domain.alert import AlertCleared, AlertEvent, AlertRaised, AlertSeverityChanged
from domain.breaker_commanded import BreakerCommanded
from domain.breaker_moved import BreakerMoved
from domain.cancel_deferred import CalcomCancelDeferred
from domain.composite import CompositeInitiated, LegEvent
from domain.failures_cleared import FailuresCleared
from domain.full_fallback import FullFallbackBegun, FullFallbackEnded, FullFallbackEvent
from domain.notice import OperatorNotified
from domain.webhook import WebhookProcessed, WebhookPutOff, WebhookReceived
from sagas.appending import LogEvent


class Lane(Enum):
    """Who takes part, in the order of the columns."""

    CALLER = "caller"
    CALSAGA = "calsaga"
    CALCOM = "Cal.com"
    DATABASE = "database"


_VERDICTS: Final[dict[e.ObstacleVerdict, str]] = {
    "gone": "is gone",
    "moving": "is moving",
    "missing": "is not found at Cal.com",
    "stands": "stands",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one lane tells another; a note if both are the same."""

    source: Lane
    target: Lane
    text: str


def messages(event: LogEvent) -> tuple[Message, ...]:
    """Return what was said when this happened."""
    match event:
        case e.BookingInitiated():
            chosen = "" if event.staff_group is None else f", chosen from {event.staff_group},"
            return (
                _asks(f"book {event.service.service_id}{chosen} from {event.starts_at.isoformat()}"),
                _stores("the wish, its claim on the slot, its due work"),
            )
        case e.CalcomBookingAttempted():
            return (_sends(f"create, attempt {event.number} ({event.attempt_id})"),)
        case e.CalcomBookingNotSent() | m.CalcomRescheduleNotSent():
            return (_notes(f"the request never left: {event.reason}; next try from {event.retry_at.isoformat()}"),)
        case e.CalcomOutcomeUnknown():
            return (_notes(f"nobody knows what became of {event.attempt_id}: {event.reason}"),)
        case e.CalcomLooked():
            return (_sends(f"look for {', '.join(event.attempt_ids)}"), _looked(event))
        case e.CalcomAttemptAbsent():
            return (_notes(f"{event.attempt_id} made nothing{'' if event.final else ', as far as can be known yet'}"),)
        case e.CalcomBookingCreated():
            late = ", too late to be wanted" if event.late else ""
            return (_answers(f"{event.how}: {event.uid} ({event.calcom_status}){late}"),)
        case e.CalcomBookingRefused():
            return (_answers(f"refused: {_why(event)}"),)
        case e.CalcomBookingFollowed():
            return (_answers(f"{event.from_uid} lives on as {event.to_uid}"),)
        case e.CalcomBookingFound():
            return (_answers(f"somebody has booked {event.uid} ({event.calcom_status})"),)
        case e.BookingDeferred() | m.CalcomRescheduleDeferred():
            return (_tells(f"accepted, waits until {event.until.isoformat()}: {event.reason}"),)
        case e.AppointmentBooked():
            return (_stores(f"appointment {event.appointment_id}"), _tells("booked"))
        case m.BookingRescheduled():
            return (_stores(f"appointment moved to {event.starts_at.isoformat()}, by {event.by}"),)
        case e.AppointmentPersistenceFailed():
            return (_says(f"refused the appointment: {event.reason}"),)
        case e.ObstacleInspected():
            return (_says(f"the row in the way {_VERDICTS[event.verdict]}"),)
        case e.CompensationStarted():
            return (_notes(f"undoing what was done: {_why(event)}"),)
        case e.CancellationRequested():
            return (_asks("cancel"),)
        case e.CalcomCancelAttempted():
            return (_sends(f"cancel {event.uid}, {event.purpose}, attempt {event.number}"),)
        case e.CalcomBookingCancelled():
            return (_answers(f"{event.how}: {event.uid}"),)
        case e.CompensationFailed():
            return (_answers(f"{event.uid} not cancelled: {_why(event)}; again from {event.retry_at.isoformat()}"),)
        case CalcomCancelDeferred():
            return (_notes(f"cancelling {event.uid} waits until {event.until.isoformat()}: {event.reason}"),)
        case e.BookingFailed():
            return (_stores("the end, the claim is released"), _tells(f"failed: {_why(event)}"))
        case e.BookingCancelled():
            return (_stores("the appointment is cancelled"), _tells("cancelled"))
        case f.InconsistencyDetected():
            return (_notes(f"both sides differ ({event.kind}): {event.evidence}"),)
        case f.InconsistencyResolved():
            return (_notes(f"both sides agree again ({event.kind}): {event.how}, by {event.actor}"),)
        case f.CalcomSyncRequired():
            return (_notes(f"something is owed at Cal.com: {event.reason}"),)
        case f.ManualReviewRequested():
            return (_notes(f"a person must decide: {_why(event)}"),)
        case f.ManualReviewAnswered():
            return (_asks(f"{event.answer} {event.uid or event.attempt_id}, says {event.actor}"),)
        case m.RescheduleRequested():
            return (_asks(f"move to {event.starts_at.isoformat()}"), _stores("a claim on the new time"))
        case m.CalcomRescheduleAttempted():
            return (_sends(f"move {event.uid}, attempt {event.number}"),)
        case m.CalcomRescheduleUnknown():
            return (_notes(f"nobody knows whether it was moved: {event.reason}"),)
        case m.CalcomRescheduleLooked():
            return (_answers(f"could not be read: {event.problem}" if event.problem else "stands where it stood"),)
        case m.CalcomRescheduleAbsent():
            return (_notes("it was not moved, as far as can be known"),)
        case m.CalcomRescheduleRefused():
            return (_answers(f"refused: {event.reason}, {event.detail}"),)
        case m.CalcomBookingMoved():
            late = ", which nobody waited for" if event.late else ""
            return (_answers(f"{event.from_uid} moved to {event.starts_at.isoformat()} as {event.to_uid}{late}"),)
        case m.RescheduleFailed():
            return (_stores("the claim is released"), _tells(f"not moved: {event.reason}, {event.detail}"))
        case CompositeInitiated():
            return (_asks(f"book {', '.join(event.services)}, all or none"),)
        case LegEvent():
            return tuple(replace(one, text=f"leg {event.leg}: {one.text}") for one in messages(event.event))
        case WebhookReceived():
            return (_answers(f"webhook {event.trigger} about {event.uid or 'nothing'}"),)
        case WebhookPutOff():
            return (_notes(f"looked at again from {event.until.isoformat()}: {event.reason}"),)
        case WebhookProcessed():
            return (_notes(f"webhook processed: {event.outcome}"),)
        case (
            OperatorNotified()
            | FullFallbackBegun()
            | FullFallbackEnded()
            | FailuresCleared()
            | BreakerMoved()
            | BreakerCommanded()
        ):
            return (_notes(_of_no_booking(event)),)
        case AlertRaised() | AlertSeverityChanged() | AlertCleared():
            return (_notes(_said_of_alert(event)),)
        case _:
            assert_never(event)


def _said_of_alert(event: AlertEvent) -> str:
    match event:
        case AlertRaised():
            return f"a {event.severity} alert is raised about {event.service}: {event.rule}"
        case AlertSeverityChanged():
            return f"the alert is {event.severity} from now on"
        case AlertCleared():
            return "the alert is cleared"


def _of_no_booking(
    event: OperatorNotified | FullFallbackEvent | FailuresCleared | BreakerMoved | BreakerCommanded,
) -> str:
    match event:
        case BreakerMoved() | BreakerCommanded():
            return _of_breaker(event)
        case OperatorNotified():
            return f"the operators are told of {event.failure_type}: {event.cause}"
        case FullFallbackBegun():
            return f"full fallback until {event.expires_at.isoformat()}: {event.reason}, says {event.actor}"
        case FullFallbackEnded():
            return f"full fallback is over: {event.reason}, says {event.actor}"
        case FailuresCleared():
            return f"{event.actor} clears the failures of {event.service}: {event.reason}"


def _of_breaker(event: BreakerMoved | BreakerCommanded) -> str:
    match event:
        case BreakerMoved():
            return f"the breaker of {event.service} is {event.after}: {event.cause}"
        case BreakerCommanded():
            return f"{event.actor} wants of the breaker of {event.service}: {event.action}, {event.reason}"


def _why(
    event: e.CalcomBookingRefused
    | e.CompensationStarted
    | e.CompensationFailed
    | e.BookingFailed
    | f.ManualReviewRequested,
) -> str:
    return f"{event.reason}, {event.detail}" if event.detail else event.reason


def _looked(event: e.CalcomLooked) -> Message:
    if event.problem is not None:
        return _answers(f"could not be searched: {event.problem}")
    return _answers("not there" if event.counted else "not there, too early to mean anything")


def _asks(text: str) -> Message:
    return Message(source=Lane.CALLER, target=Lane.CALSAGA, text=text)


def _tells(text: str) -> Message:
    return Message(source=Lane.CALSAGA, target=Lane.CALLER, text=text)


def _sends(text: str) -> Message:
    return Message(source=Lane.CALSAGA, target=Lane.CALCOM, text=text)


def _answers(text: str) -> Message:
    return Message(source=Lane.CALCOM, target=Lane.CALSAGA, text=text)


def _stores(text: str) -> Message:
    return Message(source=Lane.CALSAGA, target=Lane.DATABASE, text=text)


def _says(text: str) -> Message:
    return Message(source=Lane.DATABASE, target=Lane.CALSAGA, text=text)


def _notes(text: str) -> Message:
    return Message(source=Lane.CALSAGA, target=Lane.CALSAGA, text=text)
