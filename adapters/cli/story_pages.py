"""A story on paper: state, events and ledger, one below the other."""

from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from projections.story import Story


def print_story(story: Story) -> None:
    """Print a booking's story on stdout."""
    console = Console(highlight=False)
    if not console.is_terminal:
        # A file or a pipe has no width that lines should be cut to.
        console.width = 200
    console.print(Text(f"booking {story.booking_id}: {story.status}, version {story.version}", style="bold"))
    console.print(_state(story))
    console.print(_events(story))
    console.print(_ledger(story))


def _state(story: Story) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in story.state.items():
        table.add_row(Text(name, style="dim"), Text(value))
    return table


def _events(story: Story) -> Table:
    table = Table("", "at", "event", "facts", title="events", title_justify="left")
    for one in story.events:
        facts = ", ".join(f"{name} {value}" for name, value in one.facts.items() if name != "person")
        table.add_row(str(one.version), _time(one.at), one.name, Text(facts))
    return table


def _ledger(story: Story) -> Table:
    table = Table(title="effect ledger", title_justify="left")
    for name in ("", "attempt", "at", "outcome", "looks", "uid", "verdict"):
        # An id that is cut short is of no use to anybody.
        table.add_column(name, overflow="fold")
    for line in story.ledger:
        looks = f"{line.looks}, {line.clean_looks} clean" if line.looks else "–"
        cells = (line.attempt, _time(line.attempted_at), line.outcome or "–", looks, line.uid or "–", line.verdict)
        table.add_row(str(line.number), *map(Text, cells))
    return table


def _time(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S.%f}"[:-3]
