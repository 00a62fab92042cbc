"""What a person sees meanwhile: a live bar on stderr; where nobody watches, nothing."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

_OVER = ("booked", "failed", "cancelled", "needs_review")
_SHOWN = ("booked", "pending", "in doubt", "compensating", "cancelling", "failed", "cancelled", "needs_review")


@dataclass(frozen=True, slots=True)
class Watch:
    """The bar."""

    progress: Progress
    task: TaskID

    def show(self, standing: Counter[str]) -> None:
        """Show how many bookings stand where."""
        over = sum(standing[name] for name in _OVER)
        said = ", ".join(f"{standing[name]} {name.replace('_', ' ')}" for name in _SHOWN if standing[name])
        self.progress.update(self.task, completed=over, said=said or "starting")

    def say(self, text: str) -> None:
        """Write a line above the bar."""
        self.progress.console.print(text, style="dim", highlight=False)


@contextmanager
def watching(bookings: int) -> Iterator[Watch]:
    """Show a bar for so many bookings."""
    console = Console(stderr=True)
    columns = (BarColumn(30), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[said]}"))
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield Watch(progress, progress.add_task("", total=bookings, said="starting"))
