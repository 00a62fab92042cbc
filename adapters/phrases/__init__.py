"""What people are told, in their language: sentences that a voice agent can say as they are."""

from adapters.phrases.catalog import LANGUAGES, Language, phrase, reason_in
from adapters.phrases.choosing import chosen
from adapters.phrases.keys import Phrase

__all__ = ["LANGUAGES", "Language", "Phrase", "chosen", "phrase", "reason_in"]
