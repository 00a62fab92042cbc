"""
Nothing secret and nothing personal leaves through the logs, whatever logger it is given to.
"""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from adapters.telemetry import configure, masked, scrubbed
from domain.person import Person

EMAIL = "ada.canary@example.com"
PHONE = "+491701234567"
CALCOM_KEY = "cal_live_canary0123456789"
API_KEY = "csk_canary0123456789abcdef"
NAME = "Ada Canary"
CANARIES = (EMAIL, PHONE, CALCOM_KEY, API_KEY, NAME, "canary", "1701234567", "hunter2")


def fail() -> None:
    raise ValueError(f"bad customer {EMAIL}, {PHONE}")


def say_everything() -> None:
    log = structlog.get_logger("calsaga.test")
    log.info(
        "booking.requested", email=EMAIL, customer={"name": NAME, "phone": PHONE}, headers={"Authorization": API_KEY}
    )
    log.warning(f"could not reach {EMAIL} at {PHONE} with {CALCOM_KEY}")  # noqa: G004 - what must not happen does
    log.info("person.seen", who=Person(name=NAME, email=EMAIL, phone=PHONE))
    log.info("database.opened", url="postgresql://calsaga:hunter2@localhost/calsaga", api_key=CALCOM_KEY)
    logging.getLogger("foreign").error("Bearer %s sent for %s", API_KEY, EMAIL, extra={"phone": PHONE})
    logging.getLogger("foreign").error("GET /v2/bookings?attendeeEmail=ada.canary%40example.com&phone=%2B491701234567")
    try:
        fail()
    except ValueError:
        log.exception("request.crashed")
        logging.getLogger("foreign").exception("crashed")


@pytest.mark.parametrize("form", ["console", "json"])
def test_nothing_is_said_twice_in_colors(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure(form=form, level="info")  # type: ignore[arg-type]
    logging.getLogger("uvicorn.error").info("started", extra={"color_message": "\x1b[36mstarted"})

    assert "color_message" not in capsys.readouterr().err


@pytest.mark.parametrize("form", ["console", "json"])
def test_no_canary_leaves_through_the_logs(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure(form=form, level="debug")  # type: ignore[arg-type]
    say_everything()
    printed = capsys.readouterr()

    assert "" == printed.out
    assert [] == [canary for canary in CANARIES if canary in printed.err]
    assert "request.crashed" in printed.err


def test_every_json_line_is_one_object_with_its_facts(capsys: pytest.CaptureFixture[str]) -> None:
    configure(form="json", level="info")
    with structlog.contextvars.bound_contextvars(correlation_id="call-7"):
        structlog.get_logger().info("saga.step.compensated", saga_id="42", attempt=3, live=True)
        logging.getLogger("calsaga.worker").warning("worker.saga.left", extra={"saga_id": "43"})
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())

    assert {"event": "saga.step.compensated", "saga_id": "42", "attempt": 3, "live": True}.items() <= first.items()
    assert {"event": "worker.saga.left", "saga_id": "43", "level": "warning"}.items() <= second.items()
    assert "call-7" == first["correlation_id"] == second["correlation_id"]


def test_the_level_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    configure(form="json", level="warning")
    structlog.get_logger().info("not.said")
    logging.getLogger("httpx").info("not said either")
    logging.getLogger("uvicorn.access").info("nor this")

    assert "" == capsys.readouterr().err


@pytest.mark.parametrize(
    "harmless",
    [
        "5f76468b-1d5c-46ef-bd0e-ab2608f9947a",
        "2026-11-22T00:36:38.123456+00:00",
        "2026-11-22 00:36:38",
        "127.0.0.1:8000",
        "booking.calcom-attempted.v1",
        "00000000-0000-0000-0000-000000000000",
        "d2f1c0a4e5b6978812345678",
        "http://127.0.0.1:4010/v2/bookings?take=100&skip=0",
    ],
)
def test_what_only_looks_like_a_number_stays(harmless: str) -> None:
    assert harmless == scrubbed(harmless)


@pytest.mark.parametrize(
    "key", ["email", "customer_email", "X-Api-Key", "phone", "Authorization", "webhook_secret", "name"]
)
def test_a_telling_key_hides_its_value(key: str) -> None:
    assert "***" == masked(key, "anything")
