"""
Who calls: the bearer keys that are good, those that are not, and what some of them cannot list.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.sandbox import errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """
    Every ``cal_`` key is good, except the invalid ones. ``blind`` names the event types that a key cannot list.
    """

    invalid: frozenset[str] = frozenset()
    blind: Mapping[str, frozenset[int]] = field(default_factory=dict)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Keys":
        """
        Read ``{"invalid": [key, …], "blind": {key: [event type, …]}}``.
        """
        blind = {key: frozenset(event_types) for key, event_types in document.get("blind", {}).items()}
        return cls(invalid=frozenset(document.get("invalid", ())), blind=blind)

    def identify(self, authorization: str, *, required: bool) -> str:
        """
        Return the key of a call, empty if it has none and needs none.

        Raises:
            Refusal: 401. A bad key is refused even where none is needed.
        """
        if not authorization:
            if required:
                raise errors.authentication_missing()
            return ""
        key = authorization.removeprefix("Bearer ").strip()
        if not key.startswith("cal_"):
            raise errors.bearer_invalid()
        if key in self.invalid:
            raise errors.api_key_invalid()
        return key

    def hidden_from(self, key: str) -> frozenset[int]:
        """
        Return the event types whose bookings a key cannot list.
        """
        return self.blind.get(key, frozenset())
