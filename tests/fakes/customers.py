"""
Who remembers whose a phone is, and who is meant by what somebody gives.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sagas.appending import Customer


class FakeCustomers:
    """
    A process's memory of phones.
    """

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], UUID] = {}

    def recall(self, *, company_id: str, phone: str) -> UUID | None:
        return self.known.get((company_id, phone))

    def remember(self, *, company_id: str, phone: str, customer_id: UUID) -> None:
        self.known[company_id, phone] = customer_id


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
