"""
`calsaga reconcile`: what it prints, and how it exits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner, Result

from adapters.cli.app import app
from sagas.converged import Converged
from sagas.reconciling import Finding, Progress, Sweep

FINDING = Finding(
    company_id="acme", uid="uid-1", kind="ghost", repair="mark_cancelled", evidence="gone", booking_id=UUID(int=7)
)
QUIET = Sweep(company_id="acme", event_type_id=1, seen=3, findings=())


class _Reconciler:
    sweeps: Sequence[Sweep] = (QUIET,)
    asked: list[tuple[timedelta | None, bool]]

    async def reconcile(
        self, *, since: timedelta | None, dry_run: bool, told: Callable[[Progress], None]
    ) -> Sequence[Sweep]:
        self.asked.append((since, dry_run))
        for done in (0, 1, 2):
            told(Progress(event_types=2, done=done, findings=3 * done))
        return self.sweeps


class _Application:
    def __init__(self, reconciler: _Reconciler) -> None:
        self.reconciler = reconciler


@pytest.fixture
def reconciler(monkeypatch: pytest.MonkeyPatch) -> _Reconciler:
    """
    A reconciler that finds what it is told to.
    """
    fake = _Reconciler()
    fake.asked = []

    def with_application(action: Any) -> object:  # noqa: ANN401 - a coroutine function of the command's own
        running = action(_Application(fake))
        try:
            running.send(None)
        except StopIteration as ended:
            return ended.value
        raise AssertionError("a fake never waits")

    monkeypatch.setattr("adapters.cli.reconciling.with_application", with_application)
    return fake


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["reconcile", *arguments])


def test_two_sides_that_agree_are_success(reconciler: _Reconciler) -> None:
    result = _run()

    assert (0, "1 event type, 3 bookings seen, 0 differences\n", [(None, False)]) == (
        result.exit_code,
        result.stdout,
        reconciler.asked,
    )


@pytest.mark.parametrize(
    ("converged", "told"),
    [
        (None, "planned"),
        (Converged(outcome="cancelled", detail="ghost"), "cancelled"),
        (Converged(outcome=None, detail="under_way"), "not now: under_way"),
    ],
)
def test_a_difference_is_told_and_is_no_success(
    reconciler: _Reconciler, converged: Converged | None, told: str
) -> None:
    reconciler.sweeps = (replace(QUIET, findings=(replace(FINDING, converged=converged),)),)

    result = _run("--dry-run")

    assert (1, f"ghost\tuid-1\tmark_cancelled\t{told}\tgone", [(None, True)]) == (
        result.exit_code,
        result.stdout.splitlines()[1],
        reconciler.asked,
    )


def test_the_same_in_json(reconciler: _Reconciler) -> None:
    reconciler.sweeps = (replace(QUIET, findings=(FINDING,)),)

    document = json.loads(_run("--json", "--dry-run").stdout)

    assert (True, [3], ["planned"], [str(UUID(int=7))]) == (
        document["dry_run"],
        [one["seen"] for one in document["sweeps"]],
        [one["outcome"] for one in document["sweeps"][0]["findings"]],
        [one["booking_id"] for one in document["sweeps"][0]["findings"]],
    )


def test_what_could_not_be_seen_is_complained_of(reconciler: _Reconciler) -> None:
    reconciler.sweeps = (replace(QUIET, problem="cannot_see"),)

    result = _run()

    assert 1 == result.exit_code
    assert "acme, event type 1: could not be seen (cannot_see)" in result.stderr


def test_whoever_watches_sees_how_far_it_is(reconciler: _Reconciler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")

    result = _run()

    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", result.stderr)
    assert re.search(r"Comparing event types .* 2/2 6 differences", shown)
    assert "Comparing" not in result.stdout


def test_where_nobody_watches_nothing_is_shown(reconciler: _Reconciler) -> None:
    assert "" == _run().stderr


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("90s", timedelta(seconds=90)),
        ("5m", timedelta(minutes=5)),
        ("24h", timedelta(hours=24)),
        ("366d", timedelta(days=366)),
    ],
)
def test_how_far_back_is_said_with_a_unit(reconciler: _Reconciler, text: str, back: timedelta) -> None:
    _run("--since", text)

    assert [(back, False)] == reconciler.asked


@pytest.mark.parametrize("text", ["", "24", "h", "0h", "-1h", "1.5h", "24 h", "24H", "367d", "99999999s", "٢h"])
def test_anything_else_is_misused(reconciler: _Reconciler, text: str) -> None:
    result = _run("--since", text)

    assert (True, []) == (result.exit_code not in {0, 1}, reconciler.asked)
