"""
Tell subscribers what happens to bookings, with whatever fault the plan has for each delivery.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

import orjson

from adapters.sandbox.announcements import Announcement
from adapters.sandbox.courier import NO_SECRET, Delivery, sign
from adapters.sandbox.faults import CallFacts, Fault, Kind
from adapters.sandbox.representation import instant
from adapters.sandbox.state import Sandbox
from adapters.sandbox.webhook_payload import payload, ping_payload
from adapters.sandbox.webhooks import Trigger, Webhook


async def announce(sandbox: Sandbox, *, news: Sequence[Announcement], answered: asyncio.Event) -> None:
    """
    Tell whoever wants to know, and return once all have been told, except by what is to go out late.

    ``answered`` is set when the call that caused the news has its answer.
    """
    for announcement in news:
        facts = announcement.facts
        if told := _subscribers(sandbox, facts=facts):
            content = payload(announcement)
            await _tell(sandbox, told=told, facts=facts, content=content, answered=answered)


async def ping(sandbox: Sandbox, *, answered: asyncio.Event) -> int:
    """
    Send a test to everybody, and return to how many.
    """
    facts = CallFacts(operation="delivery", trigger=Trigger.PING)
    told = _subscribers(sandbox, facts=facts)
    await _tell(sandbox, told=told, facts=facts, content=ping_payload(sandbox.now()), answered=answered)
    return len(told)


def _subscribers(sandbox: Sandbox, *, facts: CallFacts) -> list[Webhook]:
    return [
        webhook
        for webhook in sandbox.webhooks.who_want(facts.trigger, event_type_id=facts.event_type_id)
        if facts.event_type_id not in sandbox.keys.hidden_from(webhook.key)
    ]


async def _tell(
    sandbox: Sandbox, *, told: list[Webhook], facts: CallFacts, content: dict[str, Any], answered: asyncio.Event
) -> None:
    # The dice fall before anything is sent, so that a seed means the same however quick the subscribers are.
    befallen = [(webhook, sandbox.faults.choose_for_delivery(facts)) for webhook in told]
    deliveries = []
    for webhook, fault in befallen:
        if fault is not None:
            sandbox.injected[fault.kind] += 1
        delivery = _write(sandbox, webhook=webhook, fault=fault, trigger=facts.trigger, content=content)
        deliveries.append(_dispatch(sandbox, delivery=delivery, fault=fault, answered=answered))
    await asyncio.gather(*deliveries)


def _write(
    sandbox: Sandbox, *, webhook: Webhook, fault: Fault | None, trigger: str, content: dict[str, Any]
) -> Delivery:
    kind = fault.kind if fault else None
    if kind is Kind.WEBHOOK_WRONG_TRIGGER:
        trigger = Trigger.REQUESTED
    body = orjson.dumps({"triggerEvent": trigger, "createdAt": instant(sandbox.now()), "payload": content})
    signature = sign(body, secret=webhook.secret)
    if kind is Kind.WEBHOOK_BAD_SIGNATURE:
        # Well formed, and right for another body.
        signature = sign(body + b" ", secret=webhook.secret or "wrong")
    elif kind is Kind.WEBHOOK_UNSIGNED:
        signature = NO_SECRET
    return Delivery(url=webhook.subscriber_url, body=body, signature=signature)


async def _dispatch(sandbox: Sandbox, *, delivery: Delivery, fault: Fault | None, answered: asyncio.Event) -> None:
    courier = sandbox.courier
    match fault:
        case Fault(kind=Kind.WEBHOOK_DROP):
            courier.counts["dropped"] += 1
        case Fault(kind=Kind.WEBHOOK_DELAY, seconds=seconds):
            courier.deliver_after(partial(asyncio.sleep, seconds), delivery=delivery)
        case Fault(kind=Kind.WEBHOOK_AFTER_RESPONSE):
            courier.deliver_after(answered.wait, delivery=delivery)
        case Fault(kind=Kind.WEBHOOK_TWICE, seconds=seconds):
            courier.counts["doubled"] += 1
            await courier.deliver(delivery)
            courier.deliver_after(partial(asyncio.sleep, seconds), delivery=delivery)
        case _:
            await courier.deliver(delivery)
