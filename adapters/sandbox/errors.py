"""
Refusals in Cal.com's own words, and the shape that each has on the wire.

Cal.com has three shapes of error: an envelope, a bare ``{statusCode, message}`` from its inner library, and whatever a
proxy puts in front. A client has to read all of them, so each refusal here knows its own.
"""

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus

_PRISMA_TEXT = "There was an error, please try again later."


class Shape(StrEnum):
    """
    Name the forms that an error can have on the wire.
    """

    ENVELOPE = "envelope"
    PRISMA = "prisma"
    INNER = "inner"
    HTML = "html"


class Refusal(Exception):
    """
    Stop a call with an answer that is not a success.
    """

    def __init__(
        self,
        *,
        status: int,
        message: str,
        code: str = "",
        shape: Shape = Shape.ENVELOPE,
        violations: list[dict[str, object]] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code or exception_name(status)
        self.shape = shape
        self.violations = violations


def exception_name(status: int) -> str:
    """
    Return the name of the NestJS exception class for a status.
    """
    return HTTPStatus(status).phrase.title().replace(" ", "") + "Exception"


def bad_request(message: str) -> Refusal:
    return Refusal(status=400, message=message)


def violated(wrong: Mapping[str, str]) -> Refusal:
    """
    Return the refusal of the global pipe, which puts the faults into ``details`` and not into the message.
    """
    violations: list[dict[str, object]] = [
        {"property": name, "children": [], "constraints": {"validation": text}} for name, text in wrong.items()
    ]
    return Refusal(status=400, message="Bad Request Exception", violations=violations)


def inner(*, status: int, message: str) -> Refusal:
    return Refusal(status=status, message=message, shape=Shape.INNER)


def no_such_route(*, method: str, path: str) -> Refusal:
    return Refusal(status=404, message=f"Cannot {method} {path}")


def api_key_invalid() -> Refusal:
    return Refusal(status=401, message="ApiAuthStrategy - api key - Your api key is not valid")


def bearer_invalid() -> Refusal:
    return Refusal(status=401, message="ApiAuthStrategy - Invalid Bearer token")


def authentication_missing() -> Refusal:
    return Refusal(
        status=401,
        message="ApiAuthStrategy - No authentication method provided. Either pass an API key as 'Bearer' header or "
        "OAuth client credentials as 'x-cal-secret-key' and 'x-cal-client-id' headers",
    )


def too_many_requests() -> Refusal:
    return Refusal(
        status=429,
        code="ThrottlerException",
        message="CustomThrottlerGuard - Too many requests. Please try again later.",
    )


def event_type_not_found(event_type: object) -> Refusal:
    return Refusal(status=404, message=f"Event type with id {event_type} not found.")


def event_type_slug_not_found(*, slug: str, username: str) -> Refusal:
    return Refusal(status=404, message=f"Event type with slug {slug} belonging to user {username} not found.")


def event_type_forbidden(event_type: int) -> Refusal:
    return Refusal(status=403, message=f"User does not have access to event type with id {event_type}")


def event_type_needs_authentication() -> Refusal:
    return Refusal(
        status=401,
        message="This event type requires authentication. Please provide valid credentials.",
    )


def webhook_exists(owner: str) -> Refusal:
    return Refusal(status=409, message=f"Webhook with this subscriber url already exists for this {owner}")


def webhook_not_found(webhook: str) -> Refusal:
    return Refusal(status=404, message=f"Webhook ({webhook}) not found")


def forbidden_resource() -> Refusal:
    return Refusal(status=403, message="Forbidden resource")


def unique_constraint_violated() -> Refusal:
    return Refusal(status=409, code="CONFLICT", message=_PRISMA_TEXT, shape=Shape.PRISMA)


def booking_not_found(uid: str) -> Refusal:
    return Refusal(status=404, message=f"Booking with uid={uid} was not found in the database")


def host_unavailable() -> Refusal:
    return bad_request("User either already has booking at this time or is not available")


def hosts_unavailable() -> Refusal:
    return bad_request("One of the hosts either already has booking at this time or is not available")


def booking_conflict() -> Refusal:
    return inner(status=409, message="booking_conflict_error")


def seats_taken() -> Refusal:
    return Refusal(status=409, message="No more seats left at this seated booking.")


def out_of_bounds() -> Refusal:
    return bad_request(
        "The event type can't be booked at the \"start\" time provided. This could be because it's too soon (violating "
        "the minimum booking notice) or too far in the future (outside the event's scheduling window). Try fetching "
        'available slots first using the GET /v2/slots endpoint and then make a booking with "start" time equal to one '
        "of the available slots: https://cal.com/docs/api-reference/v2/slots"
    )


def in_the_past() -> Refusal:
    return bad_request("Attempting to book a meeting in the past.")


def single_length() -> Refusal:
    return bad_request(
        "Can't specify 'lengthInMinutes' because event type does not have multiple possible lengths. Please, remove "
        "the 'lengthInMinutes' field from the request."
    )


def length_not_offered(options: tuple[int, ...]) -> Refusal:
    offered = ", ".join(map(str, options))
    return bad_request(f"Provided 'lengthInMinutes' is not one of the possible lengths for the event type: {offered}.")


def already_cancelled(uid: str) -> Refusal:
    return bad_request(
        f"Can't cancel booking with uid={uid} because it has been cancelled already. Please provide uid of a booking "
        "that is not cancelled."
    )


def cancelled_meanwhile() -> Refusal:
    return inner(status=400, message="This booking has already been cancelled.")


def already_ended() -> Refusal:
    return inner(status=400, message="Cannot cancel a booking that has already ended")


def cancelling_disabled() -> Refusal:
    return inner(status=400, message="This event type does not allow cancellations")


def cancellation_reason_required() -> Refusal:
    return inner(status=400, message="Cancellation reason is required")


def cannot_reschedule_cancelled(uid: str) -> Refusal:
    return bad_request(
        f"Can't reschedule booking with uid={uid} because it has been cancelled. Please provide uid of a booking that "
        "is not cancelled."
    )


def already_rescheduled(*, uid: str, to: str) -> Refusal:
    return bad_request(
        f"Can't reschedule booking with uid={uid} because it has been cancelled and rescheduled already to booking "
        f"with uid={to}. You probably want to reschedule {to} instead by passing it within the request URL."
    )


def internal(shape: Shape) -> Refusal:
    """
    Return the 500 (or, as HTML, the 502) that each layer of Cal.com gives for a fault of its own.
    """
    if shape is Shape.HTML:
        return Refusal(status=502, message="Bad gateway", shape=shape)
    if shape is Shape.INNER:
        return inner(status=500, message="Internal server error")
    if shape is Shape.PRISMA:
        return Refusal(status=500, code="INTERNAL_SERVER_ERROR", message=_PRISMA_TEXT, shape=shape)
    return Refusal(status=500, message="Internal server error")
