"""What an answer says of the rung of the fallback chain that it comes from."""

from typing import Any

from adapters.phrases import Language, Phrase, phrase
from domain.fallback import Rung, should_retry


def fallback_document(rung: Rung, language: Language) -> dict[str, Any]:
    """Return the member `fallback` of an answer; nothing if it comes from the first rung."""
    if rung == "primary":
        return {}
    told = {"rung": rung, "notice": phrase(Phrase(rung), language), "retries_itself": should_retry(rung)}
    return {"fallback": told}
