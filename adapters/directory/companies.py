"""
The companies and their secrets.

The default company's Cal.com key may also come from the environment; what is stored for
it takes precedence.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.database.companies import Companies, Company
from adapters.database.expiring import Expiring

REMEMBERED_SECONDS = 5.0


class NoEncryptionKey(Exception):
    """Set CALSAGA_ENCRYPTION_KEY (32 random bytes in URL-safe base64); without it no secret can be stored or read."""

    def __init__(self) -> None:
        super().__init__("CALSAGA_ENCRYPTION_KEY is not set; without it no company's secret can be stored or read")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyRecord:
    """A company as it may be shown: whether it has secrets, never what they are."""

    company_id: str
    has_calcom_key: bool
    has_webhook_secret: bool


class CompanyDirectory:
    """Stores secrets, and finds a company's Cal.com key; `stored` is None without an encryption key."""

    def __init__(self, *, stored: Companies | None, default_company: str, default_calcom_key: str | None) -> None:
        self._stored = stored
        self._default_company = default_company
        self._default_calcom_key = default_calcom_key
        self._known: Expiring[str, Company] = Expiring(seconds=REMEMBERED_SECONDS)

    async def calcom_key(self, company_id: str) -> str | None:
        """
        Return the company's Cal.com key, as it was a few seconds ago at most; None if it has none.

        Raises:
            SecretUnreadable: it was encrypted with another key.

        """
        company = self._known.get(company_id)
        if company is None:
            stored = None if self._stored is None else await self._stored.get(company_id)
            company = stored or Company(company_id=company_id)
            self._known.put(company_id, company)
        if company.calcom_key is None and company_id == self._default_company:
            return self._default_calcom_key
        return company.calcom_key

    async def put(self, company_id: str, *, calcom_key: str | None, webhook_secret: str | None) -> CompanyRecord:
        """
        Store the secrets that are given, and leave the others.

        Raises:
            NoEncryptionKey: there is nothing to encrypt them with.

        """
        if self._stored is None:
            raise NoEncryptionKey
        secrets = None if webhook_secret is None else (webhook_secret,)
        await self._stored.set(company_id, calcom_key=calcom_key, webhook_secrets=secrets)
        self._known.forget(company_id)
        return _record(await self._stored.get(company_id) or Company(company_id=company_id))

    async def list(self) -> Sequence[CompanyRecord]:
        """
        Return all companies that have been stored, by id.

        Raises:
            SecretUnreadable: one was encrypted with another key.

        """
        return [] if self._stored is None else [_record(one) for one in await self._stored.list()]


def _record(company: Company) -> CompanyRecord:
    return CompanyRecord(
        company_id=company.company_id,
        has_calcom_key=company.calcom_key is not None,
        has_webhook_secret=bool(company.webhook_secrets),
    )
