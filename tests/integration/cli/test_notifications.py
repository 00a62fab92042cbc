"""
Notification requests on the command line.
"""

from __future__ import annotations

import asyncio
import json

import pytest
from typer.testing import CliRunner, Result

from adapters.cli.app import app
from domain.events import BookingCancelled
from tests.fakes.given import BOOKED, BOOKING_ID, at, initiated
from tests.integration.cli.test_sync_failures import write

CANCELLED = BookingCancelled(at=at(60), reason="requested")


@pytest.fixture
def url(sqlite_url: str) -> str:
    """
    A database whose log holds an appointment that was cancelled.
    """
    asyncio.run(write(sqlite_url, (initiated(), *BOOKED, CANCELLED)))
    return sqlite_url


def run(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["notifications", "list", *arguments], env={"CALSAGA_DATABASE_URL": url})


def test_requests_are_listed_the_newest_first(url: str) -> None:
    lines = run(url, "--company", "acme").stdout.splitlines()

    assert [["pending", "cancellation"], ["pending", "confirmation"]] == [line.split("\t")[1:3] for line in lines]
    assert all(f"booking {BOOKING_ID}" in line for line in lines)


def test_requests_are_listed_as_json_and_name_nobody(url: str) -> None:
    [newest] = json.loads(run(url, "--company", "acme", "--limit", "1", "--json").stdout)["notification_requests"]

    assert {"id", "company_id", "booking_id", "kind", "status", "created_at"} == set(newest)
    assert ("cancellation", at(60).isoformat()) == (newest["kind"], newest["created_at"])


def test_another_company_sees_none_of_them(url: str) -> None:
    assert (0, "") == ((listed := run(url, "--company", "rival")).exit_code, listed.stdout)
