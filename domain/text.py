"""Text that is safe to store, to log and to send on."""

import re
import unicodedata

# The categories Cc and Cs of Unicode.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CONTROL_BUT_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+-]*")


def text_problem(value: str, *, at_most: int, lines: bool = False) -> str | None:
    """
    Say what is wrong with a text, or None.

    Control characters, NUL and lone surrogates are refused: a database, a log or
    Cal.com would choke on them later. `lines` lets line breaks and tabs through.
    """
    if not _can_be_seen(value):
        return "must not be empty"
    if len(value) > at_most:
        return f"must have at most {at_most} characters"
    if holds_control(value, lines=lines):
        return "must not contain control characters"
    return None


def holds_control(value: str, *, lines: bool = False) -> bool:
    """Tell whether a text holds what `text_problem` refuses as control characters."""
    return (_CONTROL_BUT_LINES if lines else _CONTROL).search(value) is not None


def _can_be_seen(value: str) -> bool:
    # Spaces of any width, and what Unicode calls format characters, leave nothing on paper.
    return any(unicodedata.category(one)[0] not in "CZ" for one in value)


def identifier_problem(value: str, *, at_most: int = 100) -> str | None:
    """Say what is wrong with an identifier that a caller made up, or None."""
    problem = text_problem(value, at_most=at_most)
    if problem is None and not IDENTIFIER.fullmatch(value):
        return "must begin with a letter or digit and hold only letters, digits and . _ : @ + -"
    return problem
