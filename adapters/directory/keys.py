"""API keys as callers and operators see them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.database.api_keys import PREFIX, REMEMBERED_SECONDS, ApiKey, ApiKeys
from adapters.database.expiring import Expiring
from domain.errors import CustomerValidationError, FieldError
from domain.text import identifier_problem

# What 32 random bytes look like in URL-safe base64.
_FORM = re.compile(re.escape(PREFIX) + r"[A-Za-z0-9_-]{43}")


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
    """
    Makes, finds and revokes keys, each within its company.

    Guessing is answered here as far as it can be: the database has bookings to attend to.
    """

    def __init__(self, stored: ApiKeys) -> None:
        self._stored = stored
        self._missed: Expiring[str, bool] = Expiring(seconds=REMEMBERED_SECONDS)

    async def identify(self, key: str, *, remembered: bool = False) -> Caller | None:
        """Return whose key it is, or None for a key that is unknown or revoked; see `ApiKeys.find`."""
        if not _FORM.fullmatch(key) or self._missed.get(key):
            return None
        found = await self._stored.find(key, remembered=remembered)
        if found is None:
            self._missed.put(key, value=True)
            return None
        return Caller(key_id=str(found.key_id), company_id=found.company_id, scopes=found.scopes)

    async def create(self, *, company_id: str, scopes: Sequence[str]) -> tuple[KeyRecord, str]:
        """
        Make a key, and return it with its text, which nobody can read again.

        Raises:
            CustomerValidationError: the company's id cannot be one.

        """
        problem = identifier_problem(company_id)
        if problem is not None:
            raise CustomerValidationError((FieldError("company_id", problem),))
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
