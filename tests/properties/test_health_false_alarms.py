"""
Health warns of nothing but seldom, and of what is there nearly always: a seeded sample of what docs/health.md says.
"""

from __future__ import annotations

from random import Random

from benchmarks.health_false_alarms import AILMENTS, detected, false_alarms

DAYS = 10
SEED = 20_270_301


def test_a_healthy_service_gives_a_false_alarm_in_many_days() -> None:
    # Measured: none in three hundred days. One in ten is bad luck, two are not.
    assert sum(false_alarms(Random(SEED), days=DAYS).values()) <= 1


def test_what_gets_worse_fast_is_noticed_within_two_hours() -> None:
    found = detected(Random(SEED), times=2)

    seen = {name: figures["share"] for name, figures in found.items()}
    slowly = "half as slow again every hour"
    assert {1.0} == {share for name, share in seen.items() if name != slowly}
    assert {*AILMENTS} < {*seen}
