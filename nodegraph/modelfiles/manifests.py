"""Models that lie in several files: sharded safetensors, and whole folders in diffusers' layout.

A JSON file stands for them. `NAME.safetensors.index.json` names the shard of every tensor ("weight_map",
huggingface_hub's format); `model_index.json` says that the folders beside it are the parts of one pipeline.
The content of such a model is that of all its files.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.foreign import convert_command
from nodegraph.modelfiles.safetensors_header import DOWNLOAD_AGAIN, Header, TensorInfo, read_header

SHARDED = ".safetensors.index.json"
WHOLE = "model_index.json"
PARTS = ("unet", "transformer", "vae", "text_encoder", "text_encoder_2", "text_encoder_3")
"""The folders of a pipeline that hold weights we use."""
_INDEX = re.compile(r"\.safetensors\.index(\.\w+)?\.json$|(^|/)model_index\.json$")
_SHARD = re.compile(r"-\d{5}-of-\d{5}\.safetensors$")
_MAX_BYTES = 64 * 2**20
_STEMS = ("diffusion_pytorch_model", "model", "pytorch_model")
"""What weights are called; the last is what becomes of a text encoder's pickle when it is converted."""
_VARIANTS = ("", ".fp16", ".bf16", ".non_ema")


def is_manifest(name: str) -> bool:
    """Whether a file of that name stands for several others."""
    return _INDEX.search(name) is not None


def is_shard(name: str) -> bool:
    """Whether a file of that name is one shard of a model, and no model by itself."""
    return _SHARD.search(name) is not None


def members(path: Path) -> list[Path]:
    """The files of a model, its manifest first, then by name. ModelFileError: one is missing."""
    if path.name == WHOLE:
        settings = path.parent / "scheduler" / "scheduler_config.json"
        own = [path, *([settings] if settings.is_file() else [])]
        return [*own, *(file for part in parts_of(path).values() for file in members(part))]
    if not is_manifest(path.name):
        return [path]
    return [path, *sorted(set(_shards(path).values()))]


def content_of(hashes: Iterable[str]) -> str:
    """The content hash of a model from those of its files, in the order of `members`."""
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def parts_of(path: Path) -> Mapping[str, Path]:
    """The weights of every part of a pipeline folder, by the part's folder name.

    path: its model_index.json. ModelFileError: a part that the index names has no safetensors weights.
    """
    index = read_json(path)
    found: dict[str, Path] = {}
    for part in PARTS:
        entry = index.get(part)
        if not isinstance(entry, list) or not any(entry):  # [null, null]: the pipeline does without
            continue
        found[part] = _weights_in(path.parent / part)
    if not found.keys() & {"unet", "transformer"}:
        raise ModelFileError(
            f"{path} names no denoiser", code="model_file_incomplete", expected="a 'unet' or 'transformer'",
            remedy="Use the model_index.json of a text-to-image pipeline.",
        )  # fmt: skip
    return found


def read_model_header(path: Path) -> Header:
    """The header of a safetensors file, or of all shards as one. ModelFileError as `read_header`."""
    if not is_manifest(path.name):
        return read_header(path)
    wanted = _shards(path)
    headers = {shard: read_header(shard) for shard in dict.fromkeys(wanted.values())}
    tensors: dict[str, TensorInfo] = {}
    for name, shard in wanted.items():
        info = headers[shard].tensors.get(name)
        if info is None:
            raise ModelFileError(
                f"{shard} lacks the tensor '{name}' that {path.name} promises", code="model_file_incomplete",
                remedy=DOWNLOAD_AGAIN,
            )  # fmt: skip
        tensors[name] = replace(info, shard=shard, start=headers[shard].data_start)
    metadata = {key: value for header in headers.values() for key, value in header.metadata.items()}
    return Header(path, tensors, metadata)


def read_json(path: Path) -> Mapping[str, Any]:
    """A JSON object. ModelFileError: it is missing, too large, or something else."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _damaged(path, "is too large")
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ModelFileError(
            f"{path} cannot be read: {error.strerror or error}", code="model_file_unreadable"
        ) from None
    except (ValueError, RecursionError):
        raise _damaged(path, "is no JSON") from None
    if not isinstance(data, dict):
        raise _damaged(path, "is no JSON object")
    return data


def _shards(path: Path) -> dict[str, Path]:
    """The file of every tensor that a shard index names."""
    named = read_json(path).get("weight_map")
    if not isinstance(named, dict) or not named:
        raise _damaged(path, "names no tensors ('weight_map')")
    found: dict[str, Path] = {}
    for tensor, file in named.items():
        if not isinstance(file, str) or not file.endswith(".safetensors") or Path(file).name != file:
            raise _damaged(path, f"names {file!r}, which is no safetensors file beside it")
        found[tensor] = path.parent / file
    missing = sorted({shard.name for shard in found.values() if not shard.is_file()})
    if missing:
        raise ModelFileError(
            f"{path} names {len(missing)} files that are not there", code="model_file_incomplete",
            expected="all of its files beside it", found=f"no {', '.join(missing[:3])}",
            remedy="Download the missing files.",
        )  # fmt: skip
    return found


def _weights_in(folder: Path) -> Path:
    """The safetensors file of a part, or the index of its shards; without a variant if there is one."""
    for variant in _VARIANTS:
        for stem in _STEMS:
            whole = f"{stem}{variant}.safetensors"
            names = whole, f"{stem}{variant}{SHARDED}", f"{stem}.safetensors.index{variant}.json"
            for name in names:
                if (folder / name).is_file():
                    return folder / name
    pickled = sorted(folder.glob("*.bin"))
    raise ModelFileError(
        f"{folder} has no weights", code="model_file_incomplete",
        expected=f"{_STEMS[0]}.safetensors, {_STEMS[1]}.safetensors or an index of their shards",
        found=", ".join(path.name for path in pickled[:3]) or "none",
        remedy=f"If you trust what is there, convert it: {convert_command(*pickled)}"
        if pickled
        else "Download the folder again, with this part.",
    )  # fmt: skip


def _damaged(path: Path, reason: str) -> ModelFileError:
    return ModelFileError(f"{path} {reason}", code="model_file_damaged", remedy=DOWNLOAD_AGAIN)
