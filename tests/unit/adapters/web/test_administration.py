from __future__ import annotations

from typing import Any

import httpx
import pytest

from adapters.directory.companies import NoEncryptionKey
from domain.errors import CalcomBookingError, CustomerValidationError, FieldError
from domain.opening_hours import parse_opening_hours
from tests.unit.adapters.web.fake_backend import FakeBackend

SERVICE = {
    "name": "Consultation",
    "duration_minutes": 30,
    "calcom_event_type_id": 1,
    "staff_id": "dr-who",
    "time_zone": "UTC",
}


@pytest.mark.parametrize(("is_new", "status"), [(True, 201), (False, 200)])
async def test_a_service_is_defined(client: httpx.AsyncClient, backend: FakeBackend, is_new: bool, status: int) -> None:
    backend.services.is_new = is_new

    answer = await client.put("/api/services/consult", json=SERVICE)

    assert (status, "consult") == (answer.status_code, answer.json()["service"]["service_id"])
    assert ("acme", "consult", "dr-who", 1) == (
        backend.services.defined[0].company_id,
        backend.services.defined[0].service_id,
        backend.services.defined[0].staff_id,
        backend.services.defined[0].calcom_event_type_id,
    )


async def test_opening_hours_come_back_as_they_were_given(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    hours = {"mon": [["09:00", "12:30"], ["14:00", "24:00"]]}

    answer = await client.put("/api/services/consult", json=SERVICE | {"opening_hours": hours})
    without = await client.put("/api/services/consult", json=SERVICE | {"opening_hours": None})

    assert hours == answer.json()["service"]["opening_hours"]
    assert without.json()["service"]["opening_hours"] is None
    assert [parse_opening_hours(hours), None] == [one.opening_hours for one in backend.services.defined]


async def test_an_event_type_that_cannot_be_undone_is_refused(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    backend.services.error = CustomerValidationError(
        (FieldError("calcom_event_type_id", "it does not allow cancelling"),)
    )

    answer = await client.put("/api/services/consult", json=SERVICE)

    assert 422 == answer.status_code
    assert [{"field": "calcom_event_type_id", "message": "it does not allow cancelling"}] == answer.json()["errors"]


@pytest.mark.parametrize(("transient", "status"), [(True, 503), (False, 502)])
async def test_cal_com_may_not_answer(
    client: httpx.AsyncClient, backend: FakeBackend, transient: bool, status: int
) -> None:
    backend.services.error = CalcomBookingError("no", status=None, answer="private words", transient=transient)

    answer = await client.put("/api/services/consult", json=SERVICE)

    assert status == answer.status_code
    assert "private words" not in answer.text


@pytest.mark.parametrize(
    ("service_id", "change", "field"),
    [
        ("a%20b", {}, "service_id"),
        ("%00", {}, "service_id"),
        ("x" * 101, {}, "service_id"),
        ("consult", {"name": ""}, "name"),
        ("consult", {"duration_minutes": 0}, "duration_minutes"),
        ("consult", {"duration_minutes": "30"}, "duration_minutes"),
        ("consult", {"duration_minutes": 30.5}, "duration_minutes"),
        ("consult", {"duration_minutes": True}, "duration_minutes"),
        ("consult", {"calcom_event_type_id": 2**31}, "calcom_event_type_id"),
        ("consult", {"staff_id": "a b"}, "staff_id"),
        ("consult", {"time_zone": "Berlin"}, "time_zone"),
        ("consult", {"sends_length": True}, "sends_length"),
        ("consult", {"opening_hours": {}}, "opening_hours"),
        ("consult", {"opening_hours": "always"}, "opening_hours"),
        ("consult", {"opening_hours": {"days": []}}, "opening_hours"),
        ("consult", {"opening_hours": {"mon": [["09:00", "25:00"]]}}, "opening_hours"),
    ],
)
async def test_a_wrong_service_is_named(
    *, client: httpx.AsyncClient, backend: FakeBackend, service_id: str, change: dict[str, Any], field: str
) -> None:
    answer = await client.put(f"/api/services/{service_id}", json=SERVICE | change)

    assert (422, field) == (answer.status_code, answer.json()["errors"][0]["field"])
    assert [] == backend.services.defined


async def test_a_companys_secrets_go_in_and_never_come_out(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    put = await client.put("/api/companies/acme", json={"calcom_key": "cal_live_1", "webhook_secret": "whsec"})
    listed = await client.get("/api/companies")

    assert [("acme", "cal_live_1", ("whsec",))] == backend.companies.stored
    assert {"company_id": "acme", "has_calcom_key": True, "has_webhook_secret": False} == put.json()["company"]
    assert ["acme"] == [one["company_id"] for one in listed.json()["companies"]]
    assert "cal_live_1" not in put.text + listed.text


@pytest.mark.parametrize("secret", ["", "with space", "ü", "a\nb", "x" * 513, 1])
async def test_a_secret_that_cannot_be_sent_is_named(
    client: httpx.AsyncClient, backend: FakeBackend, secret: object
) -> None:
    answer = await client.put("/api/companies/acme", json={"calcom_key": secret})

    assert (422, "calcom_key") == (answer.status_code, answer.json()["errors"][0]["field"])
    assert [] == backend.companies.stored


@pytest.mark.parametrize("company_id", ["a%20b", "%00", "x" * 101, "%0A"])
async def test_a_companys_id_that_cannot_be_one_is_named(
    client: httpx.AsyncClient, backend: FakeBackend, company_id: str
) -> None:
    answer = await client.put(f"/api/companies/{company_id}", json={"calcom_key": "cal_x"})

    assert (422, "company_id") == (answer.status_code, answer.json()["errors"][0]["field"])
    assert [] == backend.companies.stored


async def test_without_an_encryption_key_no_secret_is_taken(
    client: httpx.AsyncClient, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise NoEncryptionKey

    monkeypatch.setattr(backend.companies, "put", refuse)

    answer = await client.put("/api/companies/acme", json={"calcom_key": "cal_x"})

    assert 501 == answer.status_code
    assert "CALSAGA_ENCRYPTION_KEY" in answer.json()["detail"]


async def test_a_new_key_is_shown_once(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    made = await client.post("/api/keys", json={"scopes": ["ops:read", "bookings:read", "ops:read"]})
    listed = await client.get("/api/keys")

    assert (201, "csk_secret") == (made.status_code, made.json()["secret"])
    assert [("acme", ["ops:read", "bookings:read"])] == backend.keys.made
    assert "csk_secret" not in listed.text


@pytest.mark.parametrize("scopes", [[], ["root"], "ops:read", None, [1]])
async def test_a_key_needs_scopes_that_exist(client: httpx.AsyncClient, backend: FakeBackend, scopes: object) -> None:
    answer = await client.post("/api/keys", json={"scopes": scopes})

    assert 422 == answer.status_code
    assert answer.json()["errors"][0]["field"].startswith("scopes")
    assert [] == backend.keys.made


async def test_a_key_is_revoked(client: httpx.AsyncClient) -> None:
    revoked = await client.delete("/api/keys/one")

    assert (204, b"") == (revoked.status_code, revoked.content)
    assert 404 == (await client.delete("/api/keys/two")).status_code
