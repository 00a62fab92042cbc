"""
The control interface: people, event types, the ledger, and beginning anew.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

BOOK = {"action": "book", "event_type_id": 1, "start": "2026-05-05T10:00:00Z"}


async def person(api: httpx.AsyncClient, **wish: Any) -> Any:  # noqa: ANN401 - JSON
    answer = await api.post("/_sandbox/people", json=wish)
    assert 200 == answer.status_code, answer.text
    return answer.json()["bookings"][0]


async def ledger(api: httpx.AsyncClient) -> Any:  # noqa: ANN401 - JSON
    return (await api.get("/_sandbox/ledger")).json()["bookings"]


async def test_a_person_books_moves_and_cancels(api: httpx.AsyncClient) -> None:
    made = await person(api, **BOOK)
    moved = await person(api, action="move", uid=made["uid"], start="2026-05-05T12:00:00Z")
    await person(api, action="cancel", uid=moved["uid"], reason="ill", email="host-1@sandbox.example")

    old, new = await ledger(api)

    assert ("person", "cancelled", new["uid"]) == (old["made_by"], old["status"], old["rescheduled_to"])
    assert ("person", "ill", old["uid"]) == (new["cancelled_by"], new["cancellation_reason"], new["rescheduled_from"])


async def test_a_person_may_cancel_what_the_api_may_not(api: httpx.AsyncClient) -> None:
    made = await person(api, **BOOK | {"event_type_id": 6})

    assert "cancelled" == (await person(api, action="cancel", uid=made["uid"]))["status"]


@pytest.mark.parametrize(("action", "status"), [("confirm", "accepted"), ("decline", "rejected")])
async def test_a_person_decides_about_a_request(api: httpx.AsyncClient, action: str, status: str) -> None:
    made = await person(api, **BOOK | {"event_type_id": 4})

    assert status == (await person(api, action=action, uid=made["uid"]))["status"]


async def test_an_event_type_is_defined_and_bookable(api: httpx.AsyncClient) -> None:
    defined = await api.put(
        "/_sandbox/event-types/77",
        json={"slug": "short", "length": 20, "hosts": [70, 71], "scheduling": "round_robin", "minimum_notice": 60},
    )

    assert (77, [70, 71]) == (defined.json()["id"], defined.json()["hosts"])
    assert "2026-05-05T10:20:00.000Z" == (await person(api, **BOOK | {"event_type_id": 77}))["end"]


async def test_a_reset_forgets_bookings_faults_and_event_types(api: httpx.AsyncClient) -> None:
    await person(api, **BOOK)
    await api.put("/_sandbox/event-types/77", json={"slug": "short"})
    await api.put("/_sandbox/faults", json={"profile": "storm", "seed": 3})
    await api.post("/_sandbox/reset")

    assert [] == await ledger(api)
    assert {} == (await api.get("/_sandbox/stats")).json()["calls"]
    assert 404 == (await api.post("/_sandbox/people", json=BOOK | {"event_type_id": 77})).status_code


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/_sandbox/faults", {"profile": "tempest"}),
        ("PUT", "/_sandbox/faults", {"fault": []}),
        ("PUT", "/_sandbox/faults", {"profile": "storm", "seed": {}}),
        ("POST", "/_sandbox/faults", {"kind": "earthquake"}),
        ("POST", "/_sandbox/faults", {"kind": "delay", "seconds": "a"}),
        ("POST", "/_sandbox/faults", {"kind": "delay", "seconds": -1}),
        ("POST", "/_sandbox/faults", {"kind": "delay", "times": 0}),
        ("POST", "/_sandbox/faults", {"kind": "delay", "times": "2"}),
        ("POST", "/_sandbox/faults", ["delay"]),
        ("POST", "/_sandbox/people", {"action": "dance"}),
        ("POST", "/_sandbox/people", {"action": "cancel"}),
        ("PUT", "/_sandbox/event-types/1", {"slug": "x", "hostess": [1]}),
        ("PUT", "/_sandbox/rate-limit", {}),
        ("PUT", "/_sandbox/keys", []),
    ],
)
async def test_what_makes_no_sense_is_refused(api: httpx.AsyncClient, method: str, path: str, body: object) -> None:
    answer = await api.request(method, path, json=body)

    assert 422 == answer.status_code
    assert answer.json()["error"]


async def test_the_limit_is_set_while_running(api: httpx.AsyncClient) -> None:
    await api.put("/_sandbox/rate-limit", json={"limit": 1, "window_seconds": 5, "block_seconds": 9})

    answers = [await api.get("/v2/me") for _ in range(2)]

    assert [(200, "5"), (429, "9")] == [
        (answer.status_code, answer.headers["X-RateLimit-Reset-Default"]) for answer in answers
    ]
