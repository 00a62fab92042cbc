"""
The watch: what it has not seen, cannot read or has forgotten counts as changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

import pytest

from adapters.availability import log_watch
from adapters.availability.booked_days import changes_availability, tags_of
from adapters.availability.log_watch import LogWatch
from adapters.log.event_log import Unreadable
from adapters.recording.errors import UnreadableEvent
from domain import events as e
from domain import moving as m
from domain.person import Remark
from sagas.appending import Recorded
from tests.fakes.given import attempted, created, refused
from tests.unit.adapters.availability.office import ANYBODY, CUT, MIDNIGHT, Office

TEN = MIDNIGHT + timedelta(hours=10)
DAY, NEXT = TEN.date(), TEN.date() + timedelta(days=1)
CUTS = tags_of(1, {"ann"})


def is_current(
    watch: LogWatch, seen: int, *, day: date = DAY, tags: Sequence[str] = CUTS, company: str = "acme"
) -> bool:
    return watch.is_current(seen, company_id=company, tags=tags, day=day)


async def test_a_booking_changes_its_day_for_its_event_type_and_its_member_of_staff_alone() -> None:
    office = Office()
    watch = LogWatch(office.log)
    await watch.catch_up()
    office.books(1, CUT, TEN)
    await watch.catch_up()

    assert not is_current(watch, 0)
    assert not is_current(watch, 0, tags=tags_of(2, {"ann"}))
    assert is_current(watch, 2)
    assert is_current(watch, 0, day=NEXT)
    assert is_current(watch, 0, tags=tags_of(2, {"bob", None}))
    assert is_current(watch, 0, company="rival")


async def test_a_booking_near_midnight_changes_both_days() -> None:
    office = Office()
    watch = LogWatch(office.log)
    await watch.catch_up()
    office.books(1, CUT, MIDNIGHT + timedelta(hours=22))
    await watch.catch_up()

    assert (False, False) == (is_current(watch, 0), is_current(watch, 0, day=NEXT))


async def test_a_booking_from_long_ago_is_looked_up_when_it_is_cancelled() -> None:
    office = Office()
    booking_id = office.books(1, CUT, TEN)
    watch = LogWatch(office.log)
    for number in range(log_watch.BATCH):
        office.log.add(UUID(int=100 + number), attempted())
    await watch.catch_up()
    office.cancels(booking_id)
    seen = watch.position
    await watch.catch_up()

    assert not is_current(watch, seen)
    assert is_current(watch, seen + 1)
    assert 1 == office.log.reads["read"]


async def test_what_was_read_before_the_watch_began_is_not_trusted() -> None:
    office = Office()
    for number in range(log_watch.BATCH + 10):
        office.log.add(UUID(int=100 + number), attempted())
    watch = LogWatch(office.log)
    await watch.catch_up()

    assert (False, True, True) == tuple(is_current(watch, seen) for seen in (9, 10, 510))


async def test_what_was_read_further_on_than_the_watch_has_come_is_not_trusted() -> None:
    office = Office()
    watch = LogWatch(office.log)
    await watch.catch_up()

    assert not is_current(watch, 1)


async def test_after_a_long_absence_everything_counts_as_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_watch, "BATCH", 5)
    office = Office()
    watch = LogWatch(office.log)
    await watch.catch_up()
    for number in range(100):
        office.log.add(UUID(int=100 + number), attempted())
    await watch.catch_up()

    assert log_watch.MOST_BATCHES + 1 == office.log.reads["read_all"]
    assert (False, True) == (is_current(watch, 99), is_current(watch, 100))


async def test_many_bookings_from_long_ago_are_not_looked_up_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_watch, "MOST_STREAMS", 3)
    office = Office()
    watch = LogWatch(office.log)
    await watch.catch_up()
    for number in range(10):
        office.log.add(UUID(int=100 + number), attempted(), created())
    watch._known.clear()
    await LogWatch(office.log).catch_up()
    seen = watch.position
    office.log.entries = [one for one in office.log.entries if one.version == 2]
    office.log.entries = [_at(one, position) for position, one in enumerate(office.log.entries, 1)]
    await watch.catch_up()

    assert 3 == office.log.reads["read"]
    assert not is_current(watch, seen, day=NEXT + timedelta(days=30))


def _at(one: Recorded, position: int) -> Recorded:
    return Recorded(
        stream_id=one.stream_id,
        version=one.version,
        event=one.event,
        append_id="x",
        correlation_id="c",
        recorded_at=one.recorded_at,
        position=position,
    )


async def test_another_log_than_the_one_that_was_read_is_noticed() -> None:
    office = Office()
    office.books(1, CUT, TEN)
    office.books(2, CUT, TEN + timedelta(hours=2))
    watch = LogWatch(office.log)
    await watch.catch_up()
    del office.log.entries[2:]
    await watch.catch_up()

    assert 2 == watch.position
    assert (False, True) == (is_current(watch, 1, day=NEXT), is_current(watch, 2, day=NEXT))


async def test_an_event_that_cannot_be_read_may_have_changed_anything() -> None:
    office = Office()
    watch = LogWatch(office.log)
    await watch.catch_up()
    bad = Unreadable(stream_id=UUID(int=1), version=1, position=1, topic="x", problem="no")
    office.log.entries.append(bad)  # type: ignore[arg-type]
    await watch.catch_up()

    assert (False, True) == (is_current(watch, 0), is_current(watch, 1))


async def test_a_stream_that_cannot_be_read_may_be_about_anything() -> None:
    office = Office()
    booking_id = office.books(1, CUT, TEN)
    watch = LogWatch(office.log)
    await watch.catch_up()
    watch._known.clear()
    office.cancels(booking_id)

    async def read(_: UUID) -> Sequence[Recorded]:
        raise UnreadableEvent("no")

    office.log.read = read  # type: ignore[method-assign,assignment]
    await watch.catch_up()

    assert (False, True) == (is_current(watch, 2, day=NEXT), is_current(watch, 3, day=NEXT))


async def test_what_it_has_forgotten_counts_as_changed() -> None:
    office = Office()
    watch = LogWatch(office.log, limit=2)
    await watch.catch_up()
    office.books(1, ANYBODY, TEN)
    office.books(2, ANYBODY, TEN + timedelta(days=7))
    office.books(3, ANYBODY, TEN + timedelta(days=14))
    await watch.catch_up()

    others = tags_of(9, ())
    assert (False, True) == (is_current(watch, 1, tags=others), is_current(watch, 2, tags=others))


async def test_those_who_ask_at_once_share_a_read_that_began_after_they_did() -> None:
    office = Office()
    watch = LogWatch(office.log)
    await watch.catch_up()
    before = office.log.reads["read_all"]
    await asyncio.gather(*(watch.catch_up() for _ in range(50)))

    assert office.log.reads["read_all"] - before <= 2


async def handed(watch: LogWatch, office: Office) -> int:
    """
    Have somebody read for the watch, and return how far the log had come.
    """
    after, limit = watch.next_batch
    watch.hand(await office.log.read_all(after=after, limit=limit))
    office.log.reads.clear()
    return len(office.log.entries)


async def test_what_somebody_else_has_read_for_it_is_not_read_again() -> None:
    office = Office()
    watch = LogWatch(office.log)
    await watch.catch_up()
    office.books(1, CUT, TEN)
    until = await handed(watch, office)
    await watch.catch_up(until)
    # And what it knows by now does not have to be handed to it.
    await watch.catch_up(until)

    assert (2, {}) == (watch.position, office.log.reads)
    assert (False, True) == (is_current(watch, 0), is_current(watch, 2))


async def test_what_somebody_else_has_read_is_not_everything() -> None:
    office = Office()
    watch = LogWatch(office.log)
    await watch.catch_up()
    office.books(1, CUT, TEN)
    await handed(watch, office)
    office.books(2, CUT, TEN + timedelta(hours=2))
    await watch.catch_up()

    assert 4 == watch.position


async def test_what_was_read_by_several_may_come_in_any_order_and_overlap() -> None:
    office = Office()
    watch = LogWatch(office.log)
    await watch.catch_up()
    pages, until = [], []
    for number in range(3):
        office.books(number, CUT, TEN + number * timedelta(days=1))
        after, limit = watch.next_batch
        pages.append(await office.log.read_all(after=after, limit=limit))
        until.append(len(office.log.entries))
    office.log.reads.clear()
    for page in (pages[1], pages[0]):
        watch.hand(page)
    await watch.catch_up(until[0])
    watch.hand(pages[2])
    await watch.catch_up(until[2])

    assert (6, {}) == (watch.position, office.log.reads)
    assert [False] * 3 == [is_current(watch, 0, day=DAY + number * timedelta(days=1)) for number in range(3)]


async def test_where_the_watch_has_not_begun_or_has_fallen_behind_it_reads_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(log_watch, "BATCH", 5)
    office = Office()
    watch = LogWatch(office.log)
    office.books(1, CUT, TEN)
    assert (0, 0) == watch.next_batch
    await watch.catch_up(await handed(watch, office))
    assert 2 == watch.position
    for number in range(10):
        office.log.add(UUID(int=100 + number), attempted())
    await watch.catch_up(await handed(watch, office))

    assert 12 == watch.position


async def test_what_was_read_of_another_log_is_not_believed() -> None:
    office = Office()
    office.books(1, CUT, TEN)
    office.books(2, CUT, TEN + timedelta(hours=2))
    watch = LogWatch(office.log)
    await watch.catch_up()
    del office.log.entries[3:]
    office.log.entries.append(_at(office.log.entries[0], 9))
    before = is_current(watch, 3, day=NEXT)
    await handed(watch, office)
    await watch.catch_up(until=9)

    assert (True, False) == (before, is_current(watch, 3, day=NEXT))


@pytest.mark.parametrize(
    ("event", "changes"),
    [
        (created(), True),
        (refused(), True),
        (attempted(), False),
        (e.CalcomBookingCancelled(at=TEN, attempt_id="a", uid="u", how="cancelled"), True),
        (e.CalcomBookingFollowed(at=TEN, attempt_id="a", from_uid="u", to_uid="v"), True),
        (e.CalcomBookingRefused(at=TEN, attempt_id="a", reason="bad", detail="", status=400, conflict=False), False),
        (m.CalcomRescheduleRefused(at=TEN, reason="slot_taken", detail="", status=400), True),
        (m.RescheduleFailed(at=TEN, reason="slot_taken", detail=""), False),
        (
            m.RescheduleRequested(
                at=TEN, starts_at=TEN, ends_at=TEN + CUT.duration, command_id=None, person=Remark(reason="x")
            ),
            False,
        ),
    ],
)
def test_only_what_happens_at_cal_com_changes_a_day(event: e.BookingEvent, *, changes: bool) -> None:
    assert changes is changes_availability(event)
