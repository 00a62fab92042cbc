"""
`verify` knows the streams of webhooks, and what stands in another kind of stream.
"""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import insert

from adapters.database.tables import appointments, slot_claims
from adapters.log.store import Store
from adapters.verify import verify
from domain.webhook import WebhookEvent, WebhookProcessed, WebhookPutOff
from projections.tables import booking_list
from sagas.appending import Due, NothingDue
from tests.histories.driving import Salon
from tests.integration.projections.tampering import (
    IN_AN_HOUR,
    RECEIVED,
    THEN,
    a_claim,
    booked,
    copied,
    found,
    tamper,
    written,
)

PUT_OFF = WebhookPutOff(at=THEN, until=THEN, reason="under_way")
PROCESSED = WebhookProcessed(at=THEN, outcome="equal", detail="")


@pytest.mark.parametrize(
    ("events", "due"),
    [
        ((RECEIVED,), IN_AN_HOUR),
        ((RECEIVED, PUT_OFF), IN_AN_HOUR),
        ((RECEIVED, PROCESSED), NothingDue()),
        ((RECEIVED, PUT_OFF, PROCESSED), NothingDue()),
    ],
)
async def test_a_webhook_is_due_until_it_is_processed(store: Store, events: tuple[WebhookEvent, ...], due: Due) -> None:
    webhook_id = await written(store, *events, due=due)

    assert [] == await found(store, webhook_id)


@pytest.mark.parametrize("events", [(RECEIVED,), (RECEIVED, PUT_OFF)])
async def test_a_webhook_that_nobody_will_process_is_found(store: Store, events: tuple[WebhookEvent, ...]) -> None:
    webhook_id = await written(store, *events, due=NothingDue())

    assert [("due work", "a row, as the webhook is not processed", "nothing")] == await found(store, webhook_id)


async def test_a_webhook_that_is_processed_and_due_is_found(store: Store) -> None:
    webhook_id = await written(store, RECEIVED, PROCESSED, due=IN_AN_HOUR)

    assert [("due work", "nothing", "a row, though the webhook is processed")] == await found(store, webhook_id)


async def test_a_webhook_that_has_a_bookings_rows_is_found(store: Store, salon: Salon) -> None:
    await booked(salon)
    await verify(store)
    webhook_id = await written(store, RECEIVED, PROCESSED, due=NothingDue())
    other = {"id": uuid4(), "staff_id": None, "idempotency_key": "k", "calcom_booking_uid": "u"}
    tamper(store, copied(store, appointments, booking_id=webhook_id, **other))
    tamper(store, copied(store, booking_list, booking_id=webhook_id))
    tamper(store, insert(slot_claims).values(**a_claim(salon, webhook_id)))

    assert await found(store, webhook_id) == [
        (what, "nothing", "a row of a webhook") for what in ("appointment", "claim", "list of bookings")
    ]


async def test_a_webhook_without_its_beginning_is_found(store: Store) -> None:
    webhook_id = await written(store, PUT_OFF, due=IN_AN_HOUR)

    assert [("stream", "begins with webhook.received.v1", "webhook.put-off.v1")] == await found(store, webhook_id)


async def test_an_event_of_a_booking_in_the_stream_of_a_webhook_is_found(store: Store, salon: Salon) -> None:
    [initiated, *_] = [one.event for one in await store.log.read(await booked(salon))]
    webhook_id = await written(store, RECEIVED, initiated, due=IN_AN_HOUR)

    assert ("stream", "events of a webhook", "booking.initiated.v1") in await found(store, webhook_id)


async def test_an_event_of_a_webhook_in_the_stream_of_a_booking_is_found(store: Store, salon: Salon) -> None:
    booking_id = await booked(salon)
    stream = await store.log.read(booking_id)
    await written(store, RECEIVED, due=NothingDue(), stream_id=booking_id, after=len(stream))

    assert ("stream", "events of a booking", "webhook.received.v1") in await found(store, booking_id)


async def test_a_booking_without_its_beginning_is_found(store: Store, salon: Salon) -> None:
    [_, attempted, *_] = [one.event for one in await store.log.read(await booked(salon))]
    stream_id = await written(store, attempted, due=NothingDue())

    assert ("stream", "begins with booking.initiated.v1", "booking.calcom-attempted.v1") in await found(
        store, stream_id
    )
