"""What can wait until whoever tells it has gone on: nobody's answer is late because it was counted."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import ParamSpec

P = ParamSpec("P")


def afterwards(tell: Callable[P, object]) -> Callable[P, None]:
    """
    Return what tells the same, in the event loop's next turn, behind those who were woken before.

    Raises:
        RuntimeError: there is no event loop here, or, when it is told, no longer.

    """
    loop = asyncio.get_running_loop()

    def later(*arguments: P.args, **words: P.kwargs) -> None:
        loop.call_soon(partial(tell, *arguments, **words))

    return later
