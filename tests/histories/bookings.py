"""
Random histories of bookings that could really have happened.

The saga's own rules say what comes next; chance says what the world answers, when a
process dies, when a late answer arrives, and when the customer changes their mind.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import assert_never
from uuid import UUID

from domain import deciding
from domain import events as e
from domain import moving as m
from domain.booking import Booking, initial_state
from domain.commands import RequestBooking, RequestCancellation, RequestReschedule
from domain.errors import AppointmentError
from domain.evolving import fold
from domain.idempotency import key_for
from domain.person import Person
from domain.policy import Policy
from domain.retry import RetryPolicy
from domain.service import Service
from sagas import outcomes as o
from sagas import recording
from sagas import recording_moves as moves
from sagas.appending import Recorded
from sagas.converging import Difference, compare, found, repaired
from sagas.deferring import record_held_back
from sagas.next_step import next_step
from sagas.obstacles import record_inspection
from sagas.repairs import AnswerReview, decided
from sagas.steps import (
    CancelAtCalcom,
    Change,
    CreateAtCalcom,
    Done,
    Effect,
    InspectObstacle,
    LookAtCalcom,
    OfLeg,
    Perform,
    Persist,
    Record,
    RecordOfLegs,
    RescheduleAtCalcom,
    Shift,
    Together,
    TraceMove,
    Wait,
    Withdraw,
)

POLICY = Policy(inconsistent_after=2, review_after=3, retry=RetryPolicy(retries=1))
BEGINNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LONGEST = 60


def wish(number: int = 0, *, company_id: str = "salon", staff_id: str | None = None) -> RequestBooking:
    """
    Return a request unlike those of all other numbers.
    """
    return RequestBooking(
        service=Service(
            company_id=company_id,
            service_id=f"cut-{number % 3}",
            name="Haircut",
            duration_minutes=30,
            calcom_event_type_id=1,
            staff_id=staff_id,
        ),
        person=Person(name=f"Ada Lovelace {number}", email=f"ada{number}@example.com", phone=f"+49170{number:07}"),
        starts_at=BEGINNING + timedelta(days=1, minutes=30 * number),
        time_zone="Europe/Berlin",
        source="web",
        correlation_id=f"call-{number}",
    )


def history(random: Random, request: RequestBooking | None = None, *, longest: int = LONGEST) -> list[Recorded]:
    """
    Return the stream of one booking, up to a moment that need not be its end.
    """
    request = request or wish(random.randrange(1000))
    life = _Life(random=random, booking=initial_state(key_for(request).booking_id))
    key = key_for(request)
    life.record(deciding.initiate(request, key=key, now=life.now, policy=POLICY))
    until = random.randint(1, longest)
    while len(life.events) < until and life.goes_on():
        pass
    return recorded(life.booking.booking_id, life.events)


def recorded(stream_id: UUID, events: Sequence[e.BookingEvent]) -> list[Recorded]:
    """
    Return events as the log holds them.
    """
    return [
        Recorded(
            stream_id=stream_id,
            version=version,
            event=event,
            append_id=f"{version:032x}",
            correlation_id="call",
            recorded_at=event.at,
        )
        for version, event in enumerate(events, start=1)
    ]


@dataclass(slots=True, kw_only=True)
class _Life:
    random: Random
    booking: Booking
    now: datetime = BEGINNING
    events: list[e.BookingEvent] = field(default_factory=list)

    def record(self, *events: e.BookingEvent) -> None:
        self.events.extend(events)
        self.booking = fold(self.booking, events)

    def goes_on(self) -> bool:
        """
        Take one step, and tell whether there may be another one.
        """
        self.now += timedelta(milliseconds=self.random.randint(1, 500))
        if self.random.random() < 0.05:
            command = RequestCancellation(reason="Mrs Lovelace is ill", command_id=None)
            self.record(*deciding.cancel(self.booking, command, now=self.now))
        if self.random.random() < 0.1:
            self._late_answer()
        if self.random.random() < 0.1:
            self._customer_moves()
        if self.random.random() < 0.1:
            self._people_at_calcom()
        if self.random.random() < 0.2:
            self._person_decides()
        step = next_step(self.booking, self.now, POLICY)
        match step:
            case Record(events) | Withdraw(events=events):
                self.record(*events)
            case Persist(booked=booked):
                self.record(self._insert(booked))
            case Shift(rescheduled=rescheduled, flags=flags):
                self.record(*self._shifted(rescheduled, *flags))
            case Perform(effect):
                self._perform(effect)
            case Wait(until):
                self.now = max(until, self.now)
            case Done():
                return self.random.random() < 0.7
            case OfLeg() | RecordOfLegs() | Together():
                raise AssertionError(step)
            case _:
                assert_never(step)
        return True

    def _insert(self, booked: e.AppointmentBooked) -> e.BookingEvent:
        reason = self.random.choice(["", "", "", "staff_overlap", "duplicate_key"])
        if not reason:
            return booked
        obstacle_id = UUID(int=7) if reason == "staff_overlap" else None
        return e.AppointmentPersistenceFailed(at=self.now, reason=reason, obstacle_id=obstacle_id)

    def _perform(self, effect: Effect) -> None:
        if isinstance(effect, Change) and self.random.random() < 0.1:
            reason = self.random.choice(["breaker_open", "rate_limited"])
            held_back = o.NotSent(reason=reason, detail="", retry_after=3, defer=True)
            self.record(*record_held_back(self.booking, effect, held_back, now=self.now, policy=POLICY))
            return
        match effect:
            case CreateAtCalcom():
                self._create(effect)
            case LookAtCalcom():
                looked = self._look(effect)
                self.record(*recording.record_look(self.booking, effect, looked, now=self.now, policy=POLICY))
            case CancelAtCalcom():
                self.record(*recording.announce_cancel(effect, now=self.now))
                outcome = self._cancel()
                self.record(*recording.record_cancel(self.booking, effect, outcome, now=self.now, policy=POLICY))
            case InspectObstacle():
                verdict = o.Inspected(verdict=self.random.choice(["gone", "moving", "missing", "stands"]))
                self.record(*record_inspection(self.booking, effect, verdict, now=self.now, policy=POLICY))
            case RescheduleAtCalcom():
                self.record(*moves.announce_reschedule(effect, now=self.now, policy=POLICY))
                answer = self.random.choice([*self._create_outcomes(), None])
                if answer is not None:
                    self.record(
                        *moves.record_reschedule(
                            self.booking, effect, answer, answered_at=self.now, now=self.now, policy=POLICY
                        )
                    )
            case TraceMove():
                trace = self._trace(effect.uid)
                self.record(
                    *moves.record_trace(self.booking, effect, trace, started_at=self.now, now=self.now, policy=POLICY)
                )
            case _:
                assert_never(effect)

    def _shifted(self, rescheduled: m.BookingRescheduled, *flags: e.BookingEvent) -> tuple[e.BookingEvent, ...]:
        if rescheduled.overlaps or self.random.random() < 0.8:
            return (rescheduled, *flags)
        return (e.AppointmentPersistenceFailed(at=self.now, reason="staff_overlap", obstacle_id=UUID(int=7)),)

    def _customer_moves(self) -> None:
        later = self.booking.facts.starts_at + timedelta(hours=self.random.randint(1, 5))
        command = RequestReschedule(starts_at=later, reason="Mrs Lovelace is late")
        with suppress(AppointmentError):
            requested = deciding.reschedule(self.booking, command, now=self.now)
            if requested is not None:
                self.record(requested)
                if self.random.random() < 0.1:
                    self.record(m.RescheduleFailed(at=self.now, reason="slot_taken", detail="claimed"))

    def _people_at_calcom(self) -> None:
        if self.booking.kept_uid is None:
            return
        trace = self._trace(self.booking.kept_uid)
        if isinstance(trace, o.Standing | o.Gone):
            compared = compare(self.booking, trace, now=self.now)
            if isinstance(compared, Difference):
                self.record(found(compared, now=self.now), *compared.events)
                if not compared.owes:
                    self.record(repaired(compared, now=self.now))

    def _person_decides(self) -> None:
        for line in self.booking.ledger.in_review[:1]:
            wish = AnswerReview(
                company_id="salon",
                booking_id=self.booking.booking_id,
                attempt_id=line.attempt_id,
                uid=line.uid,
                answer=self.random.choice(["retry", "absent", "cancel", "keep_local"]),
                adopt=None,
                actor="ann",
                note="as Mrs Lovelace wished",
            )
            self.record(*decided(self.booking, wish, line, None, now=self.now))

    def _trace(self, uid: str) -> o.Trace:
        line = self.booking.ledger.holding(uid)
        attempt_id = None if line is None else line.attempt_id
        stands = o.Standing(
            uid=uid,
            calcom_status="accepted",
            created_at=self.now,
            event_type_id=1,
            attempt_id=attempt_id,
            starts_at=self.booking.starts_at or self.booking.facts.starts_at,
            ends_at=self.booking.ends_at or self.booking.facts.ends_at,
        )
        later = replace(stands, starts_at=stands.ends_at, ends_at=stands.ends_at + timedelta(minutes=30))
        traces: list[o.Trace] = [
            *[stands] * 12,
            later,
            replace(later, uid=self._uid(), origins=(uid,)),
            replace(stands, uid=self._uid()),
            o.Gone(uid=uid, attempt_id=attempt_id),
            o.NotThere(),
            o.TraceFailed(reason="503"),
        ]
        return self.random.choice(traces)

    def _create(self, effect: CreateAtCalcom) -> None:
        attempt_id = f"{self.random.getrandbits(128):032x}"
        self.record(
            *recording.announce_create(attempt_id=attempt_id, number=effect.number, now=self.now, policy=POLICY)
        )
        self._answer(attempt_id, self.random.choice([*self._create_outcomes(), None]))

    def _create_outcomes(self) -> list[o.CreateOutcome]:
        return [
            self._made(),
            self._made(),
            o.Refused(reason="slot_taken", detail="taken", conflict=True),
            o.Refused(reason="too_soon", detail="Ada Lovelace must book earlier"),
            o.NotSent(reason="connection_refused", detail=""),
            o.NotSent(reason="rate_limited", detail="", retry_after=3, defer=True),
            o.Unknown(reason="timeout", detail="no answer"),
            o.Unknown(reason="timeout", detail="no answer"),
        ]

    def _answer(self, attempt_id: str, outcome: o.CreateOutcome | None) -> None:
        if outcome is not None:
            self.record(
                *recording.record_create(
                    self.booking, attempt_id, outcome, answered_at=self.now, now=self.now, policy=POLICY
                )
            )

    def _late_answer(self) -> None:
        lines = self.booking.ledger.lines
        if lines:
            self._answer(self.random.choice(lines).attempt_id, self._made())

    def _made(self) -> o.Made:
        return o.Made(uid=self._uid(), calcom_status=self._calcom_status(), **self._times())

    def _look(self, effect: LookAtCalcom) -> o.LookOutcome:
        if self.random.random() < 0.2:
            return o.LookFailed(started_at=self.now, reason="503")
        found = [
            o.Found(
                attempt_id=self.random.choice(effect.attempt_ids),
                uid=self._uid(),
                calcom_status=self.random.choice(["accepted", "accepted", "cancelled"]),
                created_at=self.now,
                starts_at=self.booking.facts.starts_at,
                ends_at=self.booking.facts.ends_at,
                rescheduled_from=self.random.choice([None, None, self.booking.kept_uid]),
            )
            for _ in range(self.random.choice([0, 0, 0, 1, 2]))
        ]
        return o.Looked(started_at=self.now, found=tuple(found))

    def _cancel(self) -> o.CancelOutcome:
        outcomes: list[o.CancelOutcome] = [
            o.Cancelled(how="cancelled"),
            o.Cancelled(how="gone"),
            o.Moved(to_uid=self._uid()),
            o.CancelRefused(reason="already_ended", detail="has ended"),
            o.NotOurs(detail="no attempt id"),
            o.CancelFailed(reason="503", detail="down"),
            o.CancelFailed(reason="503", detail="down"),
            o.CancelFailed(reason="breaker_open", detail="not now", retry_after=3),
        ]
        return self.random.choice(outcomes)

    def _uid(self) -> str:
        return f"uid{self.random.getrandbits(64):x}"

    def _calcom_status(self) -> str:
        return self.random.choice(["accepted", "accepted", "accepted", "pending"])

    def _times(self) -> dict[str, datetime]:
        starts_at = self.booking.facts.starts_at + timedelta(minutes=self.random.choice([0, 0, 0, 15]))
        return {"starts_at": starts_at, "ends_at": starts_at + timedelta(minutes=30)}
