"""Saving whole files: written beside their place, renamed into it, never over another."""

from __future__ import annotations

import errno
import glob
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from nodegraph.errors import InputError

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file by `write(temporary path)` and rename it to `path`, replacing what was there.

    InputError names the path when the folder cannot be written. Nothing is left behind on failure.
    """
    temporary = _temporary(path.parent, path.suffix)
    try:
        write(temporary)
        temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_numbered(folder: Path, prefix: str, suffix: str, write: Callable[[Path], None]) -> Path:
    """Write `folder/prefix_00001suffix`, or the next free number, and return its path.

    InputError when the prefix leads out of the folder or the folder cannot be written.
    """
    base = _inside(folder, prefix)
    temporary = _temporary(base.parent, suffix)
    try:
        write(temporary)
        number = _last_number(base, suffix) + 1
        while not _place(temporary, path := base.with_name(f"{base.name}_{number:05d}{suffix}")):
            number += 1
    except OSError as error:
        raise _unwritable(base, error) from error
    finally:
        temporary.unlink(missing_ok=True)
    return path


def why_unwritable(folder: Path) -> str:
    """Why nothing can be written into a folder, which may still have to be made; empty where it can.

    Nothing is made to find out.
    """
    place = folder.absolute()
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    if not place.is_dir():
        return f"'{place}' is not a folder"
    return "" if os.access(place, os.W_OK | os.X_OK) else f"the folder '{place}' may not be written"


def _inside(folder: Path, prefix: str) -> Path:
    root = folder.resolve()
    if "\0" not in prefix:
        base = (root / prefix).resolve()
        if base != root and base.is_relative_to(root):
            return base
    raise InputError(
        f"'{prefix}' leads out of the output folder or names no file in it", code="bad_path",
        remedy="Use a plain name.",
    )  # fmt: skip


def _temporary(folder: Path, suffix: str) -> Path:
    """A new empty file. Unlike those of `tempfile` it gets the permissions that new files get here."""
    path = folder / f".{secrets.token_hex(8)}.part{suffix}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.touch(exist_ok=False)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return path


def _place(temporary: Path, path: Path) -> bool:
    """Give a finished file its name, unless another file has it (of another run, in another process)."""
    try:
        os.link(temporary, path)  # unlike a rename, it never replaces a file
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return _claim(temporary, path)
    return True


def _claim(temporary: Path, path: Path) -> bool:
    """As `_place` where there are no hard links (exFAT, some network drives): the name is taken first."""
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return False
    temporary.replace(path)
    return True


def _last_number(base: Path, suffix: str) -> int:
    names = (path.name for path in base.parent.glob(f"{glob.escape(base.name)}_*{glob.escape(suffix)}"))
    tails = (name[len(base.name) + 1 : len(name) - len(suffix)] for name in names)
    return max((int(tail) for tail in tails if tail.isdecimal()), default=0)


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"'{path}' cannot be written: {error.strerror or error}",
        code="unwritable",
        remedy="Choose another folder, or free its permissions.",
    )
