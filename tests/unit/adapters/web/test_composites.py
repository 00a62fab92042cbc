"""
What `POST /api/bookings/composite` takes, and how it names what is wrong.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.unit.adapters.web.fake_backend import FakeBackend

FIRST = {"service_id": "consult", "starts_at": "2027-03-02T10:00:00+01:00"}
BODY = {
    "legs": [FIRST, {"service_id": "consult"}],
    "customer": {"name": "Ada Lovelace", "email": "ada@example.com"},
    "time_zone": "Europe/Berlin",
    "source": "web",
}
PATH = "/api/bookings/composite"


async def test_a_composite_is_asked_for_with_its_key(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    answer = await client.post(PATH, json=BODY, headers={"Idempotency-Key": "k1", "Prefer": "wait=3"})

    [wish] = backend.bookings.composites
    assert (201, "k1", [3]) == (answer.status_code, wish.idempotency_key, backend.bookings.patience)
    assert ["consult", "consult"] == [leg.service_id for leg in wish.legs]
    assert (True, True) == (wish.legs[0].starts_at is not None, wish.legs[1].starts_at is None)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"legs": [FIRST]}, {"legs"}),
        ({"legs": [FIRST] * 11}, {"legs"}),
        ({"legs": {"service_id": "consult"}}, {"legs"}),
        ({"legs": [FIRST, {}]}, {"legs[1].service_id"}),
        ({"legs": [FIRST, {"service_id": "unheard-of"}]}, {"legs[1].service_id"}),
        ({"legs": [{"service_id": "consult"}, FIRST]}, {"legs[0].starts_at"}),
        ({"legs": [FIRST, FIRST | {"starts_at": "soon"}]}, {"legs[1].starts_at"}),
        ({"legs": [FIRST, FIRST | {"starts_at": "2020-03-02T10:00:00+01:00"}]}, {"legs[1].starts_at"}),
        ({"legs": [FIRST, FIRST | {"staff_id": "no/such name"}]}, {"legs[1].staff_id"}),
        ({"legs": [FIRST | {"staff_id": "ann"}, FIRST | {"staff_id": "ann"}]}, {"legs[1].starts_at"}),
        ({"legs": [FIRST, FIRST | {"colour": "red"}]}, {"legs[1].colour"}),
        ({"starts_at": "2027-03-02T10:00:00+01:00"}, {"starts_at"}),
        ({"customer": {"name": "Ada"}}, {"customer"}),
        ({"time_zone": "Mars/Olympus"}, {"time_zone"}),
    ],
)
async def test_every_error_names_its_field(
    client: httpx.AsyncClient, backend: FakeBackend, changes: dict[str, Any], fields: set[str]
) -> None:
    answer = await client.post(PATH, json=BODY | changes)

    assert (422, fields) == (answer.status_code, {error["field"] for error in answer.json()["errors"]})
    assert [] == backend.bookings.composites
