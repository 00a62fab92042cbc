"""
The breaker in front of Cal.com: what it is asked and told, and what becomes of bookings while it is open.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest

from adapters.breakers.local import LocalBreakers
from adapters.calcom import endpoints
from adapters.calcom.circuit import CALCOM, LONGEST_MEMORY, MOVED_AGAIN_AFTER, WHILE_PROBED, Circuit, verdict
from adapters.calcom.endpoints import create, me
from adapters.calcom.recovery import Recovery
from adapters.calcom.replies import Answer, Reply, Unanswered, Unsent
from domain.breaker_policy import BreakerPolicy
from domain.breaker_words import Command, Outcome, Permit
from domain.errors import CalcomBookingError
from sagas.outcomes import CancelFailed, LookFailed, NotSent, Unknown
from sagas.steps import CreateAtCalcom, RescheduleAtCalcom
from tests.breakers.listening import Heard
from tests.fakes.time import FakeClock, run_virtually
from tests.unit.adapters.calcom.building import (
    ATTEMPT,
    NOW,
    UID,
    Account,
    SettableSeconds,
    a_booking,
    a_cancel,
    a_look,
    a_row,
    an_account,
    says_bytes,
    succeeds,
)

POLICY = BreakerPolicy(failure_threshold=2, open_seconds=60, open_jitter=0.0, lease_seconds=20)


class Guarded:
    """
    An account behind a breaker that opens at the second failure, on one clock.
    """

    def __init__(self, account: Account) -> None:
        self.clock = SettableSeconds()
        self.told: list[tuple[str, str, str, float | None]] = []
        self.breakers = LocalBreakers({CALCOM: POLICY}, listener=Heard(), clock=self.clock, chance=lambda: 0.0)
        self.fallback_left: float | None = None
        self.circuit = Circuit(
            self.breakers,
            count=lambda *told: self.told.append(told),
            fallback=lambda: self.fallback_left,
            clock=self.clock,
        )
        account.circuit = self.circuit
        self.account = account
        self.calendars = account.calendars()

    async def create(self) -> object:
        calendar = await self.calendars.of("acme")
        return await calendar.create(a_booking(), attempt_id=ATTEMPT, send_by=NOW + timedelta(seconds=5))

    async def held_back(self) -> NotSent | None:
        return (await self.calendars.of("acme")).held_back(CreateAtCalcom(number=1))

    async def ping(self) -> Reply | None:
        return await self.calendars.ping()


async def broken(*afterwards: object) -> Guarded:
    down = says_bytes(502, b"<html>bad gateway</html>")
    here = Guarded(an_account(down, down, *afterwards))  # type: ignore[arg-type]
    for _ in range(2):
        assert isinstance(await here.create(), Unknown)
    return here


async def test_what_fails_too_often_is_not_asked_any_more() -> None:
    here = await broken()

    refused = await here.create()

    assert isinstance(refused, NotSent)
    assert ("breaker_open", 60.0, True) == (refused.reason, refused.retry_after, refused.defer)
    assert 2 == len(here.account.calcom.requests)
    assert ["failed", "failed", "refused"] == [outcome for _, _, outcome, _ in here.told]


async def test_each_call_is_counted_by_its_operation_and_what_was_never_sent_took_no_time() -> None:
    here = await broken(succeeds({}))
    await here.create()
    assert await here.held_back() is not None
    here.clock.at += 60
    await here.ping()

    assert [
        ("create", "failed"),
        ("create", "failed"),
        ("create", "refused"),
        ("create", "refused"),
        ("me", "succeeded"),
    ] == [(operation, outcome) for _, operation, outcome, _ in here.told]
    assert [True, True, False, False, True] == [seconds is not None for *_, seconds in here.told]
    assert {"calcom"} == {service for service, *_ in here.told}


async def test_looks_and_cancels_wait_as_well() -> None:
    here = await broken()
    calendar = await here.calendars.of("acme")

    looked = await calendar.look(a_booking(), a_look())
    cancelled = await calendar.cancel(a_booking(), a_cancel())

    assert isinstance(looked, LookFailed)
    assert isinstance(cancelled, CancelFailed)
    assert ("breaker_open", "breaker_open", 60.0) == (looked.reason, cancelled.reason, cancelled.retry_after)


async def test_what_was_refused_is_remembered_for_a_while_and_no_longer() -> None:
    here = await broken()
    assert await here.held_back() is None
    await here.create()

    held_back = await here.held_back()
    assert held_back is not None
    assert ("breaker_open", 60.0, True) == (held_back.reason, held_back.retry_after, held_back.defer)
    here.clock.at += LONGEST_MEMORY - 0.01
    assert await here.held_back() is not None
    here.clock.at += 0.01
    assert await here.held_back() is None


async def test_no_create_is_the_first_to_try() -> None:
    here = await broken(succeeds({"id": 9}), succeeds({"id": 9}), succeeds(a_row(), status=201))
    here.clock.at += 60

    refused = await here.create()
    assert isinstance(refused, NotSent)
    assert WHILE_PROBED == refused.retry_after
    assert not await here.circuit.is_closed()
    for _ in range(2):
        assert isinstance(await here.ping(), Answer)

    assert await here.circuit.is_closed()
    assert not here.circuit.refused.is_set()
    assert await here.held_back() is None
    await here.create()
    assert ["POST /v2/bookings"] * 2 + ["GET /v2/me"] * 2 + ["POST /v2/bookings"] == here.account.calcom.calls


async def test_looks_and_compensations_have_a_share_of_their_own_while_it_is_probed() -> None:
    here = await broken()
    here.clock.at += 60
    probes = [await here.circuit.enter(endpoints.me()) for _ in range(4)]
    assert [True, True, True, False] == [isinstance(one, Permit) for one in probes]
    create = CreateAtCalcom(number=1)
    calendar = await here.calendars.of("acme")

    assert calendar.held_back(create) is not None
    assert calendar.held_back(a_cancel()) is None
    entered = [
        await here.circuit.enter(call) for call in (endpoints.create(), endpoints.cancel("x"), endpoints.get("x"))
    ]
    assert [False, True, True] == [isinstance(one, Permit) for one in entered]


async def test_a_probe_that_fails_keeps_it_open_for_longer() -> None:
    here = await broken()
    here.clock.at += 60
    await here.ping()

    refused = await here.create()

    assert isinstance(refused, NotSent)
    assert 90.0 == refused.retry_after


async def test_who_is_opened_by_a_person_waits_until_told() -> None:
    here = Guarded(an_account(succeeds({"id": 1})))
    await here.breakers.control(CALCOM, Command(action="open", actor="ada", reason="they move house"))

    refused = await here.create()

    assert isinstance(refused, NotSent)
    assert ("breaker_open", 30.0) == (refused.reason, refused.retry_after)


async def test_the_permit_of_a_caller_who_leaves_is_given_back_and_counts_nothing() -> None:
    reached = asyncio.Event()

    async def never(request: httpx.Request) -> httpx.Response:
        reached.set()
        await asyncio.Event().wait()
        raise AssertionError

    here = Guarded(an_account(never))
    leaving = asyncio.create_task(here.create())
    await reached.wait()
    assert 1 == (await here.breakers.snapshot(CALCOM)).under_way
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)

    snapshot = await here.breakers.snapshot(CALCOM)
    assert (0, 0, 0) == (snapshot.under_way, snapshot.failures, snapshot.successes)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Answer(201, {}, b""), "succeeded"),
        (Answer(404, {}, b""), "succeeded"),
        (Answer(401, {}, b""), "succeeded"),
        (Answer(408, {}, b""), "failed"),
        (Answer(429, {}, b""), "ignored"),
        (Answer(500, {}, b""), "failed"),
        (Answer(502, {}, b"<html>"), "failed"),
        (Unanswered(reason="timeout", detail=""), "failed"),
        (Unsent(reason="unreachable", detail=""), "failed"),
        (Unsent(reason="send_by_passed", detail=""), "ignored"),
        (None, "ignored"),
    ],
)
def test_what_a_reply_says_of_cal_com(reply: Reply | None, expected: Outcome) -> None:
    assert expected == verdict(reply)


class Patient:
    """
    A breaker of virtual time, and whether Cal.com is well.
    """

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.well = False
        self.pings: list[float] = []
        self.breakers = LocalBreakers({CALCOM: POLICY}, listener=Heard(), clock=loop.time, chance=lambda: 0.0)
        self.circuit = Circuit(self.breakers, clock=loop.time)

    async def ask(self, *, op: str = "me") -> Reply:
        permit = await self.circuit.enter(me() if op == "me" else create())
        if isinstance(permit, Unsent):
            return permit
        reply = Answer(200 if self.well else 503, {}, b"")
        await self.circuit.leave(permit, reply, seconds=0.1)
        return reply

    async def ping(self) -> Reply:
        self.pings.append(round(asyncio.get_running_loop().time(), 1))
        return await self.ask()


def test_somebody_finds_out_that_cal_com_is_well_again() -> None:
    async def main() -> None:
        here = Patient()
        running = asyncio.create_task(Recovery(here.circuit, ping=here.ping).run())
        began = asyncio.get_running_loop().time()
        for _ in range(3):
            await here.ask(op="create")
        assert here.circuit.refused.is_set()

        await asyncio.sleep(30)
        here.well = True
        await asyncio.sleep(60)

        assert await here.circuit.is_closed()
        sent = (await here.breakers.snapshot(CALCOM)).operations["me"]
        assert 2 == sent["succeeded"]
        assert 60 <= here.pings[-1] - began < 66
        # From then on nothing is asked any more.
        count = len(here.pings)
        await asyncio.sleep(600)
        assert count == len(here.pings)
        running.cancel()

    run_virtually(main(), FakeClock())


def test_without_any_key_it_waits_for_one() -> None:
    async def main() -> None:
        here = Patient()
        here.well = True
        pinged = 0

        async def ping() -> Reply | None:
            nonlocal pinged
            pinged += 1
            return None if pinged == 1 else await here.ask()

        running = asyncio.create_task(Recovery(here.circuit, ping=ping).run())
        here.well = False
        for _ in range(3):
            await here.ask(op="create")
        here.well = True
        await asyncio.sleep(90)

        assert await here.circuit.is_closed()
        running.cancel()

    run_virtually(main(), FakeClock())


async def test_full_fallback_keeps_what_is_new_from_cal_com_and_lets_through_what_settles_and_takes_back() -> None:
    here = Guarded(an_account(succeeds({"id": 9}), succeeds(a_row()), succeeds(a_row(status="cancelled"))))
    calendar = await here.calendars.of("acme")
    here.fallback_left = 1800.0

    held_back = await here.held_back()
    created = await here.create()
    moved = await calendar.reschedule(
        RescheduleAtCalcom(uid=UID, attempt_id=ATTEMPT, starts_at=NOW, reason="", number=1),
        send_by=NOW + timedelta(seconds=5),
    )
    with pytest.raises(CalcomBookingError):
        await calendar.slots(event_type_id=1, starts_at=NOW, ends_at=NOW + timedelta(days=1))
    assert [] == here.account.calcom.calls
    assert isinstance(await here.ping(), Answer)
    await calendar.cancel(a_booking(), a_cancel())

    assert held_back == created
    assert isinstance(created, NotSent)
    assert ("full_fallback", 1800.0, True) == (created.reason, created.retry_after, created.defer)
    # It is not known when somebody ends it, and nothing wakes a move.
    assert isinstance(moved, NotSent)
    assert MOVED_AGAIN_AFTER == moved.retry_after
    assert ["GET /v2/me", f"GET /v2/bookings/{UID}", f"POST /v2/bookings/{UID}/cancel"] == here.account.calcom.calls
    here.fallback_left = None
    assert await here.held_back() is None
