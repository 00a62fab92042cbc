"""
The customers of the log in memory, found again as the database finds them.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sagas.appending import Customer
from tests.fakes.log import FakeLog


class FakeCustomers:
    """
    The customers that stand in the log, in the order in which they came.
    """

    def __init__(self, log: FakeLog) -> None:
        self._log = log

    async def find(self, *, company_id: str, phone: str | None, email: str | None) -> UUID | None:
        ours = [one for one in self._log.customers.values() if one.company_id == company_id]
        return meant(ours, phone=phone, email=email)


def meant(customers: Iterable[Customer], *, phone: str | None, email: str | None) -> UUID | None:
    """
    Say in plain Python which of a company's customers is meant; the oldest come first.
    """
    known = list(customers)
    folded = None if email is None else email.casefold()
    by_phone = [one for one in known if phone is not None and one.phone == phone]
    by_email = [
        one
        for one in known
        if folded is not None and (one.email or "").casefold() == folded and (phone is None or one.phone is None)
    ]
    for one in [*by_phone, *(it for it in by_email if it.phone), *by_email]:
        return one.customer_id
    return None
