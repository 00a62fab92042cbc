"""
Webhooks come in: right signature and company, at most so large, and stored before they are acknowledged.
"""

from __future__ import annotations

import hashlib
import hmac

import httpx
import pytest

from tests.unit.adapters.web.conftest import connect
from tests.unit.adapters.web.fake_backend import FakeBackend

BODY = b'{"triggerEvent":"BOOKING_CREATED","payload":{"uid":"uid1"}}'
PATH = "/api/webhooks/calcom/acme"
HEADER = "X-Cal-Signature-256"


def _sign(body: bytes = BODY, secret: str = "hush") -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


async def _send(
    backend: FakeBackend, body: bytes = BODY, *signatures: str, path: str = PATH
) -> tuple[int, dict[str, object]]:
    headers = [(HEADER, one) for one in signatures]
    # Without a key of the API: whoever knows the secret may tell.
    async with connect(backend, key="") as client:
        answer = await client.post(path, content=body, headers=httpx.Headers(headers))
    return answer.status_code, answer.json()


@pytest.mark.parametrize("secret", ["hush", "the one before"])
async def test_any_secret_of_the_company_will_do(backend: FakeBackend, secret: str) -> None:
    assert (200, {"status": "stored"}) == await _send(backend, BODY, _sign(secret=secret))
    assert ["acme"] == [one.company_id for one in backend.inbox.stored]


async def test_a_replayed_body_is_known(backend: FakeBackend) -> None:
    answers = [(await _send(backend, BODY, _sign()))[1]["status"] for _ in range(3)]

    assert (["stored", "known", "known"], 1) == (answers, len(backend.inbox.stored))


async def test_invalid_json_with_a_right_signature_is_stored_as_rejected(backend: FakeBackend) -> None:
    assert (200, {"status": "rejected"}) == await _send(backend, b"{", _sign(b"{"))
    assert ["the body is not JSON"] == [one.problem for one in backend.inbox.stored]


@pytest.mark.parametrize(
    "signatures",
    [(), ("",), ("no-secret-provided",), (_sign(secret="other"),), (_sign(BODY + b" "),), (_sign(), _sign())],
)
async def test_a_missing_or_wrong_signature_is_refused(backend: FakeBackend, signatures: tuple[str, ...]) -> None:
    status, problem = await _send(backend, BODY, *signatures)

    assert (401, []) == (status, backend.inbox.stored)
    assert ["bad_signature"] == backend.metrics.webhooks
    assert "application/problem" not in str(problem.get("detail"))


async def test_an_unknown_company_is_not_found(backend: FakeBackend) -> None:
    assert 404 == (await _send(backend, BODY, _sign(), path="/api/webhooks/calcom/nobody"))[0]
    assert ([], ["unknown_company"]) == (backend.inbox.stored, backend.metrics.webhooks)


async def test_a_company_without_secrets_takes_nothing(backend: FakeBackend) -> None:
    backend.companies.secrets = ()

    assert 401 == (await _send(backend, BODY, _sign(secret="")))[0]


async def test_ten_megabytes_are_too_large(backend: FakeBackend) -> None:
    body = b" " * (10 * 1024 * 1024)

    assert (413, []) == ((await _send(backend, body, _sign(body)))[0], backend.inbox.stored)
