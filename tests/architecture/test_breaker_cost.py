"""
The cost of a breaker is measured beside those that it is compared with, or not at all.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from benchmarks import breaker_cost

ROOT = Path(__file__).parents[2]


def test_what_is_compared_with_is_installed_and_pinned() -> None:
    lock = (ROOT / "requirements.lock").read_text()

    for package in ("pybreaker", "interlock-cb"):
        assert re.search(rf"^{package}==\S+ \\\n    --hash=sha256:", lock, re.MULTILINE), package


def test_a_comparison_without_the_others_fails_and_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker_cost, "RIVALS", ("no_such_breaker",))
    monkeypatch.setattr(sys, "argv", ["breaker_cost"])

    with pytest.raises(SystemExit, match=r"no_such_breaker.*not installed; run `make install`"):
        breaker_cost.main()


def test_a_make_target_measures_it() -> None:
    assert "-m benchmarks.breaker_cost" in (ROOT / "Makefile").read_text()
