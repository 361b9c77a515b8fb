"""UNets of every family equal those of diffusers on random weights (float32, relative error at most 1e-4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor

from nodegraph.diffusion.nets.unet import UNet
from nodegraph.diffusion.unet_denoiser import UNetDenoiser
from nodegraph.errors import InputError
from nodegraph.modelfiles.configs import UNetConfig
from nodegraph.modelfiles.sd1_names import diffusers_prefixes, to_diffusers
from nodegraph.runtime import Extras
from nodegraph.values import SDXL_LATENT
from tests.diffusion.small_models import randomise

TOLERANCE = 1e-4
THEIR_UNET: Any = UNet2DConditionModel  # diffusers publishes no types


@dataclass(frozen=True)
class Case:
    """A family in miniature: pooled is the width of the pooled vector, sizes how many numbers go with it."""

    config: UNetConfig
    pooled: int = 0
    sizes: int = 0


def config(**changes: Any) -> UNetConfig:
    base: dict[str, Any] = {
        "model_channels": 128, "channels": (128, 256), "res_blocks": 1, "depths": (1, 1), "context_dim": 48,
        "time_dim": 512,
    }  # fmt: skip
    return UNetConfig(**base | changes)


ROWS: dict[str, Any] = {"head_width": 64, "linear": True}
XL: dict[str, Any] = {"depths": (0, 2), "middle_depth": 2, **ROWS}
CASES = {
    "sd1": Case(config()),
    "sd1 inpainting": Case(config(in_channels=9)),
    "sd1 editing": Case(config(in_channels=8)),
    "sd2": Case(config(head_width=64, linear=True)),
    "sd2 inpainting": Case(config(head_width=64, linear=True, in_channels=9)),
    "sdxl": Case(config(**XL, label_dim=32 + 6 * 256), 32, 6),
    "sdxl inpainting": Case(config(**XL, label_dim=32 + 6 * 256, in_channels=9), 32, 6),
    "sdxl refiner": Case(
        config(channels=(128, 128, 256), depths=(0, 1, 0), **ROWS, label_dim=32 + 5 * 256),
        32, 5,
    ),
}  # fmt: skip


def their_unet(case: Case) -> Any:
    config = case.config
    heads = [config.heads_of(channels) for channels in config.channels]
    labels: dict[str, Any] = {}
    if case.sizes:
        labels = {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": config.label_dim,
        }
    model = THEIR_UNET(
        in_channels=config.in_channels,
        block_out_channels=config.channels,
        layers_per_block=config.res_blocks,
        down_block_types=[("CrossAttn" if depth else "") + "DownBlock2D" for depth in config.depths],
        up_block_types=[("CrossAttn" if depth else "") + "UpBlock2D" for depth in reversed(config.depths)],
        cross_attention_dim=config.context_dim,
        attention_head_dim=heads,  # their name for the number of heads
        transformer_layers_per_block=[max(depth, 1) for depth in config.depths],
        use_linear_projection=config.linear,
        **labels,
    )
    return model.eval()


@pytest.mark.parametrize("name", CASES)
def test_unet_equals_diffusers(name: str) -> None:
    case = CASES[name]
    ours = UNet(case.config).eval()
    randomise(ours, 1)
    theirs = their_unet(case)
    prefixes = diffusers_prefixes(case.config)
    theirs.load_state_dict({to_diffusers(key, prefixes): value for key, value in ours.state_dict().items()})

    generator = torch.Generator().manual_seed(2)
    pictures = case.config.in_channels - 4
    x = torch.randn(2, 4, 8, 12, generator=generator)
    beside = torch.randn(2, 4, 8, 12, generator=generator) if pictures else None
    mask = torch.rand(2, 8, 12, generator=generator).round() if pictures == 5 else None
    t = torch.tensor([3.0, 950.0])
    context = torch.randn(2, 7, case.config.context_dim, generator=generator)
    pooled = torch.randn(2, case.pooled, generator=generator) if case.sizes else None
    sizes = torch.tensor([[64.0, 96, 8, 16, 64, 128], [512, 768, 0, 0, 512, 640]])[:, : case.sizes]

    seen = torch.cat(
        [part for part in (x, None if mask is None else mask[:, None], beside) if part is not None], 1
    )
    added = {"text_embeds": pooled, "time_ids": sizes} if case.sizes else None
    live = UNetDenoiser(ours, "eps", space=SDXL_LATENT).given(
        Extras(
            pooled=pooled,
            beside=None if beside is None else beside / SDXL_LATENT.scale,
            mask=mask,
            sizes=sizes if case.sizes else None,
        )
    )
    sigma = live.noising.sigma_of(t)
    level = sigma[:, None, None, None]
    with torch.no_grad():
        expected = theirs(seen, t, context, added_cond_kwargs=added).sample
    # The denoiser divides x by sqrt(sigma^2 + 1) and gives x - sigma * eps.
    found = live.denoise(x * (level**2 + 1).sqrt(), sigma, context)
    eps = (x * (level**2 + 1).sqrt() - found) / level
    for row in range(2):  # sigmas are far apart: compared together, the larger error would hide the other
        assert relative_error(eps[row], expected[row]) <= TOLERANCE


def relative_error(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).norm() / theirs.norm())


def live(name: str) -> UNetDenoiser:
    ours = UNet(CASES[name].config).eval()
    randomise(ours, 1)
    return UNetDenoiser(ours, "eps")


def asked(denoiser: UNetDenoiser) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    context = torch.randn(1, 7, 48, generator=generator)
    return denoiser.denoise(torch.randn(1, 4, 8, 12, generator=generator), torch.tensor([2.0]), context)


@pytest.mark.parametrize(
    ("name", "sizes"), [("sdxl", [64, 96, 0, 0, 64, 96]), ("sdxl refiner", [64, 96, 0, 0, 6])]
)
def test_size_numbers_are_those_of_the_uncropped_picture_where_nobody_says(
    name: str, sizes: list[int]
) -> None:
    pooled = torch.ones(1, 32)
    told = live(name).given(Extras(pooled=pooled, sizes=torch.tensor([sizes]).float()))
    assert torch.equal(asked(live(name).given(Extras(pooled=pooled))), asked(told))


def test_an_inpainting_unet_without_a_picture_repaints_everything() -> None:
    full = Extras(beside=torch.zeros(1, 4, 8, 12), mask=torch.ones(1, 64, 96))
    kept = Extras(beside=torch.zeros(1, 4, 8, 12), mask=torch.zeros(1, 64, 96))
    plain = asked(live("sd1 inpainting"))
    assert torch.equal(plain, asked(live("sd1 inpainting").given(full)))
    assert not torch.equal(plain, asked(live("sd1 inpainting").given(kept)))


@pytest.mark.parametrize(
    ("name", "extras", "words"),
    [
        ("sdxl", Extras(), "pooled vector"),
        ("sdxl", Extras(pooled=torch.ones(1, 40)), "width 40"),
        ("sdxl", Extras(pooled=torch.ones(1, 32), sizes=torch.ones(1, 5)), "6 numbers"),
        ("sd1", Extras(beside=torch.zeros(1, 4, 8, 12)), "this model takes none"),
        ("sd1", Extras(references=(torch.zeros(1, 4, 8, 12),)), "this model takes none"),
        ("sd1 editing", Extras(beside=torch.zeros(1, 4, 8, 8)), "another size"),
    ],
)
def test_extras_that_do_not_fit_are_explained(name: str, extras: Extras, words: str) -> None:
    with pytest.raises(InputError) as caught:
        asked(live(name).given(extras))
    assert words in caught.value.describe()
