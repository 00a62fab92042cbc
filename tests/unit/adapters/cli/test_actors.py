"""
Who gives a command.
"""

from __future__ import annotations

import os
import pwd

import pytest

from adapters.cli.actors import user_name


def test_it_is_the_user_whose_process_this_is() -> None:
    assert pwd.getpwuid(os.getuid()).pw_name == user_name()


def test_a_user_without_a_name_is_named_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 3_999_999_999)

    assert "uid-3999999999" == user_name()
