"""
Contract tests need Cal.com's OpenAPI document; where it is not, they are not collected.
"""

from __future__ import annotations

from tests.contract.calcom_document import DOCUMENT

collect_ignore_glob = [] if DOCUMENT.is_file() else ["test_*.py"]
