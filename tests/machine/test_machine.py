"""
Both sides are equal once quiet, whatever happens in whatever order: calsaga itself, on SQLite, and Cal.com's double.

Hypothesis chooses who does what and what goes wrong. The model is the ledger of Cal.com's double, and what callers were
told. CALSAGA_SWEEP=2 and more multiplies the number of runs, makes them other ones each time, and shortens the story of
a failure.
"""

from __future__ import annotations

import os
import shutil
from asyncio import gather
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from adapters.sandbox.errors import Refusal
from domain.booking import BookingStatus
from domain.errors import AppointmentError
from domain.wish import BookComposite
from sagas.wishes import BookingResult, CancelAppointment, RescheduleAppointment
from tests.machine.judging import wrong_in
from tests.machine.misfortunes import NOTHING, OF_A_LISTED_WRITE, OF_A_WRITE, OF_ANY_CALL
from tests.machine.mortal import Death
from tests.machine.offers import COMPANY, CUSTOMERS, OFFERS, Wish, clock_time
from tests.machine.place import Place
from tests.machine.post import WAYS, Way
from tests.machine.promises import Promises
from tests.storm.people import LIVE

TIMES = int(os.environ.get("CALSAGA_SWEEP", "1"))
# To look for a shorter story takes minutes, which only somebody who sweeps has.
PHASES = (Phase.generate,) if TIMES == 1 else (Phase.generate, Phase.shrink)
IMPATIENT, PATIENT = 0.0, 20.0


class BothSides(RuleBasedStateMachine):
    """
    Callers, people at Cal.com, the post between both sides, and a process that dies.
    """

    wishes: Bundle[Wish] = Bundle("wishes")
    who = st.sampled_from(sorted(CUSTOMERS))
    what = st.sampled_from([*OFFERS, "row"])
    times = st.sampled_from(["10:00", "10:15", "10:30", "11:00"])
    patience = st.sampled_from([PATIENT, IMPATIENT])
    dying = st.one_of(st.just(0), st.integers(0, 12))
    of_a_write = st.sampled_from([NOTHING, NOTHING, NOTHING, *OF_A_WRITE])
    of_a_listed_write = st.sampled_from([NOTHING, NOTHING, NOTHING, *OF_A_LISTED_WRITE])

    def __init__(self, database_url: str) -> None:
        super().__init__()
        self.place = Place(database_url, tell=note)
        self.promises = Promises()
        self.last_post = "is delivered"

    @initialize(way=st.sampled_from(WAYS), last_post=st.sampled_from(["is lost", "is delivered"]))
    def the_post_goes_at_first(self, way: Way, last_post: str) -> None:
        self.place.post.way, self.last_post = way, last_post

    @initialize(target=wishes, who=who, what=what, at=times, keyed=st.booleans())
    def somebody_asks_first_for(self, who: str, what: str, at: str, *, keyed: bool) -> Wish:
        wish = Wish(who, what, at, key=f"{who}'s {what} at {at}" if keyed else None)
        self._ask(wish, PATIENT)
        return wish

    @rule(
        target=wishes,
        who=who,
        what=what,
        at=times,
        keyed=st.booleans(),
        patience=patience,
        but=of_a_listed_write,
        dying=dying,
    )
    def somebody_asks_for(
        self, who: str, what: str, at: str, *, keyed: bool, patience: float, but: str, dying: int
    ) -> Wish:
        self._befall("create", but, dying=dying)
        wish = Wish(who, what, at, key=f"{who}'s {what} at {at}" if keyed else None)
        self._ask(wish, patience)
        return wish

    @rule(wish=wishes, patience=patience, times=st.sampled_from([1, 2]))
    def it_is_asked_again(self, wish: Wish, patience: float, times: int) -> None:
        before = self.promises.bookings.get(wish)
        stood = self.promises.stands(before)
        results = self._ask(wish, patience, times=times)
        booked = {it.booking.booking_id for it in results if it.booking.status is BookingStatus.BOOKED}
        assert len(booked) <= 1, "a repeat was booked twice"
        if results and stood and self.promises.stands(before):
            assert before == results[0].booking.booking_id, "a repeat has led to another booking"

    @rule(wish=wishes, minutes=st.sampled_from([-5, 5]))
    @precondition(lambda self: self.promises.bookings)
    def it_is_asked_for_a_little_beside(self, wish: Wish, minutes: int) -> None:
        request, before = wish.request(), self.promises.bookings.get(wish)
        if isinstance(request, BookComposite) or not self.promises.stands(before):
            return
        at = f"{request.starts_at.hour if minutes > 0 else request.starts_at.hour - (request.starts_at.minute == 0)}"
        beside = Wish(wish.who, wish.what, f"{at}:{(request.starts_at.minute + minutes) % 60:02}")
        for result in self._ask(beside, PATIENT):
            twice = result.booking.status is BookingStatus.BOOKED and result.booking.booking_id != before
            assert not twice or not self.promises.stands(before), "a near-duplicate was booked"

    @rule(wish=wishes, patience=patience, but=of_a_write, dying=dying)
    @precondition(lambda self: self.promises.bookings)
    def it_is_cancelled(self, wish: Wish, patience: float, but: str, dying: int) -> None:
        booking_id = self.promises.bookings.get(wish)
        if booking_id is None:
            return
        self._befall("cancel", but, dying=dying)
        self.promises.release(booking_id)
        cancel = CancelAppointment(company_id=COMPANY, booking_id=booking_id, reason="no need")
        for result in self._call(self.place.app.orchestrator.cancel(cancel, patience=patience)):
            self.promises.told(result.booking)

    @rule(wish=wishes, to=times, patience=patience, but=of_a_listed_write, dying=dying)
    @precondition(lambda self: self.promises.bookings)
    def it_is_moved(self, wish: Wish, to: str, patience: float, but: str, dying: int) -> None:
        booking_id = self.promises.bookings.get(wish)
        if booking_id is None:
            return
        self._befall("reschedule", but, dying=dying)
        self.promises.wants_moved(booking_id)
        move = RescheduleAppointment(company_id=COMPANY, booking_id=booking_id, starts_at=clock_time(to))
        for result in self._call(self.place.app.orchestrator.reschedule(move, patience=patience)):
            if result.booking.move is None and result.booking.starts_at == clock_time(to):
                self.promises.told_moved(result.booking)

    @rule(what=st.sampled_from(sorted(OFFERS)), at=times)
    def somebody_books_at_calcom(self, what: str, at: str) -> None:
        offer = OFFERS[what]
        self._person(action="book", event_type_id=offer.event_type_id, start=clock_time(at).isoformat())

    @rule(which=st.integers(0, 3))
    @precondition(lambda self: self._live())
    def somebody_cancels_at_calcom(self, which: int) -> None:
        uid = self._touched(which, self.promises.release)
        self._person(action="cancel", uid=uid)

    @rule(which=st.integers(0, 3), to=times)
    @precondition(lambda self: self._live())
    def somebody_moves_at_calcom(self, which: int, to: str) -> None:
        uid = self._touched(which, self.promises.moves_at_calcom)
        self._person(action="move", uid=uid, start=clock_time(to).isoformat())

    @rule(operation=st.sampled_from(["list", "get"]), but=st.sampled_from(sorted(OF_ANY_CALL)))
    def somebody_will_read(self, operation: str, but: str) -> None:
        self._befall(operation, but)

    @rule(way=st.sampled_from(WAYS))
    def the_post_goes(self, way: Way) -> None:
        self.place.post.way = way

    @rule(which=st.integers(0, 3), times=st.sampled_from([1, 1, 2]))
    @precondition(lambda self: self.place.post.letters)
    def a_webhook_arrives(self, which: int, times: int) -> None:
        letters = self.place.post.letters
        letter = letters.pop(which % len(letters))
        for _ in range(times):
            note(f"{letter}: {self.place.during(self.place.post.deliver(letter))}")

    @rule(which=st.integers(0, 3))
    @precondition(lambda self: self.place.post.letters)
    def a_webhook_is_lost(self, which: int) -> None:
        letters = self.place.post.letters
        self.place.post.lose(letters[which % len(letters)])

    @rule()
    def the_reconciler_runs(self) -> None:
        self.place.reconcile()

    @rule(points=st.integers(1, 25))
    @precondition(lambda self: not self.place.process.is_doomed)
    def the_process_will_die(self, points: int) -> None:
        self.place.process.doom(points)

    @rule()
    def the_process_is_killed(self) -> None:
        self.place.kill()

    @rule(seconds=st.sampled_from([0.5, 2.0, 15.0, 60.0]))
    def time_passes(self, seconds: float) -> None:
        self.place.pass_time(seconds)

    @rule(post=st.sampled_from(["is delivered", "is lost"]))
    def all_is_quiet(self, post: str) -> None:
        self._judge(post)

    def teardown(self) -> None:
        try:
            self._judge(self.last_post)
        finally:
            self.place.close()
        assert [] == self.place.faults

    def _judge(self, post: str) -> None:
        if post == "is lost":
            for letter in tuple(self.place.post.letters):
                self.place.post.lose(letter)
        self.place.calm()
        if self.place.post.has_lost:
            self.place.reconcile_what_was_lost()
        wrong = self.place.during(wrong_in(self.place.app.store, self.place.ledger(), self.promises))
        wrong = [*self.place.faults, *(wrong or ())]
        assert not wrong, "\n".join(["not equal, although it is quiet:", *wrong])
        self.promises.is_quiet()

    def _befall(self, operation: str, but: str, *, dying: int = 0) -> None:
        """
        Arm what befalls the next call, and the death of the process after so many points; after none it lives.
        """
        if dying:
            self.place.process.doom(dying)
        if but != NOTHING:
            self.place.befall(operation=operation, **OF_A_LISTED_WRITE[but])

    def _ask(self, wish: Wish, patience: float, *, times: int = 1) -> list[BookingResult]:
        door, request = self.place.app.orchestrator, wish.request()
        if isinstance(request, BookComposite):
            results = self._call(*(door.book_composite(request, patience=patience) for _ in range(times)))
        else:
            results = self._call(*(door.book(request, patience=patience) for _ in range(times)))
        for result in results:
            self.promises.told_of(wish, result.booking)
        return results

    def _call(self, *asking: Coroutine[Any, Any, BookingResult]) -> list[BookingResult]:
        """
        Ask all at once, and return what was answered; whoever was refused, or saw the process die, got nothing.
        """
        answers = self.place.during(_all(asking)) or ()
        results = []
        for answer in answers:
            match answer:
                case BookingResult(booking=booking):
                    note(f"told: {booking.booking_id} is {booking.status} at {booking.starts_at:%H:%M}")
                    results.append(answer)
                case AppointmentError():
                    note(f"refused: {answer!r}")
                case Death():
                    # The saga's task has told its caller before anybody saw that the process is gone.
                    pass
                case error:
                    raise error
        return results

    def _person(self, **wish: object) -> None:
        try:
            note(f"at Cal.com: {[(it['uid'], it['status'], it['start']) for it in self.place.person(**wish)]}")
        except Refusal as refused:
            note(f"refused at Cal.com: {refused.message}")

    def _live(self) -> list[dict[str, Any]]:
        return [one for one in self.place.ledger() if one["status"] in LIVE]

    def _touched(self, which: int, note_it: Callable[[UUID], None]) -> str:
        live = self._live()
        one = live[which % len(live)]
        if "calsaga_booking_id" in one["metadata"]:
            note_it(UUID(one["metadata"]["calsaga_booking_id"]))
        return str(one["uid"])


async def _all(asking: Iterable[Coroutine[Any, Any, BookingResult]]) -> list[BookingResult | BaseException]:
    return await gather(*asking, return_exceptions=True)


@pytest.mark.slow
def test_both_sides_are_equal_once_quiet(sqlite_template: Path, tmp_path: Path) -> None:
    databases = iter(range(10**6))

    def machine() -> BothSides:
        folder = tmp_path / str(next(databases))
        folder.mkdir()
        for part in sqlite_template.parent.glob(f"{sqlite_template.name}*"):
            shutil.copy(part, folder / part.name)
        return BothSides(f"sqlite:///{folder / sqlite_template.name}")

    run_state_machine_as_test(
        machine,  # type: ignore[arg-type] # any callable will do
        settings=settings(
            max_examples=20 * TIMES,
            stateful_step_count=25,
            derandomize=TIMES == 1,
            database=None,
            phases=PHASES,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
