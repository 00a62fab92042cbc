"""
The sandbox and the installation of the tests of the whole system.
"""

from __future__ import annotations

from tests.integration.system.conftest import account, calcom_url, installation

__all__ = ["account", "calcom_url", "installation"]
