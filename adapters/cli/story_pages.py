"""A story on paper: state, events and ledger, one below the other."""

from dataclasses import fields

from rich.console import Console
from rich.table import Table
from rich.text import Text

from projections.story import Story, as_json


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
    table = Table("version", "at", "event", "facts", title="events", title_justify="left")
    for one in story.events:
        facts = ", ".join(f"{name} {value}" for name, value in one.facts.items() if name != "person")
        table.add_row(str(one.version), f"{one.at:%Y-%m-%d %H:%M:%S.%f}", one.name, Text(facts))
    return table


def _ledger(story: Story) -> Table:
    table = Table(title="effect ledger", title_justify="left")
    lines = [as_json(line) for line in story.ledger]
    if not lines:
        return table
    for field in fields(story.ledger[0]):
        table.add_column(field.name.replace("_", " "))
    for line in lines:
        table.add_row(*(Text("–" if value is None else str(value)) for value in line.values()))
    return table
