"""
What is offered in which mode.
"""

from __future__ import annotations

import pytest

from domain.degradation import Feature, Mode, is_feature_available, mode_of

ON = {"read", "list", "staff", "cached_slots"}
OFF = {"filtering", "sorting", "recommendations", "real_time_slots"}


def offered(mode: Mode) -> set[str]:
    return {feature.value for feature in Feature if is_feature_available(feature, mode)}


def test_everything_is_offered_as_long_as_all_is_well() -> None:
    assert ON | OFF == offered("normal")


@pytest.mark.parametrize("mode", ["degraded", "full_fallback"])
def test_what_needs_cal_com_is_not_offered_without_it(mode: Mode) -> None:
    assert ON == offered(mode)


def test_what_a_person_has_said_comes_first() -> None:
    assert "normal" == mode_of(full_fallback=False, failing=False)
    assert "degraded" == mode_of(full_fallback=False, failing=True)
    assert {"full_fallback"} == {mode_of(full_fallback=True, failing=failing) for failing in (False, True)}
