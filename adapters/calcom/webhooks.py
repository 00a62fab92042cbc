"""
Cal.com's webhooks: whose they are, and what they are about.

The signature is the lower-case hexadecimal HMAC-SHA256 of the raw body, without a prefix
and without a time; without a secret Cal.com sends `no-secret-provided`. A webhook has no
id, and its payload is believed in nothing but where to look. BOOKING_CANCELLED carries
no metadata.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from uuid import UUID

import orjson

from adapters.calcom.models import ATTEMPT_KEY, BOOKING_KEY
from sagas.inbox import IncomingWebhook

SIGNATURE_HEADER = "X-Cal-Signature-256"
_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_UID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_ATTEMPT = re.compile(r"[0-9a-f]{32}")
_TRIGGER = re.compile(r"[A-Z][A-Z0-9_]{0,79}")


def is_signed(body: bytes, *, signature: str, secrets: Sequence[str]) -> bool:
    """Tell whether one of the secrets signed the body; all are tried, in a time that tells nothing."""
    if not _SIGNATURE.fullmatch(signature):
        return False
    right = [
        hmac.compare_digest(hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(), signature)
        for secret in secrets
        if secret
    ]
    return any(right)


def read_webhook(body: bytes, *, company_id: str) -> IncomingWebhook:
    """Return what a webhook is about; with a `problem` if nothing can be made of it. Nothing about people is kept."""
    digest = hashlib.sha256(body).hexdigest()

    def rejected(problem: str) -> IncomingWebhook:
        return IncomingWebhook(company_id=company_id, digest=digest, problem=problem)

    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return rejected("the body is not JSON")
    if not isinstance(document, dict):
        return rejected("the body is no JSON object")
    trigger = _matching(_TRIGGER, document.get("triggerEvent"))
    if trigger is None:
        return rejected("the body names no trigger")
    # MEETING_STARTED and its like may be flat.
    payload = document.get("payload", document)
    facts = payload if isinstance(payload, dict) else {}
    metadata = facts.get("metadata")
    ids = metadata if isinstance(metadata, dict) else {}
    return IncomingWebhook(
        company_id=company_id,
        digest=digest,
        trigger=trigger,
        uid=_matching(_UID, facts.get("uid")) or _matching(_UID, facts.get("bookingUid")),
        former_uid=_matching(_UID, facts.get("rescheduleUid")),
        attempt_id=_matching(_ATTEMPT, ids.get(ATTEMPT_KEY)),
        booking_id=_uuid(ids.get(BOOKING_KEY)),
    )


def _matching(form: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and form.fullmatch(value) else None


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
