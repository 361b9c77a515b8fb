"""MMDiT and FLUX.1 equal diffusers' transformers: names, shapes and results (float32, 1e-4 relative)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from diffusers import FluxTransformer2DModel, SD3Transformer2DModel
from torch import Tensor

from nodegraph.diffusion.nets.flux import Flux, pack, unpack
from nodegraph.diffusion.nets.mmdit import MMDiT
from nodegraph.diffusion.weights import make_tensor
from nodegraph.errors import InputError
from nodegraph.modelfiles.layouts.transformers import flux, mmdit
from nodegraph.modelfiles.shapes import Shapes
from nodegraph.modelfiles.sources import Sources
from nodegraph.modelfiles.sources import shapes_of as made_shapes
from nodegraph.modelfiles.transformer_configs import FluxConfig, MMDiTConfig, flux_config, mmdit_config
from tests.diffusion.small_models import randomise

TOLERANCE = 1e-4

# diffusers publishes no types.
THEIR_MMDIT: Any = SD3Transformer2DModel
THEIR_FLUX: Any = FluxTransformer2DModel

SMALL_MMDIT = MMDiTConfig(
    depth=3, width=128, hidden=512, context_dim=48, pooled_dim=40, positions=12, frequencies=256
)
MMDITS = {
    "SD 3 medium": SMALL_MMDIT,
    "SD 3.5 medium": replace(SMALL_MMDIT, qk_norm=True, dual=(0, 1)),
    "SD 3.5 large": replace(SMALL_MMDIT, qk_norm=True),
}
SMALL_FLUX = FluxConfig(
    double_blocks=2, single_blocks=2, width=64, head_width=32, hidden=256, context_dim=48, vector_dim=40
)
FLUXES = {
    "dev and Kontext": SMALL_FLUX,
    "schnell": replace(SMALL_FLUX, guidance=False),
    "canny and depth": replace(SMALL_FLUX, in_features=128),
    "Fill": replace(SMALL_FLUX, in_features=384),
}

FULL_MMDITS = {
    "SD 3 medium": MMDiTConfig(),
    "SD 3.5 medium": MMDiTConfig(positions=384, qk_norm=True, dual=tuple(range(13))),
    "SD 3.5 large": MMDiTConfig(depth=38, width=2432, hidden=9728, qk_norm=True),
}
FULL_FLUXES = {
    "dev and Kontext": FluxConfig(),
    "schnell": FluxConfig(guidance=False),
    "canny and depth": FluxConfig(in_features=128),
    "Fill": FluxConfig(in_features=384),
}


def their_mmdit(config: MMDiTConfig) -> Any:
    return THEIR_MMDIT(
        in_channels=config.in_channels,
        num_layers=config.depth,
        attention_head_dim=config.head_width,
        num_attention_heads=config.heads,
        joint_attention_dim=config.context_dim,
        caption_projection_dim=config.width,
        pooled_projection_dim=config.pooled_dim,
        out_channels=config.out_channels,
        pos_embed_max_size=config.positions,
        dual_attention_layers=config.dual,
        qk_norm="rms_norm" if config.qk_norm else None,
    ).eval()


def their_flux(config: FluxConfig) -> Any:
    return THEIR_FLUX(
        in_channels=config.in_features,
        out_channels=config.out_features,
        num_layers=config.double_blocks,
        num_single_layers=config.single_blocks,
        attention_head_dim=config.head_width,
        num_attention_heads=config.heads,
        joint_attention_dim=config.context_dim,
        pooled_projection_dim=config.vector_dim,
        guidance_embeds=config.guidance,
        axes_dims_rope=config.axes,
    ).eval()


def shapes_of(module: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def made(sources: Sources, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: make_tensor(source, tensors.__getitem__) for name, source in sources.items()}


def relative_error(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).norm() / theirs.norm())


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def small_mmdit(config: MMDiTConfig) -> tuple[MMDiT, Any]:
    theirs = their_mmdit(config)
    randomise(theirs, 1)
    ours = MMDiT(config).eval()
    ours.load_state_dict(made(mmdit(shapes_of(theirs)), theirs.state_dict()))
    return ours, theirs


def small_flux(config: FluxConfig) -> tuple[Flux, Any]:
    theirs = their_flux(config)
    randomise(theirs, 1)
    ours = Flux(config).eval()
    ours.load_state_dict(made(flux(shapes_of(theirs)), theirs.state_dict()))
    return ours, theirs


@pytest.mark.parametrize("name", MMDITS)
@pytest.mark.parametrize("size", [(8, 8), (6, 14), (24, 24)])
@torch.no_grad()
def test_mmdit_equals_diffusers(name: str, size: tuple[int, int]) -> None:
    ours, theirs = small_mmdit(MMDITS[name])
    x, tokens, pooled = drawn(2, 2, 16, *size), drawn(3, 2, 7, 48), drawn(4, 2, 40)
    timestep = torch.tensor([3.5, 950.0])
    expected = theirs(x, tokens, pooled, timestep).sample
    assert relative_error(ours(x, timestep, tokens, pooled), expected) <= TOLERANCE


@torch.no_grad()
def test_an_odd_latent_is_the_even_one_that_wraps_around() -> None:
    ours, theirs = small_mmdit(MMDITS["SD 3.5 medium"])
    x, tokens, pooled = drawn(2, 1, 16, 7, 5), drawn(3, 1, 7, 48), drawn(4, 1, 40)
    timestep = torch.tensor([500.0])
    wrapped = torch.cat([x, x[:, :, :1]], dim=2)
    wrapped = torch.cat([wrapped, wrapped[..., :1]], dim=3)
    expected = theirs(wrapped, tokens, pooled, timestep).sample[..., :7, :5]
    assert relative_error(ours(x, timestep, tokens, pooled), expected) <= TOLERANCE


def test_a_latent_beyond_the_table_of_positions_is_refused() -> None:
    with torch.device("meta"):
        net = MMDiT(SMALL_MMDIT)
        with pytest.raises(InputError) as refused:
            net(torch.zeros(1, 16, 26, 8), torch.zeros(1), torch.zeros(1, 7, 48), torch.zeros(1, 40))
    assert (refused.value.problem.expected, refused.value.problem.found) == (
        "at most 24 latent cells along a side",
        "8 x 26 cells",
    )


def their_positions(rows: int, columns: int, picture: int = 0) -> Tensor:
    grid = torch.zeros(rows, columns, 3)
    grid[..., 0] = picture
    grid[..., 1] = torch.arange(rows)[:, None]
    grid[..., 2] = torch.arange(columns)[None]
    return grid.reshape(-1, 3)


@pytest.mark.parametrize("name", FLUXES)
@torch.no_grad()
def test_flux_equals_diffusers(name: str) -> None:
    config = FLUXES[name]
    ours, theirs = small_flux(config)
    x, tokens, pooled = drawn(2, 2, config.in_channels, 6, 10), drawn(3, 2, 7, 48), drawn(4, 2, 40)
    sigma, guidance = torch.tensor([0.02, 0.95]), torch.tensor([3.5, 1.0])
    expected = theirs(
        pack(x), tokens, pooled, sigma, their_positions(3, 5), torch.zeros(7, 3),
        guidance if config.guidance else None,
    ).sample  # fmt: skip
    found = ours(x, sigma, tokens, pooled, guidance)
    assert relative_error(found, unpack(expected, 3, 5)) <= TOLERANCE


@torch.no_grad()
def test_flux_looks_at_references_as_diffusers_does() -> None:
    ours, theirs = small_flux(SMALL_FLUX)
    x, reference = drawn(2, 1, 16, 6, 10), drawn(5, 1, 16, 4, 8)
    tokens, pooled = drawn(3, 1, 7, 48), drawn(4, 1, 40)
    sigma, guidance = torch.tensor([0.5]), torch.tensor([2.5])
    ids = torch.cat([their_positions(3, 5), their_positions(2, 4, picture=1)])
    expected = theirs(
        torch.cat([pack(x), pack(reference)], dim=1), tokens, pooled, sigma, ids, torch.zeros(7, 3), guidance
    ).sample[:, :15]
    found = ours(x, sigma, tokens, pooled, guidance, [reference])
    assert relative_error(found, unpack(expected, 3, 5)) <= TOLERANCE
    alone = ours(x, sigma, tokens, pooled, guidance)
    assert relative_error(alone, found) > 0.01


@torch.no_grad()
def test_flux_takes_odd_latents() -> None:
    ours, _ = small_flux(SMALL_FLUX)
    x, tokens, pooled = drawn(2, 1, 16, 5, 7), drawn(3, 1, 7, 48), drawn(4, 1, 40)
    timestep, guidance = torch.tensor([0.5]), torch.tensor([3.5])
    wrapped = torch.cat([x, x[:, :, :1]], dim=2)
    wrapped = torch.cat([wrapped, wrapped[..., :1]], dim=3)
    expected = ours(wrapped, timestep, tokens, pooled, guidance)[..., :5, :7]
    assert torch.equal(ours(x, timestep, tokens, pooled, guidance), expected)


def test_a_distilled_flux_must_be_told_its_guidance() -> None:
    with torch.device("meta"), pytest.raises(ValueError, match="guidance"):
        Flux(SMALL_FLUX)(torch.zeros(1, 16, 4, 4), torch.zeros(1), torch.zeros(1, 7, 48), torch.zeros(1, 40))


def test_packing_is_undone() -> None:
    x = drawn(1, 2, 16, 4, 6)
    assert torch.equal(unpack(pack(x), 2, 3), x)
    assert pack(x).shape == (2, 6, 64)


@pytest.mark.parametrize("name", FULL_MMDITS)
def test_full_size_mmdits_have_the_tensors_of_diffusers(name: str) -> None:
    config = FULL_MMDITS[name]
    with torch.device("meta"):
        theirs, ours = shapes_of(their_mmdit(config)), shapes_of(MMDiT(config))
    check_complete(mmdit(theirs), theirs, ours)
    assert mmdit_config(ours) == config


@pytest.mark.parametrize("name", FULL_FLUXES)
def test_full_size_fluxes_have_the_tensors_of_diffusers(name: str) -> None:
    config = FULL_FLUXES[name]
    with torch.device("meta"):
        theirs, ours = shapes_of(their_flux(config)), shapes_of(Flux(config))
    check_complete(flux(theirs), theirs, ours)
    assert flux_config(ours) == config


def check_complete(sources: Sources, theirs: Shapes, ours: Shapes) -> None:
    """Every tensor of theirs is used once, and what is made of them is what our network has."""
    used = [source for made in sources.values() for source in made.names]
    assert sorted(used) == sorted(theirs)
    assert made_shapes(sources, theirs) == ours


def test_a_layer_that_is_there_in_part_is_named() -> None:
    with torch.device("meta"):
        theirs = shapes_of(their_flux(SMALL_FLUX))
    del theirs["transformer_blocks.1.attn.to_k.weight"]
    with pytest.raises(KeyError, match=r"transformer_blocks\.1\.attn\.to_k\.weight"):
        made_shapes(flux(theirs), theirs)


@pytest.mark.parametrize("config", [{"head_width": 48}, {"width": 100}, {"in_features": 63}])
def test_a_flux_that_cannot_be_is_refused(config: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"channels|features"):
        replace(SMALL_FLUX, **config)  # type: ignore[arg-type]  # every key is a field that takes an int
