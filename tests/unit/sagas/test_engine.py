"""
The engine on the fakes: what it writes, in which order it acts, and what it does when it cannot write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from domain.booking import BookingStatus
from domain.errors import AppointmentDatabaseError
from domain.ledger import LineStatus
from sagas.appending import Append, AppendResult
from tests.fakes.calcom import CancelFate, CreateFate
from tests.fakes.given import ABSENT, BOOKING_ID, IN_DOUBT, created, failed, initiated
from tests.fakes.office import Office
from tests.unit.sagas.driving import book_new, go_on, stranger, until_quiet


def test_an_undisturbed_booking_costs_two_commits() -> None:
    office = Office()

    office.run(book_new(office))

    assert (["initiated", "calcom-attempted", "calcom-created", "appointment-booked"], 2) == (
        office.topics(),
        office.log.commits,
    )


def test_each_status_that_a_booking_comes_to_is_told_once() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(does="lost"))

    async def main() -> None:
        await book_new(office)
        await until_quiet(office)

    office.run(main())

    assert office.log.commits > 3
    assert [BookingStatus.BOOKED] == office.moved


def test_who_is_held_back_is_deferred_in_the_first_commit_and_booked_later() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(does="held_back", retry_after=30))
    seen = []

    async def main() -> None:
        await book_new(office)
        seen.append((office.topics(), office.log.commits, office.agenda.rows[BOOKING_ID].due_at))
        await until_quiet(office)

    office.run(main())

    ((topics, commits, due_at),) = seen
    assert (["initiated", "deferred"], 1) == (topics, commits)
    assert 30 <= due_at <= 33
    assert ["calcom-attempted", "calcom-created", "appointment-booked"] == office.topics()[2:]


def test_what_was_announced_and_then_held_back_is_no_retry_yet() -> None:
    office = Office()
    office.calcom.creates.extend([CreateFate(does="shut", retry_after=30), CreateFate(does="not_sent")])

    async def main() -> None:
        await book_new(office)
        await until_quiet(office)

    office.run(main())

    assert [False, False, True] == office.calcom.asked_again


def test_only_what_was_announced_before_is_a_retry() -> None:
    office = Office()
    office.calcom.creates.extend([CreateFate(does="held_back", retry_after=30), CreateFate(does="not_sent")])

    async def main() -> None:
        await book_new(office)
        await until_quiet(office)

    office.run(main())

    assert [False, True] == office.calcom.asked_again


def test_a_look_that_found_nothing_is_written_down_before_the_next_attempt_is_held_back() -> None:
    office = Office()
    office.calcom.creates.extend([CreateFate(does="lost"), CreateFate(does="held_back", retry_after=30)])
    written: list[list[str]] = []
    office.log.watch = lambda append, _: written.append([one.TOPIC for one in append.events])

    async def main() -> None:
        await book_new(office)
        await until_quiet(office)

    office.run(main())

    looked = next(number for number, topics in enumerate(written) if "booking.calcom-attempt-absent.v1" in topics)
    assert ["booking.deferred.v1"] == written[looked + 1]
    assert BookingStatus.BOOKED is office.booking().status


def test_after_it_nothing_is_claimed_due_or_leased() -> None:
    office = Office()

    office.run(book_new(office))

    assert ({}, {}, set(), 1) == (
        office.log.claims,
        office.agenda.rows,
        office.engine.leased,
        len(office.log.customers),
    )


def test_nothing_is_asked_of_cal_com_that_is_not_in_the_log() -> None:
    office = Office()
    office.log.fates.append("fails_before")

    with pytest.raises(AppointmentDatabaseError):
        office.run(book_new(office))

    assert ([], {}, set()) == (office.calcom.happened, office.log.streams, office.engine.leased)


def test_a_refused_claim_asks_nothing_of_cal_com() -> None:
    office = Office()
    stranger(office)

    office.run(book_new(office))

    assert (["initiated", "failed"], [], {}, {}) == (
        office.topics(),
        office.calcom.happened,
        office.agenda.rows,
        office.log.claims,
    )


def test_a_look_that_finds_nothing_is_written_with_what_is_due_then() -> None:
    office = Office()
    office.given(*IN_DOUBT)
    office.clock.advance(11)

    office.run(go_on(office))

    assert ("calcom-looked", 13.0, 1) == (
        office.topics()[-1],
        office.agenda.rows[BOOKING_ID].due_at,
        office.agenda.rows[BOOKING_ID].priority,
    )


def test_a_booking_that_waits_for_a_retry_is_not_urgent() -> None:
    office = Office()
    parked = office.engine.parked.listen()
    office.calcom.creates.append(CreateFate(does="not_sent"))

    office.run(book_new(office))

    assert (5, True) == (office.agenda.rows[BOOKING_ID].priority, parked.is_set())


def test_surplus_is_urgent() -> None:
    office = Office()
    office.given(*ABSENT, failed(), created(late=True))
    office.calcom.cancels.append(CancelFate(does="fails"))
    office.clock.advance(200)

    office.run(go_on(office))

    assert 1 == office.agenda.rows[BOOKING_ID].priority


def test_what_brings_no_news_is_not_repeated_at_once() -> None:
    office = Office()
    office.given(*IN_DOUBT)
    office.clock.advance(20)
    office.engine._effects.perform = _no_news  # type: ignore[method-assign, assignment]

    office.run(go_on(office))

    assert ("calcom-outcome-unknown", 21.0) == (office.topics()[-1], office.agenda.rows[BOOKING_ID].due_at)


async def _no_news(run: object, effect: object, announce: Callable[[], Awaitable[bool]]) -> object:
    assert await announce()
    return lambda _: ()


def test_the_wait_of_a_saga_is_written_once() -> None:
    office = Office()

    async def main() -> None:
        await book_new(office)
        commits = office.log.commits
        run = office.engine.begin(await office.engine.load(BOOKING_ID))
        await office.engine.drive(run)
        await office.engine.drive(run)
        assert commits + 1 == office.log.commits

    office.calcom.creates.append(CreateFate(does="not_sent", retry_after=100))
    office.run(main())


def test_a_run_has_the_correlation_id_of_its_booking_unless_it_is_given_one() -> None:
    office = Office()
    booking = office.given()
    named = replace(booking, initiated=initiated(correlation_id="c-7"))

    assert ("c-7", "c-9", "") == (
        office.engine.begin(named).correlation_id,
        office.engine.begin(named, correlation_id="c-9").correlation_id,
        office.engine.begin(booking).correlation_id,
    )


def test_a_paused_process_does_not_send_too_late() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(waits=6))

    office.run(book_new(office))

    assert [LineStatus.NOT_SENT] == [line.status for line in office.booking().ledger.lines]


def test_an_announcement_that_took_too_long_sends_nothing() -> None:
    office = Office()
    write = office.log.append

    async def slow(append: Append) -> AppendResult:
        result = await write(append)
        await asyncio.sleep(5)
        return result

    office.log.append = slow  # type: ignore[method-assign]
    office.run(book_new(office))

    assert {} == office.calcom.bookings
