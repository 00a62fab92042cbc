"""
All breakers by name: what needs what explains, and stops no call.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.breakers.fleet import FleetBreakers
from adapters.breakers.local import LocalBreakers
from adapters.breakers.ports import SharedStateAway
from adapters.breakers.registry import Registry
from adapters.breakers.watched import WatchedBreaker
from domain.breaker_policy import BreakerPolicy
from domain.breaker_words import Action, Command, Outcome, Permit, Refusal, Snapshot
from domain.dependencies import SERVICES, Dependencies
from tests.breakers.listening import Heard
from tests.unit.domain.test_verdict import graphs

POLICY = BreakerPolicy()
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACTIONS = st.lists(
    st.tuples(st.sampled_from(SERVICES), st.sampled_from(["open", "open", "close", "reset"])), max_size=8
)


def registry(graph: Dependencies | None = None) -> Registry:
    watched = [WatchedBreaker(name, POLICY, listener=Heard()) for name in ("database", "webhooks", "appointments")]
    fleet = LocalBreakers({}, listener=Heard())
    return Registry(fleet, watched=watched, configured=("calcom", "retell"), dependencies=graph)


@settings(max_examples=40)
@given(graph=graphs(), actions=ACTIONS)
def test_only_a_calls_own_breaker_stops_it(graph: Dependencies, actions: list[tuple[str, Action]]) -> None:
    async def play() -> None:
        breakers = registry(graph)
        opened: dict[str, Action] = {}
        for name, action in actions:
            await breakers.control(name, Command(action=action, actor="ada", reason="why not"))
            opened[name] = action
        await breakers.look(probed={"retell": "it is down"})

        for name in SERVICES:
            let_through = isinstance(await breakers.acquire(name, probe=False), Permit)
            assert let_through == (opened.get(name) != "open")
        for name in ("database", "webhooks", "appointments"):
            assert (breakers.held_back(name) is None) == (opened.get(name) != "open")

    asyncio.run(play())


@settings(max_examples=40)
@given(
    name=st.sampled_from(SERVICES),
    outcomes=st.lists(st.sampled_from(["failed", "failed", "failed", "succeeded", "ignored"]), max_size=30),
)
def test_what_came_of_calls_is_seen_where_leave_was_given(name: str, outcomes: list[Outcome]) -> None:
    async def play() -> None:
        breakers, recorded = registry(), Counter[str]()
        for outcome in outcomes:
            permit = await breakers.acquire(name)
            if isinstance(permit, Refusal):
                break
            await breakers.record(permit, outcome)
            recorded[outcome] += 1

        look = await breakers.look()
        told = look.snapshots[name].operations.get("call", {}) if name in look.snapshots else {}
        own = name in {"database", "webhooks", "appointments"}
        assert {it: recorded[it] for it in ("succeeded", "failed")} == {
            it: told.get(it, 0) for it in ("succeeded", "failed")
        }
        assert (name in breakers.names) == (own or name in {"calcom", "retell"} or bool(outcomes))
        assert (look.snapshots[name].state == "open" if name in look.snapshots else False) == isinstance(
            await breakers.acquire(name), Refusal
        )

    asyncio.run(play())


async def test_what_a_caller_uses_obeys_and_is_judged_from_then_on() -> None:
    breakers = registry()
    assert "email" not in breakers.obeying
    await breakers.acquire("email")
    await breakers.control("email", Command(action="open", actor="ada", reason="they move house"))

    assert "email" in breakers.obeying
    assert isinstance(await breakers.acquire("email"), Refusal)
    assert "unhealthy" == (await breakers.look()).assessment.standings["email"].status


async def test_what_a_person_opens_and_nobody_uses_is_shown_and_not_down() -> None:
    breakers = registry()
    await breakers.control("email", Command(action="open", actor="ada", reason="they move house"))
    look = await breakers.look()

    assert "open" == look.snapshots["email"].state
    assert ("not_configured", "healthy") == (look.assessment.standings["email"].status, look.assessment.verdict)

    assert isinstance(await breakers.acquire("email"), Refusal)
    assert "unhealthy" == (await breakers.look()).assessment.standings["email"].status


async def test_what_comes_of_others_calls_is_counted_once() -> None:
    told: list[tuple[str, str, str]] = []
    fleet = LocalBreakers({}, listener=Heard())
    breakers = Registry(fleet, count=lambda name, operation, outcome, _seconds: told.append((name, operation, outcome)))
    for name in ("calcom", "retell"):
        permit = await breakers.acquire(name)
        assert isinstance(permit, Permit)
        await breakers.record(permit, "failed")
        await breakers.control(name, Command(action="open", actor="ada", reason="they move house"))
        await breakers.acquire(name)

    assert [("retell", "call", "failed"), ("retell", "call", "refused")] == told


async def test_a_name_that_leads_nowhere_is_refused_with_those_that_do() -> None:
    breakers = Registry(LocalBreakers({}, listener=Heard()), redis_lost=lambda: None)
    command = Command(action="reset", actor="ada", reason="why not")

    # Redis is left alone by itself, and nobody needs leave for that.
    for name in ("opening-hours", "redis"):
        for ask in (breakers.acquire(name), breakers.control(name, command)):
            with pytest.raises(ValueError, match=f"no breaker '{name}'; there are calcom, retell, database, webhooks"):
                await ask
    assert ("calcom", "redis") == breakers.names
    assert ("calcom",) == breakers.obeying


async def test_retell_down_never_defers_a_web_booking() -> None:
    breakers = registry()
    await breakers.control("retell", Command(action="open", actor="ada", reason="they move house"))

    found = (await breakers.look()).assessment

    assert isinstance(await breakers.acquire("calcom", operation="create", probe=False), Permit)
    assert breakers.held_back("appointments") is None
    assert "affected" == found.standings["appointments"].status
    assert ("degraded", ("retell",)) == (found.verdict, found.roots)


async def test_what_is_not_configured_is_not_down() -> None:
    look = await registry().look(probed={"email": None})

    assert {"calcom", "retell", "database", "webhooks", "appointments"} == set(look.snapshots)
    assert "healthy" == look.assessment.verdict
    statuses = {name: one.status for name, one in look.assessment.standings.items()}
    assert {"redis", "sms"} == {name for name, one in statuses.items() if one == "not_configured"}


async def test_what_has_no_breaker_is_judged_by_its_probe() -> None:
    found = (await registry().look(probed={"email": "HTTP 502", "sms": None})).assessment

    assert ("degraded", ("email: HTTP 502",)) == (found.verdict, found.because)
    assert ("unhealthy", "healthy") == (found.standings["email"].status, found.standings["sms"].status)


async def test_redis_that_is_left_alone_is_open() -> None:
    lost: list[datetime] = []
    breakers = Registry(LocalBreakers({}, listener=Heard()), redis_lost=lambda: lost[-1] if lost else None)
    there = await breakers.snapshot("redis")
    lost.append(NOON)
    look = await breakers.look()

    assert ("closed", "open", NOON) == (there.state, look.snapshots["redis"].state, look.snapshots["redis"].since)
    assert ("degraded", ("redis",)) == (look.assessment.verdict, look.assessment.roots)


async def test_a_redis_that_has_just_gone_is_found_by_looking() -> None:
    class Gone(LocalBreakers):
        async def snapshot(self, name: str) -> Snapshot:
            raise SharedStateAway("gone")

    heard = Heard()
    fleet = FleetBreakers(Gone({}, listener=heard), LocalBreakers({}, listener=heard), listener=heard)

    look = await Registry(fleet, redis_lost=fleet.lost_at).look()

    assert ("open", "closed") == (look.snapshots["redis"].state, look.snapshots["calcom"].state)
