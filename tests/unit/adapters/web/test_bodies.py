"""
Whatever stands in a body: it is refused with the field named, or it is booked. Nothing ever breaks.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import os
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.web.body import LIMIT
from tests.unit.adapters.web.conftest import connect
from tests.unit.adapters.web.fake_backend import FakeBackend

TIMES = int(os.environ.get("CALSAGA_SWEEP", "1"))
WISH: dict[str, Any] = {
    "service_id": "consult",
    "customer": {"name": "Ada Lovelace", "email": "ada@example.com", "phone": "+491701234567"},
    "starts_at": "2027-03-02T10:00:00+01:00",
    "time_zone": "Europe/Berlin",
    "source": "web",
    "staff_id": "staff-1",
    "notes": "knee",
    "metadata": {"campaign": "spring"},
    "call_id": "call-1",
    "confidence": 0.9,
    "allow_near_duplicate": False,
}
FIELDS = [*WISH, "customer.name", "customer.email", "customer.phone"]
REQUIRED = ["service_id", "customer", "starts_at", "time_zone", "source", "customer.name"]


def changed(field: str, value: object) -> dict[str, Any]:
    wish: dict[str, Any] = json.loads(json.dumps(WISH))
    *outer, name = field.split(".")
    target = wish[outer[0]] if outer else wish
    if value is ...:
        del target[name]
    else:
        target[name] = value
    return wish


def post(raw: bytes) -> tuple[httpx.Response, FakeBackend]:
    async def run() -> tuple[httpx.Response, FakeBackend]:
        backend = FakeBackend()
        async with connect(backend) as client:
            return await client.post("/api/bookings", content=raw), backend

    return asyncio.run(run())


def refused_for(answer: httpx.Response, field: str) -> bool:
    named = [one["field"] for one in answer.json()["errors"]]
    return answer.status_code == 422 and any(name == field or name.startswith(f"{field}.") for name in named)


def test_every_field_at_once_is_booked() -> None:
    answer, backend = post(json.dumps(WISH).encode())

    assert 201 == answer.status_code, answer.text
    assert {"campaign": "spring"} == backend.bookings.booked[0].metadata


WRONG_TYPES = {
    "text": [1, 1.5, True, [], {}, ["a"], {"a": 1}],
    "object": [1, "a", True, [], ["a"]],
    "number": ["0.9", True, [], {}],
    "boolean": [1, 0, "true", [], {}],
}
KIND_OF = {"customer": "object", "metadata": "object", "confidence": "number", "allow_near_duplicate": "boolean"}


@pytest.mark.parametrize(
    ("field", "value"),
    [(field, value) for field in FIELDS for value in WRONG_TYPES[KIND_OF.get(field, "text")]],
)
def test_a_field_of_another_type_is_named(field: str, value: object) -> None:
    answer, backend = post(json.dumps(changed(field, value)).encode())

    assert refused_for(answer, field), answer.text
    assert [] == backend.bookings.booked


WRONG_VALUES = [
    *((field, value) for field in REQUIRED for value in (..., None)),
    *(("service_id", value) for value in ("", " ", "a b", "x" * 101, "a\x00b", "a\nb", "-a", "ä", "nowhere")),
    *(("customer.name", value) for value in ("", "  ", "x" * 201, "a\x00b", "a\x1bb", "a\nb")),
    *(
        ("customer.email", value)
        for value in ("", "ada", "ada@", "ada@x", "a@b@c.de", "a\x00@b.de", "x" * 250 + "@b.de")
    ),
    *(("customer.phone", value) for value in ("", "12345", "0170 123", "+0123456789", "+49" + "1" * 20, "+49\x00170")),
    *(
        ("starts_at", value)
        for value in (
            "",
            "tomorrow",
            "2027-03-02",
            "2027-03-02T10:00:00",
            "2027-03-02 10:00:00+01:00",
            "2027-03-02T10:00:00+0100",
            "2027-03-02T25:00:00+01:00",
            "2027-02-30T10:00:00+01:00",
            "2027-03-02T10:00:60+01:00",
            "2027-03-02T10:00:00+25:00",
            "2027-03-02T10:00:00+05:00",
            "2027-03-02T10:00:00Z",
            "2027-07-02T10:00:00+01:00",
            "2020-03-02T10:00:00+01:00",
            "9999-12-31T23:59:59-12:00",
            "0001-01-01T00:00:00+12:00",
            "2050-03-02T10:00:00+01:00",
            "1803978000",
            "٢027-03-02T10:00:00+01:00",
        )
    ),
    *(("time_zone", value) for value in ("", "Berlin", "Europe/Atlantis", "../../etc/passwd", "CET\x00", "+01:00")),
    *(("source", value) for value in ("", "x" * 51, "a b", "a\x00")),
    *(("staff_id", value) for value in ("", "x" * 101, "a b", "a\x00")),
    *(("notes", value) for value in ("x" * 2001, "a\x00b", "a\x1b[31m")),
    *(("metadata", value) for value in ({"a": "x" * 17_000}, {"a" * 17_000: 1})),
    *(("call_id", value) for value in ("", "x" * 201, "a\x00")),
    *(("confidence", value) for value in (-0.1, 1.1, 10**30)),
    *(("staff_group", value) for value in ("", "x" * 101, "a b", "a\x00")),
    ("surplus", 1),
    ("customer.surplus", 1),
]


@pytest.mark.parametrize(("field", "value"), WRONG_VALUES, ids=[f"{f}-{n}" for n, (f, _) in enumerate(WRONG_VALUES)])
def test_a_wrong_value_is_named(field: str, value: object) -> None:
    answer, backend = post(json.dumps(changed(field, value)).encode())

    assert refused_for(answer, field), answer.text
    assert [] == backend.bookings.booked


def test_a_customer_needs_an_email_or_a_phone() -> None:
    answer, _ = post(json.dumps(changed("customer", {"name": "Ada"})).encode())

    assert refused_for(answer, "customer")


def test_what_was_sent_is_not_quoted_back() -> None:
    answer, _ = post(json.dumps(changed("customer.email", "very-private at example")).encode())

    assert 422 == answer.status_code
    assert "very-private" not in answer.text


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"book me", "not JSON"),
        (b"[]", "object"),
        (b'"text"', "object"),
        (b"null", "object"),
        (b"1", "object"),
        (b"\xff\xfe", "not JSON"),
        (b'{"a": "\xff"}', "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"a": NaN}', "not JSON"),
        (b'{"a": Infinity}', "not JSON"),
        (b'{"a": 1e999}', "not JSON"),
        (b'{"a": "\\ud800"}', "not JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", ""),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": {"b": 1, "b": 1}}', "twice"),
        (b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}", "levels"),
        (b'{"a": ' + b"[" * 1000 + b"]" * 1000 + b"}", "levels"),
        (b'{"a": ' + b"[" * 30_000 + b"]" * 30_000 + b"}", "not JSON"),
        (b'{"a":' * 1000 + b"1" + b"}" * 1000, "levels"),
    ],
)
def test_what_is_no_json_object_is_a_bad_request(raw: bytes, words: str) -> None:
    answer, backend = post(raw)

    assert 400 == answer.status_code, answer.text
    assert "urn:calsaga:problem:not-json" == answer.json()["type"]
    assert words in answer.json()["detail"]
    assert [] == backend.bookings.booked


def test_exactly_the_limit_is_read() -> None:
    raw = json.dumps(WISH).encode()

    assert 201 == post(raw + b" " * (LIMIT - len(raw)))[0].status_code
    assert 413 == post(raw + b" " * (LIMIT - len(raw) + 1))[0].status_code


async def test_a_body_in_chunks_is_cut_off_while_it_is_read(client: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 1024
            yield b" " * 1024

    answer = await client.post("/api/bookings", content=endless())

    assert 413 == answer.status_code
    assert "urn:calsaga:problem:body-too-large" == answer.json()["type"]
    assert sent <= LIMIT + 2048


@pytest.mark.parametrize("length", [b"65537", b"9" * 5000])
async def test_a_length_that_is_too_large_is_refused_before_reading(client: httpx.AsyncClient, length: bytes) -> None:
    answer = await client.post("/api/bookings", content=b"{}", headers=[(b"Content-Length", length)])

    assert 413 == answer.status_code


def test_thousands_of_wrong_fields_get_a_short_answer() -> None:
    answer, _ = post(json.dumps({f"f{n}": 1 for n in range(4000)}).encode())

    assert 422 == answer.status_code
    assert 50 == len(answer.json()["errors"])


@pytest.mark.parametrize("encoding", ["gzip", "br", "gzip, identity", "unheard-of"])
async def test_a_compressed_body_is_refused_with_the_remedy(client: httpx.AsyncClient, encoding: str) -> None:
    headers = {"Content-Encoding": encoding}
    answer = await client.post("/api/bookings", content=gzip.compress(b"{}"), headers=headers)

    assert (415, "identity") == (answer.status_code, answer.headers["Accept-Encoding"])
    assert "without Content-Encoding" in answer.json()["detail"]


async def test_a_body_that_is_called_plain_is_read(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/bookings", json=WISH, headers={"Content-Encoding": "Identity"})

    assert 201 == answer.status_code


@pytest.mark.parametrize("path", ["/api/bookings/x/cancel", "/api/services/s", "/api/companies/acme", "/api/keys"])
async def test_every_body_is_read_as_strictly(client: httpx.AsyncClient, path: str) -> None:
    path = path.replace("/x/", "/11111111-2222-5333-8444-555555555555/")
    method = "PUT" if "services" in path or "companies" in path else "POST"
    statuses = [
        (await client.request(method, path, content=raw)).status_code
        for raw in (b"{", b"[]", b"{}" + b" " * LIMIT, b'{"surplus": 1}')
    ]

    assert [400, 400, 413, 422] == statuses


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=200 * TIMES)
@given(fields=st.dictionaries(st.sampled_from(FIELDS), junk, min_size=1, max_size=3))
@example(fields={"confidence": 10**400})
@example(fields={"metadata": {"a": 10**400}})
@example(fields={"metadata": {"": {"": []}}})
def test_junk_in_fields_is_refused_by_name_or_booked(fields: dict[str, Any]) -> None:
    wish = WISH
    for field, value in sorted(fields.items()):
        if "." not in field or isinstance(wish["customer"], dict):
            before = wish
            wish = json.loads(json.dumps(before))
            *outer, name = field.split(".")
            (wish[outer[0]] if outer else wish)[name] = value
    answer, backend = post(json.dumps(wish).encode())

    assert answer.status_code in {201, 400, 422}, answer.text
    assert (answer.status_code == 201) == bool(backend.bookings.booked)
    if answer.status_code == 422:
        roots = {field.split(".")[0] for field in fields}
        assert {one["field"].split(".")[0] for one in answer.json()["errors"]} <= roots | {"customer"}


@settings(max_examples=100 * TIMES)
@given(raw=st.binary(max_size=500))
def test_junk_for_a_body_is_refused(raw: bytes) -> None:
    answer, backend = post(raw)

    assert answer.status_code in {400, 422}
    assert [] == backend.bookings.booked


def test_the_domain_names_the_same_fields() -> None:
    answer, _ = post(json.dumps(WISH | {"starts_at": "2020-01-01T00:00:00+01:00", "source": "a b"}).encode())

    assert ["starts_at", "source"] == [one["field"] for one in answer.json()["errors"]]
