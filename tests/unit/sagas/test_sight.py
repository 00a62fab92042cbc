"""
What was found or asked while Cal.com could not be looked at is over once it shows itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from domain import events as e
from domain import findings as f
from domain.booking import Booking, BookingStatus
from domain.evolving import fold
from domain.ledger import LineStatus
from sagas.outcomes import Found, Looked, LookFailed, Made, NotSent, Refused, Unknown
from sagas.recording import record_create, record_look, record_sighting
from sagas.steps import LookAtCalcom
from tests.fakes.given import (
    BOOKED,
    IN_DOUBT,
    POLICY,
    SERVICE,
    SLOT,
    at,
    attempted,
    cancellation,
    given,
    looked,
    review,
    unknown,
)
from tests.fakes.moves import standing

BLIND = f.InconsistencyDetected(at=at(40), kind="orphan", uid=None, evidence="cannot look")
ASKED = review(uid=None, seconds=50)
LOOK = LookAtCalcom(attempt_ids=("one",), since=at(-300))
MADE = Made(uid="uid-1", starts_at=SLOT, ends_at=SLOT + SERVICE.duration, calcom_status="accepted")


def _look(booking: Booking, *found: Found, seconds: float = 500) -> tuple[e.BookingEvent, ...]:
    return record_look(booking, LOOK, Looked(started_at=at(seconds), found=found), now=at(seconds), policy=POLICY)


def _found(status: str = "accepted", *, to: str | None = None) -> Found:
    return Found(
        attempt_id="one",
        uid="uid-1",
        calcom_status=status,
        starts_at=SLOT,
        ends_at=SLOT + SERVICE.duration,
        created_at=at(0),
        rescheduled_to=to,
    )


def _resolved(events: Sequence[e.BookingEvent]) -> list[tuple[str, str | None, str]]:
    return [(one.kind, one.uid, one.actor) for one in events if isinstance(one, f.InconsistencyResolved)]


@pytest.mark.parametrize("found", [(), (_found(),), (_found("cancelled"),)])
def test_a_look_that_sees_settles_that_nothing_could_be_seen_once(found: tuple[Found, ...]) -> None:
    booking = given(*IN_DOUBT, BLIND)
    events = _look(booking, *found)

    assert [("orphan", None, "calsaga")] == _resolved(events)
    assert () == fold(booking, events).inconsistencies
    assert [] == _resolved(_look(fold(booking, events), *found, seconds=600))


def test_a_look_that_sees_only_that_it_lives_elsewhere_settles_nothing() -> None:
    assert [] == _resolved(_look(given(*IN_DOUBT, BLIND), _found("cancelled", to="uid-2")))


def test_an_old_look_says_nothing_about_a_newer_blindness() -> None:
    booking = given(*IN_DOUBT, looked(seconds=90, problem="http_502"), BLIND)

    assert () == _look(booking, seconds=80)


def test_a_look_that_fails_settles_nothing() -> None:
    outcome = LookFailed(started_at=at(500), reason="http_502")

    assert [] == _resolved(record_look(given(*IN_DOUBT, BLIND), LOOK, outcome, now=at(500), policy=POLICY))


def test_other_findings_stay() -> None:
    other = f.InconsistencyDetected(at=at(41), kind="orphan", uid="uid-9", evidence="")
    booking = given(*IN_DOUBT, other)

    assert (other,) == fold(booking, _look(booking)).inconsistencies


@pytest.mark.parametrize(
    ("found", "status", "answer"),
    [(_found(), LineStatus.LIVE, "adopt"), (_found("cancelled"), LineStatus.CANCELLED, "absent")],
)
def test_a_look_answers_for_the_person_who_was_asked(found: Found, status: LineStatus, answer: str) -> None:
    booking = given(*IN_DOUBT, BLIND, ASKED)
    events = _look(booking, found)
    after = fold(booking, events)

    (answered,) = (one for one in events if isinstance(one, f.ManualReviewAnswered))
    assert (answer, "calsaga", "pending", None) == (
        answered.answer,
        answered.actor,
        answered.status_after,
        answered.reason_after,
    )
    assert (status, None, ()) == (after.ledger.lines[0].status, after.review, after.inconsistencies)


def test_a_look_that_finds_nothing_leaves_the_question_open() -> None:
    booking = given(*IN_DOUBT, ASKED)

    assert BookingStatus.NEEDS_REVIEW is fold(booking, _look(booking)).status


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (MADE, LineStatus.LIVE),
        (Refused(reason="slot_taken", detail="", status=400), LineStatus.REFUSED),
        (NotSent(reason="too_late", detail=""), LineStatus.NOT_SENT),
    ],
)
def test_a_late_answer_answers_for_the_person_who_was_asked(
    outcome: Made | Refused | NotSent, status: LineStatus
) -> None:
    booking = given(*IN_DOUBT, BLIND, ASKED)
    events = record_create(booking, "one", outcome, answered_at=at(60), now=at(60), policy=POLICY)
    after = fold(booking, events)

    assert (status, None, ()) == (after.ledger.lines[0].status, after.review, after.inconsistencies)
    assert () == record_create(after, "one", outcome, answered_at=at(61), now=at(61), policy=POLICY)


def test_an_answer_that_was_lost_answers_for_nobody() -> None:
    booking = given(*IN_DOUBT, ASKED)
    after = fold(
        booking,
        record_create(
            booking, "one", Unknown(reason="timeout", detail=""), answered_at=at(60), now=at(60), policy=POLICY
        ),
    )

    assert (LineStatus.IN_DOUBT, booking.review) == (after.ledger.lines[0].status, after.review)


def test_a_sighting_answers_and_what_was_to_be_cancelled_is_cancelled() -> None:
    booking = given(*IN_DOUBT, cancellation(seconds=20), ASKED)
    after = fold(booking, record_sighting(booking, standing(), now=at(60)))

    assert (BookingStatus.CANCELLING, ["uid-1"]) == (after.status, [line.uid for line in after.surplus])


def test_each_attempt_is_answered_for_by_itself() -> None:
    booking = given(
        *IN_DOUBT, attempted("two", number=2, seconds=20), unknown("two", seconds=30), ASKED, review("two", None)
    )
    events = record_create(
        booking, "one", Refused(reason="x", detail="", status=400), answered_at=at(60), now=at(60), policy=POLICY
    )
    after = fold(booking, events)

    assert (BookingStatus.NEEDS_REVIEW, ["two"]) == (after.status, [line.attempt_id for line in after.ledger.in_review])


def test_a_question_about_a_booking_that_was_made_is_for_people() -> None:
    booking = given(*BOOKED, cancellation(), review(), attempted("two", number=2), unknown("two"))
    events = record_create(
        booking, "two", NotSent(reason="too_late", detail=""), answered_at=at(60), now=at(60), policy=POLICY
    )

    assert BookingStatus.NEEDS_REVIEW is fold(booking, events).status
