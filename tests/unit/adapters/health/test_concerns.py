"""
What stops or endangers bookings although everything answers is in the verdict, too.
"""

from __future__ import annotations

from datetime import timedelta

from adapters.breakers.local import LocalBreakers
from adapters.breakers.telling import Telling
from adapters.health.documents import overview_document, status_document
from domain.breaker_words import Command
from domain.concerns import RejectedKey
from domain.full_fallback import FullFallbackBegun
from domain.verdict import Failures
from tests.unit.adapters.health.around import Around


async def test_what_stops_bookings_although_all_answer_is_told_and_by_whom_only_to_operators(around: Around) -> None:
    now = around.clock.now()
    around.rejected = [RejectedKey(company_id="acme", since=now, is_critical=False)]
    around.held = FullFallbackBegun(
        at=now, since=now, expires_at=now + timedelta(hours=1), actor="ada", reason="they move house"
    )
    health = around.health()

    seen, look = await health.overview(), await health.look()

    assert "degraded" == seen.verdict == look.assessment.verdict
    assert ["acme" in str(it) for it in (overview_document(seen), status_document(seen, {}))] == [False, True]
    assert ["they move house" in str(it) for it in (overview_document(seen), status_document(seen, {}))] == [
        False,
        True,
    ]
    assert any("full fallback mode since" in it and "they move house" in it for it in look.assessment.because)
    assert any("rejected an API key" in it and "acme" in it for it in look.assessment.because)
    assert any("full fallback mode since" in it for it in seen.problems)


async def test_the_default_companys_rejected_key_is_critical(around: Around) -> None:
    around.rejected = [RejectedKey(company_id="default", since=around.clock.now(), is_critical=True)]

    assert "critical" == (await around.health().overview()).verdict


async def test_what_the_failure_detector_finds_is_in_the_verdict(around: Around) -> None:
    around.failures = {"calcom": Failures(severity="critical", detail="16 calls failed within a minute")}
    health = around.health()

    seen, look = await health.overview(), await health.look()

    assert "degraded" == seen.verdict
    assert "calcom: 16 calls failed within a minute" in seen.problems
    assert ("calcom: critical: 16 calls failed within a minute",) == look.assessment.because


async def test_a_finding_from_before_the_breaker_was_closed_is_over(around: Around) -> None:
    clock = around.clock
    around.breakers = LocalBreakers({}, listener=Telling(), clock=lambda: clock.now().timestamp())
    health = around.health()
    around.kept["calcom"] = around.check(status="down", detail="not called: its circuit breaker is open")
    await around.breakers.control("calcom", Command(action="open", actor="ada", reason="a test"))
    assert "down" == (await around.health().overview()).checks["calcom"].status
    clock.advance(1)
    await around.breakers.control("calcom", Command(action="reset", actor="ada", reason="a test"))

    seen = await health.overview()

    assert ("unknown", "healthy", ()) == (seen.checks["calcom"].status, seen.verdict, seen.problems)
