"""
Whom calsaga works for: companies with their secrets, services and API keys, as front ends handle them.

It is made of the stores and of Cal.com's calendars, and imports nothing of the API.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from adapters.calcom.calendars import CalComCalendars
from adapters.database.api_keys import ApiKey, ApiKeys
from adapters.database.companies import Companies, Company
from adapters.database.services import DatabaseServices
from domain.errors import CustomerValidationError, UnknownService
from domain.service import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who holds the key of a request."""

    key_id: str
    company_id: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """A key as it may be shown: never the key itself."""

    key_id: str
    scopes: Sequence[str]
    last_characters: str
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceWish:
    """A service as its company defines it."""

    company_id: str
    service_id: str
    name: str
    duration_minutes: int
    calcom_event_type_id: int
    staff_id: str | None = None
    staff_group: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyRecord:
    """A company as it may be shown: whether it has secrets, never what they are."""

    company_id: str
    has_calcom_key: bool
    has_webhook_secret: bool


class KeyRegister:
    """The API keys; only digests of them are stored."""

    def __init__(self, keys: ApiKeys) -> None:
        self._keys = keys

    async def identify(self, key: str) -> Caller | None:
        """Return whose key it is, or None for a key that is unknown or revoked."""
        found = await self._keys.find(key)
        if found is None:
            return None
        return Caller(key_id=str(found.key_id), company_id=found.company_id, scopes=found.scopes)

    async def create(self, *, company_id: str, scopes: Sequence[str]) -> tuple[KeyRecord, str]:
        """Make a key, and return it with its text, which nobody can read again."""
        key, text = await self._keys.create(company_id=company_id, scopes=scopes)
        return _key_record(key), text

    async def list(self, *, company_id: str) -> Sequence[KeyRecord]:
        """Return the company's keys."""
        return [_key_record(key) for key in await self._keys.list(company_id=company_id)]

    async def revoke(self, *, company_id: str, key_id: str) -> bool:
        """Make a key useless; False if the company has no such key."""
        if key_id not in {str(key.key_id) for key in await self._keys.list(company_id=company_id)}:
            return False
        await self._keys.revoke(UUID(key_id))
        return True


class ServiceRegister:
    """The services of all companies, each checked against its event type at Cal.com."""

    def __init__(self, services: DatabaseServices, *, calendars: CalComCalendars) -> None:
        self._services = services
        self._calendars = calendars

    async def define(self, wish: ServiceWish) -> tuple[Service, bool]:
        """
        Check the event type at Cal.com and store the service; True if it is new.

        Raises:
            CustomerValidationError: Cal.com's event type is not suitable; nothing was stored.
            CalcomBookingError: Cal.com could not be asked.

        """
        calendar = await self._calendars.of(wish.company_id)
        found = await calendar.preflight(wish.calcom_event_type_id, duration_minutes=wish.duration_minutes)
        if found.errors:
            raise CustomerValidationError(found.errors)
        service = Service(**asdict(wish), notice_minutes=found.notice_minutes, sends_length=found.sends_length)
        is_new = await self._is_new(service)
        await self._services.put(service)
        return service, is_new

    async def find(self, *, company_id: str, service_id: str) -> Service:
        """
        Return a service.

        Raises:
            UnknownService: the company has no such service.

        """
        return await self._services.find(company_id=company_id, service_id=service_id)

    async def list(self, *, company_id: str) -> Sequence[Service]:
        """Return the company's services."""
        return await self._services.list(company_id=company_id)

    async def _is_new(self, service: Service) -> bool:
        try:
            await self._services.find(company_id=service.company_id, service_id=service.service_id)
        except UnknownService:
            return True
        return False


class CompanyRegister:
    """The companies and their secrets, which are stored encrypted."""

    def __init__(self, companies: Companies) -> None:
        self._companies = companies

    async def put(self, company_id: str, *, calcom_key: str | None, webhook_secret: str | None) -> CompanyRecord:
        """Store the secrets that are given, and leave the others."""
        secrets = None if webhook_secret is None else [webhook_secret]
        await self._companies.set(company_id, calcom_key=calcom_key, webhook_secrets=secrets)
        company = await self._companies.get(company_id)
        return _company_record(company or Company(company_id=company_id))

    async def list(self) -> Sequence[CompanyRecord]:
        """Return all companies."""
        return [_company_record(one) for one in await self._companies.list()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Everything that is kept about whom calsaga works for."""

    keys: KeyRegister
    services: ServiceRegister
    companies: CompanyRegister


def _key_record(key: ApiKey) -> KeyRecord:
    return KeyRecord(
        key_id=str(key.key_id),
        scopes=sorted(key.scopes),
        last_characters=key.last_characters,
        created_at=key.created_at,
        revoked_at=key.revoked_at,
    )


def _company_record(company: Company) -> CompanyRecord:
    return CompanyRecord(
        company_id=company.company_id,
        has_calcom_key=company.calcom_key is not None,
        has_webhook_secret=bool(company.webhook_secrets),
    )
