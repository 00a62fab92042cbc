"""
The operations of ``/v2/webhooks``.
"""

from dataclasses import replace
from typing import Any
from uuid import uuid4

from adapters.sandbox import webhook_requests
from adapters.sandbox.answers import Answer
from adapters.sandbox.calls import Caller, Prepared
from adapters.sandbox.desk import Circumstances
from adapters.sandbox.event_types import OWNER
from adapters.sandbox.faults import CallFacts
from adapters.sandbox.state import Sandbox
from adapters.sandbox.webhooks import Webhook

_FACTS = CallFacts(operation="webhooks")


def create(sandbox: Sandbox, *, caller: Caller) -> Prepared:
    fields = webhook_requests.read_new(caller.body)

    def action(given: Circumstances) -> Answer:  # noqa: ARG001 - every action has this form
        webhook = Webhook(id=str(uuid4()), key=caller.key, **fields)
        sandbox.webhooks.add(webhook)
        return Answer(data=webhook_output(webhook), status=201)

    return Prepared(facts=_FACTS, action=action)


def list_page(sandbox: Sandbox, *, caller: Caller) -> Prepared:
    page = webhook_requests.read_page(caller.query)

    def action(given: Circumstances) -> Answer:  # noqa: ARG001 - every action has this form
        shown = sandbox.webhooks.of_owner()[page.skip : page.skip + page.take]
        return Answer(data=[webhook_output(webhook) for webhook in shown])

    return Prepared(facts=_FACTS, action=action)


def get(sandbox: Sandbox, *, caller: Caller) -> Prepared:
    webhook = sandbox.webhooks.find(caller.path["webhook"])

    def action(given: Circumstances) -> Answer:  # noqa: ARG001 - every action has this form
        return Answer(data=webhook_output(webhook))

    return Prepared(facts=_FACTS, action=action)


def change(sandbox: Sandbox, *, caller: Caller) -> Prepared:
    sandbox.webhooks.find(caller.path["webhook"])
    fields = webhook_requests.read_change(caller.body)

    def action(given: Circumstances) -> Answer:  # noqa: ARG001 - every action has this form
        changed = replace(sandbox.webhooks.find(caller.path["webhook"]), **fields)
        sandbox.webhooks.change(changed)
        return Answer(data=webhook_output(changed))

    return Prepared(facts=_FACTS, action=action)


def delete(sandbox: Sandbox, *, caller: Caller) -> Prepared:
    sandbox.webhooks.find(caller.path["webhook"])

    def action(given: Circumstances) -> Answer:  # noqa: ARG001 - every action has this form
        webhook = sandbox.webhooks.find(caller.path["webhook"])
        sandbox.webhooks.remove(webhook)
        return Answer(data=webhook_output(webhook))

    return Prepared(facts=_FACTS, action=action)


def webhook_output(webhook: Webhook) -> dict[str, Any]:
    """
    Write a webhook as Cal.com's ``UserWebhookOutputDto``. The id is a UUID, whatever the document says.
    """
    return {
        "id": webhook.id,
        "userId": OWNER.id,
        "subscriberUrl": webhook.subscriber_url,
        "triggers": list(webhook.triggers),
        "active": webhook.active,
        "payloadTemplate": webhook.payload_template,
        "secret": webhook.secret,
    }
