"""ComfyUI's `extra_model_paths.yaml`: folders by kind, in sections with a common base.

Read as ComfyUI 0.3.64 reads it: every section is a mapping; `base_path` is what its relative paths start
from (without one: the file's own folder), a relative `base_path` starts from the file's folder; `is_default`
puts a section's folders before all others; a value may hold several paths, one a line; `~` and environment
variables in `base_path` are expanded; comments and empty values count for nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from nodegraph.errors import InputError
from nodegraph.modelfiles.folder_layouts import Folders
from nodegraph.modelfiles.kinds import ALIASES, MODEL_KINDS

_NO_MODELS = {"custom_nodes", "configs"}
"""Keys of ComfyUI that name no folders of models."""


class ExtraPaths(NamedTuple):
    """The folders of the file: those of default sections, and the rest. notes: what in it was not used."""

    default: Folders
    others: Folders
    notes: list[str]


def read_extra_paths(path: Path) -> ExtraPaths:
    """The folders that an `extra_model_paths.yaml` names. InputError if it cannot be read so."""
    import yaml  # only who has such a file needs it

    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"'{path}' cannot be read: {reason}", code="bad_config") from None
    if data is None:
        return ExtraPaths({}, {}, [])
    if not isinstance(data, dict):
        raise InputError(f"'{path}' holds no sections", code="bad_config", expected="a mapping of sections")
    result = ExtraPaths({}, {}, [])
    for section, entries in data.items():
        if not isinstance(entries, dict):
            if entries is not None:
                result.notes.append(f"{path}: '{section}' is no section of folders")
            continue
        _read_section(path, str(section), entries, result)
    return result


def _read_section(path: Path, section: str, entries: Mapping[Any, Any], result: ExtraPaths) -> None:
    base = _base(path, entries.get("base_path"))
    folders = result.default if entries.get("is_default") is True else result.others
    for key, value in entries.items():
        name = str(key)
        if name in {"base_path", "is_default", *_NO_MODELS} or value is None:
            continue
        kind = ALIASES.get(name, name)
        if kind not in MODEL_KINDS:
            result.notes.append(f"{path}: '{section}.{name}' is no known kind of models")
            continue
        known = folders.setdefault(kind, [])
        known.extend(place for place in _places(base, value) if place not in known)


def _base(path: Path, value: object) -> Path:
    if not isinstance(value, str) or not value:
        return path.absolute().parent
    return path.absolute().parent / os.path.expandvars(os.path.expanduser(value))  # noqa: PTH111 - beside expandvars


def _places(base: Path, value: object) -> Iterator[Path]:
    """The folders of one key: the lines of a text, or the items of a list."""
    items = value if isinstance(value, list) else [value]
    for line in (line.strip() for item in items for line in str(item).splitlines()):
        if line:
            yield Path(os.path.normpath(base / line))
