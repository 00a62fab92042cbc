"""
The routes: versions, keys, limits, and the shape of what goes wrong.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from adapters.sandbox.app import create_app
from adapters.sandbox.keys import Keys
from adapters.sandbox.state import SandboxConfig
from tests.unit.adapters.sandbox.clock import Clock

ADA = {"name": "Ada", "email": "ada@example.com", "timeZone": "Europe/London"}
BODY = {"eventTypeId": 1, "start": "2026-05-05T10:00:00Z", "attendee": ADA, "metadata": {"attempt": "1"}}


async def book(api: httpx.AsyncClient, **change: object) -> httpx.Response:
    return await api.post("/v2/bookings", json=BODY | change)


async def test_a_booking_is_echoed_with_its_metadata(api: httpx.AsyncClient) -> None:
    answer = await book(api)

    booking = answer.json()["data"]

    assert 201 == answer.status_code
    assert ("accepted", {"attempt": "1"}, "2026-05-05T10:00:00.000Z", 30) == (
        booking["status"],
        booking["metadata"],
        booking["start"],
        booking["duration"],
    )


async def test_a_refusal_is_an_envelope_with_a_request_id(api: httpx.AsyncClient) -> None:
    await book(api)
    answer = await book(api)
    text = "User either already has booking at this time or is not available"

    assert 400 == answer.status_code
    assert answer.headers["X-Request-Id"]
    assert {
        "status": "error",
        "timestamp": "2026-05-04T08:00:00.000Z",
        "path": "/v2/bookings",
        "error": {
            "code": "BadRequestException",
            "message": text,
            "details": {"message": text, "error": "Bad Request", "statusCode": 400},
        },
    } == answer.json()


@pytest.mark.parametrize(
    ("method", "path", "version"),
    [
        ("POST", "/v2/bookings", "2024-09-04"),
        ("POST", "/v2/bookings", '"2024-08-13"'),
        ("GET", "/v2/bookings", ""),
        ("GET", "/v2/slots", "2024-08-13"),
        ("GET", "/v2/event-types", "2024-08-13"),
        ("GET", "/v2/bookings/x/no-such-thing", "2024-08-13"),
    ],
)
async def test_another_version_has_no_such_route(api: httpx.AsyncClient, method: str, path: str, version: str) -> None:
    answer = await api.request(method, path, headers={"cal-api-version": version})

    assert 404 == answer.status_code
    assert f"Cannot {method} {path}" == answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/v2/bookings", "/v2/me"])
async def test_reading_the_owners_things_needs_a_key(api: httpx.AsyncClient, path: str) -> None:
    answer = await api.get(path, headers={"Authorization": ""})

    assert 401 == answer.status_code
    assert answer.json()["error"]["message"].startswith("ApiAuthStrategy - No authentication method provided.")


async def test_booking_reading_and_cancelling_need_no_key(api: httpx.AsyncClient) -> None:
    del api.headers["Authorization"]
    uid = (await book(api)).json()["data"]["uid"]

    assert 200 == (await api.get(f"/v2/bookings/{uid}")).status_code
    assert 200 == (await api.post(f"/v2/bookings/{uid}/cancel", json={})).status_code


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("cal_bad", "ApiAuthStrategy - api key - Your api key is not valid"),
        ("other", "ApiAuthStrategy - Invalid Bearer token"),
    ],
)
async def test_a_bad_key_is_refused_even_where_none_is_needed(api: httpx.AsyncClient, key: str, text: str) -> None:
    await api.put("/_sandbox/keys", json={"invalid": ["cal_bad"]})

    answer = await api.post("/v2/bookings", json=BODY, headers={"Authorization": f"Bearer {key}"})

    assert (401, text) == (answer.status_code, answer.json()["error"]["message"])


async def test_a_blind_key_books_but_cannot_list(api: httpx.AsyncClient) -> None:
    await api.put("/_sandbox/keys", json={"blind": {"cal_owner": [1]}})
    types = {"cal-api-version": "2024-06-14"}
    await book(api)

    assert [] == (await api.get("/v2/bookings")).json()["data"]
    assert 403 == (await api.get("/v2/event-types/1", headers=types)).status_code
    assert 200 == (await api.get("/v2/event-types/3", headers=types)).status_code
    assert 404 == (await api.get("/v2/event-types/99", headers=types)).status_code


async def test_calls_beyond_the_limit_are_throttled_until_the_block_ends(clock: Clock) -> None:
    config = SandboxConfig(rate_limit=2, keys=Keys(), clock=clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_app(config)), base_url="http://x") as api:
        answers = [await api.get("/v2/me", headers={"Authorization": "Bearer cal_a"}) for _ in range(3)]
        clock.move(seconds=60)
        answers.append(await api.get("/v2/me", headers={"Authorization": "Bearer cal_a"}))

    assert [200, 200, 429, 200] == [answer.status_code for answer in answers]
    assert ["1", "0", "0", "1"] == [answer.headers["X-RateLimit-Remaining-Default"] for answer in answers]
    error = answers[2].json()["error"]
    assert ("ThrottlerException", "CustomThrottlerGuard - Too many requests. Please try again later.") == (
        error["code"],
        error["message"],
    )


@pytest.mark.parametrize("content", [b"{", b"[]", b'"x"'])
async def test_a_body_is_a_json_object(api: httpx.AsyncClient, content: bytes) -> None:
    answer = await api.post("/v2/bookings", content=content)

    assert (400, "BadRequestException") == (answer.status_code, answer.json()["error"]["code"])


async def test_a_wrong_parameter_of_a_list_is_in_the_details(api: httpx.AsyncClient) -> None:
    error = (await api.get("/v2/bookings", params={"take": 999})).json()["error"]

    assert ("Bad Request Exception", "take") == (error["message"], error["details"]["errors"][0]["property"])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, {"2026-05-05": ["2026-05-05T10:00:00.000Z", "2026-05-05T11:00:00.000Z"]}),
        (
            {"timeZone": "Asia/Tokyo"},
            {"2026-05-05": ["2026-05-05T19:00:00.000+09:00", "2026-05-05T20:00:00.000+09:00"]},
        ),
    ],
)
async def test_slots_leave_out_what_is_taken(api: httpx.AsyncClient, query: dict[str, str], expected: object) -> None:
    await book(api, start="2026-05-05T10:30:00Z")
    window = {"eventTypeId": "1", "start": "2026-05-05T10:00:00Z", "end": "2026-05-05T11:00:00Z"}
    found = await api.get("/v2/slots", params=window | query, headers={"cal-api-version": "2024-09-04"})

    assert expected == {day: [slot["start"] for slot in slots] for day, slots in found.json()["data"].items()}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"start": "x"}, 400),
        ({"end": "2026-05-04"}, 400),
        ({"timeZone": "Mars/Olympus"}, 400),
        ({"duration": "long"}, 400),
        ({"eventTypeId": "99"}, 404),
    ],
)
async def test_a_bad_question_for_slots_is_refused(api: httpx.AsyncClient, query: dict[str, str], status: int) -> None:
    good = {"eventTypeId": "1", "start": "2026-05-05", "end": "2026-05-05"}
    answer = await api.get("/v2/slots", params=good | query, headers={"cal-api-version": "2024-09-04"})

    assert status == answer.status_code


async def test_a_dropped_connection_in_process_is_an_error_of_the_connection(api: httpx.AsyncClient) -> None:
    await api.post("/_sandbox/faults", json={"kind": "drop_before_commit"})

    with pytest.raises(ConnectionResetError):
        await book(api)


async def test_stats_count_calls_answers_and_faults(api: httpx.AsyncClient) -> None:
    await api.post(
        "/_sandbox/faults", json=[{"kind": "rate_limited", "times": 2}, {"kind": "delay", "operation": "get"}]
    )
    for _ in range(3):
        await book(api)

    stats: dict[str, Any] = (await api.get("/_sandbox/stats")).json()

    assert {"create": 3} == stats["calls"]
    assert {"create 429": 2, "create 201": 1} == stats["statuses"]
    assert ({"rate_limited": 2}, 1, 1) == (stats["faults"], stats["faults_queued"], stats["bookings"])
