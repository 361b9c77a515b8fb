"""The networks of the GPU benchmark: ours and diffusers' with random weights, and what they are asked.

A step is one call of the network as sampling makes it: a batch of two under guidance, of one for FLUX.1,
whose guidance is distilled. Every network is made on the device in the dtype of the step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nodegraph.modelfiles.configs import UNetConfig
from nodegraph.modelfiles.transformer_configs import FluxConfig, MMDiTConfig

if TYPE_CHECKING:
    import torch
    from torch import nn

Config = UNetConfig | MMDiTConfig | FluxConfig
Work = Callable[[], Any]

SDXL = UNetConfig(
    channels=(320, 640, 1280), depths=(0, 2, 10), middle_depth=10, context_dim=2048, head_width=64,
    linear=True, label_dim=2816,
)  # fmt: skip
SD35_LARGE = MMDiTConfig(depth=38, width=2432, hidden=9728, qk_norm=True)


@dataclass(frozen=True)
class Case:
    """A network at a size: the side of its latents, tokens of its prompts, images a step, and the dtype."""

    title: str
    config: Config
    side: int
    tokens: int
    batch: int
    dtype: str


CASES: Mapping[str, Case] = {
    "sd15": Case("SD 1.5, 512 x 512", UNetConfig(), 64, 77, 2, "float16"),
    "sdxl": Case("SDXL, 1024 x 1024", SDXL, 128, 77, 2, "float16"),
    "sd35": Case("SD 3.5 large, 1024 x 1024", SD35_LARGE, 128, 333, 2, "bfloat16"),
    "flux": Case("FLUX.1 dev, 1024 x 1024", FluxConfig(), 128, 512, 1, "bfloat16"),
}
SMALL: Mapping[str, Case] = {
    "sd15": Case(
        "small SD 1.5",
        UNetConfig(model_channels=32, channels=(32, 64), depths=(0, 1), context_dim=32, time_dim=128),
        8, 7, 2, "float32",
    ),
    "sdxl": Case(
        "small SDXL",
        UNetConfig(
            model_channels=32, channels=(32, 64), depths=(0, 2), middle_depth=2, context_dim=32, time_dim=128,
            head_width=32, linear=True, label_dim=32 + 6 * 256,
        ),
        8, 7, 2, "float32",
    ),
    "sd35": Case(
        "small SD 3.5",
        MMDiTConfig(
            depth=2, width=128, hidden=512, context_dim=48, pooled_dim=40, positions=12, qk_norm=True
        ),
        8, 7, 2, "float32",
    ),
    "flux": Case(
        "small FLUX.1",
        FluxConfig(
            double_blocks=2, single_blocks=2, width=64, head_width=32, hidden=256, context_dim=48,
            vector_dim=40,
        ),
        8, 7, 1, "float32",
    ),
}  # fmt: skip
"""The same code on a CPU in seconds, so that a test can run all of it."""


def our_network(case: Case, device: torch.device) -> tuple[nn.Module, tuple[Any, ...]]:
    """Our network of a case, and the arguments of a step."""
    import torch

    from nodegraph.diffusion.nets.flux import Flux
    from nodegraph.diffusion.nets.mmdit import MMDiT
    from nodegraph.diffusion.nets.unet import UNet

    config = case.config
    with _made_on(case, device):
        if isinstance(config, UNetConfig):
            network: nn.Module = UNet(config)
            vector = torch.randn(case.batch, config.label_dim) if config.label_dim else None
            arguments: tuple[Any, ...] = (*_seen(case, 4), _tokens(case, config.context_dim), vector)
        elif isinstance(config, MMDiTConfig):
            network = MMDiT(config)
            pooled = torch.randn(case.batch, config.pooled_dim)
            arguments = (*_seen(case, 16), _tokens(case, config.context_dim), pooled)
        else:
            network = Flux(config)
            level, vector = torch.full((case.batch,), 0.5), torch.randn(case.batch, config.vector_dim)
            x = torch.randn(case.batch, 16, case.side, case.side)
            guidance = torch.full((case.batch,), 3.5)
            arguments = (x, level, _tokens(case, config.context_dim), vector, guidance, [])
    return network.eval().requires_grad_(False), arguments


def their_step(case: Case, device: torch.device) -> Work:
    """A step of diffusers' network of a case."""
    config = case.config
    if isinstance(config, UNetConfig):
        return _their_unet(case, config, device)
    return (
        _their_mmdit(case, config, device)
        if isinstance(config, MMDiTConfig)
        else _their_flux(case, config, device)
    )


@contextmanager
def _made_on(case: Case, device: torch.device) -> Iterator[None]:
    import torch

    usual = torch.get_default_dtype()
    torch.manual_seed(0)
    torch.set_default_dtype(getattr(torch, case.dtype))
    try:
        with device:
            yield
    finally:
        torch.set_default_dtype(usual)


def _seen(case: Case, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    return torch.randn(case.batch, channels, case.side, case.side), torch.full((case.batch,), 500.0)


def _tokens(case: Case, width: int) -> torch.Tensor:
    import torch

    return torch.randn(case.batch, case.tokens, width)


def _their_unet(case: Case, config: UNetConfig, device: torch.device) -> Work:
    import torch
    from diffusers import UNet2DConditionModel

    their_class: Any = UNet2DConditionModel  # diffusers publishes no types
    crossed = [depth > 0 for depth in config.depths]
    sizes: dict[str, Any] = {}
    if config.label_dim:
        sizes = {
            "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": config.label_dim,
        }  # fmt: skip
    with _made_on(case, device):
        network = their_class(
            block_out_channels=config.channels,
            down_block_types=tuple("CrossAttnDownBlock2D" if one else "DownBlock2D" for one in crossed),
            up_block_types=tuple("CrossAttnUpBlock2D" if one else "UpBlock2D" for one in crossed[::-1]),
            attention_head_dim=tuple(map(config.heads_of, config.channels)),
            transformer_layers_per_block=tuple(max(1, depth) for depth in config.depths),
            cross_attention_dim=config.context_dim,
            use_linear_projection=config.linear,
            norm_num_groups=min(32, config.channels[0] // 4),
            **sizes,
        ).eval().requires_grad_(False)  # fmt: skip
        x, t = _seen(case, 4)
        tokens = _tokens(case, config.context_dim)
        added = None
        if config.label_dim:
            added = {
                "text_embeds": torch.randn(case.batch, config.label_dim - 6 * 256),
                "time_ids": torch.ones(case.batch, 6),
            }
    return lambda: network(x, t, tokens, added_cond_kwargs=added, return_dict=False)[0]


def _their_mmdit(case: Case, config: MMDiTConfig, device: torch.device) -> Work:
    import torch
    from diffusers import SD3Transformer2DModel

    their_class: Any = SD3Transformer2DModel
    with _made_on(case, device):
        network = their_class(
            num_layers=config.depth, attention_head_dim=config.head_width, num_attention_heads=config.heads,
            joint_attention_dim=config.context_dim, caption_projection_dim=config.width,
            pooled_projection_dim=config.pooled_dim, out_channels=16, pos_embed_max_size=config.positions,
            qk_norm="rms_norm" if config.qk_norm else None,
        ).eval().requires_grad_(False)  # fmt: skip
        x, t = _seen(case, 16)
        tokens, pooled = _tokens(case, config.context_dim), torch.randn(case.batch, config.pooled_dim)
    return lambda: network(x, tokens, pooled, t, return_dict=False)[0]


def _their_flux(case: Case, config: FluxConfig, device: torch.device) -> Work:
    import torch
    from diffusers import FluxTransformer2DModel

    their_class: Any = FluxTransformer2DModel
    cells = (case.side // 2) ** 2
    with _made_on(case, device):
        network = their_class(
            num_layers=config.double_blocks, num_single_layers=config.single_blocks,
            attention_head_dim=config.head_width, num_attention_heads=config.heads,
            joint_attention_dim=config.context_dim, pooled_projection_dim=config.vector_dim,
            guidance_embeds=config.guidance, axes_dims_rope=config.axes,
        ).eval().requires_grad_(False)  # fmt: skip
        x = torch.randn(case.batch, cells, config.in_features)
        tokens, pooled = _tokens(case, config.context_dim), torch.randn(case.batch, config.vector_dim)
        level, guidance = torch.full((case.batch,), 0.5), torch.full((case.batch,), 3.5)
        places = torch.zeros(cells, 3), torch.zeros(case.tokens, 3)
    return lambda: network(
        hidden_states=x, encoder_hidden_states=tokens, pooled_projections=pooled, timestep=level,
        img_ids=places[0], txt_ids=places[1], guidance=guidance, return_dict=False,
    )[0]  # fmt: skip
