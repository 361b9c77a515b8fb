"""LoRAs of every family, in the spellings of their trainers, give what diffusers gives on the same file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from nodegraph.diffusion.loras import lora_delta
from nodegraph.diffusion.nets.flux import pack, unpack
from nodegraph.diffusion.nets.unet import UNet
from nodegraph.modelfiles.loras import match_lora
from nodegraph.modelfiles.safetensors_header import read_header
from nodegraph.modelfiles.sd1_names import diffusers_prefixes, to_diffusers
from tests.diffusion.small_models import randomise
from tests.diffusion.test_transformers import (
    FLUXES,
    MMDITS,
    drawn,
    relative_error,
    shapes_of,
    small_flux,
    small_mmdit,
    their_positions,
)
from tests.diffusion.test_unet_families import CASES, Case, config, their_unet

TOLERANCE = 1e-4
RANK, ALPHA = 3, 6.0
PIPELINES: Any = diffusers

Spell = Callable[[str], str]
PEFT = (".lora_A.weight", ".lora_B.weight")
KOHYA = (".lora_down.weight", ".lora_up.weight")


def lora_of(
    layers: Mapping[str, tuple[int, ...]], spell: Spell, ends: tuple[str, str], *, alpha: bool = True
) -> dict[str, Tensor]:
    """A random LoRA on the weights of these names and shapes."""
    tensors: dict[str, Tensor] = {}
    for seed, (name, shape) in enumerate(sorted(layers.items())):
        stem = spell(name.removesuffix(".weight"))
        tensors[stem + ends[0]] = drawn(seed, RANK, *shape[1:]) * shape[1] ** -0.5
        tensors[stem + ends[1]] = drawn(seed + 1, shape[0], RANK, *(1 for _ in shape[2:])) * 0.3
        if alpha:
            tensors[f"{stem}.alpha"] = torch.tensor(ALPHA)
    return tensors


def matrices(net: nn.Module, *parts: str) -> dict[str, tuple[int, ...]]:
    """The weights of layers whose names hold one of the parts, all where none is given."""
    return {
        name: shape
        for name, shape in shapes_of(net).items()
        if name.endswith(".weight") and len(shape) > 1 and (not parts or any(part in name for part in parts))
    }


def put_on(net: nn.Module, tensors: dict[str, Tensor], folder: Path, family: str) -> None:
    """Our network with the LoRA, through its header as for any file."""
    path = folder / "lora.safetensors"
    save_file(tensors, path)
    state = dict(net.state_dict())
    match = match_lora(read_header(path), {"denoiser": shapes_of(net)}, family=family)
    assert match.unmatched == ()
    for layer in match.layers:
        state[layer.weight] = state[layer.weight] + lora_delta(layer, tensors, state[layer.weight])
    net.load_state_dict(state)


def flat(prefix: str) -> Spell:
    return lambda name: prefix + name.replace(".", "_")


def dotted(prefix: str) -> Spell:
    return lambda name: prefix + name


def load(theirs: Any, tensors: Mapping[str, Tensor], prefix: str) -> None:
    """diffusers' own loading; alphas in the names of PEFT's matrices."""
    alphas = {name: float(value) for name, value in tensors.items() if name.endswith(".alpha")}
    weights = {name: value for name, value in tensors.items() if name not in alphas}
    theirs.load_lora_adapter(weights, prefix=prefix, network_alphas=alphas or None)


UNET_LAYERS = ("attn1.to_", "attn2.to_", "ff.net", "proj_in", "conv1", "conv2", "conv_shortcut", "samplers")
UNETS = {
    "sd1": CASES["sd1"],
    "sd2": CASES["sd2"],
    "sdxl": Case(
        config(
            channels=(128, 128, 256), res_blocks=2, depths=(0, 1, 2), middle_depth=2, head_width=64,
            linear=True, label_dim=32 + 6 * 256,
        ),
        32, 6,
    ),
    "sdxl_refiner": CASES["sdxl refiner"],
}  # fmt: skip


def small_unet(case: Case) -> tuple[UNet, Any]:
    ours, theirs = UNet(case.config).eval(), their_unet(case)
    randomise(ours, 1)
    prefixes = diffusers_prefixes(case.config)
    theirs.load_state_dict({to_diffusers(key, prefixes): value for key, value in ours.state_dict().items()})
    return ours, theirs


@torch.no_grad()
def compare_unets(ours: UNet, theirs: Any, case: Case) -> None:
    x, t, context = drawn(2, 1, 4, 8, 8), torch.tensor([500.0]), drawn(3, 1, 7, case.config.context_dim)
    pooled, sizes = drawn(4, 1, case.pooled), torch.tensor([[64.0, 96, 8, 16, 64, 128]])[:, : case.sizes]
    added = {"text_embeds": pooled, "time_ids": sizes} if case.sizes else None
    vector = None
    if case.sizes:
        told = theirs.add_time_proj(sizes.flatten()).reshape(1, -1)
        vector = torch.cat([pooled, told], dim=1)
    plain = ours(x, t, context, vector)
    expected = theirs(x, t, context, added_cond_kwargs=added).sample
    assert relative_error(plain, expected) <= TOLERANCE


@pytest.mark.parametrize("name", UNETS)
def test_unets_in_diffusers_spelling(name: str, tmp_path: Path) -> None:
    case = UNETS[name]
    ours, theirs = small_unet(case)
    compare_unets(ours, theirs, case)
    tensors = lora_of(matrices(theirs, *UNET_LAYERS), dotted("unet."), PEFT)
    load(theirs, tensors, "unet")
    put_on(ours, tensors, tmp_path, name)
    compare_unets(ours, theirs, case)


@pytest.mark.parametrize("name", UNETS)
def test_unets_in_kohyas_spelling_of_diffusers_names(name: str, tmp_path: Path) -> None:
    case = UNETS[name]
    ours, theirs = small_unet(case)
    named = matrices(theirs, *UNET_LAYERS)
    tensors = lora_of(named, flat("lora_unet_"), KOHYA)
    load(theirs, lora_of(named, dotted("unet."), PEFT), "unet")
    put_on(ours, tensors, tmp_path, name)
    compare_unets(ours, theirs, case)


def test_sdxl_in_kohyas_spelling_of_original_names(tmp_path: Path) -> None:
    """diffusers renames such files block by block; so the two readings are independent."""
    case = UNETS["sdxl"]
    ours, theirs = small_unet(case)
    named = matrices(
        ours, "attn1.to_", "attn2.to_", "ff.net", "proj_in", "in_layers.2", "out_layers.3", "emb_layers"
    )
    tensors = lora_of(named, flat("lora_unet_"), KOHYA)
    state, alphas = PIPELINES.StableDiffusionXLPipeline.lora_state_dict(
        dict(tensors), unet_config=theirs.config
    )
    theirs.load_lora_adapter(state, prefix="unet", network_alphas=alphas)
    put_on(ours, tensors, tmp_path, "sdxl")
    compare_unets(ours, theirs, case)


@torch.no_grad()
def compare_mmdits(ours: nn.Module, theirs: Any) -> None:
    x, tokens, pooled, t = drawn(2, 1, 16, 8, 8), drawn(3, 1, 7, 48), drawn(4, 1, 40), torch.tensor([500.0])
    expected = theirs(x, tokens, pooled, t).sample
    assert relative_error(ours(x, t, tokens, pooled), expected) <= TOLERANCE


SD3_LAYERS = ("attn.", "attn2.", "ff.net", "ff_context", "norm1.linear", "norm1_context.linear", "norm_out",
              "context_embedder", "proj_out")  # fmt: skip


@pytest.mark.parametrize(
    ("spell", "ends"), [(dotted("transformer."), PEFT), (flat("lora_transformer_"), KOHYA)]
)
@pytest.mark.parametrize("name", MMDITS)
def test_sd3_in_diffusers_names(name: str, spell: Spell, ends: tuple[str, str], tmp_path: Path) -> None:
    """Query, key and value apart, which are one matrix in ours."""
    ours, theirs = small_mmdit(MMDITS[name])
    named = matrices(theirs, *SD3_LAYERS)
    tensors = lora_of(named, spell, ends)
    load(theirs, lora_of(named, dotted("transformer."), PEFT), "transformer")
    put_on(ours, tensors, tmp_path, "sd3")
    compare_mmdits(ours, theirs)


@torch.no_grad()
def compare_fluxes(ours: nn.Module, theirs: Any) -> None:
    x, tokens, pooled = drawn(2, 1, 16, 6, 10), drawn(3, 1, 7, 48), drawn(4, 1, 40)
    sigma, guidance = torch.tensor([0.5]), torch.tensor([3.5])
    expected = theirs(
        pack(x), tokens, pooled, sigma, their_positions(3, 5), torch.zeros(7, 3), guidance
    ).sample  # fmt: skip
    assert relative_error(ours(x, sigma, tokens, pooled, guidance), unpack(expected, 3, 5)) <= TOLERANCE


FLUX_LAYERS = (
    "attn.", "ff.net", "ff_context", "norm1.linear", "norm1_context.linear", "norm.linear", "proj_mlp",
    "proj_out", "norm_out", "x_embedder", "context_embedder",
)  # fmt: skip


@pytest.mark.parametrize(
    ("spell", "ends"), [(dotted("transformer."), PEFT), (flat("lora_transformer_"), KOHYA)]
)
def test_flux_in_diffusers_names(spell: Spell, ends: tuple[str, str], tmp_path: Path) -> None:
    """Query, key, value and feed forward of single blocks apart, which are one matrix in ours."""
    ours, theirs = small_flux(FLUXES["dev and Kontext"])
    named = matrices(theirs, *FLUX_LAYERS)
    tensors = lora_of(named, spell, ends)
    load(theirs, lora_of(named, dotted("transformer."), PEFT), "transformer")
    put_on(ours, tensors, tmp_path, "flux_dev")
    compare_fluxes(ours, theirs)


def test_flux_in_kohyas_spelling_of_original_names(tmp_path: Path) -> None:
    """Fused changes, which diffusers shares out to its separate layers.

    It knows linear1 of single blocks at the width of FLUX.1 alone: that one follows in closed form.
    """
    ours, theirs = small_flux(FLUXES["dev and Kontext"])
    named = matrices(ours, "double_blocks", "linear2", ".modulation.lin")
    tensors = lora_of(named, flat("lora_unet_"), KOHYA)
    state, alphas = PIPELINES.FluxPipeline.lora_state_dict(dict(tensors), return_alphas=True)
    theirs.load_lora_adapter(state, prefix="transformer", network_alphas=alphas or None)
    put_on(ours, tensors, tmp_path, "flux_dev")
    compare_fluxes(ours, theirs)


@pytest.mark.parametrize(("spell", "ends"), [(flat("lora_unet_"), KOHYA), (dotted("diffusion_model."), PEFT)])
@pytest.mark.parametrize("name", ["SD 3.5 medium", "schnell"])
def test_original_names_in_closed_form(
    name: str, spell: Spell, ends: tuple[str, str], tmp_path: Path
) -> None:
    """W + alpha / rank * up · down in float64, for every matrix of the blocks."""
    net, _ = small_mmdit(MMDITS[name]) if name in MMDITS else small_flux(FLUXES[name])
    before = {key: value.double() for key, value in net.state_dict().items()}
    named = matrices(net, "_blocks.")
    tensors = lora_of(named, spell, ends)
    put_on(net, tensors, tmp_path, {"schnell": "flux_schnell"}.get(name, "sd35_medium"))
    for key, after in net.state_dict().items():
        expected = before[key]
        if key in named:
            stem = spell(key.removesuffix(".weight"))
            up, down = tensors[stem + ends[1]].double(), tensors[stem + ends[0]].double()
            expected = expected + ALPHA / RANK * up @ down
        assert torch.allclose(after.double(), expected, rtol=1e-5, atol=1e-5)


def test_a_change_of_the_noisy_latents_columns_alone(tmp_path: Path) -> None:
    """A LoRA of the model for text on Fill, as diffusers widens it: the rest of the input stays."""
    ours, _ = small_flux(FLUXES["Fill"])
    before = ours.state_dict()["img_in.weight"].clone()
    tensors = lora_of({"img_in.weight": (64, 64)}, dotted("diffusion_model."), PEFT, alpha=False)
    put_on(ours, tensors, tmp_path, "flux_fill")
    change = ours.state_dict()["img_in.weight"] - before
    a, b = tensors["diffusion_model.img_in.lora_A.weight"], tensors["diffusion_model.img_in.lora_B.weight"]
    assert torch.allclose(change[:, :64], b @ a, atol=1e-6)
    assert not change[:, 64:].any()
