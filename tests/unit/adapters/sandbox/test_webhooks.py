"""
Subscribing to webhooks as Cal.com lets one, and without a key.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.unit.adapters.sandbox.booking import BODY, book, subscribe
from tests.unit.adapters.sandbox.subscriber import SECRET, URL, Subscriber

WISH = {"active": True, "subscriberUrl": URL, "triggers": ["BOOKING_CREATED"], "secret": SECRET}


async def make(api: httpx.AsyncClient, **change: object) -> Any:  # noqa: ANN401 - JSON
    answer = await api.post("/v2/webhooks", json=WISH | change)
    assert 201 == answer.status_code, answer.text
    return answer.json()["data"]


async def test_a_webhook_is_the_owners_and_needs_no_version(api: httpx.AsyncClient) -> None:
    del api.headers["cal-api-version"]
    made = await make(api)

    assert WISH | {"id": made["id"], "userId": 1, "payloadTemplate": None} == made
    assert made == (await api.get(f"/v2/webhooks/{made['id']}")).json()["data"]


async def test_webhooks_need_a_key(api: httpx.AsyncClient) -> None:
    assert 401 == (await api.post("/v2/webhooks", json=WISH, headers={"Authorization": ""})).status_code


async def test_unknown_properties_are_dropped_without_a_word(api: httpx.AsyncClient) -> None:
    assert "color" not in await make(api, color="red")


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"active": "yes"}, "active"),
        ({"active": None}, "active"),
        ({"subscriberUrl": 7}, "subscriberUrl"),
        ({"triggers": "BOOKING_CREATED"}, "triggers"),
        ({"triggers": ["BOOKING_CONFIRMED"]}, "triggers"),
        ({"secret": 7}, "secret"),
        ({"payloadTemplate": {}}, "payloadTemplate"),
        ({"version": "2024-08-13"}, "version"),
        ({"version": []}, "version"),
        ({"triggers": [{}]}, "triggers"),
    ],
)
async def test_what_is_wrong_is_named_in_the_details(
    api: httpx.AsyncClient, change: dict[str, Any], wrong: str
) -> None:
    error = (await api.post("/v2/webhooks", json=WISH | change)).json()["error"]

    assert ("Bad Request Exception", [wrong]) == (
        error["message"],
        [violation["property"] for violation in error["details"]["errors"]],
    )


async def test_what_is_missing_is_named_too(api: httpx.AsyncClient) -> None:
    error = (await api.post("/v2/webhooks", json={})).json()["error"]

    assert {"active", "subscriberUrl", "triggers"} == {wrong["property"] for wrong in error["details"]["errors"]}


async def test_a_url_is_subscribed_once(api: httpx.AsyncClient) -> None:
    await make(api)
    answer = await api.post("/v2/webhooks", json=WISH)

    assert (409, "Webhook with this subscriber url already exists for this user") == (
        answer.status_code,
        answer.json()["error"]["message"],
    )


async def test_a_change_to_a_known_url_is_refused_by_the_database(api: httpx.AsyncClient) -> None:
    await make(api)
    other = await make(api, subscriberUrl="http://other.example")
    answer = await api.patch(f"/v2/webhooks/{other['id']}", json={"subscriberUrl": URL})

    assert (409, "CONFLICT") == (answer.status_code, answer.json()["error"]["code"])


async def test_a_change_leaves_alone_what_it_does_not_name(api: httpx.AsyncClient) -> None:
    made = await make(api)
    changed = await api.patch(f"/v2/webhooks/{made['id']}", json={"triggers": [], "secret": None})

    assert made | {"triggers": [], "secret": None} == changed.json()["data"]


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_a_webhook_that_is_not_there_is_not_found(api: httpx.AsyncClient, method: str) -> None:
    answer = await api.request(method, "/v2/webhooks/none")

    assert (404, "Webhook (none) not found") == (answer.status_code, answer.json()["error"]["message"])


async def test_an_event_types_webhook_is_not_the_owners(api: httpx.AsyncClient) -> None:
    await make(api)
    other = await subscribe(api, event_type_id=1)

    assert 403 == (await api.get(f"/v2/webhooks/{other['id']}")).status_code
    assert 1 == len((await api.get("/v2/webhooks")).json()["data"])


async def test_webhooks_are_listed_by_the_page(api: httpx.AsyncClient) -> None:
    made = [await make(api, subscriberUrl=f"http://{name}.example") for name in "abc"]

    assert made[1:2] == (await api.get("/v2/webhooks", params={"take": 1, "skip": 1})).json()["data"]
    assert 400 == (await api.get("/v2/webhooks", params={"take": 251})).status_code
    assert 400 == (await api.get("/v2/webhooks", params={"skip": -1})).status_code


async def test_only_who_is_subscribed_is_told(api: httpx.AsyncClient, subscriber: Subscriber) -> None:
    await make(api, subscriberUrl="http://idle.example", active=False)
    await make(api, subscriberUrl="http://cancelled.example", triggers=["BOOKING_CANCELLED"])
    await subscribe(api, subscriberUrl="http://three.example", event_type_id=3)
    await subscribe(api, subscriberUrl="http://one.example", event_type_id=1)
    gone = await make(api, subscriberUrl="http://gone.example")
    await api.delete(f"/v2/webhooks/{gone['id']}")
    await make(api)
    await book(api)

    assert ["http://one.example", URL] == [str(request.url) for request in subscriber.requests]


async def test_a_blind_key_is_not_told_of_what_it_cannot_list(api: httpx.AsyncClient, subscriber: Subscriber) -> None:
    await api.put("/_sandbox/keys", json={"blind": {"cal_owner": [1]}})
    await make(api)
    await book(api)
    await book(api, eventTypeId=3)

    assert [3] == [body["payload"]["eventTypeId"] for body in subscriber.bodies]


async def test_a_fault_of_these_calls_is_asked_for_by_name(api: httpx.AsyncClient) -> None:
    await api.post("/_sandbox/faults", json={"kind": "error_after_commit", "operation": "webhooks"})

    assert 201 == (await api.post("/v2/bookings", json=BODY)).status_code
    assert 500 == (await api.post("/v2/webhooks", json=WISH)).status_code
    assert 1 == len((await api.get("/v2/webhooks")).json()["data"])


@pytest.mark.parametrize("wish", [{}, {"subscriberUrl": URL, "url": URL}, {"subscriberUrl": URL, "triggers": ["X"]}])
async def test_a_subscription_that_makes_no_sense_is_refused(api: httpx.AsyncClient, wish: dict[str, Any]) -> None:
    answer = await api.post("/_sandbox/webhooks", json=wish)

    assert answer.status_code in {400, 422}
    assert answer.json()["error"]


async def test_a_reset_forgets_subscriptions(api: httpx.AsyncClient, subscriber: Subscriber) -> None:
    await subscribe(api)
    await api.post("/_sandbox/reset")
    await book(api)

    assert [] == subscriber.requests
