"""
What everybody is told, put together from what this process sees itself and what the fleet has found.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.health.following import Standing
from adapters.health.probes import Probe
from adapters.health.readiness import Readiness
from domain.breaker_words import Command, Permit
from domain.health import Said, Status
from tests.unit.adapters.health.around import GONE, POLICY, Around


async def test_all_is_well(around: Around) -> None:
    around.kept["calcom"] = around.check(age=20)

    seen = await around.health().overview()

    assert ("healthy", ()) == (seen.verdict, seen.problems)
    assert {"calcom": "healthy", "retell": "not_configured", "database": "healthy", "redis": "healthy"} == {
        name: one.status for name, one in seen.checks.items()
    }
    # Database and Redis are looked at from here; Cal.com is the fleet's to probe.
    assert ["database", "redis"] == sorted(around.asked)


async def test_the_newest_of_what_is_known_counts(around: Around) -> None:
    around.kept["calcom"] = around.check(age=50, status="down")
    around.board.note(around.check(age=20))

    assert "healthy" == (await around.health().overview()).checks["calcom"].status


async def test_what_nobody_probes_any_more_is_unknown(around: Around) -> None:
    around.kept["calcom"] = around.check(age=200)

    calcom = (await around.health().overview()).checks["calcom"]

    assert ("unknown", "nobody has probed it for 200 s") == (calcom.status, calcom.detail)


async def test_what_nobody_has_probed_yet_is_unknown(around: Around) -> None:
    assert "unknown" == (await around.health().overview()).checks["calcom"].status


async def test_while_the_database_is_away_the_rest_is_still_told(around: Around) -> None:
    around.down.add("database")
    around.error = GONE
    around.state = Readiness(problem="the database does not answer")
    around.board.note(around.check(age=3))
    health = around.health()

    seen = await health.overview()

    assert "critical" == seen.verdict
    assert ("the database does not answer", "database is down") == seen.problems
    assert {"calcom": "healthy", "redis": "healthy"} == {name: seen.checks[name].status for name in ("calcom", "redis")}
    assert {} == await health.uptimes(minutes=5)


async def test_a_database_that_fails_in_the_middle_hides_nothing_either(around: Around) -> None:
    around.error = GONE
    around.board.note(around.check(age=3))

    assert "healthy" == (await around.health().overview()).checks["calcom"].status


async def test_a_database_that_takes_no_writes_is_critical_although_it_answers(around: Around) -> None:
    around.state = Readiness(problem="the database is read-only: nothing can be booked")

    seen = await around.health().overview()

    assert ("critical", "healthy") == (seen.verdict, seen.checks["database"].status)


async def test_work_that_nobody_claims_is_told_with_its_age(around: Around) -> None:
    around.state = Readiness(problem=None, due=4, overdue=timedelta(seconds=95))

    seen = await around.health().overview()

    assert "degraded" == seen.verdict
    assert "the oldest has waited 95 s; start `calsaga worker`" in seen.problems[0]


@pytest.mark.parametrize(
    ("standing", "problem"),
    [
        (Standing(lag=900, parked=0, behind=timedelta(seconds=29)), None),
        (Standing(lag=9, parked=0, behind=timedelta(seconds=31)), "read model bookings is 31 s and 9 events behind"),
        (Standing(lag=0, parked=2), "read model bookings leaves 2 streams out"),
        (Standing(lag=-1, parked=0), "read model bookings is ahead of the log, which was restored"),
    ],
)
async def test_a_read_model_that_stands_still_is_told(around: Around, standing: Standing, problem: str | None) -> None:
    around.models["bookings"] = standing

    seen = await around.health().overview()

    assert ("healthy" if problem is None else "degraded") == seen.verdict
    assert [True] * len(seen.problems) == [problem is not None and one.startswith(problem) for one in seen.problems]
    assert (problem is None) is (not seen.problems)


async def test_an_open_breaker_is_told_and_two_are_critical(around: Around) -> None:
    health = around.health()
    await around.breakers.control("calcom", Command(action="open", actor="ada", reason="they move house"))
    first = await health.overview()
    await around.breakers.control("email", Command(action="open", actor="ada", reason="them, too"))

    second = await around.health().overview()

    assert ("degraded", ["calcom"]) == (first.verdict, first.circuits_that_are("open"))
    assert "the circuit breaker of calcom is open" in first.problems
    assert ("critical", ["calcom", "email"]) == (second.verdict, second.circuits_that_are("open"))


async def test_what_a_probe_finds_stands_among_the_reasons(around: Around) -> None:
    around.kept["calcom"] = around.check(status="down", detail="HTTP 502", response_time_ms=None)
    health = around.health()

    seen, look = await health.overview(), await health.look()

    assert "degraded" == seen.verdict == look.assessment.verdict
    assert {"calcom": "HTTP 502", "database": None, "redis": None} == seen.probed
    assert ("calcom: HTTP 502",) == look.assessment.because


READINESS = st.builds(
    Readiness,
    problem=st.sampled_from([None, None, "the database is read-only: nothing can be booked"]),
    overdue=st.sampled_from([timedelta(0), timedelta(seconds=95)]),
)
STANDINGS = st.builds(Standing, lag=st.sampled_from([-1, 0]), parked=st.sampled_from([0, 2]))


@settings(max_examples=60)
@given(
    readiness=READINESS,
    status=st.sampled_from(["healthy", "degraded", "down", "unknown", "not_configured"]),
    standing=STANDINGS,
    opened=st.sets(st.sampled_from(["calcom", "email"])),
    down=st.sets(st.sampled_from(["database", "redis"])),
)
def test_whoever_asks_and_wherever_is_given_the_same_verdict(
    readiness: Readiness, status: Status, standing: Standing, opened: set[str], down: set[str]
) -> None:
    async def main() -> None:
        around = Around(state=readiness, models={"bookings": standing}, down=down)
        around.board.note(around.check(status=status))
        for name in opened:
            await around.breakers.control(name, Command(action="open", actor="ada", reason="they move house"))
        health = around.health()

        seen, assessment = await health.overview(), (await health.look()).assessment

        assert seen.verdict == assessment.verdict
        assert (seen.verdict == "healthy") == (not seen.problems)
        assert {one.detail for one in assessment.concerns} <= set(seen.problems)
        assert {one.detail for one in assessment.concerns if one.verdict == seen.verdict} <= set(assessment.because)
        for found in (
            readiness.problem,
            readiness.unclaimed,
            None if readiness.problem else standing.problem("bookings"),
        ):
            assert found is None or found in {one.detail for one in assessment.concerns}

    asyncio.run(main())


async def test_those_who_ask_at_once_are_answered_with_one_look(around: Around) -> None:
    health = around.health()

    await asyncio.gather(*(health.overview() for _ in range(50)))

    assert ["database", "redis"] == sorted(around.asked)


async def test_who_leaves_takes_nobody_along(around: Around) -> None:
    health = around.health()
    leaving = asyncio.create_task(health.overview())
    staying = asyncio.create_task(health.overview())
    await asyncio.sleep(0)
    leaving.cancel()

    assert "healthy" == (await staying).verdict


async def test_history_is_what_is_kept_and_what_is_not_kept_yet(around: Around) -> None:
    kept = around.kept["calcom"] = around.check(age=60)
    around.board.note(kept)
    newer = around.check(age=30)
    around.board.note(newer)
    around.board.note(around.check("redis", age=10))

    assert [kept, newer] == await around.health().history("calcom", minutes=5)


async def test_everything_can_be_probed_at_once(around: Around) -> None:
    health = around.health()

    await health.probe_all()

    assert ["calcom", "database", "redis"] == sorted(around.asked)
    assert "healthy" == (await health.overview()).checks["calcom"].status


async def test_a_forecast_is_made_of_each_service_that_is_configured(around: Around) -> None:
    for _ in range(4):
        permit = await around.breakers.acquire("calcom")
        assert isinstance(permit, Permit)
        await around.breakers.record(permit, "failed")

    found = await around.health().forecasts()

    assert {"calcom", "database", "redis"} == {*found}
    assert (0.8, None) == (found["calcom"].pressure, found["redis"].pressure)
    assert [("breaker_near",), ()] == [found[name].signs for name in ("calcom", "redis")]
    assert ["degraded", "healthy"] == [found[name].expected for name in ("calcom", "redis")]


async def test_who_is_in_a_hurry_waits_no_longer_than_that() -> None:
    async def never() -> Said:
        await asyncio.Event().wait()
        return Said()

    around = Around()
    health = around.health()
    health._probes["redis"] = Probe(service="redis", policy=POLICY, ask=never)

    assert ("down", "no answer within 0.01 s") == (
        (check := await health.own("redis", within=0.01)).status,
        check.detail,
    )
    assert "healthy" == (await health.own("database", within=60)).status
