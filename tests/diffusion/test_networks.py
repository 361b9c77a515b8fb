"""The networks equal those of diffusers on random weights (float32, relative error at most 1e-4)."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL as TheirVae
from diffusers import UNet2DConditionModel
from torch import Tensor

from nodegraph.diffusion.nets.layers import group_norm, timestep_embedding
from nodegraph.diffusion.nets.unet import UNet
from nodegraph.diffusion.nets.vae import AutoencoderKL
from nodegraph.modelfiles.configs import UNetConfig, VaeConfig
from nodegraph.modelfiles.sd1_names import diffusers_prefixes, to_diffusers
from nodegraph.modelfiles.shapes import vae_config
from tests.diffusion.small_models import randomise

TOLERANCE = 1e-4

# diffusers publishes no types.
THEIR_UNET: Any = UNet2DConditionModel
THEIR_VAE: Any = TheirVae


def relative_error(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).norm() / theirs.norm())


# Widths from 128 on: there the group count is the 32 that diffusers has everywhere.
UNETS = {
    "attention everywhere": UNetConfig(
        model_channels=128, channels=(128, 128), res_blocks=1, depths=(1, 1), context_dim=48, time_dim=512
    ),
    "as SD 1.x, coarsest level without": UNetConfig(
        model_channels=128, channels=(128, 256), res_blocks=2, depths=(1, 0), context_dim=48, time_dim=512
    ),
    "finest level without, two blocks deep": UNetConfig(
        model_channels=128, channels=(128, 128, 256), res_blocks=1, depths=(0, 2, 2), middle_depth=2,
        context_dim=48, time_dim=512,
    ),
}  # fmt: skip


def their_unet(config: UNetConfig) -> Any:
    down = [("CrossAttn" if depth else "") + "DownBlock2D" for depth in config.depths]
    up = [("CrossAttn" if depth else "") + "UpBlock2D" for depth in reversed(config.depths)]
    model = THEIR_UNET(
        block_out_channels=config.channels,
        layers_per_block=config.res_blocks,
        down_block_types=down,
        up_block_types=up,
        cross_attention_dim=config.context_dim,
        attention_head_dim=config.heads,  # their name for the number of heads
        transformer_layers_per_block=[max(depth, 1) for depth in config.depths],
    )
    return model.eval()


@pytest.mark.parametrize("name", UNETS)
@pytest.mark.parametrize("size", [(8, 8), (9, 13)], ids=["even", "odd"])
def test_unet_equals_diffusers(name: str, size: tuple[int, int]) -> None:
    config = UNETS[name]
    ours = UNet(config).eval()
    randomise(ours, 1)
    theirs = their_unet(config)
    prefixes = diffusers_prefixes(config)
    theirs.load_state_dict({to_diffusers(key, prefixes): value for key, value in ours.state_dict().items()})

    generator = torch.Generator().manual_seed(2)
    x = torch.randn(2, 4, *size, generator=generator)
    t = torch.tensor([3.0, 950.0])
    context = torch.randn(2, 7, config.context_dim, generator=generator)
    with torch.no_grad():
        expected = theirs(x, t, context).sample
        assert relative_error(ours(x, t, context), expected) <= TOLERANCE
        channels_last = ours.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        assert relative_error(channels_last(x, t, context), expected) <= TOLERANCE


def their_vae_name(name: str, levels: int) -> str:
    """Original name -> diffusers name of an autoencoder's tensor."""
    name = re.sub(r"encoder\.down\.(\d+)\.block\.(\d+)", r"encoder.down_blocks.\1.resnets.\2", name)
    name = re.sub(r"encoder\.down\.(\d+)\.downsample", r"encoder.down_blocks.\1.downsamplers.0", name)
    name = re.sub(
        r"decoder\.up\.(\d+)\.block\.(\d+)",
        lambda found: f"decoder.up_blocks.{levels - 1 - int(found[1])}.resnets.{found[2]}",
        name,
    )
    name = re.sub(
        r"decoder\.up\.(\d+)\.upsample",
        lambda found: f"decoder.up_blocks.{levels - 1 - int(found[1])}.upsamplers.0",
        name,
    )
    name = name.replace("mid.block_1", "mid_block.resnets.0").replace("mid.block_2", "mid_block.resnets.1")
    name = name.replace("norm_out", "conv_norm_out").replace("nin_shortcut", "conv_shortcut")
    if "mid.attn_1" in name:
        name = name.replace("mid.attn_1", "mid_block.attentions.0").replace(".norm.", ".group_norm.")
        name = re.sub(r"\.(q|k|v)\.", r".to_\1.", name).replace("proj_out", "to_out.0")
    return name


@pytest.mark.parametrize(("latents", "quant"), [(4, True), (16, False)], ids=["SD 1 to SDXL", "SD 3, FLUX"])
def test_autoencoder_equals_diffusers(latents: int, quant: bool) -> None:
    config = VaeConfig(
        latent_channels=latents, base_channels=128, channels=(128, 256), res_blocks=1,
        attention=(False, False), quant=quant,
    )  # fmt: skip
    ours = AutoencoderKL(config).eval()
    randomise(ours, 3)
    theirs = THEIR_VAE(
        block_out_channels=config.channels,
        layers_per_block=1,
        latent_channels=latents,
        use_quant_conv=quant,
        use_post_quant_conv=quant,
        down_block_types=["DownEncoderBlock2D"] * 2,
        up_block_types=["UpDecoderBlock2D"] * 2,
    ).eval()
    assert vae_config({key: tuple(value.shape) for key, value in ours.state_dict().items()}) == config
    converted = {their_vae_name(key, 2): value for key, value in ours.state_dict().items()}
    for key, value in theirs.state_dict().items():
        if converted[key].ndim == 4 and value.ndim == 2:  # their attention has linear layers
            converted[key] = converted[key][:, :, 0, 0]
    theirs.load_state_dict(converted)

    generator = torch.Generator().manual_seed(4)
    pixels = torch.rand(2, 3, 16, 24, generator=generator) * 2 - 1
    samples = torch.randn(2, latents, 8, 12, generator=generator)
    with torch.no_grad():
        mean, log_variance = ours.encode(pixels)
        posterior = theirs.encode(pixels).latent_dist
        assert relative_error(mean, posterior.mean) <= TOLERANCE
        assert relative_error(log_variance, posterior.logvar) <= TOLERANCE
        assert relative_error(ours.decode(samples), theirs.decode(samples).sample) <= TOLERANCE


def test_full_size_networks_have_the_known_parameter_counts() -> None:
    with torch.device("meta"):
        unet, vae = UNet(UNetConfig()), AutoencoderKL(VaeConfig())
    assert sum(parameter.numel() for parameter in unet.parameters()) == 859_520_964
    assert sum(parameter.numel() for parameter in vae.parameters()) == 83_653_863


@pytest.mark.parametrize(("channels", "groups"), [(16, 4), (32, 8), (96, 24), (128, 32), (1280, 32)])
def test_groups_are_those_of_the_original_from_128_channels_on(channels: int, groups: int) -> None:
    assert group_norm(channels, eps=1e-5).num_groups == groups


def test_a_new_unet_predicts_zero_so_that_training_starts_from_the_identity() -> None:
    config = UNETS["attention everywhere"]
    out = UNet(config)(torch.ones(1, 4, 8, 8), torch.tensor([5.0]), torch.ones(1, 3, config.context_dim))
    assert not out.any()
    assert out.requires_grad


def test_timestep_embedding_is_cosines_then_sines_of_falling_frequencies() -> None:
    embedded = timestep_embedding(torch.tensor([0.0, 10.0]), 4)
    angle = torch.tensor([10.0, 0.1])
    assert torch.allclose(embedded[0], torch.tensor([1.0, 1.0, 0.0, 0.0]))
    assert torch.allclose(embedded[1], torch.cat([angle.cos(), angle.sin()]), atol=1e-6)


def test_configs_reject_levels_of_different_number() -> None:
    with pytest.raises(ValueError, match="levels"):
        UNetConfig(channels=(320, 640))
    with pytest.raises(ValueError, match="levels"):
        VaeConfig(channels=(128, 256))
