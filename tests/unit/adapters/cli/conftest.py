"""
Commands set up logging for their whole process; here that process is shared with other tests.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    """
    Logging as it was before the test.
    """
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    configured = structlog.get_config()
    yield
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.configure(**configured)
