"""
A key that Cal.com rejects: its calls have failed, nobody else's are kept back, and nothing is sent in vain.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest

from adapters.breakers.local import LocalBreakers
from adapters.calcom.calendars import CalComCalendars
from adapters.calcom.circuit import CALCOM, Circuit
from adapters.calcom.key_trials import KeyTrials
from domain.breaker_policy import BreakerPolicy
from domain.errors import CalcomBookingError
from sagas.outcomes import NotSent
from sagas.steps import CreateAtCalcom
from tests.breakers.listening import Heard
from tests.fakes.time import FakeClock, run_virtually
from tests.unit.adapters.calcom.building import ATTEMPT, NOW, START, SettableClock, a_booking, a_row, refuses, succeeds

REJECTED = refuses(401, "UnauthorizedException", "ApiAuthStrategy - api key - Your api key is not valid")
REST = 30.0


class CalCom(httpx.AsyncBaseTransport):
    """
    Cal.com, which takes all keys but those that are `invalid`; two companies with a key each, and a breaker for both.
    """

    def __init__(self) -> None:
        self.invalid = {"cal_acme"}
        self.keys = {"acme": "cal_acme", "bolt": "cal_bolt"}
        self.sent: list[str] = []
        self.told: list[tuple[str, str]] = []
        self.breakers = LocalBreakers({CALCOM: BreakerPolicy(failure_threshold=2)}, listener=Heard())
        self.calendars = CalComCalendars(
            base_url="https://calcom.test",
            api_key_of=self.api_key_of,
            clock=SettableClock(),
            key_rest_seconds=REST,
            transport=self,
            circuit=Circuit(
                self.breakers, count=lambda _, operation, outcome, _seconds: self.told.append((operation, outcome))
            ),
        )

    async def api_key_of(self, company_id: str) -> str | None:
        return self.keys[company_id]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        key = request.headers["Authorization"].removeprefix("Bearer ")
        self.sent.append(f"{request.method} {key}")
        answer = REJECTED if key in self.invalid else succeeds(a_row(), status=201)
        found = answer(request)
        assert isinstance(found, httpx.Response)
        return found

    async def create(self, company: str = "acme") -> object:
        calendar = await self.calendars.of(company)
        return await calendar.create(a_booking(), attempt_id=ATTEMPT, send_by=NOW + timedelta(seconds=5))


@pytest.fixture
def calcom() -> CalCom:
    return CalCom()


async def test_a_call_with_a_rejected_key_has_failed_and_opens_no_breaker(calcom: CalCom) -> None:
    await calcom.create()
    for _ in range(4):
        await calcom.calendars.ping()
    await calcom.create("bolt")

    assert [("create", "failed"), *[("me", "failed")] * 4, ("create", "succeeded")] == calcom.told
    assert "closed" == (await calcom.breakers.snapshot(CALCOM)).state


async def test_nothing_is_sent_with_a_rejected_key_while_it_rests(calcom: CalCom) -> None:
    first, second = await calcom.create(), await calcom.create()
    calendar = await calcom.calendars.of("acme")
    held = calendar.held_back(CreateAtCalcom(number=1))
    other = (await calcom.calendars.of("bolt")).held_back(CreateAtCalcom(number=1))

    assert ["POST cal_acme"] == calcom.sent
    assert isinstance(first, NotSent)
    for one in (second, held):
        assert isinstance(one, NotSent)
        assert ("unauthorized", True) == (one.reason, one.defer)
        assert REST - 5 < (one.retry_after or 0) <= REST
    assert other is None
    with pytest.raises(CalcomBookingError, match="has just rejected"):
        await calendar.slots(event_type_id=1, starts_at=START, ends_at=START + timedelta(days=1))


async def test_whose_keys_are_rejected_is_known_by_company_and_a_key_that_was_replaced_is_forgotten(
    calcom: CalCom,
) -> None:
    await calcom.create()
    await calcom.create("bolt")
    assert {"acme": NOW} == calcom.calendars.rejected()

    calcom.keys["acme"] = "cal_new"
    await calcom.calendars.try_rejected()

    assert {} == calcom.calendars.rejected()
    assert (await calcom.calendars.of("acme")).held_back(CreateAtCalcom(number=1)) is None


def test_a_read_finds_out_that_a_key_is_accepted_again() -> None:
    async def main() -> tuple[dict[str, object], list[str]]:
        calcom = CalCom()
        await calcom.create()
        trials = asyncio.create_task(KeyTrials(calcom.calendars.try_rejected, seconds=REST).run())
        await asyncio.sleep(2.5 * REST)
        calcom.invalid.clear()
        await asyncio.sleep(REST)
        trials.cancel()
        await calcom.create()
        return dict(calcom.calendars.rejected()), calcom.sent

    assert ({}, ["POST cal_acme", *["GET cal_acme"] * 3, "POST cal_acme"]) == run_virtually(main(), FakeClock())
