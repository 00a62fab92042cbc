"""
Errors that callers can act on.

    AppointmentError
    ├── AppointmentCreationError     the booking was refused, or could not be made
    ├── CalcomBookingError           Cal.com answered badly, or not at all
    ├── CustomerValidationError      fields of the request are wrong
    ├── AppointmentDatabaseError     the local database failed
    ├── CircuitOpenError             a breaker keeps the call back
    ├── UnknownBooking               no such booking, or another company's
    ├── UnknownService               no such service, or another company's
    ├── MadeElsewhere                somebody else made the booking at Cal.com; it is changed there
    ├── NotBooked                    the booking does not stand, so that it cannot be moved
    ├── CannotBeMoved                a composite is cancelled and booked anew instead
    ├── UnknownSyncFailure           no such sync failure, or another company's
    ├── AlreadyOver                  the appointment has taken place; it cannot be cancelled or moved
    ├── NothingToDecide              nobody has to decide about this any more
    └── KeyReused                    an idempotency key came back with another payload

Every error has a correlation id, tells whether trying again can help, and has a
form for structured logs that holds no personal data.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self, TypeAlias
from uuid import UUID, uuid5

DatabaseKind: TypeAlias = Literal["deadlock", "timeout", "connection_lost", "exhausted", "constraint", "data", "other"]
Wanted: TypeAlias = Literal["cancel", "move"]
_MADE = UUID("0b6b7a55-7a3c-4d0c-9a57-3f1f5b0d7c11")


class AppointmentError(Exception):
    """
    Say what went wrong with an appointment, in words that may be shown to its caller.

    `context` is for logs: identifiers and codes only, never personal data.
    """

    def __init__(
        self,
        message: str,
        *,
        correlation_id: str = "",
        retryable: bool = False,
        context: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self._given_id = correlation_id
        self.retryable = retryable
        self.context = dict(context or {})

    @property
    def correlation_id(self) -> str:
        """Return the one that was given, or one made of what the error says: never empty, and the same each time."""
        # Not a random one: the domain has no chance. Whoever has a request, or a saga, gives its own.
        return self._given_id or uuid5(_MADE, f"{type(self).__name__}: {self.message}").hex

    def correlated(self, correlation_id: str) -> Self:
        """Give the error a correlation id unless it was given one."""
        self._given_id = self._given_id or correlation_id
        return self

    def twin(self) -> Self:
        """Return the same for somebody else who has to be told, and has an id of their own."""
        twin = type(self).__new__(type(self), *self.args)
        twin.__dict__.update(self.__dict__, _given_id="")
        return twin

    def as_log(self) -> dict[str, object]:
        """Return the structured form for a log line."""
        return {
            "error": type(self).__name__,
            "error_message": self.message,
            "correlation_id": self.correlation_id,
            "retryable": self.retryable,
            **self.context,
        }


class AppointmentCreationError(AppointmentError):
    """The booking ended without an appointment; `reason` is the code that BookingFailed carries."""

    def __init__(self, message: str, *, reason: str, booking_id: UUID | None = None, correlation_id: str = "") -> None:
        super().__init__(
            message, correlation_id=correlation_id, context={"reason": reason, "booking_id": str(booking_id or "")}
        )
        self.reason = reason
        self.booking_id = booking_id


class CalcomBookingError(AppointmentError):
    """Cal.com refused or failed; look at `status` (HTTP), `answer` (its text), and its status page if transient."""

    def __init__(self, message: str, *, status: int | None, answer: str = "", transient: bool = False) -> None:
        super().__init__(message, retryable=transient, context={"status": status})
        self.status = status
        self.answer = answer
        self.transient = transient


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: its path (`customer.email`) and what to do about it."""

    field: str
    message: str


class CustomerValidationError(AppointmentError):
    """Fields of the request are wrong; nothing was stored."""

    def __init__(self, errors: tuple[FieldError, ...], *, correlation_id: str = "") -> None:
        super().__init__(
            "; ".join(f"{error.field}: {error.message}" for error in errors),
            correlation_id=correlation_id,
            context={"fields": [error.field for error in errors]},
        )
        self.errors = errors

    def has_field_error(self, field: str) -> bool:
        """Tell whether `field` is among the wrong ones."""
        return any(error.field == field for error in self.errors)

    def get_field_error(self, field: str) -> str | None:
        """Return the message for `field`, or None if nothing is wrong with it."""
        return next((error.message for error in self.errors if error.field == field), None)


class AppointmentDatabaseError(AppointmentError):
    """The local database failed; `kind` and `sql_state` say how, `retryable` whether the same may work later."""

    def __init__(
        self, message: str, *, kind: DatabaseKind, sql_state: str = "", booking_id: UUID | None = None
    ) -> None:
        super().__init__(
            message,
            retryable=kind in {"deadlock", "timeout", "connection_lost"},
            context={"kind": kind, "sql_state": sql_state},
        )
        self.kind = kind
        self.sql_state = sql_state
        self.booking_id = booking_id


class CircuitOpenError(AppointmentError):
    """A breaker keeps calls to `service` back; the first probe goes out after `retry_after` seconds."""

    def __init__(self, service: str, *, retry_after: float) -> None:
        super().__init__(f"{service} is not being called at the moment", retryable=True, context={"service": service})
        self.service = service
        self.retry_after = retry_after


class UnknownBooking(AppointmentError):
    """There is no such booking in this company; check the id and the key's company."""

    def __init__(self, booking_id: UUID) -> None:
        super().__init__("There is no such booking.", context={"booking_id": str(booking_id)})
        self.booking_id = booking_id


class UnknownService(AppointmentError):
    """There is no such service in this company; define it with `PUT /api/services/{service_id}`."""

    def __init__(self, service_id: str) -> None:
        super().__init__(f"There is no service {service_id!r}; define it first.", context={"service_id": service_id})
        self.service_id = service_id


class UnknownSyncFailure(AppointmentError):
    """There is no such sync failure in this company; list them to find the id."""

    def __init__(self, failure_id: UUID) -> None:
        super().__init__("There is no such sync failure.", context={"sync_failure_id": str(failure_id)})
        self.failure_id = failure_id


class AlreadyOver(AppointmentError):
    """The appointment's time has passed; Cal.com does not cancel or move it any more, and neither do we."""

    def __init__(self, booking_id: UUID, *, wanted: Wanted = "cancel") -> None:
        done = "moved" if wanted == "move" else "cancelled"
        super().__init__(f"The appointment is over; it cannot be {done}.", context={"booking_id": str(booking_id)})
        self.booking_id = booking_id


class MadeElsewhere(AppointmentError):
    """The booking was made at Cal.com without us; it is cancelled or moved there, and we follow."""

    def __init__(self, booking_id: UUID, *, wanted: Wanted = "cancel") -> None:
        super().__init__(
            f"This booking was made at Cal.com; {wanted} it there.", context={"booking_id": str(booking_id)}
        )
        self.booking_id = booking_id


class NotBooked(AppointmentError):
    """The booking failed, was cancelled, or is not yet made or moved; ask again what has become of it."""

    def __init__(self, booking_id: UUID, *, status: str) -> None:
        super().__init__(
            f"The booking is {status}; only one that is booked can be moved.",
            context={"booking_id": str(booking_id), "status": status},
        )
        self.booking_id = booking_id
        self.status = status


class CannotBeMoved(AppointmentError):
    """Several services in a row are not moved as one; cancel the booking, and book it anew at the other time."""

    def __init__(self, booking_id: UUID) -> None:
        super().__init__(
            "A composite booking cannot be moved; cancel it and book it anew.", context={"booking_id": str(booking_id)}
        )
        self.booking_id = booking_id


class NothingToDecide(AppointmentError):
    """No person was asked about this, or somebody has decided meanwhile; read the booking again."""

    def __init__(self, booking_id: UUID) -> None:
        super().__init__("There is nothing to decide about this any more.", context={"booking_id": str(booking_id)})
        self.booking_id = booking_id


class KeyReused(AppointmentError):
    """The same idempotency key came with another payload; use a new key for a new wish."""

    def __init__(self, booking_id: UUID) -> None:
        super().__init__(
            "This Idempotency-Key was used before with another payload; use a new key for a new request.",
            context={"booking_id": str(booking_id)},
        )
        self.booking_id = booking_id
