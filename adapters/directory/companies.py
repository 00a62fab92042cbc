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

    def __init__(self, *, stored: Companies, default_company: str, default_calcom_key: str | None) -> None:
        self._stored = stored
        self._default_company = default_company
        self._default_calcom_key = default_calcom_key
        # In a tuple of one, since no key is worth remembering, too.
        self._known: Expiring[str, tuple[str | None]] = Expiring(seconds=REMEMBERED_SECONDS)
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

    async def put(self, company_id: str, *, calcom_key: str | None, webhook_secret: str | None) -> CompanyRecord:
        """
        Store the secrets that are given, and leave the others.

        Raises:
            NoEncryptionKey: there is nothing to encrypt them with.

        """
        if not self._stored.can_encrypt:
            raise NoEncryptionKey
        secrets = None if webhook_secret is None else (webhook_secret,)
        await self._stored.set(company_id, calcom_key=calcom_key, webhook_secrets=secrets)
        self._known.forget(company_id)
        record = await self._stored.find(company_id)
        return record or CompanyRecord(company_id=company_id, has_calcom_key=False, has_webhook_secret=False)

    async def list(self) -> Sequence[CompanyRecord]:
        """Return all companies that have been stored, by id."""
        return await self._stored.list()

    async def _calcom_key(self, company_id: str) -> str | None:
        known = self._known.get(company_id)
        if known is None:
            known = (await self._stored.calcom_key(company_id),)
            self._known.put(company_id, known)
        (key,) = known
        return self._default_calcom_key if key is None and company_id == self._default_company else key
