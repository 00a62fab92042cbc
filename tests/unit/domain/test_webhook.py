"""
A webhook's stream, folded.
"""

from __future__ import annotations

from uuid import UUID

from domain.webhook import (
    Webhook,
    WebhookEvent,
    WebhookProcessed,
    WebhookPutOff,
    WebhookReceived,
    fold_webhook,
    webhook_id_of,
)
from tests.fakes.given import at

WEBHOOK_ID = webhook_id_of("acme", "digest")
RECEIVED = WebhookReceived(at=at(0), company_id="acme", trigger="BOOKING_CREATED", digest="digest", uid="uid-1")
PUT_OFF = WebhookPutOff(at=at(1), until=at(2), reason="under_way")
PROCESSED = WebhookProcessed(at=at(3), outcome="equal", detail="")


def folded(*events: WebhookEvent) -> Webhook:
    return fold_webhook(Webhook(webhook_id=WEBHOOK_ID), events)


def test_a_webhook_that_never_came_has_no_version() -> None:
    assert Webhook(webhook_id=WEBHOOK_ID) == folded()


def test_a_received_webhook_says_where_to_look() -> None:
    webhook = folded(RECEIVED)

    assert (1, RECEIVED, None) == (webhook.version, webhook.received, webhook.processed)


def test_a_webhook_counts_how_often_it_was_put_off() -> None:
    webhook = folded(RECEIVED, PUT_OFF, PUT_OFF)

    assert (3, 2, None) == (webhook.version, webhook.put_off, webhook.processed)


def test_a_processed_webhook_says_what_came_of_it() -> None:
    webhook = folded(RECEIVED, PUT_OFF, PROCESSED)

    assert (3, 1, PROCESSED) == (webhook.version, webhook.put_off, webhook.processed)


def test_events_may_come_one_by_one() -> None:
    webhook = folded()
    for event in (RECEIVED, PUT_OFF, PROCESSED):
        webhook = fold_webhook(webhook, [event])

    assert folded(RECEIVED, PUT_OFF, PROCESSED) == webhook


def test_the_same_body_is_the_same_webhook_in_one_company_alone() -> None:
    ids = {webhook_id_of(company, digest) for company in ("acme", "other") for digest in ("digest", "another")}

    assert 4 == len(ids)
    assert webhook_id_of("acme", "digest") in ids
    assert all(isinstance(one, UUID) for one in ids)
