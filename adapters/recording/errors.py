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
