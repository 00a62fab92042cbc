"""How sure a transcript of somebody's voice must be before it is acted on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceRule:
    """Wishes from these `sources` need a confidence of at least `lowest`, if they come with one."""

    sources: frozenset[str] = frozenset({"phone", "voice"})
    lowest: float = 0.6

    def problem(self, source: str, confidence: float | None) -> str | None:
        """Say what is to be done about a wish that was hardly understood, or None."""
        if confidence is None or confidence >= self.lowest or source not in self.sources:
            return None
        return (
            f"is below {self.lowest:g}: ask the customer to confirm what was understood, "
            "then send the wish again without `confidence`"
        )


DEFAULT_RULE = VoiceRule()
