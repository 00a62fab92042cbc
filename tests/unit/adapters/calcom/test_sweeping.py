from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from sagas.outcomes import LookFailed, Sighted, Sightings, Standing
from tests.fakes.books import FakePace
from tests.unit.adapters.calcom.building import (
    NOW,
    Account,
    Handler,
    ScriptedCalCom,
    a_row,
    an_account,
    lists,
    refuses_barely,
    says,
    succeeds,
)

UPDATED = "2026-11-22T11:59:59.000Z"


async def _sweep(account: Account) -> Sightings:
    calendar = await account.calendars().of("acme")
    return await calendar.sightings(1, changed_since=NOW - timedelta(minutes=10), starting_after=NOW, pace=FakePace())


def _row(uid: str, **facts: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever a test changes
    return a_row(uid, updatedAt=UPDATED, **facts)


def _by_list(changed: Handler, starting: Handler) -> Handler:
    def answer(request: httpx.Request) -> httpx.Response:
        chosen = changed if "afterUpdatedAt" in request.url.params else starting
        answered = chosen(request)
        assert isinstance(answered, httpx.Response)
        return answered

    return answer


async def test_both_lists_are_read_and_each_booking_is_told_once() -> None:
    account = an_account(_by_list(lists(_row("uid1"), _row("uid2")), lists(_row("uid2"), _row("uid3"))))

    swept = await _sweep(account)

    assert isinstance(swept, Sighted)
    assert (["uid1", "uid2", "uid3"], NOW) == ([one.uid for one in swept.seen], swept.started_at)
    first, second = account.calcom.requests
    assert ("2026-11-22T11:50:00.000Z", "2026-11-22T12:00:00.000Z") == (
        first.url.params["afterUpdatedAt"],
        second.url.params["afterStart"],
    )


async def test_of_what_was_moved_only_what_it_became_is_told_with_all_that_it_was() -> None:
    rows = (
        _row("uid1", status="cancelled", rescheduledToUid="uid2"),
        _row("uid2", status="cancelled", rescheduledFromUid="uid1", rescheduledToUid="uid3"),
        _row("uid3", rescheduledFromUid="uid2"),
    )

    swept = await _sweep(an_account(_by_list(lists(*rows), lists())))

    assert isinstance(swept, Sighted)
    (one,) = swept.seen
    assert isinstance(one, Standing)
    assert ("uid3", ("uid2", "uid1")) == (one.uid, one.origins)


async def test_an_origin_outside_the_lists_is_told_as_far_as_it_is_known() -> None:
    swept = await _sweep(an_account(_by_list(lists(_row("uid3", rescheduledFromUid="uid2")), lists())))

    assert isinstance(swept, Sighted)
    assert [("uid2",)] == [one.origins for one in swept.seen]


async def test_moves_in_a_circle_end() -> None:
    rows = (_row("uid1", rescheduledFromUid="uid2"), _row("uid2", rescheduledFromUid="uid1"))

    swept = await _sweep(an_account(_by_list(lists(*rows), lists())))

    assert isinstance(swept, Sighted)
    assert [("uid2", "uid1"), ("uid1", "uid2")] == [one.origins for one in swept.seen]


@pytest.mark.parametrize(
    ("changed", "starting", "reason"),
    [
        (refuses_barely(502, "Bad gateway"), lists(), "http_502"),
        (lists(), refuses_barely(502, "Bad gateway"), "http_502"),
        (lists({"uid": "uid1"}), lists(), "unreadable"),
        (lists("no booking"), lists(), "unreadable"),
        (succeeds([], pagination={"hasNextPage": True}), lists(), "unreadable"),
        (succeeds({}), lists(), "unreadable"),
        (lists(a_row("uid1"), has_next=True), lists(), "unreadable"),
        (lists(_row("uid1") | {"updatedAt": "2026-11-22T11:59:59+01:00"}, has_next=True), lists(), "unreadable"),
        (lists(_row("uid1") | {"updatedAt": "yesterday"}, has_next=True), lists(), "unreadable"),
    ],
)
async def test_a_list_that_cannot_be_read_to_its_end_proves_nothing(
    changed: Handler, starting: Handler, reason: str
) -> None:
    assert LookFailed(started_at=NOW, reason=reason) == await _sweep(an_account(_by_list(changed, starting)))


@pytest.mark.parametrize(
    ("sight", "reason"),
    [
        (refuses_barely(404, "Not found"), "cannot_see"),
        (refuses_barely(403, "Forbidden"), "cannot_see"),
        (refuses_barely(500, "Internal server error"), "http_500"),
        (succeeds({"id": 2}), "unreadable"),
        (says(200, {"status": "success"}), "unreadable"),
    ],
)
async def test_a_list_of_somebody_who_cannot_see_proves_nothing(sight: Handler, reason: str) -> None:
    account = Account(ScriptedCalCom(lists(), sight=sight))

    assert LookFailed(started_at=NOW, reason=reason) == await _sweep(account)


async def test_pages_are_asked_for_by_the_moment_of_the_order() -> None:
    later = _row("uid2") | {"updatedAt": "2026-11-22T12:00:30.000Z"}
    pages = [lists(_row("uid1"), has_next=True), lists(_row("uid1"), later)]

    def changed(request: httpx.Request) -> httpx.Response:
        answered = pages.pop(0)(request)
        assert isinstance(answered, httpx.Response)
        return answered

    account = an_account(_by_list(changed, lists()))
    swept = await _sweep(account)

    assert isinstance(swept, Sighted)
    assert ["uid1", "uid2"] == [one.uid for one in swept.seen]
    assert "2026-11-22T11:59:58.999Z" == account.calcom.requests[1].url.params["afterUpdatedAt"]
