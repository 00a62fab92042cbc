"""Which language somebody wants to be told in (RFC 9110, `Accept-Language`)."""

import re
from collections.abc import Iterator

from adapters.phrases.catalog import LANGUAGES, Language

DEFAULT: Language = "en"
LONGEST = 1000
"""Characters of the header; of a longer one nothing is read."""
_RANGE = re.compile(r"\s*([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9]{1,8})*\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?")


def chosen(header: str | None) -> Language:
    """Return the language that is liked best of those there are; English if none is, or nothing can be understood."""
    if not header or len(header) > LONGEST:
        return DEFAULT
    liked = sorted(_liked(header), key=lambda one: -one[1])
    return next((language for language, weight in liked if weight > 0), DEFAULT)


def _liked(header: str) -> Iterator[tuple[Language, float]]:
    for part in header.split(","):
        found = _RANGE.fullmatch(part)
        if found is None:
            continue
        tag, weight = found[1].lower(), float(found[2] or 1)
        for language in LANGUAGES:
            if tag == language or (tag == "*" and language == DEFAULT):
                yield language, weight
