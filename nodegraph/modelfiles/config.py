"""Which folders hold models: our own, and those that `nodegraph.toml` and the environment name.

    [models]
    roots = ["/mnt/models"]               # folders in our layout: one folder for each kind inside
    comfyui = ["~/ComfyUI"]               # its models folder, and its extra_model_paths.yaml
    a1111 = ["~/stable-diffusion-webui"]
    extra_model_paths = ["paths.yaml"]    # files of ComfyUI's format

    [models.folders]
    loras = ["/mnt/fast/loras"]           # folders of one kind

Relative paths start from the file's folder. `NODEGRAPH_MODELS` adds roots, separated as in `PATH`. Folders
win in this order: default sections of ComfyUI's files, our own, `folders`, `roots`, the environment, ComfyUI,
A1111, other sections of ComfyUI's files.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nodegraph.errors import InputError
from nodegraph.modelfiles.extra_paths import read_extra_paths
from nodegraph.modelfiles.folder_layouts import Folders, a1111_folders, existing, merge, own_folders
from nodegraph.modelfiles.kinds import ALIASES, MODEL_KINDS

FILE = "nodegraph.toml"
VARIABLE = "NODEGRAPH_MODELS"
_YAML = "extra_model_paths.yaml"
_LISTS = ("roots", "comfyui", "a1111", "extra_model_paths")


@dataclass(frozen=True)
class ModelFolders:
    """The folders by kind, those that win first; notes: what was named and cannot be used, in words."""

    folders: Folders
    notes: list[str] = field(default_factory=list)


def model_folders(data_dir: Path, environment: Mapping[str, str] = os.environ) -> ModelFolders:
    """The folders of models for a data directory. InputError where its `nodegraph.toml` cannot be read."""
    path = data_dir / FILE
    settings = _settings(path)
    notes: list[str] = []

    def places(key: str) -> list[Path]:
        named = [_place(data_dir, text) for text in settings.get(key, [])]
        notes.extend(f"{path}: there is no '{place}'" for place in named if not place.exists())
        return [place for place in named if place.exists()]

    first: Folders = {}
    last: Folders = {}
    middle = merge(own_folders(data_dir / "models"), _named(data_dir, settings.get("folders", {}), notes))
    for root in places("roots"):
        middle = merge(middle, existing(own_folders(root)))
    for root in _from_environment(environment, notes):
        middle = merge(middle, existing(own_folders(root)))
    files = places("extra_model_paths")
    for root in places("comfyui"):
        middle = merge(middle, existing(own_folders(root / "models")))
        files.extend(file for file in [root / _YAML] if file.is_file() and file not in files)
    for root in places("a1111"):
        middle = merge(middle, a1111_folders(root))
    for file in files:
        extra = read_extra_paths(file)
        first, last = merge(first, extra.default), merge(last, extra.others)
        notes.extend(extra.notes)
        named = [
            place for part in (extra.default, extra.others) for paths in part.values() for place in paths
        ]
        notes.extend(f"{file}: there is no folder '{place}'" for place in named if not place.is_dir())
    return ModelFolders(merge(merge(first, middle), last), notes)


def _settings(path: Path) -> dict[str, Any]:
    """The `[models]` table of a configuration file. InputError says what in it cannot be used."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:  # bad TOML and bad UTF-8 are ValueErrors
        raise InputError(f"'{path}' cannot be read: {error}", code="bad_config") from None
    settings = data.pop("models", {})
    if data or not isinstance(settings, dict):
        found = ", ".join(data) or "a models entry that is no table"
        raise _bad(path, "it has more than its one table", "[models]", found)
    for key, value in settings.items():
        if key == "folders":
            _check_folders(path, value)
        elif key not in _LISTS:
            raise _bad(path, f"'models.{key}' means nothing", ", ".join((*_LISTS, "folders")), key)
        elif not _is_texts(value):
            raise _bad(path, f"'models.{key}' names no folders", "a list of texts", str(value))
    return settings


def _check_folders(path: Path, value: object) -> None:
    if not isinstance(value, dict):
        raise _bad(path, "'models.folders' is no table", "kind = [folder, …]", str(value))
    for kind, folders in value.items():
        if ALIASES.get(kind, kind) not in MODEL_KINDS:
            raise _bad(path, f"'{kind}' is no kind of models", ", ".join(MODEL_KINDS), kind)
        if not _is_texts(folders):
            raise _bad(path, f"'models.folders.{kind}' names no folders", "a list of texts", str(folders))


def _named(data_dir: Path, table: Mapping[str, list[str]], notes: list[str]) -> Folders:
    folders: Folders = {}
    for kind, texts in table.items():
        places = [_place(data_dir, text) for text in texts]
        notes.extend(f"{data_dir / FILE}: there is no '{place}'" for place in places if not place.is_dir())
        folders = merge(folders, {ALIASES.get(kind, kind): places})
    return folders


def _from_environment(environment: Mapping[str, str], notes: list[str]) -> list[Path]:
    roots = [Path(text).expanduser() for text in environment.get(VARIABLE, "").split(os.pathsep) if text]
    notes.extend(f"{VARIABLE}: there is no '{root}'" for root in roots if not root.is_dir())
    return [root.absolute() for root in roots if root.is_dir()]


def _place(data_dir: Path, text: str) -> Path:
    return data_dir.absolute() / Path(os.path.expandvars(text)).expanduser()


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _bad(path: Path, reason: str, expected: str, found: str) -> InputError:
    return InputError(f"'{path}' cannot be used: {reason}", code="bad_config", expected=expected, found=found)
