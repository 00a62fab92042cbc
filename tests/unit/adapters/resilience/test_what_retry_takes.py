"""
What `retry` takes, and what it refuses with the remedy instead of never trying it again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial

import pytest
from structlog.testing import capture_logs

from adapters.resilience.retrying import Retry, retry
from domain.retry import RetryPolicy

AT_ONCE = RetryPolicy(first_delay=0.001)


class Fetcher:
    """
    An object that is called like a coroutine function, and fails once.
    """

    calls = 0

    async def __call__(self, word: str) -> str:
        self.calls += 1
        if self.calls == 1:
            raise ConnectionResetError
        return word


async def test_an_object_with_a_coroutine_for_a_call_is_tried_again() -> None:
    fetcher = Fetcher()

    assert "here" == await retry(policy=AT_ONCE, attempt_seconds=5)(fetcher)("here")
    assert 2 == fetcher.calls


async def test_a_coroutine_function_with_some_arguments_given_is_tried_again() -> None:
    fetcher = Fetcher()

    assert "here" == await retry(policy=AT_ONCE)(partial(fetcher.__call__, "here"))()


async def pages() -> AsyncIterator[int]:
    yield 1


def lines() -> Iterator[int]:
    yield 1


@pytest.mark.parametrize("function", [pages, lines])
def test_a_generator_is_refused(function: Callable[[], object]) -> None:
    with pytest.raises(TypeError, match=f"{function.__name__} is a generator, which cannot be tried again"):
        retry()(function)


def later() -> Awaitable[str]:
    return Fetcher()("here")


def test_an_ordinary_function_that_returns_a_coroutine_is_refused() -> None:
    with pytest.raises(TypeError, match="returns a coroutine and is no coroutine function: write it as `async def`"):
        retry(policy=AT_ONCE)(later)()


@pytest.mark.parametrize("seconds", [-1.0, 0.0, float("nan")])
@pytest.mark.parametrize("field", ["within", "attempt_seconds"])
def test_a_time_that_is_none_is_refused(field: str, seconds: float) -> None:
    with pytest.raises(ValueError, match=f"{field} is {seconds}: give more than 0 seconds"):
        retry(**{field: seconds})  # type: ignore[arg-type]


def test_a_listener_that_would_have_to_be_awaited_is_refused() -> None:
    async def listen(_: Retry) -> None: ...

    with pytest.raises(TypeError, match="on_retry must be an ordinary function"):
        retry(on_retry=listen)  # type: ignore[arg-type]


async def test_a_listener_that_fails_hides_nothing_and_stops_nothing() -> None:
    def listen(_: Retry) -> None:
        raise KeyError("mine")

    with capture_logs() as lines:
        assert "here" == await retry(policy=AT_ONCE, on_retry=listen)(Fetcher())("here")

    assert [("retry.on_retry.failed", "KeyError")] == [(line["event"], line["error"]) for line in lines]


def test_without_brackets_it_says_how_to_write_it() -> None:
    with pytest.raises(TypeError, match=r"write @retry\(\), with brackets"):
        retry(Fetcher())  # type: ignore[arg-type]
