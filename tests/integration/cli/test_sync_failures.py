"""
Sync failures on the command line: listed, tried again, decided.
"""

from __future__ import annotations

import asyncio
import json
import os
import pwd
from collections.abc import Sequence
from uuid import UUID

import pytest
from typer.testing import CliRunner, Result

from adapters.cli import sync_failures
from adapters.cli.app import app
from adapters.log.store import open_store
from domain import findings as f
from domain.booking import initial_state
from domain.errors import NothingToDecide
from domain.events import BookingEvent
from domain.evolving import fold
from projections.failures import failure_id_of
from sagas.appending import Recorded
from sagas.repairs import AnswerReview
from sagas.wishes import BookingResult
from tests.fakes.given import BOOKED, BOOKING_ID, at, initiated, review
from tests.histories.appending import append

FOUND = f.InconsistencyDetected(at=at(20), kind="time_drift", uid="uid-2", evidence="later there", repair="move")
SOLVED = f.InconsistencyResolved(at=at(30), kind="time_drift", uid="uid-2", how="moved", actor="calsaga")
STREAM: tuple[BookingEvent, ...] = (initiated(), *BOOKED, FOUND, review(seconds=25), SOLVED)
ASKED_ID = failure_id_of(BOOKING_ID, "compensation_failed", "uid-1")
DRIFT_ID = failure_id_of(BOOKING_ID, "time_drift", "uid-2")


class FakeRepairs:
    """
    Takes every answer but that to cancel.
    """

    answered: list[AnswerReview]

    def __init__(self, **_: object) -> None:
        pass

    async def answer(self, wish: AnswerReview, *, patience: float) -> BookingResult:
        if wish.answer == "cancel":
            raise NothingToDecide(wish.booking_id)
        self.answered.append(wish)
        return BookingResult(booking=fold(initial_state(BOOKING_ID), STREAM))


@pytest.fixture(autouse=True)
def answered(monkeypatch: pytest.MonkeyPatch) -> list[AnswerReview]:
    """
    What reached the saga.
    """
    FakeRepairs.answered = []
    monkeypatch.setattr("sagas.assembly.Repairs", FakeRepairs)
    return FakeRepairs.answered


@pytest.fixture
def url(sqlite_url: str) -> str:
    """
    A database whose log holds a booking about which a person is asked.
    """
    asyncio.run(write(sqlite_url, STREAM))
    return sqlite_url


async def write(url: str, events: Sequence[BookingEvent]) -> None:
    recorded = [
        Recorded(
            stream_id=BOOKING_ID, version=version, event=event, append_id="x", correlation_id="c", recorded_at=at(0)
        )
        for version, event in enumerate(events, 1)
    ]
    async with open_store(url) as store:
        await append(store.log, recorded)


def run(url: str, *arguments: str, company: str = "acme") -> Result:
    command = ["sync-failures", *arguments, "--company", company]
    return CliRunner().invoke(app, command, env={"CALSAGA_DATABASE_URL": url})


def test_the_list_shows_the_newest_first(url: str) -> None:
    result = run(url, "list")
    lines = [line.split("\t") for line in result.stdout.splitlines()]

    assert 0 == result.exit_code, result.stderr
    assert [
        [str(ASKED_ID), "manual_review", "compensation_failed", f"booking {BOOKING_ID}", "uid-1"],
        [str(DRIFT_ID), "resolved", "time_drift", f"booking {BOOKING_ID}", "uid-2"],
    ] == [line[:5] for line in lines]
    assert ["later there", "moved, by calsaga"] == lines[1][6:]


def test_the_list_keeps_to_a_status_and_a_company(url: str) -> None:
    shown = json.loads(run(url, "list", "--status", "manual_review", "--json").stdout)

    assert [str(ASKED_ID)] == [one["id"] for one in shown["sync_failures"]]
    assert "" == run(url, "list", company="rival").stdout


def test_the_list_is_read_to_its_end(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync_failures, "PAGE", 1)

    assert 2 == len(run(url, "list").stdout.splitlines())


@pytest.mark.parametrize(
    ("options", "answer", "adopt"),
    [
        (["--adopt", "uid-7"], "adopt", "uid-7"),
        (["--absent"], "absent", None),
        (["--keep-local"], "keep_local", None),
    ],
)
def test_a_decision_reaches_the_saga_with_who_took_it(
    *, url: str, answered: list[AnswerReview], options: list[str], answer: f.ReviewAnswer, adopt: str | None
) -> None:
    result = run(url, "resolve", str(ASKED_ID), *options, "--note", "she rang")

    assert 0 == result.exit_code, result.stderr
    assert [
        AnswerReview(
            company_id="acme",
            booking_id=BOOKING_ID,
            attempt_id="one",
            uid="uid-1",
            answer=answer,
            adopt=adopt,
            actor=pwd.getpwuid(os.getuid()).pw_name,
            note="she rang",
        )
    ] == answered
    assert str(ASKED_ID) in result.stdout
    assert f"{BOOKING_ID} needs_review" in result.stdout


def test_a_retry_answers_in_json(url: str, answered: list[AnswerReview]) -> None:
    result = run(url, "retry", str(ASKED_ID), "--json")
    told = json.loads(result.stdout)

    assert (0, str(BOOKING_ID), str(ASKED_ID)) == (result.exit_code, told["booking"]["id"], told["sync_failure"]["id"])
    assert ["retry"] == [one.answer for one in answered]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("retry", str(DRIFT_ID)), "nothing to decide"),
        (("resolve", str(ASKED_ID), "--cancel"), "nothing to decide"),
        (("retry", str(UUID(int=3))), "no such sync failure"),
    ],
)
def test_nothing_to_decide_exits_with_1(
    url: str, answered: list[AnswerReview], arguments: tuple[str, ...], said: str
) -> None:
    result = run(url, *arguments)

    assert (1, "", []) == (result.exit_code, result.stdout, answered)
    assert said in result.stderr


def test_another_companys_is_not_there(url: str, answered: list[AnswerReview]) -> None:
    result = run(url, "retry", str(ASKED_ID), company="rival")

    assert (1, []) == (result.exit_code, answered)
