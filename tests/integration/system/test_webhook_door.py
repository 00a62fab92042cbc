"""
Who may tell us anything: the signature, the company, the size, and two secrets while one is replaced.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import orjson
import pytest
from cryptography.fernet import Fernet

from adapters.sandbox.bookings import new_uid
from tests.integration.system.account import Account
from tests.integration.system.installation import Installation, quick
from tests.integration.system.serving import HEADER, HOOK, SECRET, Served, served, signature

BODY = orjson.dumps({"triggerEvent": "PING", "createdAt": "now", "payload": {}})


@pytest.fixture
async def here(database_url: str, account: Account) -> AsyncIterator[Served]:
    more = {"calcom_webhook_secret": SECRET, "encryption_key": Fernet.generate_key().decode()}
    async with served(Installation(settings=quick(database_url, account, **more)), background=False) as here:
        yield here


async def _send(
    here: Served, body: bytes = BODY, *, headers: dict[str, str] | None = None, path: str = HOOK
) -> httpx.Response:
    return await here.http.post(path, content=body, headers={HEADER: signature(body)} if headers is None else headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {HEADER: ""},
        {HEADER: "no-secret-provided"},
        {HEADER: signature(BODY, "whsec_other")},
        {HEADER: signature(BODY + b" ")},
        {HEADER: signature(BODY).upper()},
        {HEADER: f"sha256={signature(BODY)}"},
        {HEADER: signature(BODY)[:-1]},
        {HEADER: f"{signature(BODY)}, {signature(BODY)}"},
        {"X-Cal-Signature": signature(BODY)},
    ],
)
async def test_what_is_not_signed_with_the_secret_is_refused(here: Served, headers: dict[str, str]) -> None:
    answer = await _send(here, headers=headers)

    assert (401, []) == (answer.status_code, await here.webhooks())


@pytest.mark.parametrize("company", ["rival", "%00", "%2e%2e", "a%20b", "x" * 500, "\N{DANCER}"])
async def test_an_unknown_company_is_not_found(here: Served, company: str) -> None:
    answer = await _send(here, path=f"/api/webhooks/calcom/{company}")

    assert 404 == answer.status_code, answer.text


@pytest.mark.parametrize("says_so", [True, False], ids=["said beforehand", "seen on the way"])
async def test_ten_megabytes_are_too_much(here: Served, says_so: bool) -> None:
    port = int(here.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    length = "Content-Length: 10000000" if says_so else "Transfer-Encoding: chunked"
    writer.write(f"POST {HOOK} HTTP/1.1\r\nHost: calsaga\r\n{HEADER}: {signature(BODY)}\r\n{length}\r\n\r\n".encode())
    if not says_so:
        writer.write(b"180000\r\n" + b" " * 0x180000 + b"\r\n")
    status = await reader.readline()
    writer.close()

    assert (b"HTTP/1.1 413", []) == (status[:12], await here.webhooks())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"BOOKING_CREATED"',
        b"{}",
        b'{"triggerEvent": 7}',
        b'{"triggerEvent": "booking; DROP TABLE"}',
        b'{"triggerEvent": "A\\u0000B"}',
        b"[" * 5000 + b"]" * 5000,
    ],
)
async def test_what_cannot_be_read_is_stored_as_rejected(here: Served, body: bytes) -> None:
    first, again = await _send(here, body), await _send(here, body)

    assert [(200, "rejected"), (200, "known")] == [(it.status_code, it.json()["status"]) for it in (first, again)]
    assert ["rejected"] == await here.outcomes()


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        {"uid": None},
        {"uid": {}},
        {"uid": "x" * 101},
        {"uid": "a/b?c=d"},
        {"uid": "a\x00b"},
        {"metadata": "\N{DANCER}"},
        {"metadata": {"calsaga_booking_id": 7, "calsaga_attempt_id": ["x"]}},
    ],
)
async def test_what_is_odd_inside_is_kept_and_ignored(here: Served, payload: object) -> None:
    answer = await here.told({"triggerEvent": "BOOKING_CREATED", "payload": payload})

    assert (200, "ignored") == (answer.status_code, answer.json()["status"])


async def test_the_same_body_again_is_known(here: Served) -> None:
    document = {"triggerEvent": "BOOKING_CREATED", "payload": {"uid": new_uid()}}

    said = [(await here.told(document)).json()["status"] for _ in range(3)]

    assert ["stored", "known", "known"] == said
    assert 1 == len(await here.webhooks())


async def test_two_secrets_hold_while_one_is_replaced(here: Served) -> None:
    old_and_new = {"calcom_key": None, "webhook_secrets": ["whsec_old", "whsec_new"]}
    await here.app.directory.companies.put("default", **old_and_new)  # type: ignore[arg-type]
    await here.app.directory.companies.put("rival", calcom_key=None, webhook_secrets=["whsec_rival"])

    both = [(await _send(here, headers={HEADER: signature(BODY, it)})).status_code for it in ("whsec_old", "whsec_new")]
    await here.app.directory.companies.put("default", calcom_key=None, webhook_secrets=["whsec_new"])
    after = [
        (await _send(here, headers={HEADER: signature(BODY, it)})).status_code for it in ("whsec_old", "whsec_new")
    ]
    rivals = await _send(here, headers={HEADER: signature(BODY, "whsec_rival")})

    assert ([200, 200], [401, 200], 401) == (both, after, rivals.status_code)


async def test_a_company_without_a_secret_believes_nobody(here: Served) -> None:
    await here.app.directory.companies.put("mute", calcom_key="cal_mute", webhook_secrets=None)

    answers = [
        await _send(here, path="/api/webhooks/calcom/mute", headers={HEADER: said})
        for said in (signature(BODY, ""), signature(BODY), "no-secret-provided")
    ]

    assert [401] * 3 == [answer.status_code for answer in answers]
