"""
Documents that a machine can hold to the code.
"""

from __future__ import annotations

import re
from pathlib import Path

from adapters.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
WORDS = range(150, 351)


def test_every_setting_is_documented_with_its_name() -> None:
    documented = set(re.findall(rf"`({PREFIX}[A-Z0-9_]+)`", (ROOT / "docs/settings.md").read_text()))

    assert {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} == documented


def test_every_decision_record_is_short_and_complete() -> None:
    for record in (ROOT / "docs/adr").glob("0*.md"):
        text = record.read_text()

        assert len(text.split()) in WORDS, record.name
        assert ["Context", "Decision", "Rejected", "Cost", "Confirmation"] == re.findall(
            r"^## (\w+)", text, re.MULTILINE
        )


def test_the_paths_that_documents_name_exist() -> None:
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        named = re.findall(
            r"`((?:domain|sagas|projections|adapters|migrations|tests|docs|benchmarks|deploy)/[\w./-]*)`",
            document.read_text(),
        )
        missing = [path for path in named if not (ROOT / path).exists()]

        assert [] == missing, document.name
