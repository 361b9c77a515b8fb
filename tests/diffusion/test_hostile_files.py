"""Files that are wrong inside give a clear error, and nothing in them ever runs."""

from __future__ import annotations

import os
import pickle
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from nodegraph.diffusion.pickles import convert_pickle
from nodegraph.diffusion.samplers import SAMPLERS
from nodegraph.diffusion.sampling import sample
from nodegraph.diffusion.schedulers import SCHEDULERS
from nodegraph.diffusion.store import Store
from nodegraph.errors import ModelFileError, NodegraphError
from nodegraph.modelfiles.families import inspect
from nodegraph.modelfiles.safetensors_header import MAX_HEADER_BYTES, read_header
from nodegraph.values import Conditioning, ConditioningEntry, Latent, Model, Vae
from tests.diffusion.small_models import Folder, checkpoint_tensors

UNET = "model.diffusion_model."


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.target),)


def bombs(folder: Path) -> list[Path]:
    """Pickles with code in them, of every outer form that torch has written."""
    struck = folder / "struck"
    paths = [folder / f"{name}.ckpt" for name in ("plain", "zipped", "legacy", "protocol0")]
    paths[0].write_bytes(pickle.dumps({"state_dict": Bomb(struck)}))
    torch.save({"state_dict": {"a": torch.zeros(1)}, "extra": Bomb(struck)}, paths[1])
    torch.save({"a": Bomb(struck)}, paths[2], _use_new_zipfile_serialization=False)
    paths[3].write_bytes(pickle.dumps({"state_dict": Bomb(struck)}, protocol=0))
    return paths


@pytest.mark.parametrize("index", range(4))
def test_code_in_a_pickle_never_runs(tmp_path: Path, index: int) -> None:
    path = bombs(tmp_path)[index]
    with pytest.raises(ModelFileError):
        read_header(path)
    with pytest.raises(ModelFileError, match="opened safely") as caught:
        convert_pickle(path)
    assert caught.value.problem.code == "model_file_unsafe"
    assert not (tmp_path / "struck").exists()
    assert sorted(tmp_path.glob("*.safetensors")) == []
    renamed = path.rename(tmp_path / "renamed.safetensors")
    with pytest.raises(ModelFileError):
        read_header(renamed)
    assert not (tmp_path / "struck").exists()


@pytest.mark.parametrize("nest", ["state_dict", "model", None])
def test_a_pickle_of_tensors_is_converted_by_consent(tmp_path: Path, nest: str | None) -> None:
    tensors = checkpoint_tensors()
    path = tmp_path / "model.ckpt"
    torch.save({nest: tensors, "epoch": 3} if nest else tensors, path)
    with pytest.raises(ModelFileError, match="pickle") as caught:
        read_header(path)
    assert (caught.value.problem.remedy or "").endswith(f"nodegraph models convert {path}")
    made = convert_pickle(path)
    assert inspect(read_header(made)).family == "sd1"
    assert all(torch.equal(value, tensors[name]) for name, value in load_file(made).items())
    with pytest.raises(ModelFileError, match="exists already"):
        convert_pickle(path)
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


def test_the_command_converts_and_says_why_not(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    torch.save({"a": torch.ones(2)}, path)
    command = [sys.executable, "-m", "nodegraph.diffusion.pickles", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, str(tmp_path / "model.safetensors"))
    other = tmp_path / "other.bin"
    torch.save({"a": torch.ones(2)}, other)
    again = subprocess.run([*command, str(other)], capture_output=True, text=True, check=False)
    assert again.returncode == 1
    assert "exists already" in again.stderr
    assert again.stdout.strip() == str(tmp_path / "other.safetensors")  # one that fails stops no other


def test_a_pickle_under_another_name_is_not_told_to_use_itself(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    torch.save({"a": torch.ones(2)}, path)
    with pytest.raises(ModelFileError) as caught:
        convert_pickle(path)
    assert "rename it to model.ckpt" in (caught.value.problem.remedy or "")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" + b"x" * 50, b"\x80\x02}q\x00", b"nonsense" * 20])
def test_damaged_pickles_are_explained(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.ckpt"
    path.write_bytes(content)
    with pytest.raises(ModelFileError):
        convert_pickle(path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("value", [{}, [1, 2], {"epoch": 3}, {"state_dict": {"a": 1}}])
def test_pickles_without_tensors_are_explained(tmp_path: Path, value: object) -> None:
    path = tmp_path / "model.ckpt"
    torch.save(value, path)
    with pytest.raises(ModelFileError, match="no tensors"):
        convert_pickle(path)


@pytest.mark.parametrize("length", [MAX_HEADER_BYTES + 1, 2**40, 2**63, 2**64 - 1])
def test_huge_headers_are_refused_unread(tmp_path: Path, length: int) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(struct.pack("<Q", length) + b"{" + b" " * 100)
    with pytest.raises(ModelFileError) as caught:
        read_header(path)
    assert caught.value.problem.code == "model_file_damaged"


VICTIMS = [
    "time_embed.2.weight", "input_blocks.3.0.in_layers.2.weight", "out.2.bias",
    "middle_block.1.transformer_blocks.0.norm2.bias", "output_blocks.0.1.proj_out.weight",
]  # fmt: skip


@pytest.mark.parametrize("name", VICTIMS)
@pytest.mark.parametrize("harm", ["missing", "shaped"])
def test_tensors_that_make_no_network_are_named(tmp_path: Path, folder: Folder, name: str, harm: str) -> None:
    tensors = checkpoint_tensors()
    if harm == "missing":
        del tensors[UNET + name]
    else:
        tensors[UNET + name] = torch.zeros(3, 5)
    path = tmp_path / "x.safetensors"
    save_file(tensors, path)
    model = Model(folder.add(path), "sd1")
    with pytest.raises(ModelFileError) as caught, Store(folder, "cpu").use(model):
        pass
    assert caught.value.problem.code == "model_file_incomplete"
    assert caught.value.problem.remedy


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_end_in_a_sentence(tmp_path: Path, folder: Folder, value: float) -> None:
    tensors = {
        name: torch.full_like(tensor, value) if name.startswith(UNET) else tensor
        for name, tensor in checkpoint_tensors().items()
    }
    path = tmp_path / "x.safetensors"
    save_file(tensors, path)
    store, base = Store(folder, "cpu"), folder.add(path)
    prompt = Conditioning((ConditioningEntry(torch.zeros(1, 77, 32)),))
    with store.use(Model(base, "sd1")) as denoiser, pytest.raises(NodegraphError, match="NaN") as caught:
        sample(
            denoiser, prompt, prompt, Latent(torch.zeros(1, 4, 4, 4)), seed=1, steps=2, cfg=2.0,
            sampler=SAMPLERS["euler"], scheduler=SCHEDULERS["normal"],
        )  # fmt: skip
    assert caught.value.problem.code == "not_finite"
    with store.use(Vae(base, "sd1")):
        pass  # the other parts of the file are whole
