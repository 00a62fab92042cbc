from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.calcom.endpoints import instant
from sagas.outcomes import Looked, LookFailed, LookOutcome
from tests.unit.adapters.calcom.building import (
    ATTEMPT,
    NOW,
    OTHER,
    SINCE,
    Account,
    Handler,
    ScriptedCalCom,
    a_booking,
    a_look,
    a_row,
    an_account,
    breaks,
    lists,
    refuses,
    refuses_barely,
    says,
    says_bytes,
    succeeds,
)


async def look(account: Account, *attempt_ids: str) -> LookOutcome:
    return await (await account.calendars().of("acme")).look(a_booking(), a_look(*attempt_ids))


async def outcome_of(*handlers: Handler) -> LookOutcome:
    return await look(an_account(*handlers))


def uids(outcome: LookOutcome) -> list[str]:
    assert isinstance(outcome, Looked)
    return [found.uid for found in outcome.found]


async def test_our_attempt_is_found_among_strangers() -> None:
    looked = await outcome_of(lists(a_row("x", attempt_id=None), a_row("y", attempt_id=OTHER), a_row("z")))

    assert isinstance(looked, Looked)
    assert NOW == looked.started_at
    (found,) = looked.found
    assert (ATTEMPT, "z", "accepted", True) == (found.attempt_id, found.uid, found.calcom_status, found.is_live)
    assert datetime(2026, 11, 22, 11, 59, 59, tzinfo=UTC) == found.created_at


async def test_the_list_is_asked_for_whole() -> None:
    account = an_account(lists())
    await look(account)

    expected = {
        "eventTypeId": "1",
        "afterCreatedAt": "2026-11-22T11:45:00.000Z",
        "sortCreated": "asc",
        "take": "250",
        "skip": "0",
    }
    assert expected == dict(account.calcom.requests[0].url.params)


async def test_cancelled_and_several_are_told() -> None:
    rows = (a_row("a", status="cancelled"), a_row("b", status="pending"), a_row("c", attempt_id=OTHER))
    looked = await look(an_account(lists(*rows)), ATTEMPT, OTHER)

    assert ["a", "b", "c"] == uids(looked)


async def test_a_moved_booking_is_followed_within_the_list() -> None:
    account = an_account(lists(a_row("a", status="cancelled", rescheduledToUid="b"), a_row("b")))

    assert ["a", "b"] == uids(await look(account))
    assert 1 == len(account.calcom.requests)


async def test_a_moved_booking_is_followed_beyond_the_list() -> None:
    account = an_account(
        lists(a_row("a", status="cancelled", rescheduledToUid="b")),
        succeeds(a_row("b", status="cancelled", rescheduledToUid="c")),
        succeeds(a_row("c", attempt_id=None)),
    )

    looked = await look(account)

    assert ["a", "b", "c"] == uids(looked)
    assert isinstance(looked, Looked)
    assert {ATTEMPT} == {found.attempt_id for found in looked.found}


@pytest.mark.parametrize(
    "second",
    [
        refuses(404, "NotFoundException", "Booking with uid=b was not found in the database"),
        refuses_barely(500, "Internal server error"),
        succeeds(a_row("c")),
    ],
)
async def test_a_successor_that_cannot_be_read_spoils_the_look(second: Handler) -> None:
    moved = lists(a_row("a", status="cancelled", rescheduledToUid="b"))

    assert isinstance(await outcome_of(moved, second), LookFailed)


async def test_following_ends() -> None:
    def onward(request: httpx.Request) -> httpx.Response:
        uid = request.url.path.rsplit("/", 1)[1]
        return succeeds(a_row(uid, status="cancelled", rescheduledToUid=f"{uid}x"))(request)  # type: ignore[return-value]

    moved = lists(a_row("a", status="cancelled", rescheduledToUid="b"))
    failed = await outcome_of(moved, onward)

    assert isinstance(failed, LookFailed)
    assert "moved_too_often" == failed.reason


@pytest.mark.parametrize(
    "handler",
    [
        refuses(401, "UnauthorizedException", "ApiAuthStrategy - api key - Your api key is not valid"),
        refuses(403, "ForbiddenException", "no"),
        refuses_barely(500, "Internal server error"),
        says_bytes(502, b"<html>"),
        says_bytes(200, b"[" * 100),
        says(200, {"status": "success", "data": {"bookings": []}}),
        succeeds([]),
        succeeds([], pagination={"hasNextPage": "no"}),
        lists(has_next=True),
        lists("text"),
        lists(a_row(metadata="calsaga_attempt_id")),
        lists(a_row(start=None)),
        lists(a_row("a", createdAt=None), has_next=True),
        lists(
            a_row("a", attempt_id=None, createdAt="2026-11-22T12:00:00.000Z"),
            a_row("b", attempt_id=None, createdAt="2026-11-22T11:00:00.000Z"),
            has_next=True,
        ),
        breaks(httpx.ReadTimeout("slow")),
    ],
)
async def test_a_list_that_is_not_whole_proves_nothing(handler: Handler) -> None:
    failed = await outcome_of(handler)

    assert isinstance(failed, LookFailed)
    assert NOW == failed.started_at


@pytest.mark.parametrize(
    ("sight", "reason"),
    [
        (refuses(403, "ForbiddenException", "no"), "cannot_see"),
        (refuses(404, "NotFoundException", "Event type with id 1 not found."), "cannot_see"),
        (
            refuses(401, "UnauthorizedException", "ApiAuthStrategy - api key - Your api key is not valid"),
            "unauthorized",
        ),
        (refuses_barely(500, "Internal server error"), "http_500"),
        (says_bytes(200, b"<html>"), "unreadable"),
        (succeeds({"id": 2}), "unreadable"),
        (succeeds([]), "unreadable"),
    ],
)
async def test_an_empty_list_of_somebody_who_cannot_see_proves_nothing(sight: Handler, reason: str) -> None:
    account = an_account(lists())
    account.calcom.sight = sight

    failed = await look(account)

    assert isinstance(failed, LookFailed)
    assert (NOW, reason) == (failed.started_at, failed.reason)


async def test_a_later_page_that_errs_spoils_the_look() -> None:
    first = lists(a_row("a", createdAt="2026-11-22T11:50:00.000Z"), has_next=True)

    assert isinstance(await outcome_of(first, refuses_barely(500, "Internal server error")), LookFailed)


async def test_a_stranger_that_cannot_be_read_spoils_nothing() -> None:
    assert ["z"] == uids(await outcome_of(lists(a_row("a", attempt_id=OTHER, start=None), a_row("z"))))


async def test_a_look_that_takes_too_long_failed() -> None:
    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(30)
        raise AssertionError

    account = an_account(never)
    account.total_seconds = 0.05
    failed = await look(account)

    assert isinstance(failed, LookFailed)
    assert "timeout" == failed.reason


async def test_looks_at_the_same_time_share_a_list() -> None:
    account = an_account(lists(a_row("a"), a_row("b", attempt_id=OTHER)))
    calendar = await account.calendars().of("acme")
    later = a_look(OTHER, since=SINCE - timedelta(hours=1))

    one, two = await asyncio.gather(calendar.look(a_booking(), a_look()), calendar.look(a_booking(), later))

    assert (["a"], ["b"]) == (uids(one), uids(two))
    assert ["2026-11-22T10:45:00.000Z"] == [it.url.params["afterCreatedAt"] for it in account.calcom.requests]
    assert 1 == account.calcom.sights


class GrowingList(ScriptedCalCom):
    """
    Cal.com's list as it is: pages by offset, with rows that come and go between them.
    """

    def __init__(self, created: list[int], *, page: int, leaving: set[int]) -> None:
        super().__init__(self.page, sight=succeeds({"id": 1}))
        self.rows = [
            a_row(f"u{number}", attempt_id=f"{number}", createdAt=instant(SINCE + timedelta(milliseconds=at)))
            for number, at in enumerate(sorted(created))
        ]
        self.take = page
        self.leaving = leaving

    def page(self, request: httpx.Request) -> httpx.Response:
        since, skip = request.url.params["afterCreatedAt"], int(request.url.params["skip"])
        seen = [row for row in self.rows if row["createdAt"] >= since]
        answer = lists(*seen[skip : skip + self.take], has_next=skip + self.take < len(seen))(request)
        self._change()
        return answer  # type: ignore[return-value]

    def _change(self) -> None:
        self.rows = [row for row in self.rows if int(row["uid"][1:]) not in self.leaving]
        late: dict[str, Any] = a_row(f"u{900 + len(self.rows)}", attempt_id="late")
        if len(self.rows) < 60:
            self.rows.append({**late, "createdAt": instant(SINCE + timedelta(hours=1))})


@settings(deadline=None)
@given(
    created=st.lists(st.integers(0, 20), max_size=30),
    page=st.integers(3, 7),
    leaving=st.sets(st.integers(0, 29), max_size=5),
)
async def test_no_row_is_missed_while_others_come_and_go(created: list[int], page: int, leaving: set[int]) -> None:
    # Rows of one instant are told apart by offset alone, so none of those may leave.
    crowded = {number for number, at in enumerate(sorted(created)) if created.count(at) + created.count(at - 1) >= page}
    calcom = GrowingList(created, page=page, leaving=leaving if not crowded else set())
    wanted = [f"{number}" for number in range(len(created)) if number not in leaving]

    found = uids(await look(Account(calcom), *wanted)) if wanted else []

    assert {f"u{number}" for number in wanted} <= set(found)
