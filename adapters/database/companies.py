"""Companies and their secrets, encrypted in the database and nowhere shown."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Engine, RowMapping, select

from adapters.database.reading import Readers
from adapters.database.tables import companies
from adapters.database.upserting import upsert
from sagas.ports import Clock


class SecretUnreadable(Exception):
    """Give calsaga the key that the company's secrets were encrypted with, beside the present one."""

    def __init__(self, company_id: str) -> None:
        super().__init__(
            f"The secrets of company {company_id!r} were encrypted with a key that is not among those given."
        )
        self.company_id = company_id


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyRecord:
    """A company as it may be shown: whether it has secrets, never what they are."""

    company_id: str
    has_calcom_key: bool
    has_webhook_secret: bool


def cipher(keys: Sequence[str]) -> MultiFernet:
    """
    Return what encrypts with the first key and decrypts with any.

    Raises:
        ValueError: a key is not 32 bytes in URL-safe base64.

    """
    return MultiFernet([Fernet(key) for key in keys])


class Companies:
    """
    Set and list companies, and read their secrets, each by itself: one that cannot be read spoils no other.

    Without `secrets` none can be read, and nobody is given any.
    """

    def __init__(self, *, engine: Engine, readers: Readers, clock: Clock, secrets: MultiFernet | None) -> None:
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._secrets = secrets

    @property
    def can_encrypt(self) -> bool:
        """Tell whether secrets can be stored."""
        return self._secrets is not None

    async def calcom_key(self, company_id: str) -> str | None:
        """
        Return a company's Cal.com key, or None if it was never set.

        Raises:
            SecretUnreadable: it was encrypted with another key.
            AppointmentDatabaseError: the database did not answer.

        """
        row = await self._readers.run(lambda: self._row(company_id))
        text = None if row is None else row["calcom_key_encrypted"]
        return None if text is None else self._decrypted(text, company_id)

    async def webhook_secrets(self, company_id: str) -> tuple[str, ...]:
        """
        Return a company's webhook secrets; each is accepted, so that one can be replaced without a gap.

        Raises:
            SecretUnreadable: they were encrypted with another key.
            AppointmentDatabaseError: the database did not answer.

        """
        row = await self._readers.run(lambda: self._row(company_id))
        text = None if row is None else row["webhook_secrets_encrypted"]
        return () if text is None else tuple(json.loads(self._decrypted(text, company_id)))

    async def find(self, company_id: str) -> CompanyRecord | None:
        """
        Return a company, or None if it was never set; nothing is decrypted for it.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        row = await self._readers.run(lambda: self._row(company_id))
        return None if row is None else _record(row)

    async def list(self) -> Sequence[CompanyRecord]:
        """
        Return all companies, by their ids; nothing is decrypted for it.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        return await self._readers.glance(self._list)

    async def set(
        self, company_id: str, *, calcom_key: str | None = None, webhook_secrets: Sequence[str] | None = None
    ) -> None:
        """
        Set a company's secrets; those not given stay as they are.

        Raises:
            AppointmentDatabaseError: the database did not take it.

        """
        given: dict[str, Any] = {}
        if calcom_key is not None:
            given["calcom_key_encrypted"] = self._encrypted(calcom_key)
        if webhook_secrets is not None:
            given["webhook_secrets_encrypted"] = self._encrypted(json.dumps(list(webhook_secrets)))
        await self._readers.run(lambda: self._set(company_id, given))

    def _row(self, company_id: str) -> RowMapping | None:
        with self._engine.connect() as connection:
            return connection.execute(select(companies).where(companies.c.id == company_id)).mappings().one_or_none()

    def _list(self) -> Sequence[CompanyRecord]:
        with self._engine.connect() as connection:
            return [_record(row) for row in connection.execute(select(companies).order_by(companies.c.id)).mappings()]

    def _set(self, company_id: str, given: dict[str, Any]) -> None:
        now = self._clock.now()
        row = {"id": company_id, **given, "created_at": now, "updated_at": now}
        with self._engine.begin() as connection:
            upsert(connection, companies, row, keep=frozenset({"created_at"}))

    def _encrypted(self, text: str) -> str:
        if self._secrets is None:
            raise ValueError("there is no key to encrypt with")
        return self._secrets.encrypt(text.encode()).decode()

    def _decrypted(self, text: str, company_id: str) -> str:
        if self._secrets is None:
            raise SecretUnreadable(company_id)
        try:
            return self._secrets.decrypt(text).decode()
        except InvalidToken as exc:
            raise SecretUnreadable(company_id) from exc


def _record(row: RowMapping) -> CompanyRecord:
    return CompanyRecord(
        company_id=row["id"],
        has_calcom_key=row["calcom_key_encrypted"] is not None,
        has_webhook_secret=row["webhook_secrets_encrypted"] is not None,
    )
