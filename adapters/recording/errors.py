"""
Why a stored event cannot be read.

    UnreadableEvent
    └── UnknownTopic     its name means nothing to this calsaga
"""


class UnreadableEvent(Exception):
    """The log holds an event that does not fit its name; nothing that is folded from its stream can be trusted."""


class UnknownTopic(UnreadableEvent):
    """A newer calsaga wrote this event, or its class or upcaster was lost; install the newer one."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"The log holds an event {topic!r}, which this calsaga does not know.")
        self.topic = topic


class OnlyAppended(Exception):
    """Use `append`: events that were written without their claims and due work would be lost sight of."""

    def __init__(self, events: int) -> None:
        super().__init__(f"{events} events are not written: `append` alone writes them, with their claims and due work")
