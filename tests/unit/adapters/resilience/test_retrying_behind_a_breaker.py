"""
Trying again behind a breaker, and a bulkhead inside it: what an attempt says of the far side.
"""

from __future__ import annotations

import asyncio
import sqlite3
import ssl

import httpx
import pytest
import redis.exceptions

from adapters.breakers.local import LocalBreakers
from adapters.resilience import Bulkhead, BulkheadFull, retry
from adapters.resilience.classifying import Failure
from domain.breaker_policy import BreakerPolicy
from domain.errors import AppointmentDatabaseError, CalcomBookingError, CircuitOpenError, CustomerValidationError
from domain.retry import RetryPolicy
from tests.breakers.listening import Heard
from tests.unit.adapters.resilience.far import FOR_GOOD, PASSING, Far, answers, hangs, untrusted

pytestmark = pytest.mark.usefixtures("no_waiting")


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


class Odd(Exception):
    """
    What no classification but the caller's own knows.
    """


@pytest.mark.parametrize(("passing", "outcome"), [(True, "failed"), (False, "ignored")])
async def test_the_callers_own_classification_is_the_breakers_as_well(passing: bool, outcome: str) -> None:
    ours = breakers()

    def classify(_error: BaseException) -> Failure:
        return Failure(kind="odd", passing=passing)

    with pytest.raises(Odd):
        await retry(policy=RetryPolicy(retries=0), breakers=ours, breaker="far", classify=classify)(Far([Odd()]).call)()
    assert {"call": {outcome: 1}} == (await ours.snapshot("far")).operations


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


async def test_a_function_may_name_its_arguments_as_it_likes() -> None:
    async def asks(limit: int, attempt: str) -> str:
        return f"{attempt} of {limit}"

    for decorate in (retry(), retry(breakers=breakers(), breaker="far")):
        assert "first of 3" == await decorate(asks)(limit=3, attempt="first")


async def test_a_breaker_needs_to_be_kept_somewhere() -> None:
    with pytest.raises(TypeError, match="give `breakers`"):
        retry(breaker="far")(Far([]).call)
