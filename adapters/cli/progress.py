"""A progress bar on stderr; where nobody watches, nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Shows(Protocol):
    """Show how much is done, of how much, and what else there is to say."""

    def __call__(self, done: int, *, total: int, said: str) -> None:
        """Show it."""
        ...


@contextmanager
def progress_bar(what: str, *, total: int) -> Iterator[Callable[[], None]]:
    """Show how far something is; call what is given once for each thing that is done."""
    with _progress(TimeRemainingColumn()) as progress:
        task = progress.add_task(what, total=total)

        def advance() -> None:
            progress.advance(task)

        yield advance


@contextmanager
def told_progress(what: str) -> Iterator[Shows]:
    """Show how far something is that tells so itself: call what is given whenever it does."""
    with _progress(TextColumn("{task.fields[said]}"), TimeRemainingColumn()) as progress:
        task = progress.add_task(what, total=None, said="")

        def show(done: int, *, total: int, said: str) -> None:
            progress.update(task, completed=done, total=total, said=said)

        yield show


def _progress(*more: TextColumn | TimeRemainingColumn) -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), *more)
    return Progress(*columns, console=console, disable=not console.is_terminal)
