"""Wrong fields in plain words: what pydantic found, said with its remedy and without the value."""

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from adapters.web.problems import Refused, invalid
from domain.errors import FieldError

MOST_ERRORS = 50
_LONGEST_NAME = 100
_WORDS = {
    "missing": "is required",
    "extra_forbidden": "is not a known field; remove it",
    "string_type": "must be text, in quotes",
    "bool_type": "must be true or false, without quotes",
    "int_type": "must be a whole number, without quotes",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number, without quotes",
    "finite_number": "must be an ordinary number",
    "dict_type": "must be a JSON object, in braces",
    "model_type": "must be a JSON object, in braces",
    "model_attributes_type": "must be a JSON object, in braces",
    "list_type": "must be a list, in brackets",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must not be empty",
    "too_long": "must have at most {max_length} entries",
    "literal_error": "must be one of {expected}",
    "enum": "must be one of {expected}",
    "value_error": "{error}",
}

Model = TypeVar("Model", bound="Fields")


class Fields(BaseModel):
    """What a caller sends: a number is no text, and a field that nobody knows is an error."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


def checked(model: type[Model], values: dict[str, Any]) -> Model:
    """
    Return the values as `model`.

    Raises:
        Refused: 422, with every wrong field.

    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        # Without the cause: it holds the values.
        raise wrong_fields(error) from None


def wrong_fields(error: ValidationError) -> Refused:
    """Return the refusal that names what pydantic found."""
    found = error.errors(include_url=False, include_input=False)
    return invalid(*(FieldError(_path(one), _message(one)) for one in found[:MOST_ERRORS]))


def _path(found: ErrorDetails) -> str:
    # Places in a list as in `legs[1].starts_at`.
    parts = (f"[{part}]" if isinstance(part, int) else f".{_name(part)}" for part in found["loc"])
    return "".join(parts).removeprefix(".") or "body"


def _name(part: str) -> str:
    name = part[:_LONGEST_NAME]
    return name if name.isprintable() and name.strip() else json.dumps(name)


def _message(found: ErrorDetails) -> str:
    return _WORDS.get(found["type"], "is not valid").format_map(found.get("ctx", {}))
