"""
Problems: the one form in which an error leaves this API (RFC 9457).

A problem's `type` is stable; programs compare it, people read `detail`. What is wrong
with a request is named by field, and never quoted back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.responses import Response

from adapters.phrases import Language
from adapters.web.notices import fallback_document
from domain.errors import FieldError

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """What sort of problem it is: the end of its URN, its status, its title."""

    slug: str
    status: int
    title: str

    @property
    def urn(self) -> str:
        """Return the problem's `type`."""
        return f"urn:calsaga:problem:{self.slug}"


BAD_REQUEST = Kind("bad-request", 400, "The request cannot be understood")
NOT_JSON = Kind("not-json", 400, "The body is not a JSON object")
NOT_AUTHENTICATED = Kind("not-authenticated", 401, "A valid API key is needed")
BAD_SIGNATURE = Kind("bad-signature", 401, "The webhook is not signed with the company's secret")
MISSING_SCOPE = Kind("missing-scope", 403, "The API key may not do this")
NOT_FOUND = Kind("not-found", 404, "There is no such thing")
METHOD_NOT_ALLOWED = Kind("method-not-allowed", 405, "This cannot be done here")
SLOT_TAKEN = Kind("slot-taken", 409, "The slot is taken")
NEAR_DUPLICATE = Kind("near-duplicate", 409, "The customer has such a booking already")
BOOKING_REFUSED = Kind("booking-refused", 409, "The booking was refused")
BOOKING_CANCELLED = Kind("booking-cancelled", 409, "The booking has been cancelled")
NEEDS_REVIEW = Kind("needs-review", 409, "The booking waits for a person's decision")
TOO_SLOW = Kind("too-slow", 408, "The request did not come in time")
TOO_LARGE = Kind("body-too-large", 413, "The body is too large")
ENCODED = Kind("body-encoded", 415, "The body is compressed")
INVALID = Kind("invalid-request", 422, "Some fields are wrong")
KEY_REUSED = Kind("key-reused", 422, "The idempotency key was used for something else")
ALREADY_OVER = Kind("already-over", 409, "The appointment is over")
MADE_ELSEWHERE = Kind("made-elsewhere", 409, "The booking was made at Cal.com")
NOT_BOOKED = Kind("not-booked", 409, "The booking does not stand")
CANNOT_BE_MOVED = Kind("cannot-be-moved", 409, "The booking cannot be moved")
NOTHING_TO_DECIDE = Kind("nothing-to-decide", 409, "There is nothing to decide")
NOT_MOVED = Kind("not-moved", 409, "The appointment stays where it is")
TOO_MANY_REQUESTS = Kind("too-many-requests", 429, "Too many requests")
INTERNAL = Kind("internal-error", 500, "Something is broken here")
NOT_CONFIGURED = Kind("not-configured", 501, "This installation is not set up for that")
CALCOM_FAILED = Kind("calcom-failed", 502, "Cal.com gave no usable answer")
UNAVAILABLE = Kind("unavailable", 503, "Not available at the moment")

KINDS = tuple(value for value in list(globals().values()) if isinstance(value, Kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """
    One problem; `facts` are members beside the standard ones, `headers` go on the answer.

    `say` is what people are told, if they are, in the language that is asked for.
    """

    kind: Kind
    detail: str
    errors: Sequence[FieldError] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    say: Callable[[Language], str] | None = None

    def answer(self, correlation_id: str, language: Language = "en") -> Response:
        """Return the problem as an HTTP answer."""
        said = {} if self.say is None else {"message": self.say(language)}
        if self.kind is UNAVAILABLE:
            said |= fallback_document("refused", language)
        document = {
            "type": self.kind.urn,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "correlation_id": correlation_id,
            "errors": [{"field": error.field, "message": error.message} for error in self.errors],
            **said,
            **self.facts,
        }
        return Response(
            orjson.dumps(document), status_code=self.kind.status, headers=dict(self.headers), media_type=MEDIA_TYPE
        )


class Refused(Exception):
    """A request goes no further; its answer is `problem`."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.kind.slug)
        self.problem = problem


def not_found(what: str) -> Refused:
    """Return the refusal that tells nothing about what other companies have."""
    return Refused(Problem(kind=NOT_FOUND, detail=f"There is no such {what}."))


def invalid(*errors: FieldError) -> Refused:
    """Return the refusal that names every wrong field."""
    named = ", ".join(dict.fromkeys(error.field for error in errors))
    return Refused(Problem(kind=INVALID, detail=f"Nothing was stored. Correct these: {named}.", errors=errors))
