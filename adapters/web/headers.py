"""What callers say in headers: an idempotency key, and how long they care to wait."""

import re
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from adapters.web.problems import Refused, invalid
from domain.errors import FieldError
from domain.idempotency import KEY_LIMIT
from sagas.callers import PATIENCE_SECONDS

IDEMPOTENCY_KEY = "Idempotency-Key"
LONGEST_PATIENCE_SECONDS = 60.0
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_BARE = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_WAIT = re.compile(r"\s*wait\s*=\s*\"?(\d{1,9})\"?\s*(?:;.*)?", re.IGNORECASE)
_ASYNC = re.compile(r"\s*respond-async\s*(?:;.*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """How many seconds the caller waits for the outcome; `applied` is what was heeded of `Prefer`."""

    patience: float = PATIENCE_SECONDS
    applied: str | None = None

    def noted_on(self, response: Response) -> Response:
        """Return the answer, with a note of what was heeded."""
        if self.applied is not None:
            response.headers["Preference-Applied"] = self.applied
        return response


def idempotency_key(request: Request) -> str | None:
    """
    Return the caller's key, written bare or as a structured-field string (RFC 8941), or None.

    Raises:
        Refused: 422, it cannot be a key.

    """
    given = request.headers.getlist(IDEMPOTENCY_KEY)
    if not given:
        return None
    if len(given) > 1:
        raise _bad_key("must be given once")
    text = given[0].strip(" \t")
    if text.startswith('"'):
        quoted = _QUOTED.fullmatch(text)
        if quoted is None:
            raise _bad_key("must end with the quote that it begins with, and escape quotes inside")
        text = re.sub(r"\\(.)", r"\1", quoted[1])
    if not text.strip():
        raise _bad_key("must not be empty")
    if len(text) > KEY_LIMIT:
        raise _bad_key(f"must have at most {KEY_LIMIT} characters")
    if not _BARE.fullmatch(text.strip(" ")):
        raise _bad_key("must hold only printable ASCII characters")
    return text


def preference(request: Request) -> Preference:
    """Return what `Prefer` asks for; a preference that makes no sense is passed over, as RFC 7240 has it."""
    if "prefer" not in request.headers:
        return _DEFAULT
    stated = ",".join(request.headers.getlist("prefer")).split(",")
    waits = [int(found[1]) for part in stated if (found := _WAIT.fullmatch(part))]
    if waits:
        # The first one counts when a preference is repeated (RFC 7240 section 2).
        patience = min(float(waits[0]), LONGEST_PATIENCE_SECONDS)
        return Preference(patience=patience, applied=f"wait={patience:.0f}")
    if any(_ASYNC.fullmatch(part) for part in stated):
        return Preference(patience=0, applied="respond-async")
    return _DEFAULT


_DEFAULT = Preference()


def _bad_key(message: str) -> Refused:
    return invalid(FieldError(IDEMPOTENCY_KEY, message))
