"""
Marks: found while they last, forgotten when there are too many, and never more than hints.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.idempotency.booking_hints import BookingHints
from adapters.idempotency.marks import KEPT_SECONDS, Marks
from adapters.idempotency.process_marks import ProcessMarks
from adapters.metrics import Metrics
from adapters.redis.news import _bookings_in
from tests.fakes.given import BOOKED, BOOKING_ID, attempted
from tests.fakes.given import given as booking_after
from tests.fakes.time import FakeClock

LEASE = timedelta(seconds=45)


class Bench:
    """
    The hints of a process without Redis, in time that the test owns, and what they counted.
    """

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.counted: Counter[tuple[str, str]] = Counter()
        process = ProcessMarks(clock=lambda: self.clock.seconds)
        self.marks = Marks(redis=None, count=self._count, process=process)
        self.hints = BookingHints(self.marks, lease=LEASE, count=self._count)

    def _count(self, tier: str, outcome: str) -> None:
        self.counted[tier, outcome] += 1


@pytest.mark.parametrize(
    ("events", "seconds", "seen"),
    [
        ((attempted(),), 44, True),
        ((attempted(),), 46, False),
        (BOOKED, KEPT_SECONDS - 1, True),
        (BOOKED, KEPT_SECONDS + 1, False),
    ],
    ids=["under way", "its process died", "over", "over since yesterday"],
)
async def test_a_booking_is_remembered(events: tuple[object, ...], seconds: float, seen: bool) -> None:
    bench = Bench()
    bench.hints.told(booking_after(*events))  # type: ignore[arg-type]
    bench.clock.advance(seconds)

    assert seen is await bench.hints.seen(BOOKING_ID)


async def test_another_booking_is_not_remembered() -> None:
    bench = Bench()
    bench.hints.told(booking_after(*BOOKED))

    assert not await bench.hints.seen(UUID(int=1))


async def test_a_repeat_that_only_the_log_knew_is_found_sooner_the_next_time() -> None:
    bench = Bench()

    assert not await bench.hints.seen(BOOKING_ID)
    bench.hints.judged(booking_after(*BOOKED), repeated=True)
    assert await bench.hints.seen(BOOKING_ID)
    assert {("process", "miss"): 1, ("process", "hit"): 1, ("log", "hit"): 1} == bench.counted


async def test_a_first_request_is_a_miss_of_the_log() -> None:
    bench = Bench()
    bench.hints.judged(booking_after(*BOOKED), repeated=False)

    assert {("log", "miss"): 1} == bench.counted


async def test_whatever_has_a_name_can_be_marked() -> None:
    marks = Bench().marks
    marks.put("webhook:d1", word="processed", seconds=1)

    assert (True, False) == (await marks.seen("webhook:d1"), await marks.seen("webhook:d2"))


@given(st.lists(st.tuples(st.sampled_from("abcdefg"), st.sampled_from(["has", "put", "wait"])), max_size=60))
def test_a_process_remembers_what_was_last_of_use_and_no_more(acts: list[tuple[str, str]]) -> None:
    clock = FakeClock()
    marks = ProcessMarks(limit=3, clock=lambda: clock.seconds)
    model: dict[str, float] = {}
    for name, act in acts:
        known = model.get(name, -1.0) > clock.seconds
        if act == "wait":
            clock.advance(2.0)
        elif act == "put":
            model.pop(name, None)
            model[name] = clock.seconds + 5.0
            marks.put(name, seconds=5.0)
            if len(model) > 3:
                del model[next(iter(model))]
        else:
            assert known is marks.has(name)
            until = model.pop(name, None)
            if known and until is not None:
                model[name] = until


def test_what_is_counted_is_served_from_the_start() -> None:
    metrics = Metrics()
    metrics.looked_up("redis", "error")

    served = metrics.exposition().decode()

    assert 'calsaga_idempotency_lookups_total{outcome="error",tier="redis"} 1.0' in served
    assert 'calsaga_idempotency_lookups_total{outcome="hit",tier="log"} 0.0' in served


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (str(BOOKING_ID).encode(), [BOOKING_ID]),
        (f"x,{BOOKING_ID},,{BOOKING_ID}".encode(), [BOOKING_ID] * 2),
        (b"", []),
        (b"\xff\xfe,\x00", []),
        (b"," * 1000, []),
        (7, []),
        (None, []),
        ("text", []),
    ],
)
def test_of_a_message_only_ids_are_heard(data: object, found: list[UUID]) -> None:
    assert found == list(_bookings_in(data))
