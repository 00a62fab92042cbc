"""
Errors tell callers what to do, and logs what happened, without personal data (M16).
"""

from __future__ import annotations

import logging
from uuid import UUID

import pytest

from domain.errors import (
    AppointmentCreationError,
    AppointmentDatabaseError,
    AppointmentError,
    CalcomBookingError,
    CircuitOpenError,
    CustomerValidationError,
    DatabaseKind,
    FieldError,
    KeyReused,
    NothingToDecide,
    UnknownBooking,
    UnknownService,
    UnknownSyncFailure,
)

BOOKING_ID = UUID(int=1)
ALL: list[AppointmentError] = [
    AppointmentError("went wrong"),
    AppointmentCreationError("no", reason="slot_taken", booking_id=BOOKING_ID),
    CalcomBookingError("no", status=502, answer="bad gateway", transient=True),
    CustomerValidationError((FieldError("customer.name", "must not be empty"),)),
    AppointmentDatabaseError("no", kind="deadlock", sql_state="40P01", booking_id=BOOKING_ID),
    CircuitOpenError("cal.com", retry_after=3.0),
    UnknownBooking(BOOKING_ID),
    UnknownService("cut"),
    UnknownSyncFailure(BOOKING_ID),
    NothingToDecide(BOOKING_ID),
    KeyReused(BOOKING_ID),
]


@pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)
def test_every_error_has_a_message_and_a_form_for_the_log(error: AppointmentError) -> None:
    form = error.as_log()

    assert (type(error).__name__, str(error), error.retryable, error.correlation_id) == (
        form["error"],
        form["error_message"],
        form["retryable"],
        form["correlation_id"],
    )
    assert form["correlation_id"]


@pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)
def test_the_form_fits_into_a_line_of_the_standard_log(
    error: AppointmentError, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("test").warning("failed", extra=error.as_log())

    assert ["failed"] == caplog.messages


def test_the_first_correlation_id_stays() -> None:
    error = AppointmentError("went wrong").correlated("first").correlated("second")

    assert "first" == error.correlation_id


def test_what_was_wrong_with_a_field_can_be_asked_for() -> None:
    error = CustomerValidationError((FieldError("a", "one"), FieldError("b", "two")), correlation_id="c-1")

    assert (True, False, "two", None, "a: one; b: two", ["a", "b"], "c-1") == (
        error.has_field_error("a"),
        error.has_field_error("c"),
        error.get_field_error("b"),
        error.get_field_error("c"),
        str(error),
        error.context["fields"],
        error.correlation_id,
    )


@pytest.mark.parametrize(
    ("kind", "retryable"),
    [
        ("deadlock", True),
        ("timeout", True),
        ("connection_lost", True),
        ("constraint", False),
        ("data", False),
        ("other", False),
    ],
)
def test_a_database_that_was_away_may_be_asked_again(kind: DatabaseKind, *, retryable: bool) -> None:
    error = AppointmentDatabaseError("no", kind=kind, sql_state="x")

    assert (retryable, kind, "x") == (error.retryable, error.context["kind"], error.context["sql_state"])


def test_what_cal_com_answered_is_kept_and_not_logged() -> None:
    error = CalcomBookingError("no", status=400, answer="Ada already has a booking")

    assert ("Ada already has a booking", 400, False) == (error.answer, error.status, "Ada" in str(error.as_log()))


@pytest.mark.parametrize("transient", [True, False])
def test_a_transient_fault_of_cal_com_can_be_tried_again(*, transient: bool) -> None:
    error = CalcomBookingError("no", status=None, transient=transient)

    assert (transient, transient) == (error.retryable, error.transient)


def test_a_breaker_says_when_to_come_back() -> None:
    error = CircuitOpenError("cal.com", retry_after=3.0)

    assert (3.0, "cal.com", True) == (error.retry_after, error.service, error.retryable)


def test_a_creation_error_without_a_booking_names_none() -> None:
    error = AppointmentCreationError("no", reason="expired", correlation_id="c-1")

    assert ("", "expired", None, "c-1") == (
        error.context["booking_id"],
        error.reason,
        error.booking_id,
        error.correlation_id,
    )


def test_errors_name_what_they_are_about() -> None:
    assert (BOOKING_ID, "cut", BOOKING_ID, BOOKING_ID, BOOKING_ID) == (
        UnknownBooking(BOOKING_ID).booking_id,
        UnknownService("cut").service_id,
        KeyReused(BOOKING_ID).booking_id,
        NothingToDecide(BOOKING_ID).booking_id,
        UnknownSyncFailure(BOOKING_ID).failure_id,
    )
