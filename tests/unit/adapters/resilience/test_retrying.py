"""
Trying again: what, how often, how long between, and in which order with breaker, bulkhead, time limits and fallback.
"""

from __future__ import annotations

import asyncio
import sqlite3
import ssl
import time
from dataclasses import dataclass, field

import httpx
import pytest
import redis.exceptions
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.breakers.local import LocalBreakers
from adapters.resilience import Bulkhead, BulkheadFull, Retry, RetryBudget, retry
from domain.breaker_policy import BreakerPolicy
from domain.errors import AppointmentDatabaseError, CalcomBookingError, CircuitOpenError, CustomerValidationError
from domain.retry import RetryPolicy
from tests.breakers.listening import Heard

PASSING = ConnectionResetError("reset")
FOR_GOOD = ValueError("never")
QUICK = RetryPolicy(first_delay=0.001)


def answers(status: int, **headers: str) -> httpx.HTTPStatusError:
    request = httpx.Request("GET", "http://far.test")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.HTTPStatusError(
        "bad", request=request, response=httpx.Response(status, headers=named, request=request)
    )


def untrusted() -> httpx.ConnectError:
    error = httpx.ConnectError("certificate verify failed")
    error.__cause__ = ssl.SSLCertVerificationError("certificate verify failed")
    return error


async def hangs() -> None:
    await asyncio.Event().wait()


@dataclass
class Far:
    """
    A far side that fails as it is told, and then answers; `heard` is what `on_retry` was told.
    """

    fails: list[Exception]
    calls: int = 0
    heard: list[Retry] = field(default_factory=list)

    def answer(self) -> str:
        self.calls += 1
        if self.fails:
            raise self.fails.pop(0)
        return "well"

    async def call(self) -> str:
        return self.answer()

    @property
    def waits(self) -> list[float]:
        return [one.wait for one in self.heard]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Waits are told by `on_retry`, and take no time.
    """
    sleep = asyncio.sleep
    monkeypatch.setattr("adapters.resilience.retrying.asyncio.sleep", lambda _: sleep(0))
    monkeypatch.setattr("adapters.resilience.retrying.time.sleep", lambda _: None)


async def test_three_times_after_one_two_and_four_seconds_give_or_take_a_tenth() -> None:
    far = Far([PASSING] * 3)

    assert "well" == await retry(on_retry=far.heard.append)(far.call)()
    assert 4 == far.calls
    assert [1, 2, 3] == [one.failures for one in far.heard]
    for plain, wait in zip((1, 2, 4), far.waits, strict=True):
        assert 0.9 * plain <= wait <= 1.1 * plain
    assert {("connection_lost", PASSING, "Far.call")} == {(it.failure.kind, it.error, it.name) for it in far.heard}


async def test_two_callers_do_not_wait_alike() -> None:
    far = Far([PASSING] * 2)
    again = retry(policy=RetryPolicy(retries=1), on_retry=far.heard.append)(far.call)
    far.fails = [PASSING]
    await again()
    far.fails = [PASSING]
    await again()

    assert far.waits[0] != far.waits[1]


async def test_the_fourth_failure_is_the_callers() -> None:
    far = Far([PASSING] * 4)

    with pytest.raises(ConnectionResetError):
        await retry()(far.call)()
    assert 4 == far.calls


@pytest.mark.parametrize("error", [FOR_GOOD, *(answers(status) for status in (400, 401, 403, 404, 422))])
async def test_what_does_not_pass_is_not_tried_again(error: Exception) -> None:
    far = Far([error])

    with pytest.raises(type(error)):
        await retry()(far.call)()
    assert 1 == far.calls


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (answers(429, retry_after="7"), 7),
        (answers(503, retry_after="20"), 20),
        (answers(429, x_ratelimit_reset="9"), 9),
        (CircuitOpenError("far", retry_after=12.5), 12.5),
    ],
)
async def test_whoever_asks_for_more_time_gets_it(error: Exception, seconds: float) -> None:
    far = Far([error])
    await retry(on_retry=far.heard.append)(far.call)()

    assert [seconds] == far.waits


async def test_a_wait_beyond_the_end_is_not_begun() -> None:
    far = Far([answers(429, retry_after="31")])

    with pytest.raises(httpx.HTTPStatusError):
        await retry(within=30)(far.call)()
    assert 1 == far.calls


async def test_a_wait_beyond_the_cap_is_not_cut_short() -> None:
    far = Far([CircuitOpenError("far", retry_after=61)])

    with pytest.raises(CircuitOpenError):
        await retry(policy=RetryPolicy(cap=60), within=3600)(far.call)()
    assert 1 == far.calls


async def test_the_whole_is_over_in_time_however_long_an_attempt_takes() -> None:
    with pytest.raises(TimeoutError):
        await retry(policy=QUICK, within=0.02)(hangs)()


async def test_an_attempt_that_hangs_is_cut_off_and_tried_again() -> None:
    calls = 0

    async def hangs_once() -> str:
        nonlocal calls
        calls += 1
        if calls == 1:
            await asyncio.Event().wait()
        return "well"

    assert "well" == await retry(policy=QUICK, attempt_seconds=0.01)(hangs_once)()


async def test_who_is_cancelled_does_not_try_again() -> None:
    far = Far([])

    async def cancelled() -> None:
        far.calls += 1
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await retry()(cancelled)()
    assert 1 == far.calls


async def test_without_budget_nothing_is_tried_again() -> None:
    budget = RetryBudget(share=0, per_second=0)
    far = Far([PASSING] * 4)

    with pytest.raises(ConnectionResetError) as caught:
        await retry(budget=budget)(far.call)()
    assert 2 == far.calls
    assert ["not tried again, since the retry budget is spent"] == caught.value.__notes__
    del PASSING.__notes__


@settings(max_examples=30)
@given(calls=st.integers(1, 60), fails=st.integers(1, 4))
def test_an_outage_is_multiplied_by_no_more_than_the_share(calls: int, fails: int) -> None:
    budget = RetryBudget(share=0.25, per_second=0)
    far = Far([ConnectionResetError()] * 10_000)

    @retry(policy=RetryPolicy(retries=fails), budget=budget)
    def call() -> str:
        return far.answer()

    for _ in range(calls):
        with pytest.raises(ConnectionResetError):
            call()

    assert far.calls <= calls + 1 + 0.25 * calls


def test_an_ordinary_function_is_tried_again_as_well() -> None:
    far = Far([PASSING, PASSING])

    assert "well" == retry(on_retry=far.heard.append)(far.answer)()
    assert 2 == len(far.waits)


def test_an_ordinary_function_falls_back_or_fails() -> None:
    assert "stale" == retry(fallback=lambda: "stale")(Far([FOR_GOOD]).answer)()
    with pytest.raises(ValueError, match="never"):
        retry()(Far([FOR_GOOD]).answer)()


def test_an_ordinary_function_cannot_be_cut_off() -> None:
    with pytest.raises(TypeError, match="no coroutine function"):
        retry(attempt_seconds=1)(time.monotonic)


async def test_a_fallback_is_asked_last_and_for_the_same() -> None:
    far = Far([PASSING] * 4)

    async def call(_what: str) -> str:
        return await far.call()

    async def stale(what: str) -> str:
        return f"stale {what}"

    assert "stale hours" == await retry(fallback=stale)(call)("hours")
    assert 4 == far.calls


def breakers() -> LocalBreakers:
    policy = BreakerPolicy(failure_threshold=2, open_seconds=60.0, open_jitter=0.0)
    return LocalBreakers({"far": policy}, listener=Heard())


async def test_a_breaker_that_opens_ends_the_retries_that_cannot_wait_for_it() -> None:
    ours, far = breakers(), Far([PASSING] * 4)

    with pytest.raises(CircuitOpenError):
        await retry(breakers=ours, breaker="far")(far.call)()
    assert 2 == far.calls
    with pytest.raises(CircuitOpenError):
        await retry(breakers=ours, breaker="far")(far.call)()
    assert 2 == far.calls


async def test_who_has_the_time_waits_until_the_breaker_has_said() -> None:
    ours, far = breakers(), Far([PASSING] * 2)

    with pytest.raises(CircuitOpenError):
        # The breaker's clock is not the sleep that takes no time here, so that it is asked again, and refuses again.
        await retry(breakers=ours, breaker="far", within=600, on_retry=far.heard.append)(far.call)()
    assert 2 == far.calls
    assert 59 < far.waits[2] <= 61


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (PASSING, "failed"),
        (answers(500), "failed"),
        (answers(404), "succeeded"),
        (answers(429), "ignored"),
        (FOR_GOOD, "ignored"),
        (BulkheadFull("far", at_once=1, waited=0), "ignored"),
        (untrusted(), "failed"),
        (ssl.SSLCertVerificationError("certificate verify failed"), "failed"),
        (ssl.SSLError("wrong version number"), "failed"),
        (redis.exceptions.AuthenticationError("WRONGPASS"), "failed"),
        (sqlite3.IntegrityError("UNIQUE constraint failed"), "succeeded"),
        (CalcomBookingError("refused", status=400), "succeeded"),
        (CalcomBookingError("no answer", status=None, transient=True), "failed"),
        (AppointmentDatabaseError("twice", kind="constraint"), "succeeded"),
        (CustomerValidationError(()), "ignored"),
        (httpx.UnsupportedProtocol("no such scheme"), "ignored"),
    ],
)
async def test_what_an_error_says_of_the_far_side(error: Exception, outcome: str) -> None:
    ours = breakers()

    with pytest.raises(type(error)):
        await retry(policy=RetryPolicy(retries=0), breakers=ours, breaker="far")(Far([error]).call)()
    operations = (await ours.snapshot("far")).operations
    assert {"call": {outcome: 1}} == operations


@pytest.mark.parametrize(("within", "attempt_seconds"), [(0.01, None), (0.01, 9), (9, 0.01)])
async def test_a_call_that_hangs_until_our_own_time_limit_has_failed(
    within: float, attempt_seconds: float | None
) -> None:
    ours = breakers()
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await retry(
                policy=RetryPolicy(retries=0),
                within=within,
                attempt_seconds=attempt_seconds,
                breakers=ours,
                breaker="far",
            )(hangs)()

    assert "open" == (await ours.snapshot("far")).state


@pytest.mark.parametrize("limit", [30, 0.01])
async def test_who_leaves_says_nothing_whatever_the_time(limit: float) -> None:
    ours, cancelled = breakers(), asyncio.Event()

    async def tidies_up() -> None:
        try:
            await hangs()
        finally:
            cancelled.set()
            # Until the time limit is over as well, if it is the short one.
            await asyncio.wait([asyncio.ensure_future(hangs())], timeout=0.02)

    call = asyncio.ensure_future(retry(within=limit, breakers=ours, breaker="far")(tidies_up)())
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    assert cancelled.is_set()
    assert {"call": {"ignored": 1}} == (await ours.snapshot("far")).operations


async def test_a_time_limit_that_ends_in_line_says_nothing() -> None:
    ours, bulkhead = breakers(), Bulkhead("far", at_once=1, patience=30)
    await bulkhead.__aenter__()

    with pytest.raises(TimeoutError):
        await retry(within=0.01, breakers=ours, breaker="far", bulkhead=bulkhead)(hangs)()
    assert {"call": {"ignored": 1}} == (await ours.snapshot("far")).operations


async def test_a_full_bulkhead_is_inside_the_breaker_and_tried_again() -> None:
    ours, bulkhead, far = breakers(), Bulkhead("far", at_once=1, in_line=0), Far([])
    await bulkhead.__aenter__()

    with pytest.raises(BulkheadFull):
        await retry(breakers=ours, breaker="far", bulkhead=bulkhead, on_retry=far.heard.append)(far.call)()
    assert (3, 0) == (len(far.heard), far.calls)
    assert "closed" == (await ours.snapshot("far")).state


async def test_the_time_limit_of_an_attempt_does_not_count_the_line() -> None:
    bulkhead = Bulkhead("far", at_once=1, patience=30)
    await bulkhead.__aenter__()
    waiting = asyncio.ensure_future(
        retry(bulkhead=bulkhead, attempt_seconds=0.05, policy=RetryPolicy(retries=0))(Far([]).call)()
    )
    done, _ = await asyncio.wait([waiting], timeout=0.1)
    await bulkhead.__aexit__(None, None, None)

    assert set() == done
    assert "well" == await waiting


async def test_a_function_may_name_its_arguments_as_it_likes() -> None:
    async def asks(limit: int, attempt: str) -> str:
        return f"{attempt} of {limit}"

    for decorate in (retry(), retry(breakers=breakers(), breaker="far")):
        assert "first of 3" == await decorate(asks)(limit=3, attempt="first")


async def test_a_breaker_needs_to_be_kept_somewhere() -> None:
    with pytest.raises(TypeError, match="give `breakers`"):
        retry(breaker="far")(Far([]).call)
