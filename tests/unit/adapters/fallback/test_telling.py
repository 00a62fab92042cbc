"""
What is told of the mode, of features, and of where answers came from.
"""

from __future__ import annotations

from datetime import timedelta

from adapters.fallback.degradation import Degradation
from adapters.fallback.documents import MEANINGS, feature_documents, metrics_document
from adapters.fallback.known import KnownFallback
from adapters.fallback.rungs import Rungs
from domain.degradation import Feature
from domain.full_fallback import FullFallbackBegun
from tests.fakes.time import START


def test_every_feature_has_a_meaning() -> None:
    assert set(Feature) == set(MEANINGS)
    assert all(told["available"] for told in feature_documents("normal").values())


def test_the_mode_follows_the_switch_and_the_breaker() -> None:
    failing = False
    known = KnownFallback(clock=lambda: 0.0)
    degradation = Degradation(known, failing=lambda: failing)
    modes = [degradation.mode]
    assert degradation.offers(Feature.RECOMMENDATIONS)

    failing = True
    modes.append(degradation.mode)
    assert not degradation.offers(Feature.RECOMMENDATIONS)
    held = FullFallbackBegun(at=START, since=START, expires_at=START + timedelta(minutes=1), actor="a", reason="b")
    known.learn(held, now=START)
    modes.append(degradation.mode)

    assert ["normal", "degraded", "full_fallback"] == modes
    assert degradation.offers(Feature.CACHED_SLOTS)


def test_rungs_are_counted_by_operation_with_their_shares() -> None:
    told: list[tuple[str, str]] = []
    rungs = Rungs(now=lambda: START, count=lambda operation, rung: told.append((operation, rung)))
    for _ in range(3):
        rungs.answered("book", "primary")
    rungs.answered("book", "queued")

    document = metrics_document(rungs.counts)

    book = document["operations"]["book"]
    assert ("process", START) == (document["scope"], document["since"])
    assert (4, 3, 1, 0) == (book["answers"], book["primary"], book["queued"], book["refused"])
    assert (0.75, 0.25, 0.0) == (book["rates"]["primary"], book["rates"]["queued"], book["rates"]["stale"])
    assert {None} == set(document["operations"]["availability"]["rates"].values())
    assert [("book", "primary")] * 3 + [("book", "queued")] == told
