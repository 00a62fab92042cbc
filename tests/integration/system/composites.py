"""
A wish for several services in a row.
"""

from __future__ import annotations

from domain.wish import BookComposite, CustomerWish, LegWish
from tests.integration.system.account import Account
from tests.integration.system.installation import HALF_HOUR, START, Installation

SERVICES = {"color": "ann", "cut": "bob", "rinse": "ann"}


def a_row(*, key: str | None = "row", **more: object) -> BookComposite:
    """
    Return the wish for a color, a cut in its waiting time, and a rinse an hour after the color began.
    """
    legs = (
        LegWish(service_id="color", starts_at=START),
        LegWish(service_id="cut"),
        LegWish(service_id="rinse", starts_at=START + 2 * HALF_HOUR),
    )
    given = {
        "company_id": "default",
        "legs": legs,
        "customer": CustomerWish(name="Ada Lovelace", phone="+491701234567"),
        "time_zone": "UTC",
        "source": "test",
        "idempotency_key": key,
    }
    return BookComposite(**{**given, **more})  # type: ignore[arg-type]


async def define_row(installation: Installation, account: Account) -> dict[str, int]:
    """
    Define what the row is made of, and return the event types.
    """
    made = {service_id: account.event_type() for service_id in SERVICES}
    for service_id, event_type in made.items():
        await installation.define(event_type, service_id=service_id, staff_id=SERVICES[service_id])
    return made
