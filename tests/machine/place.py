"""
Cal.com's double, a real database, and calsaga's own process between them, which may die and is replaced.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, ExitStack, suppress
from datetime import timedelta
from typing import Any, Final, TypeVar

import pytest
from starlette.types import ASGIApp

from adapters.bootstrap import Application, application
from adapters.calcom import calendars
from adapters.sandbox import people
from adapters.sandbox.app import create_app as create_sandbox
from adapters.sandbox.event_types import EventType
from adapters.sandbox.fault_plan import FaultPlan
from adapters.sandbox.faults import Fault, Profile
from adapters.sandbox.ledger import ledger_entry
from adapters.sandbox.state import Sandbox, SandboxConfig
from adapters.sandbox.webhooks import BOOKING_TRIGGERS, Webhook
from adapters.settings import Settings, read_settings
from adapters.web.app import create_app as create_api
from domain.errors import AppointmentDatabaseError
from tests.crash.timing import NO_BREAKER
from tests.machine.complaints import complaints_to
from tests.machine.mortal import Death, Mortal, database_of
from tests.machine.offers import COMPANY, OFFERS, service_wishes
from tests.machine.one_time import OneThreadLoop, SharedClock
from tests.machine.post import Cable, PostOffice

T = TypeVar("T")
SECRET: Final = "whsec_machine"
SHORTER: Final = {
    "calcom_send_seconds": 3,
    "calcom_attempt_seconds": 5,
    "calcom_total_seconds": 15,
    "calcom_visibility_seconds": 20,
    "calcom_look_seconds": "1,3,8,15",
    "calcom_horizon_seconds": 90,
    "lease_seconds": 12,
    "retry_cap_seconds": 60,
    "reconcile_seconds": 86_400,
    "reconcile_calls_per_minute": 60_000,
    "follow_seconds": 10,
    "health_probing": False,
    "drain_seconds": 0.1,
    "review_after": 10_000,
    "circuits": NO_BREAKER,
    "log_level": "error",
}
LONGEST_QUIET: Final = timedelta(hours=3).total_seconds()
LISTS_CATCH_UP: Final = 20.0


class Place:
    """
    Everything there is; `faults` are what must not happen at any time.
    """

    def __init__(self, database_url: str, *, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self.faults: list[str] = []
        self.clock = SharedClock()
        self.post = PostOffice()
        self.process = Mortal()
        self.loop = OneThreadLoop(self.clock)
        self.loop.set_exception_handler(self._left_alone)
        self._settings = _settings(database_url)
        self._api: ASGIApp | None = None
        self._lives = AsyncExitStack()
        self._around = ExitStack()
        self._around.enter_context(self.clock.everywhere())
        self._around.enter_context(database_of(lambda: self.process, self.clock))
        self._around.enter_context(complaints_to(self.faults))
        self.calcom = create_sandbox(SandboxConfig(rate_limit=0, clock=self.clock.now, webhook_transport=self.post))
        self.sandbox: Sandbox = self.calcom.state.sandbox
        self.post.door = self._door
        _furnish(self.sandbox)
        self.loop.run_until_complete(self._begin())

    @property
    def app(self) -> Application:
        assert self._app is not None
        return self._app

    def ledger(self) -> list[dict[str, Any]]:
        return [ledger_entry(booking) for booking in self.sandbox.bookings.all()]

    def during(self, work: Coroutine[Any, Any, T]) -> T | None:
        """
        Return what came of it, or None if the process has died meanwhile; then there is another one.
        """
        return self.loop.run_until_complete(self._during(work))

    def kill(self) -> None:
        """
        Let the process die where it stands.
        """
        self.process.die("where it stood")
        self.loop.run_until_complete(self._replace())

    def befall(self, **fault: object) -> None:
        """
        Have a fault befall the next call that it covers.
        """
        self.sandbox.faults.push(Fault.from_json(fault))

    def person(self, **wish: object) -> list[dict[str, Any]]:
        """
        Let a person at Cal.com do something, and return what has changed.

        Raises:
            Refusal: Cal.com does not let them.
        """
        answered = asyncio.Event()
        answered.set()
        changed = self.during(people.act(self.sandbox, wish=wish, answered=answered))
        return [ledger_entry(booking) for booking in changed or ()]

    def pass_time(self, seconds: float) -> None:
        self.during(asyncio.sleep(seconds))

    def calm(self) -> None:
        """
        Let nothing more go wrong, and the post be delivered.
        """
        self.sandbox.faults = FaultPlan(Profile())
        self.process.doom(None)
        self.post.way = "slowly"
        self.loop.run_until_complete(self._until_quiet())

    def reconcile(self) -> None:
        """
        Have both sides compared.
        """
        self.during(self._reconcile())

    def reconcile_what_was_lost(self) -> None:
        """
        Compare once lists are as they should be, and see to what that finds.
        """
        self.pass_time(LISTS_CATCH_UP)
        self.reconcile()
        self.post.has_lost = False
        self.loop.run_until_complete(self._until_quiet())

    def close(self) -> None:
        """
        End in good order.
        """
        try:
            self.loop.run_until_complete(self._close())
        finally:
            self._around.close()
            self.loop.close()

    async def _begin(self) -> None:
        await self._open()
        for wish in service_wishes():
            await self.app.directory.services.define(wish)

    async def _open(self) -> None:
        self._lives = AsyncExitStack()
        with pytest.MonkeyPatch.context() as patch:
            cable = Cable(self.calcom, self.process)
            patch.setattr(calendars, "open_transport", lambda **_given: cable)
            opened = application(self._settings, background=True, on_point=self.process.probe)
            self._app: Application | None = await self._lives.enter_async_context(opened)
        self._api = create_api(self.app)

    async def _during(self, work: Coroutine[Any, Any, T]) -> T | None:
        doing = asyncio.ensure_future(work)
        dying = asyncio.ensure_future(self.process.died.wait())
        await asyncio.wait({doing, dying}, return_when=asyncio.FIRST_COMPLETED)
        dying.cancel()
        # What was answered before the death was heard.
        answered = doing.done() and not isinstance(doing.exception(), Death)
        if self.process.is_dead:
            doing.cancel()
            await asyncio.gather(doing, return_exceptions=True)
            await self._replace()
        return doing.result() if answered else None

    async def _replace(self) -> None:
        self._tell(f"the process has died: {self.process.died_at}")
        with suppress(Death):
            await self._lives.aclose()
        self.process = Mortal()
        await self._open()

    async def _reconcile(self) -> None:
        for sweep in await self.app.reconciler.reconcile():
            if sweep.problem is not None:
                self.post.has_lost = True

    async def _until_quiet(self) -> None:
        deadline = self.clock.seconds + LONGEST_QUIET
        while self.clock.seconds < deadline:
            while self.post.letters:
                await self.post.deliver(self.post.letters.pop(0))
            due = await self.app.store.agenda.next_due()
            if due is None and not self.sandbox.late and not self.post.letters and not self.app.engine.leased:
                return
            await asyncio.sleep(1.0 if due is None else min(max(due.total_seconds(), 0.1), 10.0))
        self.faults.append("never quiet")

    def _door(self) -> ASGIApp:
        self.process.must_live()
        assert self._api is not None
        return self._api

    async def _close(self) -> None:
        await self._lives.aclose()
        await self.sandbox.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _left_alone(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # A caller whose patience has ended, or who has died, does not fetch the error of what goes on.
        if not isinstance(context.get("exception"), AppointmentDatabaseError | Death | OSError):
            self.faults.append(f"left alone: {context}")


def _settings(database_url: str) -> Settings:
    return read_settings(
        **SHORTER,
        database_url=database_url,
        calcom_base_url="http://calcom.example",
        calcom_api_key="cal_machine",
        calcom_webhook_secret=SECRET,
    )


def _furnish(sandbox: Sandbox) -> None:
    sandbox.event_types.clear()
    for name, offer in OFFERS.items():
        sandbox.event_types[offer.event_type_id] = EventType(
            id=offer.event_type_id, slug=name, length=offer.minutes, hosts=(offer.host,)
        )
    url = f"http://calsaga.example/api/webhooks/calcom/{COMPANY}"
    sandbox.webhooks.add(Webhook(id="machine", subscriber_url=url, secret=SECRET, triggers=BOOKING_TRIGGERS))
