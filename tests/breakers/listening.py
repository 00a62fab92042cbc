"""
A listener that remembers what it is told.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.breaker_words import Transition


@dataclass
class Heard:
    moves: list[Transition] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def moved(self, transition: Transition, *, shared: bool) -> None:
        self.moves.append(transition)

    def degraded(self, reason: str) -> None:
        self.words.append("degraded")

    def recovered(self) -> None:
        self.words.append("recovered")
