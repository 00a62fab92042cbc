"""
The companies and their secrets.

The default company's Cal.com key may also come from the environment; what is stored for
it takes precedence, also where it cannot be read: another key is another account.
"""

from collections.abc import Sequence

import structlog

from adapters.database.companies import Companies, CompanyRecord, SecretUnreadable
from adapters.database.expiring import Expiring

_log = structlog.get_logger(__name__)

REMEMBERED_SECONDS = 5.0


class NoEncryptionKey(Exception):
    """Set CALSAGA_ENCRYPTION_KEY (32 random bytes in URL-safe base64); without it no secret can be stored or read."""

    def __init__(self) -> None:
        super().__init__("CALSAGA_ENCRYPTION_KEY is not set; without it no company's secret can be stored or read")


class CompanyDirectory:
    """Stores secrets, and finds a company's Cal.com key."""

    def __init__(
        self,
        *,
        stored: Companies,
        default_company: str,
        default_calcom_key: str | None,
        default_webhook_secret: str | None = None,
    ) -> None:
        self._stored = stored
        self.default_company = default_company
        self._default_calcom_key = default_calcom_key
        self._default_webhook_secret = default_webhook_secret
        # In a tuple of one, since no key is worth remembering, too.
        self._known: Expiring[str, tuple[str | None]] = Expiring(seconds=REMEMBERED_SECONDS)
        self._known_secrets: Expiring[str, tuple[tuple[str, ...] | None]] = Expiring(seconds=REMEMBERED_SECONDS)
        self._keyless: set[str] = set()

    async def calcom_key(self, company_id: str) -> str | None:
        """
        Return the company's Cal.com key, as it was a few seconds ago at most; None if none can be used.

        Then all its bookings wait, which is critical, and said once until there is a key.
        """
        problem = "it has none"
        try:
            key = await self._calcom_key(company_id)
        except SecretUnreadable as error:
            key, problem = None, str(error)
        if key is not None:
            self._keyless.discard(company_id)
        elif company_id not in self._keyless:
            self._keyless.add(company_id)
            _log.critical("company.calcom_key.unusable", company_id=company_id, problem=problem)
        return key

    async def put(
        self, company_id: str, *, calcom_key: str | None, webhook_secrets: Sequence[str] | None
    ) -> CompanyRecord:
        """
        Store the secrets that are given, and leave the others.

        Raises:
            NoEncryptionKey: there is nothing to encrypt them with.

        """
        if not self._stored.can_encrypt:
            raise NoEncryptionKey
        await self._stored.set(company_id, calcom_key=calcom_key, webhook_secrets=webhook_secrets)
        self._known.forget(company_id)
        self._known_secrets.forget(company_id)
        record = await self._stored.find(company_id)
        return record or CompanyRecord(company_id=company_id, has_calcom_key=False, has_webhook_secret=False)

    async def webhook_secrets(self, company_id: str) -> Sequence[str] | None:
        """
        Return every secret that the company's webhooks may be signed with, None if there is no such company.

        The default company's secret from the environment holds beside those that are
        stored, so that one can be replaced without a gap.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        (own,) = await self._known_secrets.read(company_id, lambda: self._stored_secrets(company_id))
        if company_id != self.default_company:
            return own
        return (*(own or ()), *(() if self._default_webhook_secret is None else (self._default_webhook_secret,)))

    async def list(self) -> Sequence[CompanyRecord]:
        """Return all companies that have been stored, by id."""
        return await self._stored.list()

    async def with_keys(self) -> Sequence[str]:
        """
        Return the companies that have a Cal.com key, be it a usable one or not.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        stored = [one.company_id for one in await self.list() if one.has_calcom_key]
        by_default = self._default_calcom_key is not None and self.default_company not in stored
        return [*stored, *([self.default_company] if by_default else [])]

    async def _calcom_key(self, company_id: str) -> str | None:
        (key,) = await self._known.read(company_id, lambda: self._stored_key(company_id))
        return self._default_calcom_key if key is None and company_id == self.default_company else key

    async def _stored_key(self, company_id: str) -> tuple[str | None]:
        return (await self._stored.calcom_key(company_id),)

    async def _stored_secrets(self, company_id: str) -> tuple[tuple[str, ...] | None]:
        if await self._stored.find(company_id) is None:
            return (None,)
        return (await self._stored.webhook_secrets(company_id),)
