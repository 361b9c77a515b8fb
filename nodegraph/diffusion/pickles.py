"""Turn a pickled model (.ckpt, .pt, .pth, .bin) into safetensors, by consent for one file.

    nodegraph models convert model.ckpt

Pickles can run code when they are opened. Nothing else here ever opens one; whoever runs this on a file
consents to that file, and even then it is read by torch's restricted unpickler, which makes tensors and plain
containers only and refuses everything else without running it.
"""

from __future__ import annotations

import argparse
import os
import pickle
import secrets
import sys
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from nodegraph.errors import ModelFileError

_NESTS = ("state_dict", "model", "module", "params_ema", "params")
"""Where training programs keep the tensors in what they save."""

_LISTED = (torch.nn.ParameterDict,)
"""Containers beyond those that torch allows itself: the first programs for textual inversion saved one."""

_FAILURES = (
    pickle.UnpicklingError, zipfile.BadZipFile, RuntimeError, EOFError, ValueError, LookupError, TypeError,
    AttributeError,
)  # fmt: skip
"""What torch's unpickler raises for files that are damaged or hold what it refuses."""


def convert_pickle(path: Path, target: Path | None = None) -> Path:
    """Write the tensors of a pickle as safetensors beside it (or to `target`), and give that path.

    The target is written whole or not at all, and never over another file. ModelFileError: there is no such
    file, the target exists, the pickle holds more than tensors and containers or is damaged, or holds none.
    """
    made = target or path.with_suffix(".safetensors")
    if not path.is_file():
        raise ModelFileError(
            f"there is no file {path}", code="model_file_not_found", remedy="Check the name and the folder."
        )
    if made == path:
        raise ModelFileError(
            f"{path} is called a safetensors file already", code="model_file_exists",
            remedy=f"If it is a pickle, rename it to {path.with_suffix('.ckpt').name} first.",
        )  # fmt: skip
    if made.exists():
        raise ModelFileError(
            f"{made} exists already", code="model_file_exists", remedy="Use it, or move it away first."
        )
    tensors = {name: tensor.detach().contiguous().clone() for name, tensor in _tensors(_opened(path)).items()}
    if not tensors:
        raise ModelFileError(f"{path} holds no tensors", code="model_file_damaged")
    part = made.with_name(f".{secrets.token_hex(8)}.part")
    try:
        save_file(tensors, part)
        os.link(part, made)  # unlike a rename, this never replaces a file
    finally:
        part.unlink(missing_ok=True)
    return made


def _opened(path: Path) -> object:
    try:
        with (
            warnings.catch_warnings(action="ignore"),  # of pickle protocols that it may not know in full
            torch.serialization.safe_globals(list(_LISTED)),
        ):
            return torch.load(path, map_location="cpu", weights_only=True)
    except _FAILURES as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelFileError(
            f"{path} cannot be opened safely: {first}",
            code="model_file_unsafe",
            expected="a pickle of tensors and plain containers",
            remedy="Nothing in it was run. Get the safetensors version of this model.",
        ) from error


def _tensors(value: object) -> dict[str, Tensor]:
    """The tensors by name, from the nest where they are; embeddings named as in safetensors files."""
    if isinstance(value, Tensor):
        return {"embedding": value}
    if not isinstance(value, Mapping):
        return {}
    learned = _plain(value.get("string_to_param"))
    if isinstance(learned, Mapping):
        return {f"string_to_param.{name}": item for name, item in learned.items() if isinstance(item, Tensor)}
    nests = (value.get(nest) for nest in _NESTS)
    table: Mapping[object, object] = next((nest for nest in nests if isinstance(nest, Mapping)), value)
    return {name: item for name, item in table.items() if isinstance(name, str) and isinstance(item, Tensor)}


def _plain(value: object) -> object:
    """A container of parameters as what it contains. Its methods are not asked: a file says what they do."""
    return vars(value).get("_parameters") if isinstance(value, torch.nn.ParameterDict) else value


def main(arguments: Sequence[str] | None = None) -> int:
    """Convert the files that are named on the command line; exit code 1 if one of them cannot be."""
    parser = argparse.ArgumentParser(description="Turn pickled models that you trust into safetensors.")
    parser.add_argument("files", nargs="+", type=Path)
    code = 0
    for path in parser.parse_args(arguments).files:
        try:
            sys.stdout.write(f"{convert_pickle(path)}\n")
        except ModelFileError as error:
            sys.stderr.write(f"{error.describe()}\n")
            code = 1
    return code


if __name__ == "__main__":
    raise SystemExit(main())
