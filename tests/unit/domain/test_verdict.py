"""
Why services are not healthy, what is the root of it, and what that makes of the whole: over any graph and any states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.breaker import look
from domain.breaker_policy import BreakerPolicy
from domain.breaker_state import Breaker
from domain.breaker_words import Cause, Override, Snapshot, State, Transition
from domain.dependencies import SERVICES, Dependencies
from domain.verdict import (
    ESSENTIAL,
    Assessment,
    Concern,
    Condition,
    Failures,
    Reason,
    Status,
    Verdict,
    assess,
    condition_of,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HELD = Override(action="close", actor="ada", reason="we know better", expires_at=None)
WORSE: dict[Verdict | Status, int] = {"healthy": 0, "affected": 1, "degraded": 1, "unhealthy": 2, "critical": 2}
CLOSED = look(Breaker(name="calcom"), BreakerPolicy(), now=0.0, chance=0.0).answer
QUICK = settings(max_examples=40)


@st.composite
def graphs(draw: st.DrawFn) -> Dependencies:
    """Any graph without cycles: whoever comes later in some order may need those before."""
    order = draw(st.permutations(SERVICES))
    needs = {
        name: tuple(draw(st.lists(st.sampled_from(order[:place]), unique=True, max_size=3)))
        for place, name in enumerate(order)
        if place
    }
    return Dependencies(needs)


CONDITIONS = st.builds(
    Condition,
    state=st.sampled_from(["closed", "closed", "closed", *get_args(State)]),
    since=st.just(NOON),
    override=st.sampled_from([None, HELD]),
    would_open=st.sampled_from([None, None, "failures"]),
    failing=st.sampled_from([None, None, "GET /v2/me answered 500"]),
)
WORLDS = st.dictionaries(st.sampled_from(SERVICES), CONDITIONS)
CONCERNS = st.lists(
    st.builds(
        Concern, verdict=st.sampled_from(["degraded", "critical"]), detail=st.sampled_from(["late", "read-only"])
    ),
    max_size=3,
)


def unhealthy(found: Assessment) -> set[str]:
    return {name for name, one in found.standings.items() if one.status == "unhealthy"}


@QUICK
@given(graph=graphs(), world=WORLDS)
def test_roots_are_exactly_the_unhealthy_that_need_nothing_unhealthy(
    graph: Dependencies, world: dict[str, Condition]
) -> None:
    found = assess(world, graph)
    wrong = {name for name, one in found.standings.items() if one.status in {"unhealthy", "affected"}}

    assert {name for name in wrong if not wrong & set(graph.of(name)) & set(world)} == set(found.roots)
    assert set(found.roots) <= unhealthy(found)


@QUICK
@given(graph=graphs(), world=WORLDS)
def test_whatever_is_wrong_is_explained_down_to_a_root(graph: Dependencies, world: dict[str, Condition]) -> None:
    found = assess(world, graph)
    hit = {name: {one.root for one in found.cascades if name in one.hit} for name in SERVICES}

    for name, standing in found.standings.items():
        assert (standing.status in {"healthy", "not_configured"}) == (not standing.reasons)
        assert (name not in world) == (standing.status == "not_configured")
        inherited = [one.way for one in standing.reasons if one.code == "dependency"]
        assert (standing.status == "unhealthy") == (len(inherited) < len(standing.reasons))
        for way in inherited:
            assert way[-1] in unhealthy(found)
            assert all(later in graph.of(former) for former, later in zip((name, *way), way, strict=False))
        assert {way[-1] for way in inherited} & set(found.roots) == hit[name]
        assert bool(hit[name]) == bool(inherited)
    assert all(one.hit for one in found.cascades)


@QUICK
@given(graph=graphs(), world=WORLDS, name=st.sampled_from(SERVICES), worse=CONDITIONS)
def test_one_failure_more_improves_nothing(
    graph: Dependencies, world: dict[str, Condition], name: str, worse: Condition
) -> None:
    world = {name: Condition(), **world}
    before = assess(world, graph)
    failed = replace(world[name], state="open", failing=world[name].failing or worse.failing)
    after = assess({**world, name: failed}, graph)

    assert WORSE[before.verdict] <= WORSE[after.verdict]
    assert all(WORSE[before.standings[it].status] <= WORSE[after.standings[it].status] for it in world)


@QUICK
@given(graph=graphs(), world=WORLDS)
def test_the_verdict_follows_its_rule(graph: Dependencies, world: dict[str, Condition]) -> None:
    found = assess(world, graph)
    keep_back = [one for one in world.values() if one.state != "closed"]
    wrong = unhealthy(found)

    expected = "critical" if wrong & set(ESSENTIAL) or len(keep_back) > 1 else "degraded" if wrong else "healthy"
    assert expected == found.verdict
    assert (found.verdict == "healthy") == (not found.because)


@QUICK
@given(graph=graphs(), world=WORLDS, concerns=CONCERNS)
def test_the_whole_is_as_bad_as_the_worst_concern_which_is_among_the_reasons(
    graph: Dependencies, world: dict[str, Condition], concerns: list[Concern]
) -> None:
    without, found = assess(world, graph), assess(world, graph, concerns=concerns)

    assert WORSE[found.verdict] == max(WORSE[it] for it in (without.verdict, *(one.verdict for one in concerns)))
    assert {one.detail for one in concerns if one.verdict == found.verdict} <= set(found.because)
    assert without.standings == found.standings


@QUICK
@given(graph=graphs(), world=WORLDS, name=st.sampled_from(SERVICES))
def test_what_is_not_configured_changes_nothing_for_the_others(
    graph: Dependencies, world: dict[str, Condition], name: str
) -> None:
    world.pop(name, None)
    without = Dependencies({it: tuple(one for one in graph.of(it) if one != name) for it in SERVICES if it != name})

    assert assess(world, without) == assess(world, graph)


def test_an_open_breaker_is_told_with_its_instant_and_whoever_opened_it() -> None:
    held = Override(action="open", actor="ada", reason="they move house", expires_at=None)
    world = {name: Condition() for name in ("calcom", "retell", "appointments", "database")}

    found = assess({**world, "calcom": Condition(state="open", since=NOON, override=held)}, Dependencies())

    told = {name: [one.detail for one in standing.reasons] for name, standing in found.standings.items()}
    own = "its breaker is open since 2026-11-20T12:00:00+00:00, by ada: they move house"
    assert [own] == told["calcom"]
    assert [f"it needs calcom: {own}"] == told["appointments"]
    assert [("calcom", ("retell", "appointments"))] == [(one.root, one.hit) for one in found.cascades]
    assert ("degraded", (f"calcom: {own}",)) == (found.verdict, found.because)


@pytest.mark.parametrize(
    ("cause", "slow", "said"),
    [
        ("failures", 10, "its breaker is open (failures: 1 of 12 calls failed)"),
        ("slow_calls", 10, "its breaker is open (slow_calls: 10 calls were slow, 12 have ended)"),
        # As an older calsaga kept it.
        ("slow_calls", None, "its breaker is open (slow_calls)"),
        ("probe_failed", 10, "its breaker is open"),
    ],
)
def test_an_open_breaker_says_how_many_calls_of_how_many_it_was_for(cause: Cause, slow: int | None, said: str) -> None:
    last = Transition(
        name="calcom", before="closed", after="open", cause=cause, at=NOON, epoch=1, failures=1, calls=12, slow=slow
    )
    stands = replace(CLOSED, state="open", recent=(last,))

    assert [said] == [one.detail for one in _reasons(stands)]


def test_a_breaker_that_is_held_closed_says_what_it_would_open_for() -> None:
    held = Override(action="observe", actor="ada", reason="a test", expires_at=None)
    stands = replace(CLOSED, failures=1, successes=11, slow=10, would_open="slow_calls", override=held)

    (reason,) = _reasons(stands)
    assert "would open (slow_calls: 10 calls were slow, 12 have ended) but for ada" in reason.detail


def _reasons(snapshot: Snapshot) -> Sequence[Reason]:
    return assess({"calcom": condition_of(snapshot)}, Dependencies()).standings["calcom"].reasons


def test_the_way_to_the_cause_is_told() -> None:
    chain = Dependencies({"appointments": ("retell",), "retell": ("calcom",)})
    world = {name: Condition() for name in ("retell", "appointments")}

    found = assess({**world, "calcom": Condition(state="half_open")}, chain)

    (reason,) = found.standings["appointments"].reasons
    assert ("retell", "calcom") == reason.way
    assert reason.detail.startswith("it needs retell, which needs calcom: its breaker is half-open, and")


@pytest.mark.parametrize("name", ESSENTIAL)
def test_what_no_booking_can_do_without_is_critical(name: str) -> None:
    found = assess({name: Condition(failing="SELECT 1 was not answered in 3 s")}, Dependencies())

    assert ("critical", (f"no booking can do without {name}: SELECT 1 was not answered in 3 s",)) == (
        found.verdict,
        found.because,
    )


def test_two_breakers_that_keep_calls_back_are_critical() -> None:
    found = assess({"email": Condition(state="open"), "sms": Condition(state="half_open")}, Dependencies())

    assert ("critical", ("2 breakers keep calls back: email, sms",)) == (found.verdict, found.because)


def test_a_condition_is_read_off_a_snapshot() -> None:
    snapshot = look(Breaker(name="calcom", state="open", epoch=1), BreakerPolicy(), now=0, chance=0).answer

    assert Condition(state="open", since=snapshot.since, failing="it fails") == condition_of(
        snapshot, failing="it fails"
    )


@pytest.mark.parametrize(
    ("service", "severity", "verdict"),
    [
        ("calcom", "medium", "degraded"),
        ("calcom", "critical", "degraded"),
        ("database", "medium", "degraded"),
        ("database", "critical", "critical"),
    ],
)
def test_calls_that_failed_lately_are_a_reason_and_critical_if_nothing_can_do_without(
    service: str, severity: str, verdict: str
) -> None:
    failures = Failures(severity=severity, detail="16 calls failed within a minute")  # type: ignore[arg-type]

    found = assess({service: Condition(failures=failures)}, Dependencies())

    assert (verdict, "unhealthy") == (found.verdict, found.standings[service].status)
    assert [("calls_failed", f"{severity}: {failures.detail}")] == [
        (one.code, one.detail) for one in found.standings[service].reasons
    ]
