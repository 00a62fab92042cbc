"""
What happened in a run, in words: so that a test can tell whether the interesting things happen at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from domain import events as e
from domain import findings as f
from domain import moving as m
from domain.booking import Booking, BookingStatus, initial_state
from domain.cancel_deferred import CalcomCancelDeferred
from domain.evolving import evolve
from domain.ledger import LineStatus
from domain.retry import HELD_BACK
from domain.webhook import WebhookProcessed, WebhookPutOff
from tests.properties.world import World

EVERY = frozenset(
    {
        "booked at once",
        "booked by a retry",
        "deferred",
        "held back before it was tried",
        "expired",
        "move held back before it was tried",
        "move that was not to be sent",
        "cancel held back",
        "refused",
        "slot taken",
        "near-duplicate refused",
        "staff overlap refused by a claim",
        "all attempts used up",
        "needs confirmation",
        "announced and without outcome",
        "in doubt again",
        "adopted after doubt",
        "absent, then made by another attempt",
        "absence confirmed at the horizon",
        "found at the horizon",
        "late answer after absence",
        "late answer after the end",
        "conflict opens what was thought absent",
        "one attempt made two bookings",
        "surplus cancelled",
        "surplus of a booked booking cancelled",
        "look that erred",
        "look that found a cancelled booking",
        "compensated",
        "cancelled by its customer",
        "cancelled while in doubt",
        "cancelled before it was made",
        "cancel repeated",
        "cancelled there already",
        "followed to another uid",
        "needs review",
        "obstacle stands",
        "obstacle gone",
        "obstacle moving",
        "obstacle missing",
        "dead obstacle cleared away",
        "several generations",
        "replayed",
        "process died",
        "database failed",
        "moved by its customer",
        "moved at Cal.com by a person",
        "move found out by reading",
        "move that never happened",
        "move refused by a claim",
        "move refused by Cal.com",
        "move into a busy time",
        "cancelled while being moved",
        "cancelled there while being moved",
        "made at Cal.com by a person",
        "made at Cal.com, and found by comparing",
        "forged or foreign, and flagged",
        "orphan found by comparing",
        "duplicate found by comparing",
        "ghost found by comparing",
        "drift found by comparing",
        "webhook put off",
        "webhook given up",
        "webhook woke its saga",
        "webhook that changed nothing",
    }
)


def situations(world: World) -> set[str]:
    """
    Return what was seen in a run.
    """
    seen = {*_of_world(world), *_of_webhooks(world)}
    for booking_id in world.booking_ids():
        seen.update(_of_stream(world, booking_id))
    return seen


def _of_world(world: World) -> Iterator[str]:
    if world.deaths:
        yield "process died"
    if len(world.log.fates) < sum(one != "works" for one in world.plan.appends):
        yield "database failed"
    if any(booking.facts.generation for booking in world.bookings()):
        yield "several generations"
    if any(told.result.replayed for told in world.told if told.wish is not None):
        yield "replayed"
    if any(not row.booked and row.inserted.source == "webhook" for row in world.log.appointments.values()):
        yield "dead obstacle cleared away"


def _of_stream(world: World, booking_id: UUID) -> Iterator[str]:
    state = initial_state(booking_id)
    for event in world.log.events(booking_id):
        after = evolve(state, event)
        yield from _of_event(state, event, after)
        state = after
    yield from _of_end(state)


def _of_webhooks(world: World) -> Iterator[str]:
    told = {"given_up": "webhook given up", "woken": "webhook woke its saga", "equal": "webhook that changed nothing"}
    for stream in world.log.streams.values():
        for one in stream:
            match one.event:
                case WebhookPutOff():
                    yield "webhook put off"
                case WebhookProcessed(outcome=outcome) if outcome in told:
                    yield told[outcome]
                case _:
                    pass


def _of_move(before: Booking, event: e.BookingEvent) -> Iterator[str]:
    doubted = before.move is not None and before.move.is_open
    match event:
        case m.BookingRescheduled(by="customer"):
            yield "move into a busy time" if event.overlaps else "moved by its customer"
        case m.BookingRescheduled(by="calcom"):
            yield "moved at Cal.com by a person"
        case m.CalcomBookingMoved(late=True):
            yield "move that came late"
        case m.CalcomBookingMoved() if doubted and before.move is not None and before.move.looks:
            yield "move found out by reading"
        case m.CalcomRescheduleAbsent():
            yield "move that never happened"
        case m.RescheduleFailed(reason="slot_taken" | "near_duplicate") if before.move and not before.move.number:
            yield "move refused by a claim"
        case m.CalcomRescheduleRefused():
            yield "move refused by Cal.com"
        case e.CancellationRequested() if before.status is BookingStatus.RESCHEDULING:
            yield "cancelled while being moved"
        case e.BookingCancelled(reason="cancelled_at_calcom") if before.status is BookingStatus.RESCHEDULING:
            yield "cancelled there while being moved"
        case _:
            pass


def _of_finding(event: e.BookingEvent) -> Iterator[str]:
    found = {
        "orphan": "orphan found by comparing",
        "duplicate": "duplicate found by comparing",
        "ghost": "ghost found by comparing",
        "time_drift": "drift found by comparing",
    }
    match event:
        case e.CalcomBookingFound():
            yield "made at Cal.com by a person"
        case f.InconsistencyDetected(kind="foreign_booking", repair="adopt"):
            yield "made at Cal.com, and found by comparing"
        case f.InconsistencyDetected(kind="foreign_booking"):
            yield "forged or foreign, and flagged"
        case f.InconsistencyDetected(kind=kind, uid=str()) if kind in found:
            yield found[kind]
        case _:
            pass


def _of_event(before: Booking, event: e.BookingEvent, after: Booking) -> Iterator[str]:
    yield from _of_move(before, event)
    yield from _of_finding(event)
    match event:
        case e.BookingDeferred():
            yield "deferred" if before.calls else "held back before it was tried"
        case m.CalcomRescheduleDeferred():
            yield "move held back before it was tried"
        case m.CalcomRescheduleNotSent() if event.reason in HELD_BACK:
            yield "move that was not to be sent"
        case CalcomCancelDeferred():
            yield "cancel held back"
        case e.CalcomOutcomeUnknown(reason="no_outcome"):
            yield "announced and without outcome"
        case e.CalcomOutcomeUnknown():
            line = before.ledger.of(event.attempt_id)
            if line is not None and line.status in {LineStatus.ABSENT, LineStatus.ABSENT_FOR_GOOD}:
                yield "in doubt again"
        case e.CalcomBookingCreated():
            yield from _of_created(before, event, after)
        case e.CalcomBookingRefused(conflict=True):
            if before.ledger.presumed_absent:
                yield "conflict opens what was thought absent"
        case e.CalcomAttemptAbsent(final=True):
            yield "absence confirmed at the horizon"
        case e.CalcomLooked(problem=str()):
            yield "look that erred"
        case e.CalcomBookingFollowed():
            yield "followed to another uid"
        case e.CalcomBookingCancelled():
            yield from _of_cancelled(before, event)
        case e.CancellationRequested():
            if before.ledger.open:
                yield "cancelled while in doubt"
            elif not before.ledger.live:
                yield "cancelled before it was made"
        case e.ObstacleInspected(verdict=verdict):
            yield f"obstacle {verdict}"
        case e.CompensationFailed():
            yield "cancel repeated"
        case e.AppointmentBooked() if len(before.ledger.lines) > 1 and before.kept is not None:
            if before.ledger.presumed_absent:
                yield "absent, then made by another attempt"
        case _:
            pass


def _of_created(before: Booking, event: e.CalcomBookingCreated, after: Booking) -> Iterator[str]:
    line = before.ledger.of(event.attempt_id)
    if len(after.ledger.lines) > len(before.ledger.lines):
        yield "one attempt made two bookings"
    if event.how == "adopted":
        yield "found at the horizon" if before.ended is not None else "adopted after doubt"
    elif before.ended is not None:
        yield "late answer after the end"
    elif line is not None and line.status is LineStatus.ABSENT:
        yield "late answer after absence"


def _of_cancelled(before: Booking, event: e.CalcomBookingCancelled) -> Iterator[str]:
    line = before.ledger.holding(event.uid)
    if line is None:
        yield "look that found a cancelled booking"
    elif line in before.surplus and event.uid != before.kept_uid:
        yield "surplus cancelled"
        if before.kept is not None:
            yield "surplus of a booked booking cancelled"
    if event.how == "already_cancelled":
        yield "cancelled there already"


def _of_end(state: Booking) -> Iterator[str]:
    failed = {
        "expired": "expired",
        "outside_availability": "refused",
        "near_duplicate": "near-duplicate refused",
        "calcom_unavailable": "all attempts used up",
        "needs_confirmation": "needs confirmation",
    }
    if state.status is BookingStatus.NEEDS_REVIEW:
        yield "needs review"
    if state.status is BookingStatus.CANCELLED:
        yield "cancelled by its customer"
    if state.status is BookingStatus.BOOKED:
        yield "booked by a retry" if state.repeats else "booked at once"
    if state.undoing is not None and state.status is BookingStatus.FAILED:
        yield "compensated"
    if state.failure is not None:
        yield failed.get(state.failure.reason, "slot taken")
        if state.failure.reason == "slot_taken" and not state.ledger.lines:
            yield "staff overlap refused by a claim"
