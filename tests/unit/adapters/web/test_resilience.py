"""
How the breakers stand, over HTTP.
"""

from __future__ import annotations

import httpx

from adapters.breakers.local import LocalBreakers
from adapters.breakers.telling import Telling
from domain.breaker_words import Command
from tests.unit.adapters.web.conftest import connect
from tests.unit.adapters.web.fake_backend import FakeBackend


async def test_the_breakers_are_told_by_name(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/resilience/states")

    assert 200 == answer.status_code
    calcom = answer.json()["services"]["calcom"]
    assert ("closed", 0, None, 3, None, False) == tuple(
        calcom[name] for name in ("state", "failures", "last_failure", "half_open_quota", "override", "shared")
    )


async def test_what_a_person_did_is_told_with_who_and_why() -> None:
    backend = FakeBackend(breakers=(breakers := LocalBreakers({}, listener=Telling())))
    await breakers.control("calcom", Command(action="open", actor="ada", reason="they move house", seconds=600))

    async with connect(backend) as asking:
        calcom = (await asking.get("/api/resilience/states")).json()["services"]["calcom"]

    assert ("open", "ada", "they move house") == tuple(
        calcom["override"][name] for name in ("action", "actor", "reason")
    )
    assert calcom["open_until"] == calcom["override"]["expires_at"]
    assert [("closed", "open", "manual", "ada")] == [
        (one["before"], one["after"], one["cause"], one["actor"]) for one in calcom["recent"]
    ]
