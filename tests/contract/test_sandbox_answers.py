"""
Every success of the sandbox is an answer that Cal.com documents.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from openapi_core.exceptions import OpenAPIError

from adapters.sandbox.app import create_app
from adapters.sandbox.state import SandboxConfig
from tests.contract.calcom_document import validate_request, validate_response

TOMORROW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
VERSIONS = {"/v2/bookings": "2024-08-13", "/v2/slots": "2024-09-04", "/v2/event-types": "2024-06-14"}


class Contract:
    """
    A client whose every request and every answer is held against the document.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
        version = next((version for prefix, version in VERSIONS.items() if path.startswith(prefix)), None)
        headers = {"Authorization": "Bearer cal_owner"} | ({"cal-api-version": version} if version else {})
        request = self._client.build_request(method, path, json=body, headers=headers)
        validate_request(method=method, url=str(request.url), headers=request.headers, body=request.content)
        response = await self._client.send(request)
        assert response.is_success, response.text
        validate_response(
            method=method,
            path=request.url.path,
            status=response.status_code,
            headers=response.headers,
            body=response.content,
        )
        return response.json()["data"]

    async def book(self, event_type: int, **extra: object) -> Any:  # noqa: ANN401 - JSON
        attendee = {"name": "Ada", "email": "ada@example.com", "timeZone": "Europe/London"}
        body = {"eventTypeId": event_type, "start": TOMORROW.isoformat(), "attendee": attendee, **extra}
        return await self.call("POST", "/v2/bookings", body)


@pytest.fixture
async def contract() -> AsyncIterator[Contract]:
    transport = httpx.ASGITransport(create_app(SandboxConfig(rate_limit=0)))
    async with httpx.AsyncClient(transport=transport, base_url="https://api.cal.com") as client:
        yield Contract(client)


@pytest.mark.parametrize("event_type", range(1, 13))
async def test_a_booking_of_each_event_type_is_made_and_read(contract: Contract, event_type: int) -> None:
    data = await contract.book(event_type, metadata={"attempt": "1"}, guests=["guest@example.com"])
    uid = data[0]["uid"] if isinstance(data, list) else data["uid"]

    assert uid == (await contract.call("GET", f"/v2/bookings/{uid}"))["uid"]


async def test_an_attendee_without_an_address_is_booked(contract: Contract) -> None:
    attendee = {"name": "Ada", "phoneNumber": "+491701234567", "timeZone": "Europe/Berlin", "language": "de"}

    assert "491701234567@sms.cal.com" == (await contract.book(1, attendee=attendee))["attendees"][0]["email"]


async def test_a_booking_of_a_chosen_length_is_made(contract: Contract) -> None:
    assert 15 == (await contract.book(9, lengthInMinutes=15))["duration"]


@pytest.mark.parametrize("event_type", [1, 4, 5, 7])
async def test_a_booking_is_cancelled(contract: Contract, event_type: int) -> None:
    uid = (await contract.book(event_type))["uid"]

    body = {"cancellationReason": "compensation"}

    assert "cancelled" == (await contract.call("POST", f"/v2/bookings/{uid}/cancel", body))["status"]


@pytest.mark.parametrize("event_type", [1, 4, 5, 7])
async def test_a_booking_is_rescheduled(contract: Contract, event_type: int) -> None:
    uid = (await contract.book(event_type))["uid"]
    later = (TOMORROW + timedelta(hours=2)).isoformat()

    moved = await contract.call("POST", f"/v2/bookings/{uid}/reschedule", {"start": later, "reschedulingReason": "x"})

    assert uid == moved["rescheduledFromUid"]
    assert moved["uid"] == (await contract.call("GET", f"/v2/bookings/{uid}"))["rescheduledToUid"]


async def test_bookings_are_listed(contract: Contract) -> None:
    for event_type in (1, 3, 4, 7):
        await contract.book(event_type)

    assert 4 == len(await contract.call("GET", "/v2/bookings?status=upcoming,unconfirmed&sortCreated=asc&take=10"))


@pytest.mark.parametrize("query", ["", "&format=range", "&timeZone=Europe/Rome"])
async def test_slots_are_listed(contract: Contract, query: str) -> None:
    day = TOMORROW.date()

    assert await contract.call("GET", f"/v2/slots?eventTypeId=1&start={day}&end={day}{query}")


async def test_event_types_and_the_owner_are_read(contract: Contract) -> None:
    assert 11 == len(await contract.call("GET", "/v2/event-types"))
    for event_type in range(1, 13):
        assert event_type == (await contract.call("GET", f"/v2/event-types/{event_type}"))["id"]
    assert "host-1" == (await contract.call("GET", "/v2/me"))["username"]


@pytest.mark.parametrize("extra", [{}, {"secret": "s", "payloadTemplate": "{}", "version": "2021-10-20"}])
async def test_a_webhook_is_made_read_listed_changed_and_deleted(contract: Contract, extra: dict[str, Any]) -> None:
    wish = {"active": True, "subscriberUrl": "https://example.com/hook", "triggers": ["BOOKING_CREATED"], **extra}
    made = await contract.call("POST", "/v2/webhooks", wish)
    path = f"/v2/webhooks/{made['id']}"

    assert made == await contract.call("GET", path)
    assert [made] == await contract.call("GET", "/v2/webhooks?take=10&skip=0")
    assert made | {"active": False} == await contract.call("PATCH", path, {"active": False})
    assert made | {"active": False} == await contract.call("DELETE", path)
    assert [] == await contract.call("GET", "/v2/webhooks")


@pytest.mark.parametrize("version", [None, "2024-09-04"])
def test_the_document_refuses_a_missing_or_a_wrong_version(version: str | None) -> None:
    headers = {"Authorization": "Bearer cal_owner"} | ({"cal-api-version": version} if version else {})

    with pytest.raises(OpenAPIError):
        validate_request(method="GET", url="https://api.cal.com/v2/bookings", headers=headers)


def test_the_document_refuses_an_answer_that_lacks_something() -> None:
    with pytest.raises(OpenAPIError):
        validate_response(method="GET", path="/v2/bookings", status=200, headers={}, body=b'{"status": "success"}')
