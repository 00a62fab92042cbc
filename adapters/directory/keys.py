"""API keys as callers and operators see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.database.api_keys import ApiKey, ApiKeys

SCOPES = ("bookings:write", "bookings:read", "ops:read", "ops:write")


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
    created_at: datetime
    revoked_at: datetime | None


class KeyDirectory:
    """Makes, finds and revokes keys, each within its company."""

    def __init__(self, stored: ApiKeys) -> None:
        self._stored = stored

    async def identify(self, key: str) -> Caller | None:
        """Return whose key it is, or None for a key that is unknown or revoked."""
        found = await self._stored.find(key)
        if found is None:
            return None
        return Caller(key_id=str(found.key_id), company_id=found.company_id, scopes=found.scopes)

    async def create(self, *, company_id: str, scopes: Sequence[str]) -> tuple[KeyRecord, str]:
        """Make a key, and return it with its text, which nobody can read again."""
        key, text = await self._stored.create(company_id=company_id, scopes=scopes)
        return _record(key), text

    async def list(self, *, company_id: str) -> Sequence[KeyRecord]:
        """Return the company's keys, the oldest first."""
        return [_record(key) for key in await self._stored.list(company_id=company_id)]

    async def revoke(self, *, company_id: str, key_id: str) -> bool:
        """Make a key useless, everywhere within a second; False if the company has no such key."""
        for key in await self._stored.list(company_id=company_id):
            if str(key.key_id) == key_id:
                await self._stored.revoke(key.key_id)
                return True
        return False


def _record(key: ApiKey) -> KeyRecord:
    return KeyRecord(
        key_id=str(key.key_id),
        scopes=tuple(sorted(key.scopes)),
        created_at=key.created_at,
        revoked_at=key.revoked_at,
    )
