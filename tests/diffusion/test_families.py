"""Full-size files of every UNet family are known by names and shapes, in both layouts."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL as TheirVae
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file
from torch import Tensor, nn

from nodegraph.diffusion.nets.unet import UNet
from nodegraph.diffusion.nets.vae import AutoencoderKL
from nodegraph.diffusion.text.clip import build_clip
from nodegraph.diffusion.weights import read_tensors
from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.configs import ClipTextConfig, UNetConfig, VaeConfig
from nodegraph.modelfiles.families import Checkpoint, component_names, component_shapes, inspect
from nodegraph.modelfiles.families.sd2 import WITNESS
from nodegraph.modelfiles.safetensors_header import Header, TensorInfo, read_header
from nodegraph.modelfiles.shapes import Shapes
from nodegraph.modelfiles.sources import TensorSource
from nodegraph.values import ANY_LATENT
from tests.diffusion.small_models import checkpoint_tensors, randomise

UNET, VAE = "model.diffusion_model.", "first_stage_model."
THEIR_UNET: Any = UNet2DConditionModel  # diffusers publishes no types
THEIR_VAE: Any = TheirVae

SD1 = UNetConfig()
SD2 = UNetConfig(context_dim=1024, head_width=64, linear=True)
SDXL = UNetConfig(
    channels=(320, 640, 1280), depths=(0, 2, 10), middle_depth=10, context_dim=2048, head_width=64,
    linear=True, label_dim=2816,
)  # fmt: skip
REFINER = UNetConfig(
    model_channels=384, channels=(384, 768, 1536, 1536), depths=(0, 4, 4, 0), middle_depth=4, time_dim=1536,
    context_dim=1280, head_width=64, linear=True, label_dim=2560,
)  # fmt: skip
UNETS = {"sd1": SD1, "sd2": SD2, "sdxl": SDXL, "sdxl_refiner": REFINER}
CLIP_L = ClipTextConfig()
CLIP_H = ClipTextConfig(width=1024, layers=24, hidden=4096, activation="gelu", projection=1024)
CLIP_G = ClipTextConfig(width=1280, layers=32, hidden=5120, activation="gelu", projection=1280)

PARAMETERS = {"sd1": 859_520_964, "sd2": 865_910_724, "sdxl": 2_567_463_684}
"""Of the denoisers, as their model cards and the diffusers classes count them."""


def shapes_of(module: nn.Module, prefix: str = "") -> dict[str, tuple[int, ...]]:
    return {prefix + name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


@cache
def unet_shapes(name: str, in_channels: int = 4) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        return shapes_of(UNet(replace(UNETS[name], in_channels=in_channels)))


@cache
def vae_shapes() -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        return shapes_of(AutoencoderKL(VaeConfig()))


@cache
def clip_l_shapes() -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        shapes = shapes_of(build_clip(CLIP_L))
    return {f"text_model.{name.removeprefix('text_model.')}": shape for name, shape in shapes.items()}


def open_clip_shapes(config: ClipTextConfig) -> dict[str, tuple[int, ...]]:
    """The text tower of OpenCLIP, by its own names."""
    width, hidden = config.width, config.hidden
    shapes: dict[str, tuple[int, ...]] = {
        "token_embedding.weight": (config.vocabulary, width), "positional_embedding": (77, width),
        "text_projection": (width, config.projection), "logit_scale": (),
        "ln_final.weight": (width,), "ln_final.bias": (width,),
    }  # fmt: skip
    layer: dict[str, tuple[int, ...]] = {
        "attn.in_proj_weight": (3 * width, width), "attn.in_proj_bias": (3 * width,),
        "attn.out_proj.weight": (width, width), "attn.out_proj.bias": (width,),
        "ln_1.weight": (width,), "ln_1.bias": (width,), "ln_2.weight": (width,), "ln_2.bias": (width,),
        "mlp.c_fc.weight": (hidden, width), "mlp.c_fc.bias": (hidden,),
        "mlp.c_proj.weight": (width, hidden), "mlp.c_proj.bias": (width,),
    }  # fmt: skip
    for number in range(config.layers):
        shapes |= {f"transformer.resblocks.{number}.{name}": shape for name, shape in layer.items()}
    return shapes


def prefixed(prefix: str, shapes: Shapes) -> dict[str, tuple[int, ...]]:
    return {prefix + name: shape for name, shape in shapes.items()}


def whole(name: str, in_channels: int = 4) -> dict[str, tuple[int, ...]]:
    """The names and shapes of a whole original checkpoint."""
    texts = {
        "sd1": prefixed("cond_stage_model.transformer.", clip_l_shapes()),
        "sd2": prefixed("cond_stage_model.model.", open_clip_shapes(CLIP_H)),
        "sdxl": prefixed("conditioner.embedders.0.transformer.", clip_l_shapes())
        | prefixed("conditioner.embedders.1.model.", open_clip_shapes(CLIP_G)),
        "sdxl_refiner": prefixed("conditioner.embedders.0.model.", open_clip_shapes(CLIP_G)),
    }
    denoiser = prefixed(UNET, unet_shapes(name, in_channels))
    return denoiser | prefixed(VAE, vae_shapes()) | texts[name]


def header(shapes: Shapes, metadata: dict[str, str] | None = None, *markers: str) -> Header:
    tensors = {name: TensorInfo("F16", shape, 0, 0) for name, shape in shapes.items()}
    tensors |= {name: TensorInfo("F16", (0,), 0, 0) for name in markers}
    return Header(Path("file.safetensors"), tensors, metadata or {})


ENCODERS: dict[str, dict[str, object]] = {
    "sd1": {"clip_l": CLIP_L},
    "sd2": {"clip_h": CLIP_H},
    "sdxl": {"clip_l": CLIP_L, "clip_g": CLIP_G},
    "sdxl_refiner": {"clip_g": CLIP_G},
}


@pytest.mark.parametrize("name", UNETS)
def test_a_whole_file_is_known_by_its_header(name: str) -> None:
    found = inspect(header(whole(name)))
    assert (found.family, found.prediction, found.variant) == (name, "eps", "")
    assert found.nets == {"denoiser": UNETS[name], "vae": VaeConfig()} | ENCODERS[name]
    assert found.latent_format.scale == (0.13025 if name.startswith("sdxl") else 0.18215)


@pytest.mark.parametrize("name", UNETS)
@pytest.mark.parametrize("prefix", ["", "model.model.", "net."])
def test_a_denoiser_alone_is_known_under_every_prefix(name: str, prefix: str) -> None:
    found = inspect(header(prefixed(prefix, unet_shapes(name))))
    assert (found.family, found.components) == (name, ("denoiser",))


@pytest.mark.parametrize("name", ["sd1", "sd2", "sdxl"])
@pytest.mark.parametrize(("channels", "variant"), [(8, "edit"), (9, "inpaint")])
def test_variants_by_input_channels(name: str, channels: int, variant: str) -> None:
    found = inspect(header(whole(name, channels)))
    assert (found.family, found.variant, found.prediction) == (name, variant, "eps")


def their_unet(config: UNetConfig) -> Any:
    labels: dict[str, Any] = {}
    if config.label_dim:
        labels = {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": config.label_dim,
        }
    with torch.device("meta"):
        return THEIR_UNET(
            block_out_channels=config.channels,
            down_block_types=[("CrossAttn" if depth else "") + "DownBlock2D" for depth in config.depths],
            up_block_types=[
                ("CrossAttn" if depth else "") + "UpBlock2D" for depth in reversed(config.depths)
            ],
            cross_attention_dim=config.context_dim,
            attention_head_dim=[config.heads_of(channels) for channels in config.channels],
            transformer_layers_per_block=(
                [max(depth, 1) for depth in config.depths] if config.depths[-1] else max(config.depths)
            ),
            use_linear_projection=config.linear,
            **labels,
        )


@pytest.mark.parametrize("name", UNETS)
def test_the_full_size_unet_has_the_tensors_of_diffusers(name: str) -> None:
    """Also a file of diffusers' own names: it is known, and gives the names and shapes of our network."""
    theirs = shapes_of(their_unet(UNETS[name]))
    found = inspect(header(theirs))
    assert (found.family, found.nets["denoiser"]) == (name, UNETS[name])
    assert component_shapes(theirs)["denoiser"] == unet_shapes(name)
    if name in PARAMETERS:
        numbers = sum(torch.Size(shape).numel() for shape in theirs.values())
        assert numbers == PARAMETERS[name]


def test_the_full_size_autoencoder_has_the_tensors_of_diffusers() -> None:
    with torch.device("meta"):
        theirs = THEIR_VAE(
            block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=4,
            down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
        )  # fmt: skip
    shapes = shapes_of(theirs)
    assert inspect(header(shapes)).nets == {"vae": VaeConfig()}
    assert component_shapes(shapes)["vae"] == vae_shapes()
    older = {
        name.replace("to_q.", "query.")
        .replace("to_k.", "key.")
        .replace("to_v.", "value.")
        .replace("to_out.0.", "proj_attn."): shape
        for name, shape in shapes.items()
    }
    assert component_shapes(older)["vae"] == vae_shapes()


@pytest.mark.parametrize(("kind", "config"), [("clip_h", CLIP_H), ("clip_g", CLIP_G)])
def test_open_clip_names_become_those_of_the_network(kind: str, config: ClipTextConfig) -> None:
    shapes = open_clip_shapes(config)
    found = component_shapes(shapes)[kind]
    with torch.device("meta"):
        ours = shapes_of(build_clip(replace(config, projection=0)))
    names = {f"text_model.{name.removeprefix('text_model.')}": shape for name, shape in ours.items()}
    assert found == names | {"text_projection.weight": (config.projection, config.width)}


@pytest.mark.parametrize("variant", ["turbo", "lightning"])
def test_models_distilled_from_sdxl_are_told_by_metadata_only(variant: str) -> None:
    shapes = whole("sdxl")
    assert inspect(header(shapes)).variant == ""
    titled = inspect(header(shapes, {"modelspec.title": f"Some SDXL {variant.title()}"}))
    assert titled.variant == variant
    assert titled.defaults.cfg == 1.0
    assert titled.notes == ()  # they are distilled for eps
    plain = inspect(header(shapes))
    assert replace(titled, variant="", defaults=plain.defaults, notes=plain.notes) == plain


def test_velocity_and_pure_noise_are_told_by_markers() -> None:
    plain, marked = header(whole("sdxl")), header(whole("sdxl"), None, "v_pred", "ztsnr")
    assert inspect(plain).prediction == "eps"
    assert not inspect(plain).schedule.zero_terminal_snr
    assert inspect(marked).prediction == "v"
    assert inspect(marked).schedule.zero_terminal_snr


def test_an_autoencoder_alone_tells_no_family() -> None:
    """SD 1.x and SDXL have the same tensors there: its latents fit both."""
    found = inspect(header(vae_shapes()))
    assert (found.family, found.latent_format.name, found.latent_format.channels) == ("", ANY_LATENT, 4)


SMALL_SD2 = UNetConfig(
    model_channels=64, channels=(64, 64, 64, 64), depths=(1, 1, 1, 0), context_dim=8, time_dim=8,
    head_width=64, linear=True,
)  # fmt: skip


@cache
def small_sd2() -> dict[str, Tensor]:
    unet = UNet(SMALL_SD2)
    randomise(unet, 1)
    return {UNET + name: tensor.half() for name, tensor in unet.state_dict().items()}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize(("spread", "prediction"), [(0.02, "eps"), (0.3, "v")])
def test_sd2_is_told_by_the_spread_of_one_bias(
    tmp_path: Path, spread: float, prediction: str, dtype: torch.dtype
) -> None:
    witness = torch.randn(64, generator=torch.Generator().manual_seed(0)) * spread
    path = tmp_path / "sd2.safetensors"
    save_file(small_sd2() | {UNET + WITNESS: witness.to(dtype)}, path)
    found = inspect(read_header(path))
    assert (found.family, found.prediction) == ("sd2", prediction)
    assert any("spread" in note for note in found.notes)
    path.unlink()
    save_file(small_sd2() | {UNET + WITNESS: witness}, path, {"prediction_type": "epsilon"})
    assert inspect(read_header(path)).prediction == "eps"  # what is said counts more than what is guessed


def test_sd2_without_values_is_taken_for_eps_and_says_so() -> None:
    found = inspect(header(whole("sd2")))
    assert found.prediction == "eps"
    assert any("same tensors" in note for note in found.notes)


def test_values_that_are_no_numbers_decide_nothing(tmp_path: Path) -> None:
    path = tmp_path / "nan.safetensors"
    save_file(small_sd2() | {UNET + WITNESS: torch.full((64,), torch.nan)}, path)
    found = inspect(read_header(path))
    assert (found.family, found.prediction) == ("sd2", "eps")


UNKNOWN: dict[str, tuple[dict[str, tuple[int, ...]], str]] = {
    "a depth model": (unet_shapes("sd2", 5), "depth"),
    "an upscaler": (unet_shapes("sd2", 7), "upscaling"),
    "unCLIP": (unet_shapes("sd2") | {"label_emb.0.0.weight": (1280, 2048)}, "unCLIP"),
    "a video model": (
        unet_shapes("sd2", 8) | {"input_blocks.1.1.time_stack.0.norm1.weight": (320,)}, "Video"
    ),
    "other labels": (unet_shapes("sd2") | {"label_emb.0.0.weight": (1280, 512)}, "class-conditional"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_unets_are_refused_by_name(name: str) -> None:
    shapes, word = UNKNOWN[name]
    with pytest.raises(ModelFileError, match=word) as caught:
        inspect(header(shapes))
    assert caught.value.problem.code == "model_family_unsupported"
    assert "SDXL" in (caught.value.problem.expected or "")


def test_a_pruned_sdxl_is_refused_with_the_block_that_differs() -> None:
    shapes = {
        name: shape
        for name, shape in unet_shapes("sdxl").items()
        if not name.startswith("output_blocks.1.1.transformer_blocks.9.")
    }
    with pytest.raises(ModelFileError, match="output block 1 has 9 transformer blocks, expected 10"):
        inspect(header(shapes))


def stored(dtype: str) -> tuple[dict[str, Tensor], float]:
    """A small checkpoint in a storage type, and the relative error that its rounding may have."""
    tensors = checkpoint_tensors()
    types = {
        "fp32": (torch.float32, 0.0), "fp16": (torch.float16, 1e-3), "bf16": (torch.bfloat16, 1e-2),
        "e4m3": (torch.float8_e4m3fn, 0.06), "e5m2": (torch.float8_e5m2, 0.12),
    }  # fmt: skip
    if dtype != "scaled":
        kind, error = types[dtype]
        return {name: tensor.to(kind) for name, tensor in tensors.items()}, error
    made: dict[str, Tensor] = {"model.diffusion_model.scaled_fp8": torch.zeros(2, dtype=torch.float8_e4m3fn)}
    for name, tensor in tensors.items():
        if tensor.ndim < 2 or not name.startswith(UNET):
            made[name] = tensor
            continue
        scale = tensor.abs().max() / 448.0
        made[name] = (tensor / scale).to(torch.float8_e4m3fn)
        made[name.removesuffix("weight") + "scale_weight"] = scale
        made[name.removesuffix("weight") + "scale_input"] = torch.ones(())
    return made, 0.06


@pytest.mark.parametrize("dtype", ["fp32", "fp16", "bf16", "e4m3", "e5m2", "scaled"])
def test_every_storage_type_is_read_right(tmp_path: Path, dtype: str) -> None:
    tensors, error = stored(dtype)
    path = tmp_path / "model.safetensors"
    save_file(tensors, path)
    head = read_header(path)
    found: Checkpoint = inspect(head)
    assert found.components == ("denoiser", "clip_l", "vae")
    names = component_names(head.shapes)["denoiser"]
    read = read_tensors(head, names, torch.device("cpu"), torch.float32)
    original = checkpoint_tensors()
    assert len(read) == sum(name.startswith(UNET) for name in original)
    for name, tensor in read.items():
        true = original[UNET + name]
        # Below the smallest normal number of a type rounding is absolute, so the whole tensor is compared.
        assert float((tensor - true).norm()) <= max(error, 1e-7) * float(true.norm()), name


def test_scales_for_rows_and_joined_tensors(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    parts = [torch.randn(4, 3, generator=generator).to(torch.float8_e4m3fn) for _ in range(2)]
    path = tmp_path / "x.safetensors"
    scales = torch.rand(4, 1, generator=generator)
    save_file({"q.weight": parts[0], "k.weight": parts[1], "q.weight_scale": scales}, path)
    sources = {
        "qk": TensorSource(("q.weight", "k.weight"), scales=("q.weight_scale", None)),
        "k": TensorSource(("q.weight", "k.weight"), scales=("q.weight_scale", None), rows=(1, 2)),
        "swapped": TensorSource(("k.weight",), swapped=True, transposed=True, rank=4),
    }
    read = read_tensors(read_header(path), sources, torch.device("cpu"), torch.float32)
    q, k = parts[0].float() * scales, parts[1].float()
    assert torch.equal(read["qk"], torch.cat([q, k]))
    assert torch.equal(read["k"], k)
    assert torch.equal(read["swapped"], torch.cat([k[2:], k[:2]]).T[:, :, None, None])
