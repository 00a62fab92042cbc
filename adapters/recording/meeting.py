"""
Who has been a customer before: asked behind the writer lock, where nobody can become one meanwhile.

So two wishes of one person make one customer, whatever each of them gives, and it costs
neither of them a transaction of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from sagas.appending import Customer


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRow:
    """Who somebody is by the table: the one with their phone, else the one with their e-mail address (casefolded)."""

    customer_id: UUID
    phone: str | None
    email: str | None


@dataclass(slots=True)
class Meeting:
    """The customers of one batch, each of whom finds the table as those before have left it."""

    _rows: dict[UUID, CustomerRow] = field(default_factory=dict)
    _by_phone: dict[tuple[str, str], UUID] = field(default_factory=dict)
    _by_email: dict[tuple[str, str], dict[UUID, None]] = field(default_factory=dict)

    def meet(self, customer: Customer, found: CustomerRow | None) -> UUID:
        """Return under which id this one is, or becomes, a customer; `found` is what the table said."""
        row = self._row_of(customer, found)
        learned = CustomerRow(
            customer_id=row.customer_id, phone=row.phone or customer.phone, email=row.email or folded(customer)
        )
        self._rows[learned.customer_id] = learned
        if learned.phone is not None:
            self._by_phone.setdefault((customer.company_id, learned.phone), learned.customer_id)
        if learned.email is not None:
            self._by_email.setdefault((customer.company_id, learned.email), {})[learned.customer_id] = None
        return learned.customer_id

    def _row_of(self, customer: Customer, found: CustomerRow | None) -> CustomerRow:
        by_table = None if found is None else self._rows.get(found.customer_id, found)
        if customer.phone is not None:
            if by_table is not None and by_table.phone == customer.phone:
                return by_table
            there = self._by_phone.get((customer.company_id, customer.phone))
            if there is not None:
                return self._rows[there]
        rows = (by_table, *self._with_the_email_of(customer))
        # Where the phones differ, the people do, though they share an address.
        fitting = (row for row in rows if row is not None and (customer.phone is None or row.phone is None))
        new = CustomerRow(customer_id=customer.customer_id, phone=None, email=None)
        return next(fitting, self._rows.get(new.customer_id, new))

    def _with_the_email_of(self, customer: Customer) -> Iterator[CustomerRow]:
        email = folded(customer)
        if email is not None:
            for customer_id in self._by_email.get((customer.company_id, email), ()):
                yield self._rows[customer_id]


def folded(customer: Customer) -> str | None:
    """Return the e-mail address as it is compared."""
    return None if customer.email is None else customer.email.casefold()
