"""Saving whole files: written beside their place, renamed into it, never over another."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from nodegraph.errors import InputError


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file by `write(temporary path)` and rename it to `path`, replacing what was there.

    InputError names the path when the folder cannot be written. Nothing is left behind on failure.
    """
    temporary = _temporary(path)
    try:
        write(temporary)
        temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_numbered(folder: Path, prefix: str, suffix: str, write: Callable[[Path], None]) -> Path:
    """Write `folder/prefix_00001suffix`, or the next free number, and return its path."""
    base = folder / prefix
    if not base.resolve().is_relative_to(folder.resolve()):
        raise InputError(
            f"'{prefix}' leads out of the output folder", code="bad_path", remedy="Use a plain name."
        )
    temporary = _temporary(base)
    try:
        write(temporary)
        number = _last_number(base, suffix)
        while True:
            number += 1
            path = base.with_name(f"{base.name}_{number:05d}{suffix}")
            try:
                os.link(temporary, path)  # unlike a rename, it refuses to replace a file of another run
            except FileExistsError:
                continue
            return path
    except OSError as error:
        raise _unwritable(base, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=f".part{path.suffix}")
    except OSError as error:
        raise _unwritable(path, error) from error
    os.close(handle)
    return Path(name)


def _last_number(base: Path, suffix: str) -> int:
    tails = (
        path.name[len(base.name) + 1 : -len(suffix)] for path in base.parent.glob(f"{base.name}_*{suffix}")
    )
    return max((int(tail) for tail in tails if tail.isdigit()), default=0)


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"'{path}' cannot be written: {error.strerror or error}",
        code="unwritable",
        remedy="Choose another folder, or free its permissions.",
    )
