from __future__ import annotations

import hashlib
import hmac
import random
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from uuid import UUID

import orjson
import pytest

from adapters.calcom.webhooks import is_signed, read_webhook
from sagas.inbox import IncomingWebhook

SECRET = "whsec_new"
OLD = "whsec_old"
BOOKING_ID = UUID(int=7)
ATTEMPT = "a" * 32
PAYLOAD: dict[str, Any] = {
    "uid": "uid1",
    "rescheduleUid": "uid0",
    "title": "Cut between Ada Lovelace and Ann",
    "attendees": [{"name": "Ada Lovelace", "email": "ada@example.com", "phoneNumber": "+491701234567"}],
    "responses": {"notes": {"value": "knee"}, "email": {"value": "ada@example.com"}},
    "cancellationReason": "Ada is ill",
    "metadata": {"calsaga_attempt_id": ATTEMPT, "calsaga_booking_id": str(BOOKING_ID), "note": "Ada"},
}
BODY = orjson.dumps({"triggerEvent": "BOOKING_CREATED", "createdAt": "2026-11-22T12:00:00Z", "payload": PAYLOAD})


def _sign(body: bytes = BODY, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _read(document: object) -> IncomingWebhook:
    return read_webhook(orjson.dumps(document), company_id="acme")


@pytest.mark.parametrize("secrets", [[SECRET], [OLD, SECRET], [SECRET, OLD], ["", SECRET]])
def test_any_active_secret_may_have_signed(secrets: list[str]) -> None:
    assert is_signed(BODY, signature=_sign(), secrets=secrets)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "no-secret-provided",
        _sign().upper(),
        f"sha256={_sign()}",
        f" {_sign()}",
        f"{_sign()} ",
        f"{_sign()}\n",
        _sign()[:-1],
        _sign() + "0",
        f"{_sign()},{_sign()}",
        "é" * 64,
        "\N{ARABIC-INDIC DIGIT ZERO}" * 64,
        "g" * 64,
        "0" * 64,
        _sign(secret=""),
        _sign(secret=OLD),
        hashlib.sha256(BODY).hexdigest(),
    ],
)
def test_a_signature_of_any_other_form_is_refused(wrong: str) -> None:
    assert not is_signed(BODY, signature=wrong, secrets=[SECRET])


@pytest.mark.parametrize("secrets", [[], [""], ["", ""]])
def test_without_a_secret_nothing_is_signed(secrets: list[str]) -> None:
    signatures = [_sign(secret=""), _sign(), "no-secret-provided"]

    assert [False] * 3 == [is_signed(BODY, signature=one, secrets=secrets) for one in signatures]


def _flipped(draw: random.Random, text: bytes) -> bytes:
    place = draw.randrange(len(text))
    return text[:place] + bytes([text[place] ^ (1 << draw.randrange(8))]) + text[place + 1 :]


def _cut(draw: random.Random, text: bytes) -> bytes:
    place = draw.randrange(len(text))
    return text[:place] + text[place + 1 + draw.randrange(3) :]


def _grown(draw: random.Random, text: bytes) -> bytes:
    place = draw.randrange(len(text) + 1)
    return text[:place] + bytes([draw.randrange(256)]) + text[place:]


def _swapped(draw: random.Random, text: bytes) -> bytes:
    one, other = sorted(draw.sample(range(len(text)), 2))
    return text[:one] + text[other : other + 1] + text[one + 1 : other] + text[one : one + 1] + text[other + 1 :]


def test_of_ten_thousand_mutations_of_body_signature_and_secret_none_is_accepted() -> None:
    draw = random.Random(2027)
    changes: list[Callable[[random.Random, bytes], bytes]] = [_flipped, _cut, _grown, _swapped]
    given = {"body": BODY, "signature": _sign().encode(), "secret": SECRET.encode()}
    tried = accepted = 0
    while tried < 10_000:
        part = draw.choice(list(given))
        changed = given[part]
        for _ in range(draw.randint(1, 3)):
            changed = draw.choice(changes)(draw, changed) or b"\x00"
        # HMAC fills a key up with zeros: with some more at its end it is the same key.
        if changed.rstrip(b"\x00") == given[part]:
            continue
        tried += 1
        facts = {**given, part: changed}
        accepted += is_signed(
            facts["body"],
            signature=facts["signature"].decode("latin-1"),
            secrets=[facts["secret"].decode("latin-1")],
        )

    assert (10_000, 0) == (tried, accepted)


def test_a_webhook_says_where_to_look() -> None:
    webhook = read_webhook(BODY, company_id="acme")

    assert webhook == IncomingWebhook(
        company_id="acme",
        digest=hashlib.sha256(BODY).hexdigest(),
        trigger="BOOKING_CREATED",
        uid="uid1",
        former_uid="uid0",
        attempt_id=ATTEMPT,
        booking_id=BOOKING_ID,
    )


def test_nothing_about_people_is_kept() -> None:
    kept = repr(asdict(read_webhook(BODY, company_id="acme")))

    assert [] == [word for word in ("Ada", "ada@", "+4917", "knee", "ill", "Ann") if word in kept]


@pytest.mark.parametrize(
    "field", ["uid", "bookingUid", "rescheduleUid", "calsaga_attempt_id", "calsaga_booking_id", "triggerEvent"]
)
@pytest.mark.parametrize(
    "said", ["Ada Lovelace", "ada@example.com", "", "x" * 200, 7, None, ["uid1"], {"uid": "x"}, "\u0000"]
)
def test_what_has_not_the_form_of_an_id_is_not_kept(field: str, said: object) -> None:
    document: dict[str, Any] = {"triggerEvent": "PING", "payload": {"metadata": {field: said}, field: said}}
    if field == "triggerEvent":
        document["triggerEvent"] = said

    webhook = _read(document)

    assert (None, None, None, None) == (webhook.uid, webhook.former_uid, webhook.attempt_id, webhook.booking_id)
    assert webhook.trigger in {"PING", ""}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "the body is not JSON"),
        (b"{", "the body is not JSON"),
        (b"\xff\xfe", "the body is not JSON"),
        (b'{"triggerEvent":"\xed\xa0\x80"}', "the body is not JSON"),
        (b"[" * 100_000, "the body is not JSON"),
        (b"[]", "the body is no JSON object"),
        (b"null", "the body is no JSON object"),
        (b'"BOOKING_CREATED"', "the body is no JSON object"),
        (b"{}", "the body names no trigger"),
        (b'{"triggerEvent":7}', "the body names no trigger"),
        (b'{"triggerEvent":"booking created"}', "the body names no trigger"),
    ],
)
def test_what_nothing_can_be_made_of_has_a_problem(body: bytes, problem: str) -> None:
    webhook = read_webhook(body, company_id="acme")

    assert (problem, "", None, hashlib.sha256(body).hexdigest()) == (
        webhook.problem,
        webhook.trigger,
        webhook.uid,
        webhook.digest,
    )


@pytest.mark.parametrize("payload", [None, 7, "text", ["uid1"], {"metadata": "text"}, {"metadata": [1]}])
def test_a_payload_of_another_shape_is_about_nothing(payload: object) -> None:
    webhook = _read({"triggerEvent": "BOOKING_CREATED", "payload": payload})

    assert (None, None, "BOOKING_CREATED") == (webhook.problem, webhook.uid, webhook.trigger)


@pytest.mark.parametrize(
    "document",
    [
        {"triggerEvent": "MEETING_STARTED", "uid": "uid1"},
        {"triggerEvent": "BOOKING_CANCELLED", "payload": {"bookingUid": "uid1"}},
        {"triggerEvent": "BOOKING_CANCELLED", "payload": {"uid": "", "bookingUid": "uid1"}},
        {"triggerEvent": "BOOKING_CANCELLED", "payload": {"uid": "uid1", "metadata": None}},
    ],
)
def test_the_uid_is_found_wherever_cal_com_puts_it(document: object) -> None:
    webhook = _read(document)

    assert ("uid1", None, None) == (webhook.uid, webhook.attempt_id, webhook.booking_id)
