"""
Webhooks that come in any order, again, or to two processes: the end is the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations

import pytest

from domain.webhook import webhook_id_of
from sagas.appending import DueAfter
from sagas.inbox import Inbox
from tests.fakes.given import SLOT
from tests.fakes.office import Office
from tests.unit.sagas.incoming import HOUR, booked, incoming, of, receive, rows


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("ours", [True, False])
def test_created_rescheduled_and_cancelled_in_any_order_end_equal(order: Sequence[int], ours: bool) -> None:
    office = booked() if ours else Office()
    if not ours:
        office.calcom.commit(event_type_id=1, starts_at=SLOT, ends_at=SLOT + timedelta(minutes=30), attempt_id=None)
    office.calcom.person_moves("uid-1", HOUR)
    office.calcom.person_moves("uid-2", HOUR)
    office.calcom.person_cancels("uid-3")
    webhooks = (
        incoming("BOOKING_CREATED", ours=ours),
        incoming("BOOKING_RESCHEDULED", "uid-3", ours=ours),
        incoming("BOOKING_CANCELLED", "uid-3"),
    )
    for place in order:
        receive(office, webhooks[place])
        office.let_pass(5)
        receive(office, webhooks[place])
    office.let_pass(600)

    assert [False] * ours == [booked for _, booked in rows(office)]
    assert [] == office.calcom.cancelled_by_us


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("ours", [True, False])
def test_two_moves_of_a_person_in_any_order_end_in_one_row_at_the_last_time(order: Sequence[int], ours: bool) -> None:
    office = booked() if ours else Office()
    if not ours:
        office.calcom.commit(event_type_id=1, starts_at=SLOT, ends_at=SLOT + timedelta(minutes=30), attempt_id=None)
        receive(office, incoming("BOOKING_CREATED"))
        office.let_pass(5)
    office.calcom.person_moves("uid-1", HOUR)
    office.calcom.person_moves("uid-2", HOUR)
    webhooks = (
        incoming("BOOKING_CREATED", digest="again"),
        incoming("BOOKING_RESCHEDULED", "uid-2", ours=ours),
        incoming("BOOKING_RESCHEDULED", "uid-3", ours=ours),
    )
    receive(office, *(webhooks[place] for place in order))
    office.let_pass(600)

    (row,) = office.log.appointments.values()
    assert ("uid-3", SLOT + 2 * HOUR, True) == (row.inserted.calcom_booking_uid, row.inserted.starts_at, row.booked)
    assert ([], {}) == (office.calcom.cancelled_by_us, office.agenda.rows)


def test_a_webhook_that_is_processed_already_is_only_taken_off_the_agenda() -> None:
    office = booked()
    webhook = incoming("BOOKING_CREATED", ours=True)
    receive(office, webhook)
    office.let_pass(5)
    stored = of(office, webhook)
    office.agenda.put(stored.webhook_id, DueAfter(delay=timedelta(0)))

    office.run(office.sagas.inbox.process(stored))

    assert (stored, {}) == (of(office, webhook), office.agenda.rows)


def test_two_processes_process_a_webhook_once() -> None:
    office = booked()
    office.calcom.person_cancels("uid-1")
    webhook = incoming("BOOKING_CANCELLED")
    receive(office, webhook)

    async def main() -> None:
        stored = await office.sagas.inbox.load(webhook_id_of("acme", webhook.digest))
        inboxes: list[Inbox] = [office.sagas.inbox, office.another_process().inbox]
        await asyncio.gather(*(one.process(stored) for one in inboxes))

    office.run(main())

    assert (2, 1) == (of(office, webhook).version, office.topics().count("cancelled"))


def test_two_processes_put_a_webhook_off_once_and_count_that_once() -> None:
    office = Office()
    webhook = incoming("BOOKING_CREATED", "nowhere")
    receive(office, webhook)

    async def main() -> None:
        stored = await office.sagas.inbox.load(webhook_id_of("acme", webhook.digest))
        inboxes: list[Inbox] = [office.sagas.inbox, office.another_process().inbox]
        await asyncio.gather(*(one.process(stored) for one in inboxes))

    office.run(main())

    assert (1, 1) == (of(office, webhook).put_off, office.webhook_news.count("put_off"))
