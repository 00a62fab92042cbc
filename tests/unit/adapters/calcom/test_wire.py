from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest
from structlog.testing import capture_logs

from adapters.calcom.bodies import create_body
from adapters.calcom.calendar import CalComCalendar
from adapters.calcom.wire import ANSWER_LIMIT
from domain.booking import Booking
from sagas.outcomes import CancelFailed, CreateOutcome, LookFailed, NotSent, Unknown
from sagas.steps import CreateAtCalcom
from tests.unit.adapters.calcom.building import (
    ATTEMPT,
    NOW,
    Account,
    Handler,
    ScriptedCalCom,
    a_booking,
    a_cancel,
    a_look,
    a_row,
    an_account,
    refuses,
    refuses_barely,
    says_bytes,
    succeeds,
)

LIMIT = {
    "x_ratelimit_limit_default": "20",
    "x_ratelimit_remaining_default": "2",
    "x_ratelimit_reset_default": "30",
}
THROTTLED = refuses(
    429, "ThrottlerException", "CustomThrottlerGuard - Too many requests. Please try again later.", retry_after="9"
)


async def calendar_of(account: Account) -> CalComCalendar:
    return await account.calendars().of("acme")


async def create(account: Account, *, send_within: float = 5.0) -> CreateOutcome:
    calendar = await calendar_of(account)
    return await calendar.create(a_booking(), attempt_id=ATTEMPT, send_by=NOW + timedelta(seconds=send_within))


def pass_by(account: Account, seconds: float) -> None:
    """
    Let the time pass on both clocks.
    """
    account.seconds.at += seconds
    account.clock.at += timedelta(seconds=seconds)


class SlowToConnect(ScriptedCalCom):
    """
    Takes a while before it asks for the body, as a transport that connects does.
    """

    def __init__(self, handler: Handler, *, account_seconds: float, seconds: float) -> None:
        super().__init__(handler)
        self.account: Account | None = None
        self.account_seconds = account_seconds
        self.seconds = seconds

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert self.account is not None
        self.account.seconds.at += self.account_seconds
        await asyncio.sleep(self.seconds)
        return await super().handle_async_request(request)


async def test_a_request_that_is_late_does_not_leave() -> None:
    transport = SlowToConnect(succeeds(a_row()), account_seconds=5.0, seconds=0.0)
    transport.account = account = Account(transport)

    not_sent = await create(account, send_within=5.0)

    assert isinstance(not_sent, NotSent)
    assert ("send_by_passed", False) == (not_sent.reason, not_sent.defer)
    assert [] == transport.requests


async def test_a_request_in_time_leaves() -> None:
    transport = SlowToConnect(succeeds(a_row()), account_seconds=4.9, seconds=0.0)
    transport.account = account = Account(transport)

    await create(account, send_within=5.0)

    assert 1 == len(transport.requests)


async def test_a_process_suspended_before_the_write_sends_nothing() -> None:
    account = an_account(succeeds(a_row()))

    def suspend(point: str) -> None:
        account.seconds.at += 3600

    account.probe = suspend
    not_sent = await create(account)

    assert isinstance(not_sent, NotSent)
    assert "send_by_passed" == not_sent.reason


async def test_a_process_suspended_while_it_writes_the_body_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    account = an_account(succeeds(a_row()))

    def slowly(booking: Booking, *, attempt_id: str) -> bytes:
        pass_by(account, 6)
        return create_body(booking, attempt_id=attempt_id)

    monkeypatch.setattr("adapters.calcom.calendar.create_body", slowly)
    not_sent = await create(account, send_within=5.0)

    assert isinstance(not_sent, NotSent)
    assert "send_by_passed" == not_sent.reason
    assert [] == account.calcom.requests


async def test_a_process_suspended_before_its_deadline_is_computed_sends_nothing() -> None:
    account = an_account(succeeds(a_row()))
    account.probe = lambda point: pass_by(account, 6 if point == "calcom.create.announced" else 0)

    not_sent = await create(account, send_within=5.0)

    assert isinstance(not_sent, NotSent)
    assert [] == account.calcom.requests


async def test_a_database_clock_that_is_set_back_gives_no_more_time_to_send() -> None:
    account = an_account(succeeds(a_row()))
    account.clock.at -= timedelta(hours=1)
    account.probe = lambda point: pass_by(account, 5 if point == "calcom.create.before" else 0)

    not_sent = await create(account, send_within=5.0)

    assert isinstance(not_sent, NotSent)
    assert [] == account.calcom.requests


async def test_no_connection_within_the_time_to_send_sends_nothing() -> None:
    transport = SlowToConnect(succeeds(a_row()), account_seconds=0.05, seconds=1.0)
    transport.account = account = Account(transport)

    not_sent = await create(account, send_within=0.05)

    assert isinstance(not_sent, NotSent)
    assert "send_by_passed" == not_sent.reason
    assert [] == transport.requests


async def test_an_answer_after_the_time_limit_is_unknown() -> None:
    async def slowly(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(30)
        raise AssertionError

    account = an_account(slowly)
    account.attempt_seconds = 0.05
    unknown = await create(account)

    assert isinstance(unknown, Unknown)
    assert "timeout" == unknown.reason


async def test_an_answer_without_end_is_unknown() -> None:
    unknown = await create(an_account(says_bytes(201, b" " * (ANSWER_LIMIT + 1))))

    assert isinstance(unknown, Unknown)
    assert "unreadable" == unknown.reason


class Crash(BaseException):
    """
    What a probe of the crash tests raises.
    """


@pytest.mark.parametrize("point", ["calcom.create.before", "calcom.create.after"])
async def test_what_a_probe_raises_is_not_taken_for_a_fault(point: str) -> None:
    account = an_account(succeeds(a_row()))

    def crash(reached: str) -> None:
        if reached == point:
            raise Crash

    account.probe = crash

    with pytest.raises(Crash):
        await create(account)


async def test_creates_are_held_back_when_only_the_reserve_is_left() -> None:
    account = an_account(says_bytes(500, b"", **LIMIT))
    calendar = await calendar_of(account)
    await calendar.liveness("x")

    not_sent = await calendar.create(a_booking(), attempt_id=ATTEMPT, send_by=NOW + timedelta(seconds=1))

    assert isinstance(not_sent, NotSent)
    assert ("rate_limited", True) == (not_sent.reason, not_sent.defer)
    assert not_sent.retry_after is not None
    assert 29 < not_sent.retry_after <= 30
    held_back = calendar.held_back(CreateAtCalcom(number=1))
    assert held_back is not None
    assert (not_sent.reason, not_sent.detail, True) == (held_back.reason, held_back.detail, held_back.defer)
    await calendar.liveness("x")
    assert 2 == len(account.calcom.requests)


async def test_after_a_429_everything_waits() -> None:
    account = an_account(THROTTLED)
    calendar = await calendar_of(account)
    await calendar.liveness("x")

    looked = await calendar.look(a_booking(), a_look())
    cancelled = await calendar.cancel(a_booking(), a_cancel())

    assert isinstance(looked, LookFailed)
    assert "rate_limited" == looked.reason
    assert isinstance(cancelled, CancelFailed)
    assert cancelled.retry_after is not None
    assert 8 < cancelled.retry_after <= 9
    assert 1 == len(account.calcom.requests)


async def test_a_key_that_is_rejected_is_said_once_until_it_is_accepted_again() -> None:
    rejects = refuses(401, "UnauthorizedException", "ApiAuthStrategy - api key - Your api key is not valid")
    broken = refuses_barely(500, "Internal server error")
    calendar = await calendar_of(an_account(rejects, broken, rejects, rejects, succeeds(a_row()), rejects))

    with capture_logs() as lines:
        for _ in range(6):
            await calendar.ping()

    said = [(line["event"], line["company_id"]) for line in lines if line["log_level"] == "critical"]
    assert [("calcom.key.rejected", "acme")] * 2 == said
    assert "cal_secret" not in str(lines)


async def test_a_secret_is_not_shown() -> None:
    calendar = await calendar_of(an_account(succeeds(a_row())))

    assert "cal_secret" not in repr(calendar._wire)
