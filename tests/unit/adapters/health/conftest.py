"""
Everything that health looks at, all of it well.
"""

from __future__ import annotations

import pytest

from tests.unit.adapters.health.around import Around


@pytest.fixture
def around() -> Around:
    return Around()
