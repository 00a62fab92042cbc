from __future__ import annotations

import sys
from multiprocessing.connection import Connection

from tests.servers.forking import FORKED

NEEDED = {
    "adapters.bootstrap",
    "tests.crash.child",
    "tests.integration.storage.appends",
    "tests.integration.system.callers",
}


def test_whatever_any_test_has_its_children_do_is_imported_before_they_are_forked() -> None:
    heard, said = FORKED.Pipe(duplex=False)
    child = FORKED.Process(target=_tell_what_is_missing, args=(said,))
    child.start()
    said.close()
    missing = heard.recv()
    child.join()

    assert set() == missing


def _tell_what_is_missing(said: Connection) -> None:
    said.send(NEEDED - set(sys.modules))
