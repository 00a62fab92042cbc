"""
Reading an answer: its data if it is a success, else what Cal.com says is wrong.

Cal.com API v2 has three shapes of error: an envelope `{"status": "error", "error":
{"code", "message"}}`, a bare `{"statusCode", "message"}` from its inner library, and
HTML or anything else from a proxy. None of them is required here.
"""

from dataclasses import dataclass
from typing import TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from adapters.calcom.replies import Answer
from adapters.calcom.wording import fit_for_log

Model = TypeVar("Model", bound=BaseModel)

_SUCCESS = range(200, 300)


class Unreadable(Exception):
    """An answer is not what Cal.com's document promises; the text says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """
    What an answer that is no success says.

    `code` is empty for the bare shape. `message` is exactly Cal.com's and never leaves
    this package; `detail` is fit for the log.
    """

    status: int
    code: str = ""
    message: str = ""

    @property
    def detail(self) -> str:
        """Return the status and the message for people, without personal data."""
        return fit_for_log(f"HTTP {self.status} {self.code} {self.message}")


def is_success(answer: Answer) -> bool:
    """Tell whether Cal.com says that it did what was asked."""
    return answer.status in _SUCCESS


def read_envelope(answer: Answer) -> dict[str, object]:
    """
    Return a success with everything beside its data.

    Raises:
        Unreadable: it is no JSON object that says "success".

    """
    document = _parsed(answer.body)
    if not isinstance(document, dict) or document.get("status") != "success":
        raise Unreadable("the answer is not the success that its status promises")
    return document


def read(answer: Answer, model: type[Model]) -> Model:
    """
    Return the data of a success.

    Raises:
        Unreadable: it is not a `model`.

    """
    return read_as(read_envelope(answer).get("data"), model)


def read_as(data: object, model: type[Model]) -> Model:
    """
    Return JSON as a model.

    Raises:
        Unreadable: it is none.

    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        places = ", ".join(".".join(map(str, fault["loc"])) or "data" for fault in error.errors(include_url=False)[:5])
        raise Unreadable(fit_for_log(f"the answer cannot be read: {places}")) from None


def problem_of(answer: Answer) -> Problem:
    """Return what an answer says is wrong, in whatever shape."""
    document = _parsed(answer.body)
    if not isinstance(document, dict):
        return Problem(status=answer.status)
    error = document.get("error")
    if document.get("status") == "error" and isinstance(error, dict):
        return Problem(status=answer.status, code=_text(error.get("code")), message=_text(error.get("message")))
    if document.get("statusCode") == answer.status:
        return Problem(status=answer.status, message=_text(document.get("message")))
    return Problem(status=answer.status)


def _parsed(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
