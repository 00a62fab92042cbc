"""
The document tells the truth: it is valid, it names every problem, and the answers fit it.
"""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from domain.errors import AlreadyOver
from sagas.wishes import BookingResult
from tests.unit.adapters.web.conftest import connect
from tests.unit.adapters.web.fake_backend import FakeBackend
from tests.unit.adapters.web.given import ATTEMPTED, BOOKING_ID, REVIEW, STARTS, booking, failed
from tests.unit.adapters.web.test_access import ROUTES


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """
    The document as it is served, to everybody alike.
    """

    async def fetch() -> dict[str, Any]:
        async with connect(FakeBackend()) as client:
            served: dict[str, Any] = (await client.get("/openapi.json")).json()
            return served

    return asyncio.run(fetch())


async def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)


async def test_every_operation_tells_its_scope_and_its_problems(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            refuses = path not in {"/readyz", "/health"}
            problems = {int(status) for status in operation["responses"] if int(status) >= 400 and refuses}
            media = {
                media
                for status, answer in operation["responses"].items()
                if int(status) in problems
                for media in answer["content"]
            }
            assert media <= {"application/problem+json"}
            # Cal.com has no key of ours: its webhooks are signed.
            if path.startswith("/api/") and not path.startswith("/api/webhooks/"):
                assert {401, 403, 429, 500, 503} <= problems, (method, path)
                assert operation["security"]
            if "requestBody" in operation:
                assert {400, 408, 413, 415, 422} <= problems
            assert set(re.findall(r"{(\w+)}", path)) <= {one["name"] for one in operation["parameters"]}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route[0]} {route[1]}")
async def test_answers_fit_the_document(
    client: httpx.AsyncClient, document: dict[str, Any], route: tuple[str, str, str, Any]
) -> None:
    method, path, scope, body = route
    good = await client.request(method, path, json=body)
    bad = await client.request(method, path, json=body, headers={"Authorization": "Bearer x"})
    operation = operation_at(document, method, path)

    assert [{"apiKey": [scope]}] == operation["security"]
    assert fits(good, operation, document)
    assert fits(bad, operation, document)


@pytest.mark.parametrize("happened", [[ATTEMPTED], [failed("slot_taken")], [failed("near_duplicate")], [REVIEW]])
async def test_every_outcome_of_a_booking_fits_the_document(
    client: httpx.AsyncClient, backend: FakeBackend, document: dict[str, Any], happened: list[Any], wish: dict[str, Any]
) -> None:
    backend.bookings.result = BookingResult(booking=booking(*happened))
    operation = document["paths"]["/api/bookings"]["post"]

    for body in (wish, wish | {"source": "a b"}):
        assert fits(await client.post("/api/bookings", json=body), operation, document)


async def test_a_cancellation_that_comes_too_late_fits_the_document(
    client: httpx.AsyncClient, backend: FakeBackend, document: dict[str, Any]
) -> None:
    backend.bookings.error = AlreadyOver(BOOKING_ID)
    path = f"/api/bookings/{BOOKING_ID}/cancel"
    answer = await client.post(path, json={"reason": "ill"})

    assert 409 == answer.status_code
    assert fits(answer, operation_at(document, "POST", path), document)


@pytest.mark.parametrize("others", [(), (STARTS,)])
async def test_a_refusal_with_other_times_fits_the_document(
    client: httpx.AsyncClient,
    backend: FakeBackend,
    document: dict[str, Any],
    wish: dict[str, Any],
    others: tuple[datetime, ...],
) -> None:
    backend.bookings.result = BookingResult(booking=booking(failed("slot_taken")))
    backend.availability.others = others
    answer = await client.post("/api/bookings", json=wish)

    assert len(others) == len(answer.json()["alternatives"])
    assert fits(answer, document["paths"]["/api/bookings"]["post"], document)


async def test_the_page_lists_every_operation_and_loads_nothing(
    client: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    page = (await client.get("/docs")).text

    assert all(path in page for path in document["paths"])
    assert "http://" not in page
    assert "https://" not in page
    assert "<script" not in page


@pytest.mark.parametrize("path", ["/", "/api", "/api/nothing", "/api/bookings/", "/api/bookings/a/b/c", "/docs/x"])
async def test_an_unknown_address_is_a_problem(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)

    assert (404, "application/problem+json") == (answer.status_code, answer.headers["Content-Type"])


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/bookings", "GET, POST"),
        ("PATCH", "/api/keys", "GET, POST"),
        ("POST", "/livez", "GET"),
        ("GET", "/api/services/x", "PUT"),
        ("BREW", "/api/bookings/x/cancel", "POST"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(
    client: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await client.request(method, path)

    assert (405, allowed) == (answer.status_code, answer.headers["Allow"])
    assert "urn:calsaga:problem:method-not-allowed" == answer.json()["type"]


def operation_at(document: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    for template, methods in document["paths"].items():
        pattern = re.sub(r"{\w+}", "[^/]+", template)
        if re.fullmatch(pattern, path.partition("?")[0]) and method.lower() in methods:
            found: dict[str, Any] = methods[method.lower()]
            return found
    raise LookupError(path)


def fits(answer: httpx.Response, operation: dict[str, Any], document: dict[str, Any]) -> bool:
    described = operation["responses"][str(answer.status_code)]
    media_type = answer.headers.get("Content-Type", "")
    if not media_type:
        return not described.get("content")
    schema = {**described["content"][media_type]["schema"], "components": document["components"]}
    errors = list(OAS31Validator(schema).iter_errors(answer.json()))
    assert [] == errors
    return True
