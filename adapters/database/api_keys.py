"""
API keys: shown once, kept as a digest, revoked within a second everywhere.

Who holds a key is remembered for minutes; which keys were revoked is asked for once a
second, for all of them together.
"""

import asyncio
import hashlib
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Engine, RowMapping, select, update

from adapters.caching.cache import Cache, uncounted
from adapters.database.reading import Readers
from adapters.database.tables import api_keys
from adapters.metrics import CacheName, CacheOutcome
from domain.errors import AppointmentDatabaseError
from sagas.ports import Clock

PREFIX = "csk_"
REMEMBERED_SECONDS = 1.0
"""How old it may be that a key is good, or none."""
REMEMBERED = timedelta(minutes=5)
WHILE_AWAY = timedelta(hours=1)
"""For how long a key is remembered while the database is away, which may be so from here alone."""
WATCHING = frozenset({"ops:read"})
"""What a key is good for that has been remembered for longer than keys are."""
_SLOW = timedelta(minutes=1)
"""Longer than a key is on its way from the database to the cache, or a revocation into the database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is known of a key; the key itself is not."""

    key_id: UUID
    company_id: str
    scopes: frozenset[str]
    last_characters: str
    created_at: datetime
    revoked_at: datetime | None


class ApiKeys:
    """Create, find, list and revoke keys."""

    def __init__(
        self,
        *,
        engine: Engine,
        readers: Readers,
        clock: Clock,
        count: Callable[[CacheName, CacheOutcome], None] = uncounted,
    ) -> None:
        self._engine = engine
        self._readers = readers
        self._clock = clock
        # By digest, since the company is what one wants to know.
        self._known: Cache[ApiKey] = Cache("user", fresh=REMEMBERED, kept=WHILE_AWAY, now=clock.now, count=count)
        self._looking = asyncio.Lock()
        self._looked_at = self._failed_at = -REMEMBERED_SECONDS
        self._looked_until = clock.now() - REMEMBERED

    async def create(self, *, company_id: str, scopes: Sequence[str]) -> tuple[ApiKey, str]:
        """
        Create a key, and return it with its text, which nobody can ask for again.

        Raises:
            AppointmentDatabaseError: the database did not take it.

        """
        text = PREFIX + secrets.token_urlsafe(32)
        key = ApiKey(
            key_id=uuid4(),
            company_id=company_id,
            scopes=frozenset(scopes),
            last_characters=text[-4:],
            created_at=self._clock.now(),
            revoked_at=None,
        )
        await self._readers.run(lambda: self._insert(key, _digest(text)))
        return key, text

    async def find(self, text: str, *, remembered: bool = False) -> ApiKey | None:
        """
        Return the key with this text, or None if there is none or it was revoked.

        One that is `remembered` will do while the database is away; after `REMEMBERED` for watching alone, since it may
        have been revoked where the database is there.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        digest = _digest(text)
        if not remembered:
            await self._forget_revoked()
        key = self._known.get(digest)
        if key is None and remembered and (old := self._known.get(digest, stale=True)) is not None:
            return replace(old, scopes=old.scopes & WATCHING)
        if key is None:
            key = await self._readers.glance(lambda: self._find(digest))
            if key is not None:
                self._known.put(digest, key)
        return key

    def forget_all(self, _company_id: str | None = None) -> int:
        """Forget who holds which key, and return how many those were: all, since they are found by their digests."""
        return self._known.forget_all()

    async def list(self, *, company_id: str | None = None) -> Sequence[ApiKey]:
        """
        Return all keys, or those of one company, the revoked ones included, oldest first.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        return await self._readers.run(lambda: self._list(company_id))

    async def revoke(self, key_id: UUID) -> bool:
        """
        Make a key useless, and tell whether it was of use until now.

        Raises:
            AppointmentDatabaseError: the database did not take it.

        """
        self._known.forget_all()
        return await self._readers.run(lambda: self._revoke(key_id))

    async def _forget_revoked(self) -> None:
        asked = time.monotonic()
        async with self._looking:
            began = time.monotonic()
            if began - self._looked_at < REMEMBERED_SECONDS:
                return
            if self._failed_at >= asked:
                # Who stood in line has waited as long as whoever was before: it would be as long again.
                raise AppointmentDatabaseError("the database did not say which keys were revoked", kind="timeout")
            now = self._clock.now()
            # All that is kept may have been revoked since the last look, however long ago that was.
            since = min(self._looked_until, now - REMEMBERED) - _SLOW
            try:
                revoked = await self._readers.glance(lambda: self._revoked(since))
            except AppointmentDatabaseError:
                self._failed_at = time.monotonic()
                raise
            self._looked_until = now
            for digest in revoked:
                self._known.forget(digest)
            self._looked_at = began

    def _revoked(self, since: datetime) -> Sequence[str]:
        query = select(api_keys.c.key_sha256).where(api_keys.c.revoked_at > since)
        with self._engine.connect() as connection:
            return connection.execute(query).scalars().all()

    def _insert(self, key: ApiKey, digest: str) -> None:
        row = {
            "key_id": key.key_id,
            "company_id": key.company_id,
            "key_sha256": digest,
            "last_characters": key.last_characters,
            "scopes": " ".join(sorted(key.scopes)),
            "created_at": key.created_at,
        }
        with self._engine.begin() as connection:
            connection.execute(api_keys.insert().values(row))

    def _find(self, digest: str) -> ApiKey | None:
        query = select(api_keys).where(api_keys.c.key_sha256 == digest, api_keys.c.revoked_at.is_(None))
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else _api_key(row)

    def _list(self, company_id: str | None) -> Sequence[ApiKey]:
        query = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.key_id)
        if company_id is not None:
            query = query.where(api_keys.c.company_id == company_id)
        with self._engine.connect() as connection:
            return [_api_key(row) for row in connection.execute(query).mappings()]

    def _revoke(self, key_id: UUID) -> bool:
        change = update(api_keys).where(api_keys.c.key_id == key_id, api_keys.c.revoked_at.is_(None))
        with self._engine.begin() as connection:
            return connection.execute(change.values(revoked_at=self._clock.now())).rowcount == 1


def _digest(text: str) -> str:
    # The text has 256 random bits: nothing slower is needed to keep it from being guessed. A lone surrogate, which
    # no key has, must not be an error.
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _api_key(row: RowMapping) -> ApiKey:
    return ApiKey(
        key_id=row["key_id"],
        company_id=row["company_id"],
        scopes=frozenset(row["scopes"].split()),
        last_characters=row["last_characters"],
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
    )
