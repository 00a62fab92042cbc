"""
The public surface of composites, over the real application: both databases, the sandbox, HTTP.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest

from adapters.bootstrap import Application
from tests.integration.web.conftest import SERVICE, connected, wish

PATH = "/api/bookings/composite"


@pytest.fixture
async def salon(client: httpx.AsyncClient, calcom_url: str) -> httpx.AsyncClient:
    """
    A salon with three services, each at another member of staff.
    """
    for number, name in enumerate(("color", "cut", "rinse"), start=7001):
        kind = {"slug": f"kind-{number}", "hosts": [number], "length": 30}
        async with httpx.AsyncClient(base_url=calcom_url) as sandbox:
            assert (await sandbox.put(f"/_sandbox/event-types/{number}", json=kind)).is_success
        body = SERVICE | {"name": name, "calcom_event_type_id": number, "staff_id": f"staff-{number}"}
        put = await client.put(f"/api/services/{name}", json=body)
        assert put.is_success, put.text
    return client


def _body(**changes: object) -> dict[str, Any]:
    common = wish()
    starts_at = common.pop("starts_at")
    del common["service_id"]
    legs = [{"service_id": "color", "starts_at": starts_at}, {"service_id": "cut"}, {"service_id": "rinse"}]
    return {**common, "legs": legs, **changes}


async def test_a_composite_lives_from_wish_to_cancellation(salon: httpx.AsyncClient, opened: Application) -> None:
    body = _body(metadata={"room": 4}, call_id="call-1")
    booked = await salon.post(PATH, json=body, headers={"Idempotency-Key": "k1", "X-Correlation-Id": "c1"})
    again = await salon.post(PATH, json=body, headers={"Idempotency-Key": "k1"})
    other = await salon.post(PATH, json=_body(source="phone"), headers={"Idempotency-Key": "k1"})
    near = await salon.post(PATH, json=body)
    where = booked.headers["Location"]
    read = await salon.get(where)
    begun = [await salon.get(f"{where}?at_version={version}") for version in (1, 2)]
    events = await salon.get(f"{where}/events")
    timelines = [await salon.get(f"{where}/timeline?format={form}") for form in ("text", "mermaid", "json")]
    moved = await salon.post(f"{where}/reschedule", json={"starts_at": wish(5)["starts_at"]})
    await opened.followers.catch_up()
    listed = (await salon.get("/api/bookings?status=booked")).json()["bookings"]
    cancelled = await salon.post(f"{where}/cancel", json={"reason": "ill"}, headers={"Idempotency-Key": "x"})
    cancelled_again = await salon.post(f"{where}/cancel", json={"reason": "ill"}, headers={"Idempotency-Key": "x"})
    after = await salon.post(PATH, json=body, headers={"Idempotency-Key": "k1"})

    assert 201 == booked.status_code, booked.text
    document = booked.json()["booking"]
    starts = [datetime.fromisoformat(leg["starts_at"]) for leg in document["legs"]]
    assert ("booked", "c1", "color", None) == tuple(
        document[name] for name in ("status", "correlation_id", "service_id", "calcom_booking_uid")
    )
    assert [("color", "booked"), ("cut", "booked"), ("rinse", "booked")] == [
        (leg["service_id"], leg["status"]) for leg in document["legs"]
    ]
    assert {timedelta(minutes=30)} == {late - early for early, late in pairwise(starts)}
    assert (document["starts_at"], document["ends_at"]) == (
        document["legs"][0]["starts_at"],
        document["legs"][-1]["ends_at"],
    )
    assert 3 == len({leg["calcom_booking_uid"] for leg in document["legs"]})
    assert (200, "true", booked.json()) == (again.status_code, again.headers["Idempotency-Replayed"], again.json())
    assert (422, "urn:calsaga:problem:key-reused") == (other.status_code, other.json()["type"])
    assert (409, document["id"]) == (near.status_code, near.json()["booking_id"])
    assert booked.json() == read.json()
    assert ["pending", "pending"] == [one.json()["booking"]["status"] for one in begun]
    assert {1, 2, 3, None} == {event["data"].get("leg") for event in events.json()["events"]}
    assert [200] * 3 == [one.status_code for one in timelines]
    assert "Lovelace" not in events.text + "".join(one.text for one in timelines)
    assert (409, "urn:calsaga:problem:cannot-be-moved") == (moved.status_code, moved.json()["type"])
    assert [document] == listed
    assert (200, ["cancelled"] * 3) == (
        cancelled.status_code,
        [leg["status"] for leg in cancelled.json()["booking"]["legs"]],
    )
    assert (200, "true") == (cancelled_again.status_code, cancelled_again.headers["Idempotency-Replayed"])
    assert (409, "cancelled") == (after.status_code, after.json()["reason"])


async def test_a_slot_that_is_taken_keeps_all_legs_out(salon: httpx.AsyncClient) -> None:
    first = await salon.post(
        "/api/bookings", json=wish(customer={"name": "Bo", "phone": "+4917011"}, service_id="color")
    )
    refused = [await salon.post(PATH, json=_body()) for _ in range(2)]
    impatient = await salon.post(
        PATH,
        json=_body(legs=[{"service_id": "cut", "starts_at": wish(9)["starts_at"]}, {"service_id": "rinse"}]),
        headers={"Prefer": "respond-async"},
    )

    assert 201 == first.status_code, first.text
    assert [(409, "slot_taken")] * 2 == [(one.status_code, one.json()["reason"]) for one in refused]
    assert "alternatives" not in refused[0].json()
    assert (202, "pending") == (impatient.status_code, impatient.json()["booking"]["status"])


async def test_another_company_sees_nothing_of_a_composite(salon: httpx.AsyncClient, opened: Application) -> None:
    where = (await salon.post(PATH, json=_body())).headers["Location"]

    async with connected(opened, company_id="rival") as rival:
        paths = (where, f"{where}?at_version=1", f"{where}/events", f"{where}/timeline")
        statuses = [(await rival.get(path)).status_code for path in paths]
        foreign = await rival.post(PATH, json=_body())

    assert [404] * 4 == statuses
    assert (422, ["legs[0].service_id", "legs[1].service_id", "legs[2].service_id"]) == (
        foreign.status_code,
        [error["field"] for error in foreign.json()["errors"]],
    )
