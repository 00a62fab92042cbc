"""
Webhooks: stored at once, and processed as a trigger, after which Cal.com is asked.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain.booking import BookingStatus
from domain.errors import AppointmentDatabaseError
from domain.ledger import LineStatus
from sagas.appending import DueAfter
from sagas.inbox import IncomingWebhook
from tests.fakes.calcom import CreateFate, LookFate
from tests.fakes.given import BOOKED, BOOKING_ID, IN_DOUBT, SLOT, WISH, at, cancellation, review
from tests.fakes.office import Office
from tests.unit.sagas.incoming import HOUR, booked, incoming, of, outcome_of, receive, rows


def test_the_same_body_is_one_webhook() -> None:
    office = booked()
    webhook = incoming("BOOKING_CREATED", ours=True)

    assert ["stored", "known", "known"] == receive(office, webhook, webhook, webhook)


@pytest.mark.parametrize(
    ("webhook", "told", "outcome"),
    [
        (incoming("PING", None), "ignored", "ignored"),
        (incoming("MEETING_STARTED"), "ignored", "ignored"),
        (incoming("BOOKING_CREATED", None), "ignored", "ignored"),
        (replace(incoming(""), problem="the body is not JSON"), "rejected", "rejected"),
    ],
)
def test_what_tells_of_no_booking_is_kept_and_done_with(webhook: IncomingWebhook, told: str, outcome: str) -> None:
    office = Office()

    assert [told, "known"] == receive(office, webhook, webhook)
    assert (outcome, {}) == (outcome_of(office, webhook), office.agenda.rows)


def test_what_becomes_of_webhooks_is_counted() -> None:
    office = booked()
    news, cancelled = incoming("BOOKING_CREATED", ours=True), incoming("BOOKING_CANCELLED")
    receive(office, news, news, incoming("PING", None), replace(incoming(""), problem="the body is not JSON"))
    office.let_pass(600)
    # It comes before Cal.com has changed the booking.
    receive(office, cancelled)
    office.let_pass(1)
    office.calcom.person_cancels("uid-1")
    office.let_pass(600)

    at_once = ["stored", "known", "ignored", "rejected"]
    assert [*at_once, "equal", "stored", "put_off", "cancelled"] == office.webhook_news


def test_a_webhook_that_cannot_be_stored_or_processed_is_counted_as_failed() -> None:
    office = booked()
    webhook = incoming("BOOKING_CANCELLED")
    away = AppointmentDatabaseError("away", kind="connection_lost")

    async def fails(*_: object) -> None:
        raise away

    append = office.log.append
    office.log.append = fails  # type: ignore[method-assign, assignment]
    with pytest.raises(AppointmentDatabaseError):
        receive(office, webhook)
    office.log.append = append  # type: ignore[method-assign]
    receive(office, webhook)
    stored = of(office, webhook)
    office.log.append = fails  # type: ignore[method-assign, assignment]
    with pytest.raises(AppointmentDatabaseError):
        office.run(office.sagas.inbox.process(stored))

    assert ["failed", "stored", "failed"] == office.webhook_news


def test_a_webhook_that_somebody_else_was_faster_to_process_is_counted_by_them() -> None:
    office = booked()
    webhook = incoming("BOOKING_CREATED", ours=True)
    receive(office, webhook)
    stale = of(office, webhook)

    async def twice() -> None:
        for _ in range(2):
            await office.sagas.inbox.process(stale)

    office.run(twice())

    assert ["stored", "equal"] == office.webhook_news


def test_our_own_news_asks_nothing_of_cal_com() -> None:
    office = booked()
    webhook = incoming("BOOKING_CREATED", ours=True)
    receive(office, webhook)
    office.let_pass(600)

    assert ("equal", ["create made"]) == (outcome_of(office, webhook), office.calcom.happened)


def test_news_of_another_companys_booking_are_nothing_here() -> None:
    office = booked()
    webhook = replace(incoming("BOOKING_CREATED", ours=True), company_id="other")
    receive(office, webhook)
    office.let_pass(600)

    processed = of(office, webhook).processed
    assert processed is not None
    assert ("ignored", None) == (processed.outcome, processed.booking_id)


def test_a_webhook_before_the_answer_to_our_own_request_wakes_nobody_who_works() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(does="slow", late_by=1, answers=8))
    webhook = incoming("BOOKING_CREATED", ours=True)

    async def main() -> BookingStatus:
        booking = asyncio.create_task(office.orchestrator.book(WISH, patience=10))
        await asyncio.sleep(2)
        await office.sagas.inbox.receive(webhook)
        await asyncio.sleep(2)
        await office.worker.run_due()
        return (await booking).booking.status

    status = office.run(main())

    assert (BookingStatus.BOOKED, "woken") == (status, outcome_of(office, webhook))
    assert 1 == len(office.calcom.live())


def test_a_webhook_wakes_a_booking_in_doubt() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(does="committed", answers=3))
    office.run(office.orchestrator.book(WISH, patience=5))
    office.agenda.put(BOOKING_ID, DueAfter(delay=timedelta(hours=9)))
    webhook = incoming("BOOKING_CREATED", ours=True)
    receive(office, webhook)
    office.let_pass(20)

    assert ("woken", BookingStatus.BOOKED) == (outcome_of(office, webhook), office.booking().status)


def test_a_webhook_about_a_booking_that_is_cancelling_waits_for_its_saga() -> None:
    office = booked()
    office.log.write(BOOKING_ID, cancellation())
    webhook = incoming("BOOKING_CANCELLED")
    receive(office, webhook)
    office.run(office.worker.run_due())

    assert (1, None) == (of(office, webhook).put_off, of(office, webhook).processed)


def test_a_cancellation_that_cal_com_has_not_made_yet_is_looked_at_again() -> None:
    office = booked()
    webhook = incoming("BOOKING_CANCELLED")
    receive(office, webhook)

    async def main() -> None:
        await office.worker.run_due()
        office.calcom.person_cancels("uid-1")

    office.run(main())
    office.let_pass(600)

    assert ("cancelled", 1, [("uid-1", False)]) == (
        outcome_of(office, webhook),
        of(office, webhook).put_off,
        rows(office),
    )


def test_a_cancellation_that_never_comes_true_is_believed_at_last_to_be_none() -> None:
    office = booked()
    webhook = incoming("BOOKING_CANCELLED")
    receive(office, webhook)
    office.let_pass(600)

    assert ("equal", 3, [("uid-1", True)]) == (outcome_of(office, webhook), of(office, webhook).put_off, rows(office))


def test_a_uid_that_nobody_knows_is_given_up() -> None:
    office = Office()
    webhook = incoming("BOOKING_CREATED", "nowhere")
    receive(office, webhook)
    office.let_pass(600)

    assert ("given_up", 3, "not_there") == (
        outcome_of(office, webhook),
        of(office, webhook).put_off,
        getattr(of(office, webhook).processed, "detail", None),
    )


def test_cal_com_that_cannot_be_read_is_asked_again_for_a_while_and_then_left_to_the_reconciler() -> None:
    office = booked()
    office.calcom.traces.extend([LookFate(does="errs")] * 30)
    webhook = incoming("BOOKING_RESCHEDULED")
    receive(office, webhook)
    office.let_pass(12 * 3600)

    assert ("given_up", 12) == (outcome_of(office, webhook), of(office, webhook).put_off)


def test_a_booking_that_waits_for_a_person_is_left_alone() -> None:
    office = booked()
    office.log.write(BOOKING_ID, review(attempt=office.booking().ledger.lines[0].attempt_id))
    webhook = incoming("BOOKING_CANCELLED")
    office.calcom.person_cancels("uid-1")
    receive(office, webhook)
    office.let_pass(600)

    assert ("flagged", BookingStatus.NEEDS_REVIEW) == (outcome_of(office, webhook), office.booking().status)


def test_an_attempt_that_waits_for_a_person_is_adopted_when_it_shows_itself() -> None:
    office = Office()
    office.given(*IN_DOUBT, review(uid=None))
    made = office.calcom.commit(
        event_type_id=1,
        starts_at=SLOT,
        ends_at=SLOT + timedelta(minutes=30),
        attempt_id="one",
        booking_id=BOOKING_ID,
    )
    webhook = incoming("BOOKING_CREATED", made.uid)
    receive(office, webhook)
    office.let_pass(5)

    booking = office.booking()
    assert ("adopted", BookingStatus.BOOKED, None) == (outcome_of(office, webhook), booking.status, booking.review)
    assert [LineStatus.LIVE] == [line.status for line in booking.ledger.lines]


def test_a_webhook_leaves_the_look_at_the_horizon_due() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(does="lost"))
    office.run(office.orchestrator.book(WISH, patience=0))
    office.let_pass(200)
    due = office.agenda.rows[BOOKING_ID].due_at
    (uid,) = (one.uid for one in office.calcom.live())
    office.calcom.person_moves(uid, HOUR)
    receive(office, incoming("BOOKING_RESCHEDULED", "uid-2"))
    office.let_pass(5)

    assert due == pytest.approx(office.agenda.rows[BOOKING_ID].due_at, abs=0.01)
    assert "rescheduled" in office.topics()


def test_unknown_streams_are_no_webhooks() -> None:
    office = Office()
    office.given(*BOOKED)

    assert 0 == office.run(office.sagas.inbox.load(UUID(int=5))).version
    assert at(0) == office.clock.now()
