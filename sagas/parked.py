"""How those who take up due work hear at once that this process has left some for later."""

import asyncio


class Parked:
    """Tells everybody who listens, each by an event of their own: whoever clears it keeps nobody else from hearing."""

    def __init__(self) -> None:
        self._listeners: list[asyncio.Event] = []

    def listen(self) -> asyncio.Event:
        """Return an event that is set whenever work was left; to be cleared before asking what is due, not after."""
        listener = asyncio.Event()
        self._listeners.append(listener)
        return listener

    def tell(self) -> None:
        """Say that work was left, or that it is time to look around for another reason."""
        for listener in self._listeners:
            listener.set()
