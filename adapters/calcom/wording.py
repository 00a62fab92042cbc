"""Foreign words made fit for the log: short, printable, and without anybody's address or number."""

import re

LONGEST = 200

_EMAIL = re.compile(r"[^\s@<>()\"',;:=]{1,64}@[^\s@<>()\"',;:]{1,255}")
_PHONE = re.compile(r"\+?\d(?:[ ().\-/]{0,3}\d){6,18}")
_BLANKS = re.compile(r"\s+")


def fit_for_log(text: str) -> str:
    """Return a foreign text without e-mail addresses, long numbers and control characters, cut to a line."""
    # Cut before the patterns run, so that a page of megabytes costs nothing.
    head = _BLANKS.sub(" ", text[: 8 * LONGEST]).strip()
    printable = "".join(char if char.isprintable() else "?" for char in head)
    masked = _PHONE.sub("[number]", _EMAIL.sub("[e-mail]", printable))
    return masked if len(masked) <= LONGEST else f"{masked[: LONGEST - 1]}…"
