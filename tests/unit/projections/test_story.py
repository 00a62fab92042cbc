from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import events as e
from projections.messages import messages
from projections.story import as_json, story, until
from projections.timeline import timeline, timeline_mermaid, timeline_text
from sagas.appending import Recorded
from tests.fakes.given import inspected
from tests.histories.bookings import BEGINNING, history, recorded

ATTEMPT = "a" * 32


def at(seconds: float) -> datetime:
    return BEGINNING + timedelta(seconds=seconds)


@pytest.fixture
def doubtful() -> list[Recorded]:
    """
    A booking whose first answer was lost, and which was found.
    """
    initiated = history(Random(1), longest=1)[0].event
    assert isinstance(initiated, e.BookingInitiated)
    return recorded(
        UUID(int=1),
        [
            initiated,
            e.CalcomBookingAttempted(at=at(0.1), attempt_id=ATTEMPT, number=1, send_by=at(5), answer_by=at(15)),
            e.CalcomOutcomeUnknown(at=at(10), attempt_id=ATTEMPT, reason="timeout", detail="for ada@example.com"),
            e.CalcomLooked(at=at(11), started_at=at(11), attempt_ids=(ATTEMPT,), counted=(), problem=None),
            e.CalcomBookingCreated(
                at=at(13),
                attempt_id=ATTEMPT,
                uid="uid-1",
                starts_at=initiated.starts_at,
                ends_at=initiated.ends_at,
                calcom_status="accepted",
                how="adopted",
                late=False,
            ),
            e.AppointmentBooked(
                at=at(13.1),
                appointment_id=UUID(int=2),
                calcom_uid="uid-1",
                starts_at=initiated.starts_at,
                ends_at=initiated.ends_at,
            ),
        ],
    )


def test_the_story_tells_every_event_and_where_the_booking_stands(doubtful: list[Recorded]) -> None:
    told = story(doubtful)

    assert [one.event.TOPIC for one in doubtful] == [line.name for line in told.events]
    assert ("booked", "uid-1") == (told.status, told.state["calcom_booking_uid"])


def test_the_ledger_tells_what_was_known_at_first_and_what_is_known_by_now(doubtful: list[Recorded]) -> None:
    (line,) = story(doubtful).ledger

    assert (ATTEMPT, 1, "unknown (timeout)", 1, 0) == (
        line.attempt,
        line.number,
        line.outcome,
        line.looks,
        line.clean_looks,
    )
    assert (at(0.1), at(5), at(15)) == (line.attempted_at, line.send_by, line.answer_by)
    assert ("uid-1", "live at Cal.com (accepted)") == (line.uid, line.verdict)


@pytest.mark.parametrize(
    ("version", "status", "verdict"),
    [
        (2, "pending", "waiting for its answer"),
        (3, "pending", "in doubt, being looked for"),
        (5, "pending", "live at Cal.com (accepted)"),
        (6, "booked", "live at Cal.com (accepted)"),
    ],
)
def test_the_story_as_of_a_version_ends_there(
    doubtful: list[Recorded], version: int, status: str, verdict: str
) -> None:
    told = story(doubtful, at_version=version)

    assert (version, status, verdict) == (told.version, told.status, told.ledger[0].verdict)


def test_the_story_as_of_an_instant_holds_what_the_log_held_then(doubtful: list[Recorded]) -> None:
    assert 3 == story(doubtful, as_of=at(10.5)).version
    assert 3 == story(doubtful, as_of=at(10)).version


def test_an_instant_is_not_confused_by_a_clock_that_ran_ahead(doubtful: list[Recorded]) -> None:
    doubtful[2] = replace(doubtful[2], recorded_at=at(60))

    assert 2 == len(until(doubtful, as_of=at(20)))


def test_before_anything_happened_there_is_no_story(doubtful: list[Recorded]) -> None:
    with pytest.raises(LookupError):
        story(doubtful, as_of=at(-1))


@pytest.mark.parametrize("version", [0, -1, 7])
def test_a_version_that_was_never_reached_is_refused(doubtful: list[Recorded], version: int) -> None:
    with pytest.raises(ValueError, match="1 to 6"):
        story(doubtful, at_version=version)


def test_an_instant_without_an_offset_is_refused(doubtful: list[Recorded]) -> None:
    with pytest.raises(ValueError, match="offset"):
        story(doubtful, as_of=datetime(2026, 3, 2))  # noqa: DTZ001 - that it has no offset is the point


def test_the_timeline_can_be_read_in_a_terminal(doubtful: list[Recorded]) -> None:
    told = [line.rstrip() for line in timeline_text(doubtful).splitlines()]

    assert "      ms  caller     calsaga    Cal.com    database" == told[0]
    assert told[1].startswith("       0  ├──────────▶          │          │          book cut-")
    assert f"     100  │          ├──────────▶          │          create, attempt 1 ({ATTEMPT})" == told[3]
    assert (
        f"   10000  │          ●          │          │          nobody knows what became of {ATTEMPT}: timeout"
        == told[4]
    )
    assert "   13000  │          ◀──────────┤          │          adopted: uid-1 (accepted)" == told[7]
    assert "   13100  ◀──────────┤          │          │          booked" == told[9]


def test_mermaid_gets_one_statement_a_message(doubtful: list[Recorded]) -> None:
    told = timeline_mermaid(doubtful).splitlines()

    assert "sequenceDiagram" == told[0]
    assert f"    CALSAGA->>CALCOM: 100 ms: create, attempt 1 ({ATTEMPT})" in told
    assert 1 + 4 + len(timeline(doubtful)) == len(told)


@given(seed=st.integers(min_value=0, max_value=2**32), cut=st.integers(min_value=1, max_value=60))
def test_every_story_can_be_told_and_names_nobody(seed: int, cut: int) -> None:
    stream = history(Random(seed))[:cut]
    told = everything_told(stream)

    assert "Lovelace" not in told
    assert "@" not in told
    assert "+49170" not in told


def everything_told(stream: Sequence[Recorded]) -> str:
    told = [json.dumps(as_json(story(stream))), json.dumps(as_json(timeline(stream)))]
    return "\n".join([*told, timeline_text(stream), timeline_mermaid(stream)])


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("gone", "is gone"),
        ("moving", "is moving"),
        ("missing", "is not found at Cal.com"),
        ("stands", "stands"),
    ],
)
def test_what_became_of_the_row_in_the_way_is_a_sentence(verdict: e.ObstacleVerdict, said: str) -> None:
    assert [f"the row in the way {said}"] == [one.text for one in messages(inspected(verdict))]
