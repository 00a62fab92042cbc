"""
What the fields of a fault, of its match and of a profile must look like.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

Form: TypeAlias = tuple[Callable[[Any], bool], str]
"""What a value must be, as a test and in words."""

LONGEST_SECONDS: Final = 86_400
MOST_TIMES: Final = 100_000


def number(highest: float) -> Form:
    """
    Return the form of a number from 0 on.
    """
    return lambda value: type(value) in {int, float} and 0 <= value <= highest, f"a number from 0 to {highest}"


def one_of(names: Iterable[str]) -> Form:
    """
    Return the form of a name that is one of these.
    """
    known = tuple(names)
    return lambda value: isinstance(value, str) and value in known, f"one of {', '.join(known)}"


def optional(form: Form) -> Form:
    """
    Return the form of what may also be null.
    """
    fits, words = form
    return lambda value: value is None or fits(value), words


SECONDS: Final = number(LONGEST_SECONDS)
TIMES: Final[Form] = (
    lambda value: type(value) is int and 1 <= value <= MOST_TIMES,
    f"a whole number from 1 to {MOST_TIMES}",
)
WHOLE: Final[Form] = (lambda value: type(value) is int, "a whole number")
TRUTH: Final[Form] = (lambda value: isinstance(value, bool), "true or false")
TEXT: Final[Form] = (lambda value: isinstance(value, str), "text")
OBJECT: Final[Form] = (lambda value: isinstance(value, Mapping), "an object")
LIST: Final[Form] = (lambda value: isinstance(value, list | tuple), "a list")


def check(document: Any, forms: Mapping[str, Form], *, of: str) -> None:  # noqa: ANN401 - JSON
    """
    Make sure that a document has fields of these forms, and no others.

    Raises:
        ValueError: it has not; the message names the field.
    """
    if not isinstance(document, Mapping):
        message = f"a {of} must be an object, in braces"
        raise ValueError(message)  # noqa: TRY004 - callers tell of a ValueError
    if unknown := document.keys() - forms.keys():
        message = f"unknown fields of a {of}: {sorted(unknown)}"
        raise ValueError(message)
    for name, value in document.items():
        fits, words = forms[name]
        if not fits(value):
            message = f"{name} of a {of} must be {words}"
            raise ValueError(message)
