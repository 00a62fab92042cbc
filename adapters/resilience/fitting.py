"""What `retry` can try again, and what it refuses with the remedy instead of never trying it again."""

import inspect
from collections.abc import Callable
from typing import TypeVar

R = TypeVar("R")


def is_async(function: Callable[..., object]) -> bool:
    """Tell whether calling it gives something to await; an object is as its `__call__` is."""
    return any(map(inspect.iscoroutinefunction, _called(function)))


def refuse_generator(function: Callable[..., object], *, name: str) -> None:
    """Raise TypeError for a generator: what it has yielded cannot be taken back."""
    for called in _called(function):
        if inspect.isgeneratorfunction(called) or inspect.isasyncgenfunction(called):
            msg = f"{name} is a generator, which cannot be tried again: decorate what fetches one page, say"
            raise TypeError(msg)


def result(value: R, *, name: str) -> R:
    """Return what an ordinary function has returned, or raise TypeError for a coroutine, which nobody has tried yet."""
    if inspect.iscoroutine(value):
        value.close()
        msg = f"{name} returns a coroutine and is no coroutine function: write it as `async def`"
        raise TypeError(msg)
    return value


def check_times(*, within: float, attempt_seconds: float | None) -> None:
    """Raise ValueError unless both are more than 0 seconds."""
    for field, seconds in (("within", within), ("attempt_seconds", attempt_seconds)):
        # Not `<= 0`, which NaN passes.
        if seconds is not None and not seconds > 0:
            msg = f"{field} is {seconds}: give more than 0 seconds"
            raise ValueError(msg)


def check_listener(on_retry: Callable[..., object]) -> None:
    """Raise TypeError for one that would have to be awaited."""
    if is_async(on_retry):
        raise TypeError("on_retry must be an ordinary function: it is called, not awaited")


def _called(function: Callable[..., object]) -> tuple[Callable[..., object], ...]:
    return function, type(function).__call__
