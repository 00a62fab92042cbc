"""
Each fault as a real client sees it over a real socket.
"""

from __future__ import annotations

import asyncio
from time import monotonic

import httpx
import orjson
import pytest

from tests.integration.sandbox.client import TOMORROW, Client, eventually


async def test_a_late_commit_is_dropped_now_and_made_later(client: Client) -> None:
    await client.queue("late_commit", operation="create", seconds=0.4)
    began = monotonic()

    with pytest.raises(httpx.RemoteProtocolError):
        await client.book()
    assert [] == await client.ledger()
    await eventually(lambda: has_bookings(client, 1))
    assert monotonic() - began >= 0.4


async def test_a_late_commit_outlives_the_time_out_of_its_client(client: Client) -> None:
    await client.queue("late_commit_timeout", seconds=0.4)
    client.http.timeout = httpx.Timeout(0.2)

    with pytest.raises(httpx.ReadTimeout):
        await client.book()
    assert [] == await client.ledger()
    await eventually(lambda: has_bookings(client, 1))


async def test_a_held_connection_is_dropped_in_the_end(client: Client) -> None:
    await client.queue("late_commit_timeout", seconds=0.0, hold_seconds=0.1)

    with pytest.raises(httpx.RemoteProtocolError):
        await client.book()
    assert 1 == len(await client.ledger())


async def test_a_late_commit_comes_too_late_when_the_time_was_given_away(client: Client) -> None:
    await client.queue("late_commit", seconds=1)

    with pytest.raises(httpx.RemoteProtocolError):
        await client.book()
    assert 201 == (await client.book(email="quicker@example.com")).status_code
    await eventually(lambda: late_refused(client))
    assert 1 == len(await client.ledger())


async def test_a_late_cancel_cancels_later(client: Client) -> None:
    uid = (await client.book()).json()["data"]["uid"]
    await client.queue("late_commit", operation="cancel", seconds=0.05)

    with pytest.raises(httpx.RemoteProtocolError):
        await client.cancel(uid)
    await eventually(lambda: is_cancelled(client))


@pytest.mark.parametrize(
    "wire",
    [
        ("envelope", 500, b'"code":"InternalServerErrorException"'),
        ("prisma", 500, b'"message":"There was an error, please try again later."'),
        ("inner", 500, b'{"statusCode":500,"message":"Internal server error"}'),
        ("html", 502, b"<html>"),
    ],
)
@pytest.mark.parametrize(("kind", "committed"), [("error_after_commit", 1), ("error_before_commit", 0)])
async def test_an_error_has_any_shape_on_either_side_of_the_commit(
    client: Client, kind: str, committed: int, wire: tuple[str, int, bytes]
) -> None:
    shape, status, body = wire
    await client.queue(kind, shape=shape)

    answer = await client.book()

    assert status == answer.status_code
    assert body in answer.content
    assert committed == len(await client.ledger())


@pytest.mark.parametrize(("kind", "committed"), [("drop_after_commit", 1), ("drop_before_commit", 0)])
async def test_a_connection_drops_on_either_side_of_the_commit(client: Client, kind: str, committed: int) -> None:
    await client.queue(kind, operation="create")

    with pytest.raises(httpx.RemoteProtocolError):
        await client.book()
    assert committed == len(await client.ledger())
    assert {"create dropped": 1} == (await client.stats())["statuses"]


async def test_a_delay_before_the_commit_delays_the_commit(client: Client) -> None:
    await client.queue("delay", seconds=0.3, moment="before")
    client.http.timeout = httpx.Timeout(0.15)

    with pytest.raises(httpx.ReadTimeout):
        await client.book()
    assert [] == await client.ledger()
    await eventually(lambda: has_bookings(client, 1))


async def test_a_delay_after_the_commit_delays_the_answer(client: Client) -> None:
    await client.queue("delay", seconds=0.2, moment="after")
    began = monotonic()
    booking = asyncio.create_task(client.book())
    await eventually(lambda: has_bookings(client, 1))

    assert not booking.done()
    assert 201 == (await booking).status_code
    assert monotonic() - began >= 0.2


@pytest.mark.parametrize("commit", [True, False])
async def test_a_proxy_answers_in_html_with_or_without_a_commit(client: Client, commit: bool) -> None:
    await client.queue("html_502", commit=commit)

    answer = await client.book()

    assert (502, "text/html; charset=utf-8") == (answer.status_code, answer.headers["content-type"])
    assert commit == bool(await client.ledger())


async def test_a_single_call_is_throttled(client: Client) -> None:
    await client.queue("rate_limited", operation="list")

    answer = await client.http.get("/v2/bookings")

    assert 429 == answer.status_code
    assert "ThrottlerException" == answer.json()["error"]["code"]


async def test_a_key_is_refused_once(client: Client) -> None:
    await client.queue("unauthorized")

    answer = await client.book()

    assert 401 == answer.status_code
    assert "ApiAuthStrategy - api key - Your api key is not valid" == answer.json()["error"]["message"]
    assert 201 == (await client.book()).status_code


async def test_a_success_is_unreadable(client: Client) -> None:
    await client.queue("unreadable_2xx")

    answer = await client.book()

    assert 201 == answer.status_code
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(answer.content)
    assert 1 == len(await client.ledger())


async def test_a_list_lags_behind_a_commit(client: Client) -> None:
    await client.queue("list_lag", operation="create", seconds=0.3)
    uid = (await client.book()).json()["data"]["uid"]

    assert 200 == (await client.http.get(f"/v2/bookings/{uid}")).status_code
    assert [] == await client.listed()
    await eventually(lambda: is_listed(client, uid))


async def test_a_single_list_comes_from_a_stale_replica(client: Client) -> None:
    await client.queue("list_lag", operation="list", seconds=30)
    uid = (await client.book()).json()["data"]["uid"]

    assert [] == await client.listed()
    assert [uid] == await client.listed()


async def test_a_lag_goes_together_with_another_fault(client: Client) -> None:
    await client.queue("list_lag", operation="create", seconds=30)
    await client.queue("drop_after_commit")

    with pytest.raises(httpx.RemoteProtocolError):
        await client.book()
    assert [] == await client.listed()
    assert {"list_lag": 1, "drop_after_commit": 1} == (await client.stats())["faults"]


async def test_a_race_past_the_availability_meets_the_unique_key(client: Client) -> None:
    await client.book()
    await client.queue("race")

    answer = await client.book(email="other@example.com")

    assert {"statusCode": 409, "message": "booking_conflict_error"} == answer.json()


async def test_a_fault_waits_for_the_call_that_it_matches(client: Client) -> None:
    await client.queue("drop_before_commit", match={"metadata": {"attempt": "2"}})
    await client.queue("drop_before_commit", match={"attendee_email": "bob@example.com"})
    await client.queue("drop_before_commit", match={"event_type_id": 3})

    assert 201 == (await client.book(metadata={"attempt": "1"})).status_code
    for wanted in ({"metadata": {"attempt": "2"}}, {"email": "bob@example.com"}, {"event_type": 3}):
        with pytest.raises(httpx.RemoteProtocolError):
            await client.book(**wanted)


async def test_a_profile_set_while_running_befalls_every_call(client: Client) -> None:
    profile = {"seed": 7, "faults": [{"kind": "error_before_commit", "operation": "get", "probability": 1.0}]}
    await client.http.put("/_sandbox/faults", json=profile)
    uid = (await client.book(start=TOMORROW.isoformat())).json()["data"]["uid"]

    assert [500, 500] == [(await client.http.get(f"/v2/bookings/{uid}")).status_code for _ in range(2)]


async def has_bookings(client: Client, count: int) -> bool:
    return len(await client.ledger()) == count


async def late_refused(client: Client) -> bool:
    return bool((await client.stats())["late_commits_refused"])


async def is_cancelled(client: Client) -> bool:
    return [booking["status"] for booking in await client.ledger()] == ["cancelled"]


async def is_listed(client: Client, uid: str) -> bool:
    return await client.listed() == [uid]
