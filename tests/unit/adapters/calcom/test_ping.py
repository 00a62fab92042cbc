"""
With whose key Cal.com is asked whether it is there: no company's trouble hides what another's key would tell.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field

import httpx

from adapters.calcom.calendars import CalComCalendars
from adapters.calcom.replies import Answer, Unsent
from tests.unit.adapters.calcom.building import Handler, SettableClock, refuses, succeeds

REJECTED = refuses(401, "UnauthorizedException", "ApiAuthStrategy - api key - Your api key is not valid")
THROTTLED = refuses(
    429, "ThrottlerException", "CustomThrottlerGuard - Too many requests. Please try again later.", retry_after="60"
)


@dataclass
class Companies(httpx.AsyncBaseTransport):
    """
    Cal.com as each company's key finds it; the company's name is its key. `asked` has the keys, in order.
    """

    answers: dict[str, Handler]
    asked: list[str] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        key = request.headers["Authorization"].removeprefix("Bearer ")
        self.asked.append(key)
        response = self.answers[key](request)
        return await response if isinstance(response, Awaitable) else response

    async def pinged(self, times: int) -> list[object]:
        async def api_key_of(company_id: str) -> str | None:
            return company_id

        calendars = CalComCalendars(
            base_url="https://calcom.test", api_key_of=api_key_of, clock=SettableClock(), transport=self
        )
        for company in self.answers:
            await calendars.of(company)
        replies = [await calendars.ping() for _ in range(times)]
        return [one.status if isinstance(one, Answer) else one for one in replies]


async def test_keys_take_turns() -> None:
    calcom = Companies({name: succeeds({}) for name in ("a", "b", "c")})

    assert [200] * 6 == await calcom.pinged(6)
    assert ["a", "b", "c"] * 2 == calcom.asked


async def test_a_rejected_key_is_not_asked_with_again_while_another_is_accepted() -> None:
    calcom = Companies({"a": REJECTED, "b": succeeds({}), "c": succeeds({})})

    assert [401, 200, 200, 200, 200] == await calcom.pinged(5)
    assert ["a", "b", "c", "b", "c"] == calcom.asked


async def test_a_blocked_key_does_not_keep_the_others_from_finding_out() -> None:
    calcom = Companies({"a": THROTTLED, "b": succeeds({})})

    assert [429, 200, 200] == await calcom.pinged(3)
    assert ["a", "b", "b"] == calcom.asked


async def test_keys_that_are_all_rejected_still_tell_that_somebody_answers() -> None:
    calcom = Companies({"a": REJECTED, "b": REJECTED})

    assert [401] * 4 == await calcom.pinged(4)
    assert ["a", "b", "a", "b"] == calcom.asked


async def test_a_rejected_key_is_better_than_a_blocked_one() -> None:
    calcom = Companies({"a": THROTTLED, "b": REJECTED})

    assert [429, 401, 401] == await calcom.pinged(3)


async def test_keys_that_are_all_blocked_are_left_alone() -> None:
    calcom = Companies({"a": THROTTLED, "b": THROTTLED})

    *_, last = await calcom.pinged(3)

    assert isinstance(last, Unsent)
    assert "rate_limited" == last.reason
    assert ["a", "b"] == calcom.asked
