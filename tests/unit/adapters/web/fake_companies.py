"""
What the API under test knows of companies and what is theirs, in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from adapters.web.ports import Caller, CompanyRecord, CustomerRecord, FreeSlots, KeyRecord, ServiceWish
from domain.booking import Booking
from domain.errors import AppointmentError
from domain.offer import Offer
from projections.engagement import Engagement
from tests.unit.adapters.web.given import ADA, FREE, NOW, OFFER, SERVICE


class FakeKeys:
    """A key is written `company/scope,scope`."""

    def __init__(self) -> None:
        self.made: list[tuple[str, Sequence[str]]] = []

    async def identify(self, key: str, *, remembered: bool = False) -> Caller | None:
        company_id, _, scopes = key.partition("/")
        if not scopes:
            return None
        return Caller(key_id=key, company_id=company_id, scopes=frozenset(scopes.split(",")))

    async def create(self, *, company_id: str, scopes: Sequence[str]) -> tuple[KeyRecord, str]:
        self.made.append((company_id, scopes))
        return _record("new", scopes), "csk_secret"

    async def list(self, *, company_id: str) -> Sequence[KeyRecord]:
        return [_record("one", ["ops:read"])] if company_id == "acme" else []

    async def revoke(self, *, company_id: str, key_id: str) -> bool:
        return (company_id, key_id) == ("acme", "one")


@dataclass
class FakeServices:
    defined: list[ServiceWish] = field(default_factory=list)
    is_new: bool = True
    error: AppointmentError | None = None

    async def define(self, wish: ServiceWish) -> tuple[Offer, bool]:
        if self.error is not None:
            raise self.error
        self.defined.append(wish)
        return replace(OFFER, opening_hours=wish.opening_hours), self.is_new

    async def list(self, *, company_id: str) -> Sequence[Offer]:
        return [OFFER] if company_id == SERVICE.company_id else []


@dataclass
class FakeCustomers:
    asked: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    engagement: Engagement | None = ADA.engagement

    async def list(self, *, company_id: str, phone: str | None, email: str | None) -> Sequence[CustomerRecord]:
        self.asked.append((company_id, phone, email))
        is_hers = company_id == SERVICE.company_id and ADA.phone == (phone or ADA.phone)
        return [replace(ADA, engagement=self.engagement)] if is_hers else []


@dataclass
class FakeAvailability:
    """Answers `free` or raises `error`; `others` are the alternatives."""

    free: FreeSlots = FREE
    error: AppointmentError | None = None
    others: tuple[datetime, ...] | None = None
    asked: list[dict[str, object]] = field(default_factory=list)
    wished: list[datetime] = field(default_factory=list)

    async def find(self, **asked: object) -> FreeSlots:
        self.asked.append(asked)
        if self.error is not None:
            raise self.error
        return self.free

    async def near(self, wished: datetime, booking: Booking) -> tuple[datetime, ...] | None:
        self.wished.append(wished)
        return self.others


@dataclass
class FakeCompanies:
    stored: list[tuple[str, str | None, Sequence[str] | None]] = field(default_factory=list)
    secrets: Sequence[str] = ("hush", "the one before")

    async def put(
        self, company_id: str, *, calcom_key: str | None, webhook_secrets: Sequence[str] | None
    ) -> CompanyRecord:
        self.stored.append((company_id, calcom_key, webhook_secrets))
        return CompanyRecord(company_id=company_id, has_calcom_key=True, has_webhook_secret=False)

    async def list(self) -> Sequence[CompanyRecord]:
        return [CompanyRecord(company_id=it, has_calcom_key=True, has_webhook_secret=True) for it in ("acme", "other")]

    async def webhook_secrets(self, company_id: str) -> Sequence[str] | None:
        return self.secrets if company_id == "acme" else None


def _record(key_id: str, scopes: Sequence[str]) -> KeyRecord:
    return KeyRecord(key_id=key_id, scopes=scopes, created_at=NOW, revoked_at=None)
