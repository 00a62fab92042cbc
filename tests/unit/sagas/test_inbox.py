"""
Webhooks: stored at once, processed as a trigger, in any order and however often they come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from uuid import UUID

import pytest

from domain.booking import BookingStatus
from domain.ledger import LineStatus
from domain.webhook import Webhook, webhook_id_of
from sagas.appending import DueAfter
from sagas.inbox import Inbox, IncomingWebhook
from tests.fakes.calcom import CreateFate, LookFate
from tests.fakes.given import BOOKED, BOOKING_ID, IN_DOUBT, SLOT, WISH, at, cancellation, review
from tests.fakes.office import Office

HOUR = timedelta(hours=1)


def _webhook(trigger: str, uid: str | None = "uid-1", *, ours: bool = False, digest: str = "") -> IncomingWebhook:
    return IncomingWebhook(
        company_id="acme",
        digest=digest or f"{trigger} {uid}",
        trigger=trigger,
        uid=uid,
        attempt_id="a" * 32 if ours else None,
        booking_id=BOOKING_ID if ours else None,
    )


def _of(office: Office, webhook: IncomingWebhook) -> Webhook:
    return office.log.webhook(webhook_id_of(webhook.company_id, webhook.digest))


def _receive(office: Office, *webhooks: IncomingWebhook) -> list[str]:
    async def main() -> list[str]:
        return [await office.sagas.inbox.receive(one) for one in webhooks]

    return office.run(main())


def _outcome(office: Office, webhook: IncomingWebhook) -> str | None:
    processed = _of(office, webhook).processed
    return None if processed is None else processed.outcome


def _booked() -> Office:
    office = Office()
    office.run(office.orchestrator.book(WISH))
    return office


def _rows(office: Office) -> list[tuple[str, bool]]:
    return [(one.inserted.calcom_booking_uid, one.booked) for one in office.log.appointments.values()]


def test_the_same_body_is_one_webhook() -> None:
    office = _booked()
    webhook = _webhook("BOOKING_CREATED", ours=True)

    assert ["stored", "known", "known"] == _receive(office, webhook, webhook, webhook)


@pytest.mark.parametrize(
    ("webhook", "told", "outcome"),
    [
        (_webhook("PING", None), "ignored", "ignored"),
        (_webhook("MEETING_STARTED"), "ignored", "ignored"),
        (_webhook("BOOKING_CREATED", None), "ignored", "ignored"),
        (replace(_webhook(""), problem="the body is not JSON"), "rejected", "rejected"),
    ],
)
def test_what_tells_of_no_booking_is_kept_and_done_with(webhook: IncomingWebhook, told: str, outcome: str) -> None:
    office = Office()

    assert [told, "known"] == _receive(office, webhook, webhook)
    assert (outcome, {}) == (_outcome(office, webhook), office.agenda.rows)


def test_what_becomes_of_webhooks_is_counted() -> None:
    office = _booked()
    news, cancelled = _webhook("BOOKING_CREATED", ours=True), _webhook("BOOKING_CANCELLED")
    _receive(office, news, news, _webhook("PING", None), replace(_webhook(""), problem="the body is not JSON"))
    office.let_pass(600)
    # It comes before Cal.com has changed the booking.
    _receive(office, cancelled)
    office.let_pass(1)
    office.calcom.person_cancels("uid-1")
    office.let_pass(600)

    at_once = ["stored", "known", "ignored", "rejected"]
    assert [*at_once, "equal", "stored", "put_off", "cancelled"] == office.webhook_news


def test_a_webhook_that_somebody_else_was_faster_to_process_is_counted_by_them() -> None:
    office = _booked()
    webhook = _webhook("BOOKING_CREATED", ours=True)
    _receive(office, webhook)
    stale = _of(office, webhook)

    async def twice() -> None:
        for _ in range(2):
            await office.sagas.inbox.process(stale)

    office.run(twice())

    assert ["stored", "equal"] == office.webhook_news


def test_our_own_news_asks_nothing_of_cal_com() -> None:
    office = _booked()
    webhook = _webhook("BOOKING_CREATED", ours=True)
    _receive(office, webhook)
    office.let_pass(600)

    assert ("equal", ["create made"]) == (_outcome(office, webhook), office.calcom.happened)


def test_news_of_another_companys_booking_are_nothing_here() -> None:
    office = _booked()
    webhook = replace(_webhook("BOOKING_CREATED", ours=True), company_id="other")
    _receive(office, webhook)
    office.let_pass(600)

    processed = _of(office, webhook).processed
    assert processed is not None
    assert ("ignored", None) == (processed.outcome, processed.booking_id)


def test_a_webhook_before_the_answer_to_our_own_request_wakes_nobody_who_works() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(does="slow", late_by=1, answers=8))
    webhook = _webhook("BOOKING_CREATED", ours=True)

    async def main() -> BookingStatus:
        booking = asyncio.create_task(office.orchestrator.book(WISH))
        await asyncio.sleep(2)
        await office.sagas.inbox.receive(webhook)
        await asyncio.sleep(2)
        await office.worker.run_due()
        return (await booking).booking.status

    status = office.run(main())

    assert (BookingStatus.BOOKED, "woken") == (status, _outcome(office, webhook))
    assert 1 == len(office.calcom.live())


def test_a_webhook_wakes_a_booking_in_doubt() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(does="committed", answers=3))
    office.run(office.orchestrator.book(WISH, patience=5))
    office.agenda.put(BOOKING_ID, DueAfter(delay=timedelta(hours=9)))
    webhook = _webhook("BOOKING_CREATED", ours=True)
    _receive(office, webhook)
    office.let_pass(20)

    assert ("woken", BookingStatus.BOOKED) == (_outcome(office, webhook), office.booking().status)


def test_a_webhook_about_a_booking_that_is_cancelling_waits_for_its_saga() -> None:
    office = _booked()
    office.log.write(BOOKING_ID, cancellation())
    webhook = _webhook("BOOKING_CANCELLED")
    _receive(office, webhook)
    office.run(office.worker.run_due())

    assert (1, None) == (_of(office, webhook).put_off, _of(office, webhook).processed)


def test_a_cancellation_that_cal_com_has_not_made_yet_is_looked_at_again() -> None:
    office = _booked()
    webhook = _webhook("BOOKING_CANCELLED")
    _receive(office, webhook)

    async def main() -> None:
        await office.worker.run_due()
        office.calcom.person_cancels("uid-1")

    office.run(main())
    office.let_pass(600)

    assert ("cancelled", 1, [("uid-1", False)]) == (
        _outcome(office, webhook),
        _of(office, webhook).put_off,
        _rows(office),
    )


def test_a_cancellation_that_never_comes_true_is_believed_at_last_to_be_none() -> None:
    office = _booked()
    webhook = _webhook("BOOKING_CANCELLED")
    _receive(office, webhook)
    office.let_pass(600)

    assert ("equal", 3, [("uid-1", True)]) == (_outcome(office, webhook), _of(office, webhook).put_off, _rows(office))


def test_a_uid_that_nobody_knows_is_given_up() -> None:
    office = Office()
    webhook = _webhook("BOOKING_CREATED", "nowhere")
    _receive(office, webhook)
    office.let_pass(600)

    assert ("given_up", 3, "not_there") == (
        _outcome(office, webhook),
        _of(office, webhook).put_off,
        getattr(_of(office, webhook).processed, "detail", None),
    )


def test_cal_com_that_cannot_be_read_is_asked_again_for_a_while_and_then_left_to_the_reconciler() -> None:
    office = _booked()
    office.calcom.traces.extend([LookFate(does="errs")] * 30)
    webhook = _webhook("BOOKING_RESCHEDULED")
    _receive(office, webhook)
    office.let_pass(12 * 3600)

    assert ("given_up", 12) == (_outcome(office, webhook), _of(office, webhook).put_off)


def test_a_booking_that_waits_for_a_person_is_left_alone() -> None:
    office = _booked()
    office.log.write(BOOKING_ID, review(attempt=office.booking().ledger.lines[0].attempt_id))
    webhook = _webhook("BOOKING_CANCELLED")
    office.calcom.person_cancels("uid-1")
    _receive(office, webhook)
    office.let_pass(600)

    assert ("flagged", BookingStatus.NEEDS_REVIEW) == (_outcome(office, webhook), office.booking().status)


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("ours", [True, False])
def test_created_rescheduled_and_cancelled_in_any_order_end_equal(order: Sequence[int], ours: bool) -> None:
    office = _booked() if ours else Office()
    if not ours:
        office.calcom.commit(event_type_id=1, starts_at=SLOT, ends_at=SLOT + timedelta(minutes=30), attempt_id=None)
    office.calcom.person_moves("uid-1", HOUR)
    office.calcom.person_moves("uid-2", HOUR)
    office.calcom.person_cancels("uid-3")
    webhooks = (
        _webhook("BOOKING_CREATED", ours=ours),
        _webhook("BOOKING_RESCHEDULED", "uid-3", ours=ours),
        _webhook("BOOKING_CANCELLED", "uid-3"),
    )
    for place in order:
        _receive(office, webhooks[place])
        office.let_pass(5)
        _receive(office, webhooks[place])
    office.let_pass(600)

    assert [False] * ours == [booked for _, booked in _rows(office)]
    assert [] == office.calcom.cancelled_by_us


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("ours", [True, False])
def test_two_moves_of_a_person_in_any_order_end_in_one_row_at_the_last_time(order: Sequence[int], ours: bool) -> None:
    office = _booked() if ours else Office()
    if not ours:
        office.calcom.commit(event_type_id=1, starts_at=SLOT, ends_at=SLOT + timedelta(minutes=30), attempt_id=None)
        _receive(office, _webhook("BOOKING_CREATED"))
        office.let_pass(5)
    office.calcom.person_moves("uid-1", HOUR)
    office.calcom.person_moves("uid-2", HOUR)
    webhooks = (
        _webhook("BOOKING_CREATED", digest="again"),
        _webhook("BOOKING_RESCHEDULED", "uid-2", ours=ours),
        _webhook("BOOKING_RESCHEDULED", "uid-3", ours=ours),
    )
    _receive(office, *(webhooks[place] for place in order))
    office.let_pass(600)

    (row,) = office.log.appointments.values()
    assert ("uid-3", SLOT + 2 * HOUR, True) == (row.inserted.calcom_booking_uid, row.inserted.starts_at, row.booked)
    assert ([], {}) == (office.calcom.cancelled_by_us, office.agenda.rows)


def test_a_webhook_that_is_processed_already_is_only_taken_off_the_agenda() -> None:
    office = _booked()
    webhook = _webhook("BOOKING_CREATED", ours=True)
    _receive(office, webhook)
    office.let_pass(5)
    stored = _of(office, webhook)
    office.agenda.put(stored.webhook_id, DueAfter(delay=timedelta(0)))

    office.run(office.sagas.inbox.process(stored))

    assert (stored, {}) == (_of(office, webhook), office.agenda.rows)


def test_two_processes_process_a_webhook_once() -> None:
    office = _booked()
    office.calcom.person_cancels("uid-1")
    webhook = _webhook("BOOKING_CANCELLED")
    _receive(office, webhook)

    async def main() -> None:
        stored = await office.sagas.inbox.load(webhook_id_of("acme", webhook.digest))
        inboxes: list[Inbox] = [office.sagas.inbox, office.another_process().inbox]
        await asyncio.gather(*(one.process(stored) for one in inboxes))

    office.run(main())

    assert (2, 1) == (_of(office, webhook).version, office.topics().count("cancelled"))


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
    webhook = _webhook("BOOKING_CREATED", made.uid)
    _receive(office, webhook)
    office.let_pass(5)

    booking = office.booking()
    assert ("adopted", BookingStatus.BOOKED, None) == (_outcome(office, webhook), booking.status, booking.review)
    assert [LineStatus.LIVE] == [line.status for line in booking.ledger.lines]


def test_a_webhook_leaves_the_look_at_the_horizon_due() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(does="lost"))
    office.run(office.orchestrator.book(WISH, patience=0))
    office.let_pass(200)
    due = office.agenda.rows[BOOKING_ID].due_at
    (uid,) = (one.uid for one in office.calcom.live())
    office.calcom.person_moves(uid, HOUR)
    _receive(office, _webhook("BOOKING_RESCHEDULED", "uid-2"))
    office.let_pass(5)

    assert due == pytest.approx(office.agenda.rows[BOOKING_ID].due_at, abs=0.01)
    assert "rescheduled" in office.topics()


def test_unknown_streams_are_no_webhooks() -> None:
    office = Office()
    office.given(*BOOKED)

    assert 0 == office.run(office.sagas.inbox.load(UUID(int=5))).version
    assert at(0) == office.clock.now()
