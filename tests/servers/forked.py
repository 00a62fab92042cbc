"""
What the server that processes are forked from does before the first fork: see `tests.servers.forking`.
"""

from __future__ import annotations

import gc

# ruff: noqa: F401 - imported for those who are forked
import tests.crash.child
import tests.integration.storage.appends
import tests.integration.system.callers
from adapters.calcom.connections import open_transport
from adapters.recording.codec import booking_codec
from domain.validation import is_time_zone

# What a process makes once: how each event is read, whom it trusts, and the names of all time zones.
booking_codec()
open_transport(max_connections=1, attempt_seconds=1)
is_time_zone("UTC")
# What is there now stays for ever: a collection in a child would look through it all, and have the kernel copy it.
gc.collect()
gc.freeze()
