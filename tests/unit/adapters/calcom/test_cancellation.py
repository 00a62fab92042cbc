from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import httpx
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import events as e
from domain.person import Remark
from sagas.outcomes import CancelFailed, Cancelled, CancelOutcome, CancelRefused, Moved, NotOurs
from tests.unit.adapters.calcom.building import (
    ATTEMPT,
    NOT_FOUND,
    NOW,
    OTHER,
    SINCE,
    UID,
    Account,
    Handler,
    a_booking,
    a_cancel,
    a_row,
    an_account,
    lists,
    refuses,
    refuses_barely,
    says,
    says_bytes,
    succeeds,
)

GET = f"GET /v2/bookings/{UID}"
CANCEL = f"POST /v2/bookings/{UID}/cancel"
LIST = "GET /v2/bookings"
LIVE = succeeds(a_row())
DEAD = succeeds(a_row(status="cancelled"))
MOVED = succeeds(a_row(status="cancelled", rescheduledToUid="uid2"))
TEXT = f"Can't cancel booking with uid={UID} because it has been cancelled already. Please provide uid of a booking that is not cancelled."  # noqa: E501
TOO_LATE = refuses(400, "BadRequestException", TEXT)
TOO_LATE_BY_A_HAIR = refuses_barely(400, "This booking has already been cancelled.")


async def cancel(account: Account, *, purpose: str = "compensation", since: timedelta = timedelta()) -> CancelOutcome:
    effect = a_cancel(purpose=purpose, since=SINCE + since)
    return await (await account.calendars().of("acme")).cancel(a_booking(), effect)


async def test_a_compensation_looks_before_it_cancels() -> None:
    account = an_account(LIVE, DEAD)

    assert Cancelled(how="cancelled") == await cancel(account)
    assert [GET, CANCEL] == account.calcom.calls
    assert orjson.loads(account.calcom.requests[1].content)["cancellationReason"]


async def test_a_customers_cancellation_is_sent_at_once_with_the_reason() -> None:
    account = an_account(DEAD)
    asked = e.CancellationRequested(at=NOW, person=Remark(reason="I am ill"), command_id=None)
    booking = replace(a_booking(), cancellation=asked)
    calendar = await account.calendars().of("acme")

    assert Cancelled(how="cancelled") == await calendar.cancel(booking, a_cancel(purpose="cancellation"))
    assert [CANCEL] == account.calcom.calls
    assert {"cancellationReason": "I am ill"} == orjson.loads(account.calcom.requests[0].content)


@pytest.mark.parametrize("purpose", ["compensation", "surplus"])
@pytest.mark.parametrize("theirs", [a_row(attempt_id=OTHER), a_row(attempt_id=None), a_row(metadata=None)])
async def test_what_is_not_ours_is_left_alone(theirs: dict[str, object], purpose: str) -> None:
    account = an_account(succeeds(theirs), DEAD)

    assert isinstance(await cancel(account, purpose=purpose), NotOurs)
    assert [GET] == account.calcom.calls


async def test_what_is_cancelled_already_is_not_cancelled_again() -> None:
    account = an_account(DEAD)

    assert Cancelled(how="already_cancelled") == await cancel(account)
    assert [GET] == account.calcom.calls


async def test_a_moved_booking_is_told_instead_of_cancelled() -> None:
    account = an_account(MOVED)

    assert Moved(to_uid="uid2") == await cancel(account)
    assert [GET] == account.calcom.calls


@pytest.mark.parametrize("refusal", [TOO_LATE, TOO_LATE_BY_A_HAIR])
async def test_already_cancelled_is_believed_once_seen(refusal: Handler) -> None:
    assert Cancelled(how="already_cancelled") == await cancel(an_account(refusal, DEAD), purpose="cancellation")
    assert Moved(to_uid="uid2") == await cancel(an_account(refusal, MOVED), purpose="cancellation")
    assert isinstance(await cancel(an_account(refusal, LIVE), purpose="cancellation"), CancelFailed)
    assert isinstance(await cancel(an_account(refusal, says_bytes(502, b"")), purpose="cancellation"), CancelFailed)


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (refuses_barely(400, "This event type does not allow cancellations"), "cancelling_disabled"),
        (refuses_barely(400, "Cannot cancel a booking that has already ended"), "already_ended"),
    ],
)
async def test_a_refusal_for_good_is_told_apart(handler: Handler, reason: str) -> None:
    refused = await cancel(an_account(LIVE, handler))

    assert isinstance(refused, CancelRefused)
    assert reason == refused.reason


@pytest.mark.parametrize(
    "handler",
    [
        refuses(500, "INTERNAL_SERVER_ERROR", "There was an error, please try again later."),
        refuses_barely(400, "Cancellation reason is required"),
        refuses(401, "UnauthorizedException", "ApiAuthStrategy - api key - Your api key is not valid"),
        says_bytes(502, b"<html>"),
        says_bytes(200, b"<html>"),
        says(200, {"status": "success"}),
        succeeds(a_row()),
        succeeds(a_row("uid2", status="cancelled")),
        succeeds([a_row(status="cancelled")]),
    ],
)
@pytest.mark.parametrize("purpose", ["compensation", "cancellation"])
async def test_everything_ambiguous_failed(handler: Handler, purpose: str) -> None:
    account = an_account(LIVE, handler) if purpose == "compensation" else an_account(handler)

    assert isinstance(await cancel(account, purpose=purpose), CancelFailed)


async def test_a_busy_cal_com_says_when_to_come_back() -> None:
    throttled = refuses(
        429, "ThrottlerException", "CustomThrottlerGuard - Too many requests. Please try again later.", retry_after="5"
    )
    failed = await cancel(an_account(LIVE, throttled))

    assert isinstance(failed, CancelFailed)
    assert ("rate_limited", 5.0) == (failed.reason, failed.retry_after)


@pytest.mark.parametrize("purpose", ["compensation", "cancellation"])
async def test_what_is_found_nowhere_is_gone(purpose: str) -> None:
    account = an_account(NOT_FOUND, lists(a_row("x", attempt_id=OTHER)))
    if purpose == "cancellation":
        account = an_account(NOT_FOUND, NOT_FOUND, lists())

    assert Cancelled(how="gone") == await cancel(account, purpose=purpose)
    assert LIST == account.calcom.calls[-1]


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (lists(a_row("uid2")), Moved(to_uid="uid2")),
        (lists(a_row(status="cancelled")), Cancelled(how="already_cancelled")),
    ],
)
async def test_what_is_not_found_may_be_in_the_list(listed: Handler, expected: CancelOutcome) -> None:
    assert expected == await cancel(an_account(NOT_FOUND, listed))


@pytest.mark.parametrize("listed", [lists(a_row()), says_bytes(500, b""), lists(has_next=True)])
async def test_what_is_not_found_is_not_gone_without_a_clean_look(listed: Handler) -> None:
    assert isinstance(await cancel(an_account(NOT_FOUND, listed)), CancelFailed)


async def test_what_is_not_found_is_not_gone_for_somebody_who_cannot_see() -> None:
    account = an_account(NOT_FOUND, lists())
    account.calcom.sight = refuses(403, "ForbiddenException", "no")
    failed = await cancel(account)

    assert isinstance(failed, CancelFailed)
    assert "cannot_see" == failed.reason


async def test_what_may_not_be_visible_yet_is_not_gone() -> None:
    account = an_account(NOT_FOUND)
    # The attempt was made 74 seconds ago: five minutes of skew are in `since`.
    failed = await cancel(account, since=timedelta(minutes=10) - timedelta(seconds=74))

    assert isinstance(failed, CancelFailed)
    assert "not_visible" == failed.reason
    assert [GET] == account.calcom.calls


async def test_a_404_of_the_path_says_nothing() -> None:
    wrong_path = refuses(404, "NotFoundException", f"Cannot GET /v2/bookings/{UID}")

    assert isinstance(await cancel(an_account(wrong_path, lists())), CancelFailed)


async def test_a_cancel_that_takes_too_long_failed() -> None:
    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(30)
        raise AssertionError

    account = an_account(never)
    account.total_seconds = 0.05
    failed = await cancel(account)

    assert isinstance(failed, CancelFailed)
    assert "timeout" == failed.reason


answers = st.sampled_from(
    [LIVE, DEAD, MOVED, TOO_LATE, TOO_LATE_BY_A_HAIR, NOT_FOUND, lists(), says_bytes(502, b""), succeeds([]), LIVE]
)


@settings(deadline=None)
@given(st.lists(answers, min_size=4, max_size=4), st.sampled_from(["compensation", "cancellation", "surplus"]))
async def test_no_answers_make_a_live_booking_cancelled(handlers: list[Handler], purpose: str) -> None:
    account = an_account(*handlers)
    outcome = await cancel(account, purpose=purpose)

    assert ATTEMPT
    if outcome == Cancelled(how="cancelled"):
        assert handlers[account.calcom.calls.index(CANCEL)] is DEAD
