"""
Comparing what the database holds about a webhook with what its stream says: pure.
"""

from collections.abc import Iterator, Sequence

from adapters.difference import NOTHING, Difference, difference, surplus_rows
from adapters.evidence import Evidence
from domain.webhook import Webhook, WebhookEvent, WebhookReceived, fold_webhook
from sagas.appending import LogEvent


def about_webhook(one: Evidence, events: Sequence[LogEvent]) -> Iterator[Difference]:
    """Yield everything that contradicts a webhook's stream: it has due work until it is processed, and no other row."""
    ours = [event for event in events if isinstance(event, WebhookEvent)]
    if len(ours) < len(events):
        strange = next(event for event in events if not isinstance(event, WebhookEvent))
        yield difference(one, "stream", "events of a webhook", strange.TOPIC)
        return
    if not isinstance(ours[0], WebhookReceived):
        yield difference(one, "stream", f"begins with {WebhookReceived.TOPIC}", ours[0].TOPIC)
        return
    webhook = fold_webhook(Webhook(webhook_id=one.stream_id), ours)
    if webhook.processed is not None and one.due is not None:
        yield difference(one, "due work", NOTHING, "a row, though the webhook is processed")
    if webhook.processed is None and one.due is None:
        yield difference(one, "due work", "a row, as the webhook is not processed", NOTHING)
    yield from surplus_rows(one, "a row of a webhook")
