"""
Streams of bookings and of webhooks, told apart.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from domain.webhook import WebhookReceived
from sagas.appending import LogEvent, Recorded, booking_events, by_booking, only_booking_events, webhook_events
from tests.fakes.given import at, attempted, initiated

HOOK = WebhookReceived(at=at(0), company_id="acme", trigger="BOOKING_CREATED", digest="digest")


def recorded(*events: LogEvent) -> list[Recorded]:
    return [
        Recorded(
            stream_id=UUID(int=1), version=version, event=event, append_id="a", correlation_id="c", recorded_at=at(0)
        )
        for version, event in enumerate(events, start=1)
    ]


def test_the_events_of_a_webhook_are_no_bookings() -> None:
    mixed = (initiated(), HOOK, attempted())

    assert [initiated(), attempted()] == list(only_booking_events(mixed))
    assert [initiated(), attempted()] == list(booking_events(recorded(*mixed)))
    assert [HOOK] == list(webhook_events(recorded(*mixed)))


def test_what_happened_to_each_booking_keeps_its_order_and_leaves_webhooks_out() -> None:
    first, hook, second = recorded(initiated(), HOOK, attempted())
    other = replace(first, stream_id=UUID(int=2))

    assert {first.stream_id: [first, second], other.stream_id: [other]} == by_booking([first, other, hook, second])
