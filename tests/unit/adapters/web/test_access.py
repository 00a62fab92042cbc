"""
Who may do what: every route with every scope, and nothing of another company's.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from adapters.limits.ports import RateLimit
from tests.unit.adapters.web.conftest import connect
from tests.unit.adapters.web.fake_backend import FakeBackend
from tests.unit.adapters.web.given import ALL_SCOPES, BOOKING_ID, FAILURE_ID

ONE = f"/api/bookings/{BOOKING_ID}"
FAILED = f"/api/sync-failures/{FAILURE_ID}"
SERVICE = {"name": "Consultation", "duration_minutes": 30, "calcom_event_type_id": 1}
WISH: dict[str, Any] = {
    "service_id": "consult",
    "customer": {"name": "Ada Lovelace", "email": "ada@example.com"},
    "starts_at": "2027-03-02T10:00:00+01:00",
    "time_zone": "Europe/Berlin",
    "source": "web",
}
COMPOSITE = {name: value for name, value in WISH.items() if name not in {"service_id", "starts_at"}} | {
    "legs": [{"service_id": "consult", "starts_at": WISH["starts_at"]}, {"service_id": "consult"}]
}
ROUTES: list[tuple[str, str, str, dict[str, Any] | None]] = [
    ("POST", "/api/bookings", "bookings:write", WISH),
    ("POST", "/api/bookings/composite", "bookings:write", COMPOSITE),
    ("POST", f"{ONE}/cancel", "bookings:write", {"reason": "ill"}),
    ("GET", "/api/bookings", "bookings:read", None),
    ("GET", ONE, "bookings:read", None),
    ("GET", f"{ONE}?at_version=1", "bookings:read", None),
    ("GET", f"{ONE}/events", "bookings:read", None),
    ("GET", f"{ONE}/timeline", "bookings:read", None),
    ("GET", "/api/sync-failures", "ops:read", None),
    ("POST", f"{FAILED}/retry", "ops:write", None),
    ("POST", f"{FAILED}/resolve", "ops:write", {"answer": "cancel"}),
    ("GET", "/api/customers?phone=%2B491701234567", "bookings:read", None),
    ("GET", "/api/availability?service_id=consult&from=2027-03-02&to=2027-03-03", "bookings:read", None),
    ("GET", "/api/services", "ops:read", None),
    ("PUT", "/api/services/consult", "ops:write", SERVICE),
    ("GET", "/api/companies", "ops:read", None),
    ("PUT", "/api/companies/acme", "ops:write", {"calcom_key": "cal_x"}),
    ("GET", "/api/keys", "ops:read", None),
    ("POST", "/api/keys", "ops:write", {"scopes": ["ops:write"]}),
    ("DELETE", "/api/keys/one", "ops:write", None),
    ("GET", "/api/health/status", "ops:read", None),
    ("GET", "/api/health/forecast", "ops:read", None),
    ("GET", "/api/health/history?service=calcom&minutes=5", "ops:read", None),
    ("GET", "/api/resilience/fallback", "ops:read", None),
    ("POST", "/api/resilience/fallback", "fleet:write", {"reason": "they move house"}),
    ("DELETE", "/api/resilience/fallback", "fleet:write", None),
    ("GET", "/api/resilience/fallback-metrics", "ops:read", None),
    ("GET", "/api/resilience/queue", "ops:read", None),
    ("GET", "/api/resilience/states", "ops:read", None),
    ("GET", "/api/resilience/snapshots?minutes=5", "ops:read", None),
    ("GET", "/api/resilience/failures?service=calcom", "ops:read", None),
    ("POST", "/api/resilience/failures/calcom/clear", "fleet:write", {"reason": "it was us"}),
    ("GET", "/api/resilience/events", "ops:read", None),
    ("POST", "/api/resilience/breakers/calcom/open", "fleet:write", {"reason": "they move house", "seconds": 600}),
    ("POST", "/api/resilience/breakers/calcom/close", "fleet:write", {"reason": "we know better"}),
    ("POST", "/api/resilience/breakers/calcom/observe", "fleet:write", {"reason": "we look on"}),
    ("POST", "/api/resilience/breakers/calcom/reset", "fleet:write", {}),
    ("POST", "/api/resilience/breakers/reset", "fleet:write", {"reason": "all is well"}),
]


def named(route: tuple[str, str, str, object]) -> str:
    return f"{route[0]} {route[1].replace(str(BOOKING_ID), 'id').replace(str(FAILURE_ID), 'id')}"


def nothing_was_done(backend: FakeBackend) -> bool:
    bookings, stored = backend.bookings, backend.companies.stored
    answered = backend.repairs.answered
    made = (backend.services.defined, backend.keys.made, backend.fallback.events)
    return not any((bookings.booked, bookings.cancelled, *made, stored, answered))


@pytest.mark.parametrize("route", ROUTES, ids=named)
@pytest.mark.parametrize("held", ALL_SCOPES)
async def test_a_key_does_what_its_scope_allows_and_no_more(
    backend: FakeBackend, route: tuple[str, str, str, Any], held: str
) -> None:
    method, path, needed, body = route
    async with connect(backend, key=f"acme/{held}") as client:
        answer = await client.request(method, path, json=body)

    if held == needed:
        assert answer.is_success, answer.text
        return
    assert 403 == answer.status_code
    assert needed in answer.json()["detail"]
    assert f'scope="{needed}"' in answer.headers["WWW-Authenticate"]
    assert nothing_was_done(backend)


@pytest.mark.parametrize("route", ROUTES, ids=named)
@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer  ", "Basic YTpi", "acme/bookings:write", "Bearer unknown", "Bearer a b"],
)
async def test_without_a_key_nothing_is_done(
    backend: FakeBackend, route: tuple[str, str, str, Any], authorization: str | None
) -> None:
    method, path, _, body = route
    async with connect(backend, key="") as client:
        headers = {} if authorization is None else {"Authorization": authorization}
        answer = await client.request(method, path, json=body, headers=headers)

    assert 401 == answer.status_code
    assert answer.headers["WWW-Authenticate"].startswith("Bearer realm=")
    assert "urn:calsaga:problem:not-authenticated" == answer.json()["type"]
    assert nothing_was_done(backend)


async def test_two_keys_at_once_are_none(backend: FakeBackend) -> None:
    async with connect(backend, key="") as client:
        answer = await client.get(ONE, headers=[("Authorization", "Bearer acme/bookings:read")] * 2)

    assert 401 == answer.status_code


@pytest.mark.parametrize(
    "route",
    [one for one in ROUTES if one[1].startswith((ONE, FAILED)) or one[1].endswith(("/acme", "/one"))],
    ids=named,
)
async def test_what_is_another_companys_is_not_there(backend: FakeBackend, route: tuple[str, str, str, Any]) -> None:
    method, path, _, body = route
    async with connect(backend, key=f"rival/{','.join(ALL_SCOPES)}") as client:
        answer = await client.request(method, path, json=body)

    assert 404 == answer.status_code
    assert "acme" not in answer.text
    assert nothing_was_done(backend)


async def test_lists_are_of_the_own_company(backend: FakeBackend) -> None:
    async with connect(backend, key=f"rival/{','.join(ALL_SCOPES)}") as client:
        bookings = (await client.get("/api/bookings")).json()["bookings"]
        failures = (await client.get("/api/sync-failures")).json()["sync_failures"]
        services = (await client.get("/api/services")).json()["services"]
        companies = (await client.get("/api/companies")).json()["companies"]
        keys = (await client.get("/api/keys")).json()["keys"]

    assert [] == bookings == failures == services == companies == keys
    assert "rival" == backend.list.asked[0][0].company_id == backend.sync_failures.asked[0][0].company_id


async def test_a_service_of_another_company_cannot_be_booked(backend: FakeBackend) -> None:
    async with connect(backend, key="rival/bookings:write") as client:
        answer = await client.post("/api/bookings", json=WISH)

    assert (422, "service_id") == (answer.status_code, answer.json()["errors"][0]["field"])


async def test_a_key_cannot_give_scopes_that_it_lacks(backend: FakeBackend) -> None:
    async with connect(backend, key="acme/ops:write") as client:
        answer = await client.post("/api/keys", json={"scopes": ["ops:write", "bookings:write"]})

    assert 403 == answer.status_code
    assert "bookings:write" in answer.json()["detail"]
    assert [] == backend.keys.made


async def test_too_many_requests_are_told_when_to_come_back(backend: FakeBackend) -> None:
    async with connect(backend, rate_limit=RateLimit(per_second=0.1, burst=2)) as client:
        statuses = [(await client.get(ONE)).status_code for _ in range(2)]
        answer = await client.post("/api/bookings", json=WISH)

    assert [200, 200, 429] == [*statuses, answer.status_code]
    assert 1 <= int(answer.headers["Retry-After"]) <= 10
    assert '"company";q=2;w=20' == answer.headers["RateLimit-Policy"]
    assert f'"company";r=0;t={answer.headers["Retry-After"]}' == answer.headers["RateLimit"]
    assert answer.json()["detail"].startswith("This is more than this company may ask for.")
    assert ["company"] == backend.metrics.limited
    assert [] == backend.bookings.booked


async def test_every_answer_says_not_to_be_stored(client: httpx.AsyncClient) -> None:
    answer = await client.get(ONE)

    assert ("no-store", "nosniff") == (answer.headers["Cache-Control"], answer.headers["X-Content-Type-Options"])
