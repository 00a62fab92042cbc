"""
Addresses that Cal.com had made up and that were taken for the customers' own: they make way for the real ones.
"""

from __future__ import annotations

from uuid import uuid4

import sqlalchemy as sa

from adapters.database.engine import open_engine
from adapters.database.tables import customers
from migrations.runner import migrate
from tests.integration.storage.appends import COMPANY, NOW, opened, rows
from tests.integration.storage.test_customers import a_customer, written

PHONE, MADE_UP = "+4917907280", "4917907280@sms.cal.com"


def test_made_up_addresses_are_gone_and_whoever_had_nothing_else_is_known_by_the_phone(empty_database_url: str) -> None:
    url = empty_database_url
    migrate(url, to="0006")
    _put(url, "both", PHONE, MADE_UP)
    _put(url, "real", "+4917907281", "Ada@Example.com")
    _put(url, "address alone", None, "4917907282@sms.cal.com")
    _put(url, "taken", None, MADE_UP)
    _put(url, "nonsense", None, "x;isub=1@SMS.cal.com")
    _put(url, "another company's", None, MADE_UP, company_id="rival")

    migrate(url)

    assert [
        ("address alone", "+4917907282", None, None),
        ("another company's", PHONE, None, None),
        ("both", PHONE, None, None),
        ("nonsense", None, None, None),
        ("real", "+4917907281", "Ada@Example.com", "ada@example.com"),
        ("taken", None, None, None),
    ] == rows(url, "SELECT name, phone, email, email_folded FROM customers ORDER BY name")


def test_the_real_address_is_learned_then(empty_database_url: str) -> None:
    url = empty_database_url
    migrate(url, to="0006")
    _put(url, "Ada", PHONE, MADE_UP)
    migrate(url)

    with opened(url) as database:
        written(database, a_customer(PHONE, "ada@example.com"))

    assert [(PHONE, "ada@example.com")] == rows(url, "SELECT phone, email FROM customers")


def _put(url: str, name: str, phone: str | None, email: str, *, company_id: str = COMPANY) -> None:
    engine = open_engine(url)
    row = {
        "customer_id": uuid4(),
        "company_id": company_id,
        "name": name,
        "email": email,
        "email_folded": email.casefold(),
        "phone": phone,
        "created_at": NOW,
    }
    with engine.begin() as connection:
        connection.execute(sa.insert(customers).values(row))
    engine.dispose()
