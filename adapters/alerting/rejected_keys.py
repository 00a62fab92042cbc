"""Which companies' API keys Cal.com rejects, by all that the processes of the fleet know."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from adapters.alerting.lone_breakers import StoredLoneBreakers, rejected_since
from domain.concerns import RejectedKey
from domain.errors import AppointmentDatabaseError
from sagas.ports import Clock


class Companies(Protocol):
    """Who has a key for Cal.com."""

    @property
    def default_company(self) -> str:
        """Return the company whose key may come from the environment."""
        ...

    async def with_keys(self) -> Sequence[str]:
        """Return the companies that have one."""
        ...


class RejectedKeys:
    """
    Asks this process, and the notes of all; `noted_for` is how long a note counts.

    Of its own, a process knows none before it is told whom to `follow`.
    """

    def __init__(
        self,
        *,
        noted: StoredLoneBreakers,
        companies: Companies,
        clock: Clock,
        noted_for: timedelta,
    ) -> None:
        self._noted = noted
        self._companies = companies
        self._clock = clock
        self._noted_for = noted_for
        self._own: Callable[[], Mapping[str, datetime]] = dict

    def follow(self, own: Callable[[], Mapping[str, datetime]]) -> None:
        """Ask from now on what this process knows, too."""
        self._own = own

    def own(self) -> Mapping[str, datetime]:
        """Return since when this process knows keys to be rejected, by company."""
        return self._own()

    async def find(self) -> Sequence[RejectedKey]:
        """Return them by company; if the database does not answer, what this process knows by itself."""
        own = self.own()
        try:
            noted = rejected_since(await self._noted.noted(since=self._clock.now() - self._noted_for))
            companies = await self._companies.with_keys() if noted or own else ()
        except AppointmentDatabaseError:
            noted, companies = {}, ()
        since = {name: min(it[name] for it in (noted, own) if name in it) for name in sorted({*noted, *own})}
        return [
            RejectedKey(company_id=name, since=at, is_critical=self._is_critical(name, since, companies))
            for name, at in since.items()
        ]

    def _is_critical(self, company: str, rejected: Collection[str], with_keys: Collection[str]) -> bool:
        nobody_books = bool(with_keys) and all(name in rejected for name in with_keys)
        return nobody_books or company == self._companies.default_company
