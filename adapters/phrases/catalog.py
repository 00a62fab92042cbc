"""The phrases in every language."""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias, get_args

from adapters.phrases import english, german
from adapters.phrases.keys import Phrase

Language: TypeAlias = Literal["en", "de"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
PHRASES: Final[Mapping[Language, Mapping[Phrase, str]]] = {"en": english.PHRASES, "de": german.PHRASES}
REASONS: Final[Mapping[Language, Mapping[str, str]]] = {"en": english.REASONS, "de": german.REASONS}


def phrase(key: Phrase, language: Language = "en") -> str:
    """Return what is said."""
    return PHRASES[language][key]


def reason_in(reason: str, language: Language = "en") -> str:
    """Return why there is no appointment; of a reason that nobody has described yet, no more than that it failed."""
    return REASONS[language].get(reason) or phrase(Phrase.OTHERWISE, language)
