"""
What people make of the breakers, over HTTP.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from adapters.breakers.local import LocalBreakers
from adapters.breakers.ports import SharedStateAway
from adapters.web.app import create_api
from domain.breaker_words import Command, Refusal, Snapshot
from tests.breakers.listening import Heard
from tests.unit.adapters.web.conftest import connect
from tests.unit.adapters.web.fake_backend import FakeBackend

ONE = "/api/resilience/breakers/calcom"
ALL = "/api/resilience/breakers/reset"


@pytest.mark.parametrize(("action", "state"), [("open", "open"), ("close", "closed"), ("observe", "closed")])
async def test_what_a_person_orders_is_done_in_the_name_of_their_key(action: str, state: str) -> None:
    heard = Heard()
    backend = FakeBackend(breakers=LocalBreakers({}, listener=heard))
    async with connect(backend, key="acme/fleet:write") as client:
        answer = await client.post(f"{ONE}/{action}", json={"reason": "they move house", "seconds": 600})

    calcom = answer.json()["services"]["calcom"]
    assert (200, state, False) == (answer.status_code, calcom["state"], calcom["shared"])
    assert {"action": action, "actor": "acme/fleet:write", "reason": "they move house"} == {
        name: value for name, value in calcom["override"].items() if name != "expires_at"
    }
    assert calcom["override"]["expires_at"] is not None
    assert [("manual", "acme/fleet:write", "they move house")] == [
        (one.cause, one.actor, one.reason) for one in heard.moves
    ]


async def test_without_a_time_it_holds_until_the_next_order(client: httpx.AsyncClient) -> None:
    held = (await client.post(f"{ONE}/open", json={"reason": "they move house"})).json()["services"]["calcom"]
    after = (await client.post(f"{ONE}/reset", json={})).json()["services"]["calcom"]

    assert (None, None) == (held["override"]["expires_at"], held["open_until"])
    assert ("closed", None, "reset") == (after["state"], after["override"], after["recent"][-1]["reason"])


async def test_a_reset_of_all_tells_of_each(client: httpx.AsyncClient) -> None:
    await client.post(f"{ONE}/open", json={"reason": "they move house"})

    answer = await client.post(ALL, json={"reason": "it is over"})

    every = ("calcom", "retell", "email", "sms", "database", "webhooks", "appointments")
    assert dict.fromkeys(every, "reset_here") == answer.json()["results"]
    assert "closed" == answer.json()["services"]["calcom"]["state"]


async def test_what_a_callers_own_code_may_use_is_set_before_anybody_does() -> None:
    backend = FakeBackend().as_backend()
    bearer = {"Authorization": "Bearer acme/fleet:write"}
    transport = httpx.ASGITransport(create_api(backend))
    open_email, body = "/api/resilience/breakers/email/open", {"reason": "they move house"}
    async with httpx.AsyncClient(transport=transport, base_url="http://calsaga.test", headers=bearer) as client:
        unused = await client.post(open_email, json=body)
        refused = await backend.standings.acquire("email")  # type: ignore[attr-defined]
        reset = await client.post(ALL, json={})

    assert (200, "open") == (unused.status_code, unused.json()["services"]["email"]["state"])
    assert isinstance(refused, Refusal)
    assert "reset_here" == reset.json()["results"]["email"]


class HalfAway(LocalBreakers):
    """
    Breakers of a fleet of which one cannot be reached.
    """

    async def control(self, name: str, command: Command) -> Snapshot:
        if name == "email":
            raise SharedStateAway("gone")
        return replace(await super().control(name, command), shared=True)


async def test_what_fails_for_one_is_done_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.web.breaker_commands.NAMES", ("email", "calcom"))
    api = create_api(FakeBackend(breakers=HalfAway({}, listener=Heard())).as_backend())
    bearer = {"Authorization": "Bearer acme/fleet:write"}
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url="http://calsaga.test", headers=bearer) as client:
        answer = (await client.post(ALL, json={})).json()

    assert {"email": "failed", "calcom": "reset", "database": "reset"} == answer["results"]
    assert ["calcom", "database"] == sorted(answer["services"])


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (f"{ONE}/open", {}, "reason"),
        (f"{ONE}/open", {"reason": " "}, "reason"),
        (f"{ONE}/open", {"reason": "a" * 501}, "reason"),
        (f"{ONE}/open", {"reason": "x", "seconds": 0}, "seconds"),
        (f"{ONE}/close", {"reason": "x", "seconds": -1}, "seconds"),
        (f"{ONE}/close", {"reason": "x", "seconds": 1e300}, "seconds"),
        (f"{ONE}/observe", {"reason": "x", "seconds": "600"}, "seconds"),
        (f"{ONE}/observe", {"reason": "x", "actor": "somebody else"}, "actor"),
        (f"{ONE}/reset", {"seconds": 5}, "seconds"),
        (ALL, {"reason": ""}, "reason"),
    ],
)
async def test_what_cannot_be_meant_is_refused_by_name(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], field: str
) -> None:
    answer = await client.post(path, json=body)

    assert (422, [field]) == (answer.status_code, [one["field"] for one in answer.json()["errors"]])
    states = (await client.get("/api/resilience/states")).json()["services"]
    assert [] == states["calcom"]["recent"]


@pytest.mark.parametrize(
    "path", ["/api/resilience/breakers/calom/open", f"{ONE}/ajar", "/api/resilience/breakers/open"]
)
async def test_what_there_is_not_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    assert 404 == (await client.post(path, json={"reason": "x"})).status_code
