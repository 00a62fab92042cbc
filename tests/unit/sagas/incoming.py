"""
Webhooks that come to an office, and what becomes of them.
"""

from __future__ import annotations

from datetime import timedelta

from domain.webhook import Webhook, webhook_id_of
from sagas.inbox import IncomingWebhook
from tests.fakes.given import BOOKING_ID, WISH
from tests.fakes.office import Office

HOUR = timedelta(hours=1)


def incoming(trigger: str, uid: str | None = "uid-1", *, ours: bool = False, digest: str = "") -> IncomingWebhook:
    return IncomingWebhook(
        company_id="acme",
        digest=digest or f"{trigger} {uid}",
        trigger=trigger,
        uid=uid,
        attempt_id="a" * 32 if ours else None,
        booking_id=BOOKING_ID if ours else None,
    )


def of(office: Office, webhook: IncomingWebhook) -> Webhook:
    return office.log.webhook(webhook_id_of(webhook.company_id, webhook.digest))


def receive(office: Office, *webhooks: IncomingWebhook) -> list[str]:
    async def main() -> list[str]:
        return [await office.sagas.inbox.receive(one) for one in webhooks]

    return office.run(main())


def outcome_of(office: Office, webhook: IncomingWebhook) -> str | None:
    processed = of(office, webhook).processed
    return None if processed is None else processed.outcome


def booked() -> Office:
    office = Office()
    office.run(office.orchestrator.book(WISH))
    return office


def rows(office: Office) -> list[tuple[str, bool]]:
    return [(one.inserted.calcom_booking_uid, one.booked) for one in office.log.appointments.values()]
