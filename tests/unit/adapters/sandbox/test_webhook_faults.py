"""
Each fault of a webhook by itself.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from adapters.sandbox.courier import sign
from adapters.sandbox.fault_plan import FaultPlan
from adapters.sandbox.faults import CallFacts, Fault
from adapters.sandbox.profiles import load_profile
from tests.unit.adapters.sandbox.booking import book, cancel, counted, move, subscribe, trouble
from tests.unit.adapters.sandbox.subscriber import SECRET, Subscriber

CREATE = CallFacts(operation="create", event_type_id=1)
DELIVERY = CallFacts(operation="delivery", event_type_id=1, trigger="BOOKING_CREATED")


@pytest.fixture(autouse=True)
async def subscription(api: httpx.AsyncClient) -> None:
    await subscribe(api)


async def test_a_webhook_is_dropped(api: httpx.AsyncClient, subscriber: Subscriber) -> None:
    await trouble(api, "webhook_drop")
    uid = await book(api)
    await cancel(api, uid)

    assert ["BOOKING_CANCELLED"] == subscriber.triggers
    assert {"sent": 1, "dropped": 1, "doubled": 0, "failed": 0, "to_come": 0} == await counted(api)
    assert {"webhook_drop": 1} == (await api.get("/_sandbox/stats")).json()["faults"]


async def test_a_webhook_comes_twice_byte_for_byte(api: httpx.AsyncClient, subscriber: Subscriber) -> None:
    await trouble(api, "webhook_twice", seconds=0.01)
    await book(api)
    once = len(subscriber.requests)
    await subscriber.hears(2)

    first, second = subscriber.requests
    assert 1 == once
    assert first.content == second.content
    assert first.headers["X-Cal-Signature-256"] == second.headers["X-Cal-Signature-256"]
    assert 1 == (await counted(api))["doubled"]


async def test_a_delay_puts_webhooks_out_of_order(api: httpx.AsyncClient, subscriber: Subscriber) -> None:
    await trouble(api, "webhook_delay", seconds=0.05)
    uid = await book(api)
    to_come = (await counted(api))["to_come"]
    await cancel(api, uid)
    await subscriber.hears(2)

    assert 1 == to_come
    assert ["BOOKING_CANCELLED", "BOOKING_CREATED"] == subscriber.triggers


async def test_a_delayed_webhook_does_not_outlive_a_reset(api: httpx.AsyncClient, subscriber: Subscriber) -> None:
    await trouble(api, "webhook_delay", seconds=0.02)
    await book(api)
    await api.post("/_sandbox/reset")
    await asyncio.sleep(0.05)

    assert [] == subscriber.requests
    assert 0 == (await counted(api))["to_come"]


async def test_a_webhook_comes_after_the_answer(api: httpx.AsyncClient, subscriber: Subscriber) -> None:
    await trouble(api, "delay", operation="create", moment="after", seconds=0.03)
    await trouble(api, "webhook_after_response")
    seen: list[Any] = []

    async def note(_body: dict[str, Any]) -> None:
        seen.append("webhook")

    async def noted(_response: httpx.Response) -> None:
        seen.append("answer")

    subscriber.reacts = note
    api.event_hooks = {"response": [noted]}
    await book(api)
    await subscriber.hears(1)

    assert ["answer", "webhook"] == seen


async def test_a_cancelling_that_is_told_after_the_answer_has_happened(
    api: httpx.AsyncClient, subscriber: Subscriber
) -> None:
    await trouble(api, "webhook_after_response", match={"trigger": "BOOKING_CANCELLED"})
    uid = await book(api)
    seen = []

    async def look(_body: dict[str, Any]) -> None:
        seen.append((await api.get(f"/v2/bookings/{uid}")).json()["data"]["status"])

    subscriber.reacts = look
    await cancel(api, uid)
    await subscriber.hears(2)

    assert ["cancelled"] == seen


async def test_a_reschedule_comes_as_a_request(api: httpx.AsyncClient, subscriber: Subscriber) -> None:
    await trouble(api, "webhook_wrong_trigger")
    old = await book(api)
    await move(api, old)

    assert ["BOOKING_CREATED", "BOOKING_REQUESTED"] == subscriber.triggers
    assert ("ACCEPTED", old) == (
        subscriber.bodies[1]["payload"]["status"],
        subscriber.bodies[1]["payload"]["rescheduleUid"],
    )


async def test_a_bad_signature_looks_like_a_good_one(api: httpx.AsyncClient, subscriber: Subscriber) -> None:
    await trouble(api, "webhook_bad_signature")
    await book(api)

    (request,) = subscriber.requests
    good, bad = sign(request.content, secret=SECRET), request.headers["X-Cal-Signature-256"]
    assert good != bad
    assert len(good) == len(bad)
    assert set(bad) <= set("0123456789abcdef")


async def test_a_webhook_is_unsigned_in_spite_of_a_secret(api: httpx.AsyncClient, subscriber: Subscriber) -> None:
    await trouble(api, "webhook_unsigned")
    await book(api)

    assert "no-secret-provided" == subscriber.requests[0].headers["X-Cal-Signature-256"]


@pytest.mark.parametrize(
    "match",
    [
        {"trigger": "BOOKING_CANCELLED"},
        {"event_type_id": 3},
        {"metadata": {"attempt": "2"}},
        {"attendee_email": "bob@example.com"},
    ],
)
async def test_a_fault_waits_for_the_webhook_that_it_matches(
    api: httpx.AsyncClient, subscriber: Subscriber, match: dict[str, Any]
) -> None:
    await trouble(api, "webhook_drop", match=match)
    await book(api)

    assert ["BOOKING_CREATED"] == subscriber.triggers
    assert 1 == (await api.get("/_sandbox/stats")).json()["faults_queued"]


@pytest.mark.parametrize("name", ["default", "storm"])
def test_webhooks_leave_the_dice_of_calls_alone(name: str) -> None:
    with_webhooks, without = FaultPlan(load_profile(name)), FaultPlan(load_profile(name))
    seen = []
    for _ in range(300):
        with_webhooks.choose_for_delivery(DELIVERY)
        seen.append((with_webhooks.choose(CREATE), without.choose(CREATE)))

    assert all(one == other for one, other in seen)


def test_the_same_seed_throws_the_same_dice_for_webhooks() -> None:
    first, second = (FaultPlan(load_profile("storm")) for _ in range(2))

    fates = [first.choose_for_delivery(DELIVERY) for _ in range(300)]
    assert fates == [second.choose_for_delivery(DELIVERY) for _ in range(300)]
    assert {fate.kind.value.split("_")[0] for fate in fates if fate} == {"webhook"}


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "webhook_drop", "operation": "create"},
        {"kind": "webhook_drop", "operation": "webhooks"},
        {"kind": "webhook_drop", "match": {"trigger": "BOOKING_CONFIRMED"}},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"webhook_drop does not go with|trigger must be"):
        Fault.from_json(document)
