"""Headers and families: what a file is, from its first bytes, names and shapes."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from nodegraph.diffusion.nets.unet import UNet
from nodegraph.diffusion.nets.vae import AutoencoderKL
from nodegraph.diffusion.text.clip import build_clip
from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.configs import ClipTextConfig, UNetConfig, VaeConfig
from nodegraph.modelfiles.families import Checkpoint, inspect
from nodegraph.modelfiles.safetensors_header import Header, TensorInfo, read_header
from tests.diffusion.small_models import TEXT, UNET, VAE, checkpoint_tensors

UNET_PREFIX, VAE_PREFIX = "model.diffusion_model.", "first_stage_model."
TEXT_PREFIX = "cond_stage_model.transformer.text_model."


def header_of(shapes: dict[str, tuple[int, ...]], metadata: dict[str, str] | None = None) -> Header:
    tensors = {name: TensorInfo("F16", shape, 0, 0) for name, shape in shapes.items()}
    return Header(Path("file.safetensors"), tensors, metadata or {})


@cache
def _small_shapes() -> tuple[tuple[str, tuple[int, ...]], ...]:
    return tuple((name, tuple(tensor.shape)) for name, tensor in checkpoint_tensors().items())


def small_shapes() -> dict[str, tuple[int, ...]]:
    return dict(_small_shapes())


def written(path: Path, header: object, data: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def entry(begin: int, end: int, shape: list[int] | None = None, dtype: str = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape or [(end - begin) // 4], "data_offsets": [begin, end]}


def test_a_header_equals_what_was_saved(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"a": torch.zeros(2, 3), "b": torch.zeros(0), "c": torch.zeros(1).half()}, path, {"k": "v"})
    header = read_header(path)
    assert header.shapes == {"a": (2, 3), "b": (0,), "c": (1,)}
    assert header.tensors["c"].dtype == "F16"
    assert header.metadata == {"k": "v"}


FOREIGN = {
    "pickle": (b"\x80\x02}q\x00." * 20, "pickle"),
    "zip of torch.save": (b"PK\x03\x04" + b"x" * 100, "pickle"),
    "page": (b"<!DOCTYPE html><html>" + b" " * 100, "web page"),
    "message": (b'{ "error": "not found" }', "JSON"),
    "gguf": (b"GGUF\x03\x00\x00\x00" + b"\x00" * 50, "GGUF"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "LFS"),
    "picture": (b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, "picture"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_formats_are_named(tmp_path: Path, name: str) -> None:
    content, word = FOREIGN[name]
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=word) as caught:
        read_header(path)
    assert caught.value.problem.code == "model_file_foreign"
    assert caught.value.problem.remedy


DAMAGED: dict[str, object] = {
    "no JSON": b"{nonsense",
    "no text": b"\xff\xfe{}",
    "deep nesting": b"[" * 100_000,
    "huge number": b'{"a":' + b"9" * 5000 + b"}",
    "a list": [],
    "metadata is a list": {"__metadata__": []},
    "metadata has a number": {"__metadata__": {"a": 1}},
    "tensor is a number": {"a": 1},
    "no dtype": {"a": {"shape": [1], "data_offsets": [0, 4]}},
    "unknown dtype": {"a": entry(0, 4, dtype="F99")},
    "shape is a text": {"a": {"dtype": "F32", "shape": "1", "data_offsets": [0, 4]}},
    "negative side": {"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}},
    "truth as a side": {"a": {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]}},
    "three offsets": {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 8]}},
    "offsets against shape": {"a": entry(0, 4, [2])},
    "reversed offsets": {"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}},
    "gap": {"a": entry(4, 8)},
    "overlap": {"a": entry(0, 4), "b": entry(0, 4)},
    "bytes of nobody": {},
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_headers_are_explained(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / "x.safetensors", DAMAGED[name], b"\x00" * 8)
    with pytest.raises(ModelFileError) as caught:
        read_header(path)
    assert caught.value.problem.code == "model_file_damaged"
    assert "x.safetensors" in caught.value.describe()


def test_a_torn_download_says_how_much_is_missing(tmp_path: Path, checkpoint: Path) -> None:
    content = checkpoint.read_bytes()
    path = tmp_path / "x.safetensors"
    header_bytes = struct.unpack("<Q", content[:8])[0]
    for length in (len(content) - 1, len(content) // 2, header_bytes // 2):
        path.write_bytes(content[:length])
        with pytest.raises(ModelFileError, match=r"needs? \d+ bytes, the file has \d+") as caught:
            read_header(path)
        assert caught.value.problem.code == "model_file_truncated"
        assert "Download" in (caught.value.problem.remedy or "")


def test_missing_empty_and_unreadable_files(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "short").write_bytes(b"abc")
    codes = {"nothing": "model_file_not_found", "": "model_file_unreadable"}
    for name in ("nothing", "", "empty", "short"):
        with pytest.raises(ModelFileError) as caught:
            read_header(tmp_path / name)
        assert caught.value.problem.code == codes.get(name, "model_file_damaged")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300), st.booleans())
def test_random_bytes_give_nothing_but_a_model_file_error(
    tmp_path: Path, content: bytes, framed: bool
) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(struct.pack("<Q", len(content)) + content if framed else content)
    with suppress(ModelFileError):
        read_header(path)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**70) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
nearly_tensors = st.fixed_dictionaries(
    {},
    optional={
        "dtype": st.sampled_from(["F32", "F16", "F4", "X"]) | json_values,
        "shape": st.lists(st.integers(-1, 4), max_size=3) | json_values,
        "data_offsets": st.lists(st.integers(-1, 64), min_size=2, max_size=2) | json_values,
    },
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.sampled_from(["a", "b", "__metadata__"]), nearly_tensors | json_values),
    st.integers(0, 80),
)
def test_random_headers_give_nothing_but_a_model_file_error(
    tmp_path: Path, header: dict[str, object], size: int
) -> None:
    with suppress(ModelFileError):
        read_header(written(tmp_path / "x.safetensors", header, b"\x00" * size))


def test_a_small_checkpoint_is_sd1_with_all_its_shapes(checkpoint: Path) -> None:
    found = inspect(read_header(checkpoint))
    assert (found.family, found.prediction, found.has_tokenizer) == ("sd1", "eps", True)
    assert (found.nets["denoiser"], found.vae, found.nets["clip_l"]) == (UNET, VAE, TEXT)
    assert found.components == ("denoiser", "clip_l", "vae")


def full_size_shapes() -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        parts = [
            (UNET_PREFIX, UNet(UNetConfig())),
            (VAE_PREFIX, AutoencoderKL(VaeConfig())),
            (TEXT_PREFIX, build_clip(ClipTextConfig())),
        ]
    return {
        prefix + name.removeprefix("text_model."): tuple(tensor.shape)
        for prefix, module in parts
        for name, tensor in module.state_dict().items()
    }


def test_a_full_size_checkpoint_is_known_by_its_header_alone() -> None:
    shapes = full_size_shapes() | {"cond_stage_model.transformer.text_model.embeddings.position_ids": (1, 77)}
    shapes["model_ema.decay"] = ()
    found = inspect(header_of(shapes))
    assert found.nets == {"denoiser": UNetConfig(), "vae": VaeConfig(), "clip_l": ClipTextConfig()}
    assert found.vae is not None
    assert found.vae.down == 8
    assert not found.has_tokenizer


@pytest.mark.parametrize(
    ("marker", "metadata", "prediction"),
    [
        ({}, {}, "eps"),
        ({"v_pred": (0,)}, {}, "v"),
        ({}, {"prediction_type": "v"}, "v"),
        ({}, {"prediction_type": "v_prediction"}, "v"),
        ({}, {"prediction_type": "epsilon"}, "eps"),
        ({}, {"modelspec.prediction_type": "v"}, "v"),
    ],
)
def test_prediction_type(
    marker: dict[str, tuple[int, ...]], metadata: dict[str, str], prediction: str
) -> None:
    assert inspect(header_of(small_shapes() | marker, metadata)).prediction == prediction


def test_an_unknown_prediction_type_is_an_error() -> None:
    with pytest.raises(ModelFileError, match="flow"):
        inspect(header_of(small_shapes(), {"prediction_type": "flow"}))


def only(prefix: str, *, strip: bool = False) -> dict[str, tuple[int, ...]]:
    return {
        name.removeprefix(prefix) if strip else name: shape
        for name, shape in small_shapes().items()
        if name.startswith(prefix)
    }


def test_a_file_with_some_components_says_which() -> None:
    cases: list[tuple[dict[str, tuple[int, ...]], tuple[str, ...]]] = [
        (only(UNET_PREFIX), ("denoiser",)),
        (only(VAE_PREFIX), ("vae",)),
        (only(VAE_PREFIX, strip=True), ("vae",)),
    ]
    for shapes, components in cases:
        header = header_of(shapes)
        found: Checkpoint = inspect(header)
        assert found.components == components
        with pytest.raises(ModelFileError, match="has no text encoder"):
            found.require("clip_l", header)


def test_text_encoder_names_without_their_usual_infix_are_understood() -> None:
    shapes = {name.replace(".text_model.", "."): shape for name, shape in small_shapes().items()}
    assert inspect(header_of(shapes)).nets["clip_l"] == TEXT


OTHERS: dict[str, tuple[dict[str, tuple[int, ...]], str]] = {
    "FLUX": ({"double_blocks.0.img_attn.norm.key_norm.scale": (128,)}, "FLUX"),
    "LoRA": ({"lora_unet_mid_block_x.lora_down.weight": (4, 320)}, "LoRA"),
    "ControlNet": ({"control_model.zero_convs.0.0.weight": (320, 320, 1, 1)}, "ControlNet"),
    "diffusers": ({"down_blocks.0.resnets.0.conv1.weight": (320, 320, 3, 3)}, "diffusers"),
    "quantised": ({"double_blocks.0.img_mlp.0.comfy_quant": (9,)}, "quantised"),
    "text encoder": ({"text_model.encoder.layers.0.mlp.fc1.weight": (3072, 768)}, "text encoder"),
    "Playground 2.5": ({**small_shapes(), "edm_mean": (1, 4, 1, 1), "edm_std": (1, 4, 1, 1)}, "Playground"),
    "EDM SDXL": ({**small_shapes(), "edm_vpred.sigma_max": (1,)}, "EDM"),
    "nothing": ({}, "no tensors"),
    "anything": ({"a": (1,), "b": (1,), "c": (1,), "d": (1,)}, "and 1 more"),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_files_of_other_kinds_are_named(name: str) -> None:
    shapes, word = OTHERS[name]
    with pytest.raises(ModelFileError, match=word) as caught:
        inspect(header_of(shapes))
    assert caught.value.problem.code in {"model_family_unsupported", "model_family_unknown"}
    assert caught.value.problem.remedy


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_mutilated_checkpoints_give_nothing_but_a_model_file_error(data: st.DataObject) -> None:
    shapes = small_shapes()
    for name in data.draw(st.lists(st.sampled_from(sorted(shapes)), max_size=3)):
        if data.draw(st.booleans()):
            shapes.pop(name, None)
        else:
            shapes[name] = tuple(data.draw(st.lists(st.integers(0, 4), max_size=4)))
    with suppress(ModelFileError):
        inspect(header_of(shapes))


@pytest.mark.parametrize(
    "module", ["nodegraph.modelfiles.families", "nodegraph.modelfiles.loras", "nodegraph.diffusion"]
)
def test_importing_needs_no_torch(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
