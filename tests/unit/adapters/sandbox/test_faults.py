"""
Which fault befalls which call.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from adapters.sandbox.fault_plan import FaultPlan
from adapters.sandbox.faults import CallFacts, Fault, Kind, Profile
from adapters.sandbox.profiles import load_profile

CREATE, LIST = CallFacts(operation="create"), CallFacts(operation="list")


def kinds(plan: FaultPlan, *, calls: int, call: CallFacts = CREATE) -> list[Kind | None]:
    return [chosen.fault.kind if (chosen := plan.choose(call)).fault else None for _ in range(calls)]


def test_the_same_seed_throws_the_same_dice() -> None:
    first, second = (kinds(FaultPlan(load_profile("storm")), calls=200) for _ in range(2))

    assert first == second


def test_a_probability_is_kept_in_the_long_run() -> None:
    plan = FaultPlan(Profile(seed=3, faults=(Fault(kind=Kind.DELAY, operation="create", probability=0.1),)))

    assert 900 < kinds(plan, calls=10_000).count(Kind.DELAY) < 1100
    assert 0 == kinds(plan, calls=1000, call=LIST).count(Kind.DELAY)


def test_no_faults_means_none() -> None:
    assert [None] * 100 == kinds(FaultPlan(load_profile("none")), calls=100)


@pytest.mark.parametrize("name", ["default", "storm"])
def test_a_named_profile_has_every_knob(name: str) -> None:
    assert set(Kind) == {fault.kind for fault in load_profile(name).faults}


def test_what_is_queued_comes_first_and_once() -> None:
    plan = FaultPlan(Profile(faults=(Fault(kind=Kind.DELAY),)))
    plan.push(Fault(kind=Kind.RATE_LIMITED), times=2)

    assert [Kind.RATE_LIMITED, Kind.RATE_LIMITED, Kind.DELAY] == kinds(plan, calls=3)


def test_a_lag_stands_beside_another_fault() -> None:
    plan = FaultPlan(Profile(faults=(Fault(kind=Kind.LIST_LAG), Fault(kind=Kind.DROP_AFTER_COMMIT))))

    chosen = plan.choose(CREATE)

    assert chosen.fault is not None
    assert chosen.lag is not None
    assert (Kind.DROP_AFTER_COMMIT, Kind.LIST_LAG) == (chosen.fault.kind, chosen.lag.kind)


def test_without_an_operation_a_fault_keeps_to_those_that_it_suits() -> None:
    plan = FaultPlan(Profile(faults=(Fault(kind=Kind.LATE_COMMIT),)))

    assert [None] == kinds(plan, calls=1, call=LIST)
    assert [None] == kinds(plan, calls=1, call=CallFacts(operation="slots"))
    assert [Kind.LATE_COMMIT] == kinds(plan, calls=1, call=CallFacts(operation="cancel"))


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "earthquake"},
        {"operation": "create"},
        {"kind": "delay", "operation": "delete"},
        {"kind": "late_commit", "operation": "get"},
        {"kind": "delay", "probability": 2},
        {"kind": "delay", "second": 1},
        {"kind": "delay", "match": {"email": "x"}},
        {"kind": "delay", "moment": "during"},
        [],
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Fault.from_json(document)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", ["delay"]),
        ("operation", ["create"]),
        ("seconds", "a"),
        ("seconds", -1),
        ("seconds", None),
        ("seconds", True),
        ("seconds", 1e300),
        ("hold_seconds", "60"),
        ("probability", "often"),
        ("commit", 1),
        ("match", []),
        ("event_type_id", "1"),
        ("metadata", 5),
        ("trigger", "BOOKING_DREAMT_OF"),
    ],
)
def test_a_value_that_makes_no_sense_is_named(tmp_path: Path, field: str, value: object) -> None:
    within = {field: value} if field not in {"event_type_id", "metadata", "trigger"} else {"match": {field: value}}
    file = tmp_path / "faults.json"
    file.write_bytes(orjson.dumps({"faults": [{"kind": "delay", **within}]}))

    with pytest.raises(ValueError, match=field):
        load_profile(str(file))


@pytest.mark.parametrize("profile", [{"seed": "x"}, {"seed": []}, {"faults": 7}, [], {"faults": ["delay"]}])
def test_a_profile_that_makes_no_sense_is_refused(tmp_path: Path, profile: object) -> None:
    file = tmp_path / "faults.json"
    file.write_bytes(orjson.dumps(profile))

    with pytest.raises(ValueError, match=r"profile|fault"):
        load_profile(str(file))


def test_a_profile_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    fault = {"kind": "delay", "operation": "create", "probability": 0.05, "seconds": 1.5, "match": {"event_type_id": 1}}
    file.write_bytes(orjson.dumps({"seed": 5, "faults": [fault]}))

    profile = load_profile(str(file))

    assert (5, 1.5, 1) == (profile.seed, profile.faults[0].seconds, profile.faults[0].match.event_type_id)
