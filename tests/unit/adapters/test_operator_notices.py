"""
The operators are told of each sync failure once, whoever looks at it how often.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from random import Random
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.log.event_log import Unreadable
from adapters.operator_notices import OperatorNotices
from domain import findings as f
from domain.errors import AppointmentDatabaseError
from domain.events import BookingEvent
from domain.notice import OperatorNotified, notice_id_of
from domain.person import Remark
from projections.failures import MANUAL_REVIEW, failure_id_of
from projections.operator_notices import findings_in, notices
from projections.source import Entry
from sagas.appending import Recorded
from tests.fakes.agenda import FakeAgenda
from tests.fakes.given import BOOKED, BOOKING_ID, at, initiated, review
from tests.fakes.ids import FakeIds
from tests.fakes.log import FakeLog
from tests.fakes.time import FakeClock
from tests.histories.bookings import history, recorded

DRIFT = f.InconsistencyDetected(at=at(20), kind="time_drift", uid="uid-1", evidence="Ada Lovelace moved", repair="move")
MENDED = f.InconsistencyResolved(at=at(30), kind="time_drift", uid="uid-1", how="moved", actor="calsaga")
DRIFT_ID = failure_id_of(BOOKING_ID, "time_drift", "uid-1")


class Here:
    """
    A log with one booking, and one process that looks at all of it.
    """

    def __init__(self, *events: BookingEvent) -> None:
        self.clock = FakeClock()
        self.agenda = FakeAgenda(self.clock, FakeIds())
        self.log = FakeLog(self.agenda)
        self.log.write(BOOKING_ID, initiated(), *BOOKED, *events)

    async def looks(self) -> None:
        stream = self.log.streams[BOOKING_ID]
        await OperatorNotices(events=self.log, clock=self.clock).react(stream)

    def told(self) -> list[tuple[UUID, str]]:
        return [(one.failure_id, one.cause) for one in self._notices()]

    def occasions(self) -> list[int]:
        return [one.occasion for one in self._notices()]

    def _notices(self) -> list[OperatorNotified]:
        events = [one.event for stream in self.log.streams.values() for one in stream]
        return [one for one in events if isinstance(one, OperatorNotified)]


async def test_a_finding_is_told_once_however_often_it_is_looked_at() -> None:
    here = Here(DRIFT)
    for _ in range(3):
        await here.looks()

    assert [(DRIFT_ID, "found")] == here.told()


async def test_a_finding_that_comes_to_need_a_person_is_told_once_more() -> None:
    here = Here(DRIFT)
    await here.looks()
    here.log.write(BOOKING_ID, replace(DRIFT, at=at(40), repair="manual_review"))
    await here.looks()
    await here.looks()

    assert [(DRIFT_ID, "found"), (DRIFT_ID, "needs_person")] == here.told()


async def test_a_finding_that_is_open_again_after_it_was_resolved_is_told_anew() -> None:
    here = Here(DRIFT)
    for seconds in (30, 40, 50):
        await here.looks()
        here.log.write(BOOKING_ID, replace(MENDED, at=at(seconds)), replace(DRIFT, at=at(seconds + 5)))
        await here.looks()
        await here.looks()

    assert [(DRIFT_ID, "found")] * 4 == here.told()
    assert [1, 2, 3, 4] == here.occasions()


async def test_a_person_who_is_needed_again_is_told_anew_and_nobody_that_calsaga_tries_again() -> None:
    here = Here(review(seconds=20))
    failure_id = failure_id_of(BOOKING_ID, "compensation_failed", "uid-1")
    retry = f.ManualReviewAnswered(
        at=at(30),
        answer="retry",
        actor="ada",
        person=Remark(reason=""),
        attempt_id="one",
        uid="uid-1",
        status_after="compensating",
        reason_after=None,
        detail_after=None,
    )
    await here.looks()
    here.log.write(BOOKING_ID, retry, replace(DRIFT, at=at(35), uid="uid-2"))
    await here.looks()
    here.log.write(BOOKING_ID, review(seconds=40))
    await here.looks()

    assert [(failure_id, "needs_person")] * 2 == [one for one in here.told() if one[0] == failure_id]


async def test_what_was_mended_before_anybody_looked_troubles_nobody() -> None:
    here = Here(DRIFT, MENDED)
    await here.looks()

    assert [] == here.told()


async def test_what_a_person_is_asked_is_a_warning_and_names_nobody(caplog: pytest.LogCaptureFixture) -> None:
    here = Here(replace(DRIFT, uid="uid-2"), review(seconds=25))
    with caplog.at_level(logging.INFO, logger="calsaga.operators"):
        await here.looks()
        await here.looks()

    assert [("INFO", "found", "time_drift"), ("WARNING", "needs_person", "compensation_failed")] == [
        (one.levelname, one.__dict__["cause"], one.__dict__["failure_type"]) for one in caplog.records
    ]
    assert "Ada" not in str([one.__dict__ for one in caplog.records])


async def test_a_notice_whose_acknowledgement_was_lost_is_not_written_again() -> None:
    here = Here(DRIFT)
    here.log.fates.append("fails_after")
    with pytest.raises(AppointmentDatabaseError):
        await here.looks()
    await here.looks()

    assert [(DRIFT_ID, "found")] == here.told()


async def test_a_notice_wakes_no_saga() -> None:
    here = Here(DRIFT)
    before = here.log.streams[BOOKING_ID][:]
    await here.looks()

    assert before == here.log.streams[BOOKING_ID]
    assert [] == await here.agenda.claim(limit=10, lease=at(1) - at(0))
    assert None is here.log.booking(notice_id_of(DRIFT_ID, "found")).initiated


async def test_a_stream_that_cannot_be_folded_keeps_no_other_notice_back(caplog: pytest.LogCaptureFixture) -> None:
    here = Here(DRIFT)
    torn = UUID(int=3)
    here.log.write(torn, DRIFT)
    strange = Unreadable(stream_id=torn, version=9, position=9, topic="", problem="")
    entries: list[Entry] = [strange, *here.log.streams[torn], *here.log.streams[BOOKING_ID]]
    await OperatorNotices(events=here.log, clock=here.clock).react(entries)

    assert [(DRIFT_ID, "found")] == here.told()
    assert [str(torn)] == [one.__dict__["booking_id"] for one in caplog.records if one.levelname == "ERROR"]


@given(seed=st.integers(min_value=0, max_value=2**32), cut=st.integers(min_value=1, max_value=60))
def test_whatever_waits_for_a_person_is_told_whenever_its_stream_is_looked_at(seed: int, cut: int) -> None:
    stream = history(Random(seed))[:cut]
    told = notices(stream)

    assert len(told) == len({one.notice_id for one in told})
    assert {one.failure.id for one in told if one.failure.status == MANUAL_REVIEW} == {
        one.failure.id for one in told if one.cause == "needs_person"
    }
    assert not told or [stream[0].stream_id] == findings_in(stream)


def test_findings_are_those_of_bookings_each_once() -> None:
    other = uuid4()
    told: list[Recorded] = [*recorded(BOOKING_ID, [initiated(), DRIFT, DRIFT]), *recorded(other, [review()])]

    assert [BOOKING_ID, other] == findings_in(told)
    assert [] == findings_in(recorded(BOOKING_ID, [initiated(), *BOOKED]))
