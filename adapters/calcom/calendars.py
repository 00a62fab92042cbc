"""Every company's calendar at Cal.com, over one pool of connections."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version

import httpx

from adapters.calcom import endpoints
from adapters.calcom.calendar import CalComCalendar
from adapters.calcom.circuit import Circuit
from adapters.calcom.connections import open_transport
from adapters.calcom.departure import boottime
from adapters.calcom.key_watch import KeyWatch
from adapters.calcom.rate_limit import RateLimit
from adapters.calcom.replies import Reply
from adapters.calcom.wire import Wire
from adapters.resilience.budget import RetryBudget
from adapters.resilience.bulkhead import Bulkhead
from sagas.ports import Clock

ApiKeys = Callable[[str], Awaitable[str | None]]
"""Find the API key of a company; None if it has none."""

LINE = 16
"""How many calls may wait for each connection."""

_VISIBLE_AFTER = timedelta(seconds=75)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    """What belongs to one API key."""

    calendar: CalComCalendar
    rate_limit: RateLimit
    watch: KeyWatch

    def hindrance(self) -> tuple[float, bool]:
        """Return what speaks against a ping with this key: for how many seconds it is held back, and a rejection."""
        wait = self.rate_limit.wait(spends_reserve=endpoints.me().spends_reserve)
        return wait or 0.0, self.watch.rejected


class CalComCalendars:
    """
    Hand out calendars; companies with the same API key share one, with its rate limit and its looks.

    `visible_after` is the time to send, plus the time limit of an attempt, plus the
    time in which Cal.com's replicas catch up. `probe` is told of the points around
    every request; it does nothing in production. Without a `circuit` nothing is held back because Cal.com fails.
    At most `max_connections` calls are under way at once, in `bulkhead`; the others wait `queue_seconds` at most.
    A key that Cal.com rejects rests for `key_rest_seconds` until it is tried again.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key_of: ApiKeys,
        clock: Clock,
        send_seconds: float = 5.0,
        attempt_seconds: float = 10.0,
        total_seconds: float = 30.0,
        max_connections: int = 100,
        queue_seconds: float = 3.0,
        reserve: float = 0.1,
        key_rest_seconds: float = 30.0,
        visible_after: timedelta = _VISIBLE_AFTER,
        probe: Callable[[str], None] = lambda _: None,
        circuit: Circuit | None = None,
        budget: RetryBudget | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        boottime: Callable[[], float] = boottime,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._api_key_of = api_key_of
        self._clock = clock
        self._send_seconds = send_seconds
        self._attempt_seconds = attempt_seconds
        self._total_seconds = total_seconds
        self._reserve = reserve
        self.key_rest_seconds = key_rest_seconds
        self._visible_after = visible_after
        self._probe = probe
        self._circuit = circuit
        self._budget = budget or RetryBudget()
        # As many as there are connections, so that nobody waits for one while the time limit of their attempt runs.
        self.bulkhead = Bulkhead(
            "Cal.com", at_once=max_connections, in_line=LINE * max_connections, patience=queue_seconds
        )
        self._boottime = boottime
        self._transport = transport or open_transport(max_connections=max_connections, attempt_seconds=attempt_seconds)
        self._accounts: dict[str, _Account] = {}
        self._key_of: dict[str, str] = {}

    async def of(self, company_id: str) -> CalComCalendar:
        """Return the calendar of a company; without a usable API key, one that sends nothing."""
        key = _usable(await self._api_key_of(company_id))
        account = self._accounts.get(key)
        if account is None:
            account = self._accounts[key] = self._open(key, company_id)
        self._key_of[company_id] = key
        return account.calendar

    async def ping(self) -> Reply | None:
        """
        Read whose key it is; None if no company has come with one yet.

        Keys take turns. One that is known to be rejected, or to have used up its rate limit, says nothing about
        Cal.com, and is asked with only if there is no better one.
        """
        keys = [key for key in self._accounts if key]
        if not keys:
            return None
        key = min(keys, key=lambda one: self._accounts[one].hindrance())
        account = self._accounts[key] = self._accounts.pop(key)  # Last in line now.
        return await account.calendar.ping()

    def rejected(self) -> Mapping[str, datetime]:
        """Return since when Cal.com rejects the keys of companies, as far as this process has called with them."""
        since = {company: self._accounts[key].watch.rejected_since for company, key in self._key_of.items()}
        return {company: at for company, at in sorted(since.items()) if at is not None}

    async def try_rejected(self) -> Sequence[str]:
        """
        Read whose key it is with each key that was rejected, unless it was replaced; return whose are rejected still.

        Raises:
            AppointmentDatabaseError: nobody can say which keys companies have now.

        """
        for calendar in {await self.of(company) for company in self.rejected()}:
            await calendar.ping()
        return tuple(self.rejected())

    async def aclose(self) -> None:
        """Close every connection."""
        for account in tuple(self._accounts.values()):
            await account.calendar.aclose()
        await self._transport.aclose()

    def _open(self, api_key: str, company_id: str) -> _Account:
        rate_limit = RateLimit(clock=time.monotonic, reserve=self._reserve)
        watch = KeyWatch(api_key, company_id=company_id, now=self._clock.now, rest=self.key_rest_seconds)
        wire = Wire(
            transport=self._transport,
            base_url=self._base_url,
            api_key=api_key,
            rate_limit=rate_limit,
            user_agent=f"calsaga/{_version()}",
            attempt_seconds=self._attempt_seconds,
            send_seconds=self._send_seconds,
            now=self._clock.now,
            probe=self._probe,
            watch=watch,
            circuit=self._circuit,
            bulkhead=self.bulkhead,
            clock=self._boottime,
        )
        calendar = CalComCalendar(
            wire,
            clock=self._clock,
            total_seconds=self._total_seconds,
            visible_after=self._visible_after,
            budget=self._budget,
        )
        return _Account(calendar=calendar, rate_limit=rate_limit, watch=watch)


def _usable(api_key: str | None) -> str:
    # A key that cannot stand in a header is as good as none, and none must never become a request without one:
    # Cal.com takes bookings from anybody.
    return api_key if api_key and api_key.isascii() and api_key.isprintable() and " " not in api_key else ""


def _version() -> str:
    try:
        return version("calsaga")
    except PackageNotFoundError:
        return "0"
