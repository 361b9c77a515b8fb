"""A checkpoint without a tokenizer finds one beside it or in the data folder, or says where it looked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from nodegraph.diffusion.text.tokenizer_files import tokenizer_source
from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.safetensors_header import Header
from tests.diffusion.small_models import tokenizer_metadata


def write_tokenizer(folder: Path, metadata: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(metadata["tokenizer.vocab"])
    (folder / "merges.txt").write_text(metadata["tokenizer.merges"])


def test_metadata_then_neighbour_then_folders_agree(tmp_path: Path) -> None:
    metadata = tokenizer_metadata()
    source = tokenizer_source([tmp_path / "shared"])
    write_tokenizer(tmp_path / "beside", metadata)
    write_tokenizer(tmp_path / "shared", metadata)
    inside = source(Header(tmp_path / "a" / "m.safetensors", {}, metadata), 77)
    beside = source(Header(tmp_path / "beside" / "m.safetensors", {}), 77)
    shared = source(Header(tmp_path / "a" / "m.safetensors", {}), 77)
    text = "a photo of a cat, 4k"
    assert inside.ids(text) == beside.ids(text) == shared.ids(text)


def test_none_anywhere_names_every_place(tmp_path: Path) -> None:
    source = tokenizer_source([tmp_path / "shared"])
    with pytest.raises(ModelFileError) as caught:
        source(Header(tmp_path / "a" / "m.safetensors", {}), 77)
    assert str(tmp_path / "a") in caught.value.describe()
    assert str(tmp_path / "shared") in caught.value.describe()
    assert "diffusers" in caught.value.describe()


def test_damaged_files_are_named(tmp_path: Path) -> None:
    write_tokenizer(tmp_path, {"tokenizer.vocab": json.dumps({"a": 1}), "tokenizer.merges": ""})
    with pytest.raises(ModelFileError, match="cannot be used"):
        tokenizer_source([])(Header(tmp_path / "m.safetensors", {}), 77)
