"""What a command has made of the fleet's breakers, written to the log before the command ends."""

from typing import TYPE_CHECKING

from adapters.cli.failing import complain
from adapters.cli.kept_standing import is_missing

if TYPE_CHECKING:
    from adapters.redis.breakers import RedisBreakers
    from adapters.settings import Settings

NOT_WRITTEN = (
    "it is done, but not written to the database, which did not take it: a Redis that comes back empty forgets it, "
    "and may be given an older one again, unless a running calsaga (`serve`, `worker`) has seen it by then: each looks "
    "every five seconds"
)


async def write_down(settings: "Settings", breakers: "RedisBreakers") -> None:
    """Write the commands and the transitions that Redis remembers; say so if that cannot be done."""
    from adapters.breakers.commands import KeptCommands
    from adapters.breakers.events import BreakerEvents
    from adapters.breakers.policies import SHARED
    from adapters.breakers.ports import SharedStateAway
    from adapters.log.store import open_store
    from domain.errors import AppointmentDatabaseError
    from migrations.errors import SchemaError

    if is_missing(settings.database_url):
        complain(NOT_WRITTEN)
        return
    try:
        async with open_store(settings.database_url, patience=2.0) as store:
            events = BreakerEvents(log=store.log, clock=store.clock, instance="command line", names=SHARED)
            await events.look_at(breakers)
            await events.write()
            kept = KeptCommands(log=store.log, clock=store.clock, names=SHARED)
            written = await kept.look_at(breakers)
    except (AppointmentDatabaseError, SchemaError, SharedStateAway):
        written = False
    if not written:
        complain(NOT_WRITTEN)
