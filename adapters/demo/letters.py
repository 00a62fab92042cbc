"""Requests and answers as lines of JSON, between the demo and the process that it will kill."""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from adapters.demo.day import Request
from adapters.demo.judging import Answer
from domain.wish import BookAppointment, CustomerWish


def write_request(request: Request) -> bytes:
    """Return a request as a line."""
    return orjson.dumps(request) + b"\n"


def read_request(line: bytes) -> Request:
    """Return the request that a line is."""
    fields: dict[str, Any] = orjson.loads(line)
    wish = fields.pop("wish")
    customer = CustomerWish(**wish.pop("customer"))
    starts_at = datetime.fromisoformat(wish.pop("starts_at"))
    return Request(wish=BookAppointment(customer=customer, starts_at=starts_at, **wish), **fields)


def write_answer(answer: Answer) -> bytes:
    """Return an answer as a line."""
    return orjson.dumps(answer) + b"\n"


def read_answer(line: bytes) -> Answer:
    """Return the answer that a line is."""
    fields: dict[str, Any] = orjson.loads(line)
    return Answer(booking_id=UUID(fields.pop("booking_id")), **fields)
