"""
One booking and its saga, without any process: steps, answers in any order, and a model of Cal.com beside them.

Hypothesis chooses what happens next. Whatever that is, the saga ends well once it is left alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule

from domain import deciding
from domain import events as e
from domain.booking import ENDED, Booking, BookingStatus, initial_state
from domain.commands import RequestCancellation
from domain.evolving import evolve, fold
from domain.policy import Policy
from sagas import outcomes as o
from sagas import recording
from sagas.next_step import next_step
from sagas.obstacles import record_inspection
from sagas.steps import (
    CancelAtCalcom,
    CreateAtCalcom,
    Done,
    Effect,
    InspectObstacle,
    LookAtCalcom,
    Perform,
    Persist,
    Record,
    RescheduleAtCalcom,
    TraceMove,
    Wait,
    Withdraw,
)
from tests.fakes.calcom import CalcomBooking, FakeCalCom
from tests.fakes.given import BOOKING_ID, initiated
from tests.fakes.time import FakeClock

TIMES = int(os.environ.get("CALSAGA_SWEEP", "1"))
POLICY = Policy()
Recorder = Callable[[Booking], tuple[e.BookingEvent, ...]]
CREATES = ("made", "made and lost", "lost", "pending", "conflict", "refused", "not sent", "late")
CANCELS = ("cancelled", "failed", "cancelled and failed", "refused for good")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    The outcome of an effect in somebody's hands, not yet recorded.
    """

    record: Recorder
    may_repeat: bool = False


class OneSaga(RuleBasedStateMachine):
    """
    The log of one booking, Cal.com, and answers under way between them.
    """

    answers: Bundle[Answer] = Bundle("answers")

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.calcom = FakeCalCom(self.clock)
        self.events: list[e.BookingEvent] = []
        self.state = initial_state(BOOKING_ID)
        self.row: str | None = None
        self.late: list[tuple[float, str]] = []
        self.attempts = 0

    @initialize()
    def asked_for(self) -> None:
        self._append(initiated())

    @rule(seconds=st.sampled_from((0.5, 3, 16, 31, 80, 200, 901)))
    def time_passes(self, seconds: float) -> None:
        self._pass(seconds)

    @rule(target=answers, create=st.sampled_from(CREATES), cancel=st.sampled_from(CANCELS), taken=st.booleans())
    def next_step(self, create: str, cancel: str, *, taken: bool) -> Answer:
        return self._step(create, cancel, taken=taken)

    @rule(answer=answers)
    def an_answer_is_recorded(self, answer: Answer) -> None:
        self._deliver(answer)

    @rule(answer=consumes(answers))
    def whoever_knows_an_answer_dies(self, answer: Answer) -> None:
        del answer

    @rule()
    def the_customer_cancels(self) -> None:
        self._append(*deciding.cancel(self.state, RequestCancellation(reason="no need"), now=self.clock.now()))

    @precondition(lambda self: self.calcom.live())
    @rule(moves=st.booleans())
    def a_person_interferes_at_cal_com(self, *, moves: bool) -> None:
        uid = self.calcom.live()[0].uid
        if moves:
            self.calcom.person_moves(uid, timedelta(hours=1))
        else:
            self.calcom.person_cancels(uid)

    @invariant()
    def a_replay_is_the_live_state(self) -> None:
        assert fold(initial_state(BOOKING_ID), self.events) == self.state

    @invariant()
    def it_is_booked_once_or_fails_once_and_never_both(self) -> None:
        ends = [type(one) for one in self.events if isinstance(one, e.AppointmentBooked | e.BookingFailed)]
        assert len(ends) <= 1

    @invariant()
    def no_uid_stands_in_two_lines(self) -> None:
        uids = [line.uid for line in self.state.ledger.lines if line.uid is not None]
        assert len(set(uids)) == len(uids)

    @invariant()
    def the_row_is_there_exactly_while_it_is_booked_or_being_cancelled(self) -> None:
        assert (self.row is not None) == self.state.appointment_live

    @invariant()
    def what_is_asked_of_cal_com_never_exceeds_three_attempts(self) -> None:
        assert self.state.ledger.counted_attempts <= POLICY.create_attempts + len(self._doubles())

    def teardown(self) -> None:
        if not self.events:
            return
        for _ in range(300):
            if isinstance(self._next(), Done) and not self.late:
                break
            self._deliver(self._step("made", "cancelled", taken=False))
            self._pass(20)
        self._pass(2000)
        self._check_the_end()

    def _check_the_end(self) -> None:
        if self.state.review is not None:
            return
        assert self.state.ended in ENDED
        assert not self.state.ledger.open
        assert not self.state.surplus
        live = self.calcom.live()
        assert len(live) <= 1
        booked = self.state.status is BookingStatus.BOOKED
        assert booked or not live
        assert live or not booked or any(one.touched for one in self.calcom.bookings.values())
        for one in live:
            assert one.touched or (one.uid, one.uid) == (self.row, self.state.kept_uid)

    def _next(self) -> object:
        return next_step(self.state, self.clock.now(), POLICY)

    def _step(self, create: str, cancel: str, *, taken: bool) -> Answer:
        now = self.clock.now()
        match next_step(self.state, now, POLICY):
            case Record(events):
                self._append(*events)
            case Persist(booked=booked) if taken:
                refused = e.AppointmentPersistenceFailed(at=now, reason="staff_overlap", obstacle_id=UUID(int=7))
                assert booked.calcom_uid == self.state.kept_uid
                self._append(refused)
            case Persist(booked=booked):
                self._append(booked)
                self.row = booked.calcom_uid
            case Withdraw(events=events):
                self._append(*events)
                self.row = None
            case Perform(effect):
                return self._perform(effect, create, cancel, taken=taken)
            case Wait(until):
                assert until > now
            case _:
                pass
        return Answer(record=lambda _: ())

    def _perform(self, effect: Effect, create: str, cancel: str, *, taken: bool) -> Answer:
        match effect:
            case CreateAtCalcom(number=number):
                return self._create(number, create)
            case LookAtCalcom():
                return self._look(effect)
            case CancelAtCalcom():
                return self._cancel(effect, cancel)
            case InspectObstacle():
                verdict = o.Inspected(verdict="stands" if taken else "gone")
                return Answer(
                    record=lambda booking: record_inspection(
                        booking, effect, verdict, now=self.clock.now(), policy=POLICY
                    )
                )
            case RescheduleAtCalcom() | TraceMove():
                raise AssertionError("nobody has asked for another time")

    def _create(self, number: int, does: str) -> Answer:
        self.attempts += 1
        attempt_id = f"attempt-{self.attempts}"
        self._append(
            *recording.announce_create(attempt_id=attempt_id, number=number, now=self.clock.now(), policy=POLICY)
        )
        outcome = self._created(attempt_id, does)
        return Answer(
            record=lambda booking: recording.record_create(
                booking, attempt_id, outcome, answered_at=self.clock.now(), now=self.clock.now(), policy=POLICY
            )
        )

    def _created(self, attempt_id: str, does: str) -> o.CreateOutcome:
        taken = bool(self.calcom.live())
        if does == "refused":
            return o.Refused(reason="outside_availability", detail="", status=400)
        if does == "not sent":
            return o.NotSent(reason="refused_connection", detail="")
        if does == "lost":
            return o.Unknown(reason="timeout", detail="")
        if does == "late":
            self.late.append((self.clock.seconds + 300, attempt_id))
            return o.Unknown(reason="timeout", detail="")
        if does == "conflict" or taken:
            return o.Refused(reason="slot_taken", detail="", status=400, conflict=True)
        made = self._commit(attempt_id, "pending" if does == "pending" else "accepted")
        if does == "made and lost":
            return o.Unknown(reason="timeout", detail="")
        return o.Made(uid=made.uid, starts_at=made.starts_at, ends_at=made.ends_at, calcom_status=made.status)

    def _commit(self, attempt_id: str, status: str = "accepted") -> CalcomBooking:
        facts = self.state.facts
        return self.calcom.commit(
            event_type_id=1, starts_at=facts.starts_at, ends_at=facts.ends_at, attempt_id=attempt_id, status=status
        )

    def _look(self, effect: LookAtCalcom) -> Answer:
        found = tuple(
            o.Found(
                attempt_id=one.attempt_id or "",
                uid=one.uid,
                calcom_status=one.status,
                starts_at=one.starts_at,
                ends_at=one.ends_at,
                created_at=one.created_at,
                rescheduled_from=one.rescheduled_from,
                rescheduled_to=one.rescheduled_to,
            )
            for one in self.calcom.bookings.values()
            if one.attempt_id in effect.attempt_ids
        )
        looked = o.Looked(started_at=self.clock.now(), found=found)
        return Answer(
            record=lambda booking: recording.record_look(booking, effect, looked, now=self.clock.now(), policy=POLICY)
        )

    def _cancel(self, effect: CancelAtCalcom, does: str) -> Answer:
        self._append(*recording.announce_cancel(effect, now=self.clock.now()))
        outcome = self._cancelled(effect, does)
        return Answer(
            record=lambda booking: recording.record_cancel(
                booking, effect, outcome, now=self.clock.now(), policy=POLICY
            ),
            may_repeat=isinstance(outcome, o.CancelFailed),
        )

    def _cancelled(self, effect: CancelAtCalcom, does: str) -> o.CancelOutcome:
        standing = self.calcom.bookings[effect.uid]
        assert standing.attempt_id == effect.attempt_id
        if does == "failed":
            return o.CancelFailed(reason="http_502", detail="")
        if standing.rescheduled_to is not None:
            return o.Moved(to_uid=standing.rescheduled_to)
        if not standing.is_live:
            return o.Cancelled(how="already_cancelled")
        if does == "refused for good":
            return o.CancelRefused(reason="cancelling_disabled", detail="")
        self.calcom.cancel(effect.uid)
        return o.CancelFailed(reason="timeout", detail="") if does != "cancelled" else o.Cancelled(how="cancelled")

    def _deliver(self, answer: Answer) -> None:
        self._append(*answer.record(self.state))
        assert answer.may_repeat or answer.record(self.state) == ()

    def _append(self, *events: e.BookingEvent) -> None:
        for event in events:
            after = evolve(self.state, event)
            if after.ended in ENDED and after.ended is not self.state.ended:
                assert not after.ledger.open, f"{event} ends a saga with an open line"
                assert after.ended is BookingStatus.BOOKED or not after.surplus, (
                    f"{event} ends a saga that owes a cancel"
                )
            self.events.append(event)
            self.state = after

    def _pass(self, seconds: float) -> None:
        until = self.clock.seconds + seconds
        for when, attempt_id in sorted(self.late):
            if when <= until:
                self.clock.seconds = max(when, self.clock.seconds)
                self.late.remove((when, attempt_id))
                self._commit(attempt_id)
        self.clock.seconds = until

    def _doubles(self) -> list[str]:
        ids = [line.attempt_id for line in self.state.ledger.lines]
        return [one for one in ids if ids.count(one) > 1]


TestOneSaga = OneSaga.TestCase
TestOneSaga.settings = settings(max_examples=250 * TIMES, stateful_step_count=40, database=None)
