"""
What a create has made at Cal.com, by the answer that came, or by what stands there.
"""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.calcom.refusals import CREATE
from sagas.outcomes import Made, Refused, Unknown
from tests.unit.adapters.calcom.building import (
    OTHER,
    Handler,
    a_row,
    an_account,
    breaks,
    refuses,
    refuses_barely,
    says,
    says_bytes,
    succeeds,
)
from tests.unit.adapters.calcom.creating import create, outcome_of


async def test_a_success_with_our_attempt_is_ours_and_has_calcoms_times() -> None:
    made = await outcome_of(succeeds(a_row("xyz", end="2026-12-01T11:45:00+01:00"), status=201))

    expected = Made(
        uid="xyz",
        starts_at=datetime(2026, 12, 1, 10, tzinfo=UTC),
        ends_at=datetime(2026, 12, 1, 10, 45, tzinfo=UTC),
        calcom_status="accepted",
    )
    assert expected == made


async def test_an_unknown_state_is_passed_on() -> None:
    made = await outcome_of(succeeds(a_row(status="AWAITING_HOST"), status=201))

    assert isinstance(made, Made)
    assert "awaiting_host" == made.calcom_status


async def test_a_success_with_another_attempt_made_nothing_for_us() -> None:
    refused = await outcome_of(succeeds(a_row(attempt_id=OTHER), status=201))

    assert isinstance(refused, Refused)
    assert ("duplicate", True) == (refused.reason, refused.conflict)


async def test_a_success_without_an_attempt_is_read_again() -> None:
    account = an_account(succeeds(a_row(attempt_id=None), status=201), succeeds(a_row()))

    assert isinstance(await create(account), Made)
    assert ["POST /v2/bookings", "GET /v2/bookings/uid1"] == account.calcom.calls


async def test_a_success_that_turns_out_to_be_anothers_is_a_duplicate() -> None:
    refused = await outcome_of(succeeds(a_row(attempt_id=None), status=201), succeeds(a_row(attempt_id=OTHER)))

    assert isinstance(refused, Refused)


async def test_an_older_booking_of_nobody_is_a_duplicate() -> None:
    older = a_row(attempt_id=None, createdAt="2026-11-22T11:00:00.000Z")
    refused = await outcome_of(succeeds(older, status=201), succeeds(older))

    assert isinstance(refused, Refused)
    assert "duplicate" == refused.reason


@pytest.mark.parametrize(
    "second",
    [
        succeeds(a_row(attempt_id=None)),
        refuses(404, "NotFoundException", "Booking with uid=uid1 was not found in the database"),
        refuses_barely(500, "Internal server error"),
        succeeds([a_row()]),
        breaks(httpx.ReadError("gone")),
    ],
)
async def test_a_success_that_nobody_can_attribute_is_unknown(second: Handler) -> None:
    assert isinstance(await outcome_of(succeeds(a_row(attempt_id=None), status=201), second), Unknown)


@pytest.mark.parametrize(
    "handler",
    [
        says_bytes(201, b'{"status": "success", "data": {"uid": "abc'),
        says_bytes(201, b""),
        says_bytes(204, b""),
        says_bytes(200, b"<html>welcome</html>", content_type="text/html"),
        says(201, {"status": "error", "data": a_row()}),
        says(201, [a_row()]),
        says(201, None),
        succeeds([a_row(), a_row("uid2")], status=201),
        succeeds(a_row(uid=""), status=201),
        succeeds(a_row(uid="../../me"), status=201),
        succeeds({**a_row(), "uid": 7}, status=201),
        succeeds(a_row(start="2026-12-01T10:00:00"), status=201),
        succeeds(a_row(start=1796119200), status=201),
        succeeds(a_row(start="0001-01-01T00:00:00+14:00"), status=201),
        succeeds(a_row(end="2026-12-01T10:00:00Z"), status=201),
        succeeds(a_row(status="a\0b"), status=201),
        succeeds(a_row(metadata="text"), status=201),
        succeeds({"uid": "abc"}, status=201),
    ],
)
async def test_a_success_that_cannot_be_read_is_unknown(handler: Handler) -> None:
    unknown = await outcome_of(handler)

    assert isinstance(unknown, Unknown)
    assert "unreadable" == unknown.reason


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
rows = st.dictionaries(st.sampled_from(sorted(a_row())), json, max_size=10).map(
    lambda odd: {**a_row(attempt_id=OTHER), **odd}
)
bodies = (
    st.binary(max_size=200)
    | json.map(orjson.dumps)
    | rows.map(lambda row: orjson.dumps({"status": "success", "data": row}))
    | json.map(lambda data: orjson.dumps({"status": "success", "data": data}))
    | st.tuples(json, json).map(
        lambda pair: orjson.dumps({"status": "error", "error": {"code": pair[0], "message": pair[1]}})
    )
)


@settings(deadline=None)
@given(status=st.integers(200, 599), body=bodies)
async def test_no_answer_raises_or_is_made_without_our_attempt(status: int, body: bytes) -> None:
    outcome = await outcome_of(says_bytes(status, body))

    assert not isinstance(outcome, Made)
    if isinstance(outcome, Refused) and outcome.reason != "duplicate":
        assert any(row.status == status and row.reason == outcome.reason for row in CREATE)
