from __future__ import annotations

import multiprocessing
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from queue import Empty
from typing import Any
from uuid import UUID, uuid4

from sagas.appending import Append, Appended, DueAfter, Instead, NothingDue, Refusal
from tests.integration.storage.appends import (
    HALF_HOUR,
    TEN,
    append,
    deferred,
    finish,
    initiated,
    opened,
    rows,
    start,
)
from tests.servers.forking import FORKED


def in_processes(work: Sequence[Callable[[], Any]]) -> list[Any]:
    """
    Run each in a process of its own, all at once, and return what they return.
    """
    answers: multiprocessing.Queue[tuple[int, Any]] = FORKED.Queue()
    processes = [FORKED.Process(target=_answer, args=(answers, place, one)) for place, one in enumerate(work)]
    for process in processes:
        process.start()
    found: dict[int, Any] = {}
    while len(found) < len(work):
        try:
            place, answer = answers.get(timeout=1)
        except Empty:
            assert all(process.exitcode in {None, 0} for process in processes), "a process has died"
            continue
        found[place] = answer
    for process in processes:
        process.join()
    answers.close()
    return [found[place] for place in range(len(work))]


def _answer(answers: multiprocessing.Queue[tuple[int, Any]], place: int, work: Callable[[], Any]) -> None:
    answers.put((place, work()))


def claim_all(url: str, *, seed: int, size: int) -> tuple[int, Counter[str]]:
    """
    Try to book every half hour of one member of staff, in an order of one's own.
    """
    slots = list(range(60))
    random.Random(seed).shuffle(slots)
    taken, refused = 0, Counter[str]()
    with opened(url) as database:
        for begin in range(0, len(slots), size):
            batch = [
                start(initiated(staff_id="grace", starts_at=TEN + slot * HALF_HOUR))
                for slot in slots[begin : begin + size]
            ]
            for result in database.append(batch):
                assert isinstance(result, Appended)
                taken += result.refusal is None
                refused.update([] if result.refusal is None else [result.refusal.by])
    return taken, refused


def test_processes_that_want_the_same_slots_share_them(url: str) -> None:
    found = in_processes([partial(claim_all, url, seed=seed, size=7) for seed in range(3)])

    assert 60 == sum(taken for taken, _ in found)
    assert Counter({"staff_overlap": 120}) == sum((refused for _, refused in found), Counter())
    assert [(60,)] == rows(url, "SELECT count(*) FROM slot_claims")


def book_all(url: str, wishes: Sequence[Append], *, backwards: bool) -> list[bool]:
    """
    Write the second append of every booking in batches, forwards or backwards.
    """
    order = list(reversed(wishes)) if backwards else list(wishes)
    booked = []
    with opened(url) as database:
        for begin in range(0, len(order), 16):
            for result in database.append(order[begin : begin + 16]):
                assert isinstance(result, Appended)
                booked.append(result.refusal is None)
    return booked


def test_batches_in_opposite_order_never_wait_for_each_other_in_a_circle(url: str) -> None:
    # Each slot is wanted by two bookings whose claims said nothing of staff; only the appointments meet.
    wishes: list[list[Append]] = [[], []]
    with opened(url) as database:
        for slot in range(160):
            for side in wishes:
                facts = initiated(starts_at=TEN + slot * HALF_HOUR)
                first = replace(start(facts), on_refused=None)
                database.append([first])
                side.append(replace(finish(first.stream_id, facts, staff_id="grace"), on_refused=give_up))
    work = [
        partial(book_all, url, side, backwards=backwards) for side, backwards in zip(wishes, (False, True), strict=True)
    ]

    found = in_processes(work)

    assert 160 == sum(sum(booked) for booked in found)
    assert [(160,)] == rows(url, "SELECT count(*) FROM appointments")


def give_up(refusal: Refusal) -> Instead:
    """
    An answer to a refusal that can be sent to another process.
    """
    return Instead(events=(deferred(refusal.by),), due=NothingDue())


def work_off(url: str, *, until: int) -> list[UUID]:
    """
    Claim what is due until so many sagas are claimed by all together.
    """
    mine: list[UUID] = []
    with opened(url) as database:
        while len(rows(url, "SELECT 1 FROM saga_due WHERE attempt > 0")) < until:
            mine += [one.saga_id for one in database.due_work.claim(limit=5, lease=timedelta(minutes=5))]
    return mine


def test_due_work_is_claimed_by_one_process_alone(url: str) -> None:
    sagas = [append(uuid4(), 0, deferred(), due=DueAfter(delay=timedelta(0))) for _ in range(200)]
    with opened(url) as database:
        database.append(sagas)

    found = in_processes([partial(work_off, url, until=200)] * 8)

    claimed = [saga_id for mine in found for saga_id in mine]
    assert 200 == len(claimed)
    assert {one.stream_id for one in sagas} == set(claimed)
    assert [(1, 200)] == rows(url, "SELECT attempt, count(*) FROM saga_due GROUP BY attempt")
