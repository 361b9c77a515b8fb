"""The transformer of FLUX.1, with the key names of the original files."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from nodegraph.diffusion.nets.layers import timestep_embedding
from nodegraph.diffusion.nets.rope import rotate, rotations
from nodegraph.diffusion.nets.transformer import (
    FinalLayer,
    attend,
    modulate,
    pad_to_patches,
    plain_norm,
    split_qkv,
)
from nodegraph.modelfiles.transformer_configs import FluxConfig

PATCH = 2
"""Latent cells along the side of one token."""


class Flux(nn.Module):
    """Predicts the velocity noise - x0 from a noisy latent, a timestep, tokens and a pooled prompt.

    Black Forest Labs 2024 (github.com/black-forest-labs/flux): double blocks as in SD 3, then single
    blocks whose attention and feed forward run side by side. The state dict is that of the original file.
    """

    def __init__(self, config: FluxConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.img_in = nn.Linear(config.in_features, width)
        self.txt_in = nn.Linear(config.context_dim, width)
        self.time_in = Embedder(config.frequencies, width)
        self.vector_in = Embedder(config.vector_dim, width)
        self.guidance_in = Embedder(config.frequencies, width) if config.guidance else None
        self.double_blocks = nn.ModuleList(DoubleBlock(config) for _ in range(config.double_blocks))
        self.single_blocks = nn.ModuleList(SingleBlock(config) for _ in range(config.single_blocks))
        self.final_layer = FinalLayer(width, config.out_features)

    def forward(
        self,
        x: Tensor,
        timestep: Tensor,
        tokens: Tensor,
        pooled: Tensor,
        guidance: Tensor | None = None,
        references: Sequence[Tensor] = (),
    ) -> Tensor:
        """The velocity [B,out,h,w] of the latent x [B,in,h,w].

        timestep [B]: sigma, 0 to 1; tokens [B,T,context]; pooled [B,vector]; guidance [B]: the scale that
        distilled models are told (ValueError where it lacks; others ignore it); references: latents
        [B,in,h',w'] of any size that the image may look at (Kontext). x of control models holds the
        control latent after the noisy one; x of Fill the masked latent and the mask, 8x8 pixels as 64
        channels.
        """
        height, width = x.shape[-2:]
        pictures = [pad_to_patches(picture, PATCH) for picture in (x, *references)]
        rows, columns = (side // PATCH for side in pictures[0].shape[-2:])
        image = self.img_in(torch.cat([pack(picture) for picture in pictures], dim=1))
        text = self.txt_in(tokens)
        time = self._condition(timestep, pooled, guidance)
        turns = rotations(positions(pictures, text.shape[1]), self.config.axes, self.config.theta)
        for block in self.double_blocks:
            image, text = block(image, text, time, turns)
        joined = torch.cat([text, image], dim=1)
        for block in self.single_blocks:
            joined = block(joined, time, turns)
        start = text.shape[1]
        features = self.final_layer(joined[:, start : start + rows * columns], time)
        return unpack(features, rows, columns)[..., :height, :width]

    def _condition(self, timestep: Tensor, pooled: Tensor, guidance: Tensor | None) -> Tensor:
        """Timestep, guidance and pooled prompt as one vector [B,width]."""
        frequencies = self.config.frequencies
        time: Tensor = self.time_in(timestep_embedding(timestep * 1000, frequencies).to(pooled.dtype))
        if self.guidance_in is not None:
            if guidance is None:
                raise ValueError("this network has to be told a guidance scale")
            told = timestep_embedding(guidance * 1000, frequencies).to(pooled.dtype)
            time = time + self.guidance_in(told)
        out: Tensor = time + self.vector_in(pooled)
        return out


def pack(latent: Tensor) -> Tensor:
    """Latent [B,C,h,w] -> tokens [B,h·w/4,4·C], row by row; in a token channel, then row, then column."""
    cells = torch.unflatten(torch.unflatten(latent, -1, (-1, PATCH)), -3, (-1, PATCH))  # B C rows 2 columns 2
    return cells.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


def unpack(tokens: Tensor, rows: int, columns: int) -> Tensor:
    """Tokens [B,rows·columns,4·C] -> latent [B,C,2·rows,2·columns]: `pack` undone."""
    cells = torch.unflatten(torch.unflatten(tokens, -1, (-1, PATCH, PATCH)), 1, (rows, columns))
    return cells.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)


def positions(pictures: Sequence[Tensor], text: int) -> Tensor:
    """Where tokens are, [text + tokens of all pictures, 3]: picture (0, or 1 for references), row, column.

    Text stands at the origin.
    """
    device = pictures[0].device
    grids = [torch.zeros(text, 3, device=device)]
    for index, picture in enumerate(pictures):
        rows, columns = (side // PATCH for side in picture.shape[-2:])
        grid = torch.zeros(rows, columns, 3, device=device)
        grid[..., 0] = min(index, 1)
        grid[..., 1] = torch.arange(rows, device=device)[:, None]
        grid[..., 2] = torch.arange(columns, device=device)
        grids.append(grid.flatten(0, 1))
    return torch.cat(grids)


class Embedder(nn.Module):
    """A vector that conditions every block."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.in_layer = nn.Linear(features, width)
        self.out_layer = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.out_layer(functional.silu(self.in_layer(x)))
        return out


class DoubleBlock(nn.Module):
    """Image and text, each with weights of its own, and one attention over both."""

    streams = 2
    """How many tensors go in first and come out: image and text."""

    def __init__(self, config: FluxConfig) -> None:
        super().__init__()
        self.img_mod, self.txt_mod = Modulation(config.width, 6), Modulation(config.width, 6)
        self.img_norm1, self.txt_norm1 = plain_norm(config.width), plain_norm(config.width)
        self.img_attn, self.txt_attn = Attention(config), Attention(config)
        self.img_norm2, self.txt_norm2 = plain_norm(config.width), plain_norm(config.width)
        self.img_mlp, self.txt_mlp = feed_forward(config), feed_forward(config)

    def forward(self, image: Tensor, text: Tensor, time: Tensor, turns: Tensor) -> tuple[Tensor, Tensor]:
        """image [B,N,width], text [B,T,width], time [B,width], turns of text and image -> image, text."""
        shift, scale, gate, feed_shift, feed_scale, feed_gate = self.img_mod(time)
        t_shift, t_scale, t_gate, t_feed_shift, t_feed_scale, t_feed_gate = self.txt_mod(time)

        of_text = self.txt_attn.project(modulate(self.txt_norm1(text), t_shift, t_scale))
        of_image = self.img_attn.project(modulate(self.img_norm1(image), shift, scale))
        q, k, v = (torch.cat(pair, dim=2) for pair in zip(of_text, of_image, strict=True))
        mixed = attend(rotate(q, turns), rotate(k, turns), v)
        text_mixed, image_mixed = mixed.split_with_sizes([text.shape[1], image.shape[1]], dim=1)

        image = image + gate[:, None] * self.img_attn.proj(image_mixed)
        image = image + feed_gate[:, None] * self.img_mlp(
            modulate(self.img_norm2(image), feed_shift, feed_scale)
        )
        text = text + t_gate[:, None] * self.txt_attn.proj(text_mixed)
        text = text + t_feed_gate[:, None] * self.txt_mlp(
            modulate(self.txt_norm2(text), t_feed_shift, t_feed_scale)
        )
        return image, text


class SingleBlock(nn.Module):
    """Text and image as one row: attention and feed forward of the same input, ended by one map."""

    def __init__(self, config: FluxConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.widths = [3 * config.width, config.hidden]
        self.modulation = Modulation(config.width, 3)
        self.pre_norm = plain_norm(config.width)
        self.linear1 = nn.Linear(config.width, sum(self.widths))
        self.norm = QueryKeyNorm(config.head_width)
        self.linear2 = nn.Linear(config.width + config.hidden, config.width)

    def forward(self, x: Tensor, time: Tensor, turns: Tensor) -> Tensor:
        """x [B,T+N,width], time [B,width], turns of the same positions -> [B,T+N,width]."""
        shift, scale, gate = self.modulation(time)
        qkv, hidden = self.linear1(modulate(self.pre_norm(x), shift, scale)).split(self.widths, dim=-1)
        q, k, v = split_qkv(qkv, self.heads)
        q, k = self.norm(q, k)
        mixed = attend(rotate(q, turns), rotate(k, turns), v)
        both = torch.cat([mixed, functional.gelu(hidden, approximate="tanh")], dim=-1)
        out: Tensor = x + gate[:, None] * self.linear2(both)
        return out


class Modulation(nn.Module):
    """What the timestep makes of a stream: shifts, scales and gates."""

    def __init__(self, width: int, parts: int) -> None:
        super().__init__()
        self.parts = parts
        self.lin = nn.Linear(width, parts * width)

    def forward(self, time: Tensor) -> tuple[Tensor, ...]:
        """time [B,width] -> parts of [B,width]."""
        out: tuple[Tensor, ...] = self.lin(functional.silu(time)).chunk(self.parts, dim=-1)
        return out


class Attention(nn.Module):
    """Normed queries and keys, values, and the map that ends an attention."""

    def __init__(self, config: FluxConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.norm = QueryKeyNorm(config.head_width)
        self.proj = nn.Linear(config.width, config.width)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x [B,N,width] -> queries, keys and values [B,heads,N,head_width]."""
        q, k, v = split_qkv(self.qkv(x), self.heads)
        return (*self.norm(q, k), v)


class QueryKeyNorm(nn.Module):
    """Root-mean-square norms of queries and keys, so that attention cannot grow without bound."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query_norm, self.key_norm = RmsNorm(width), RmsNorm(width)

    def forward(self, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
        return self.query_norm(q), self.key_norm(k)


class RmsNorm(nn.Module):
    """Root-mean-square norm (Zhang & Sennrich 2019) whose weight the files call `scale`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return functional.rms_norm(x, self.scale.shape, self.scale.to(x.dtype), eps=1e-6)


def feed_forward(config: FluxConfig) -> nn.Sequential:
    """Two linear maps with a GELU (its tanh form) between them."""
    return nn.Sequential(
        nn.Linear(config.width, config.hidden),
        nn.GELU(approximate="tanh"),
        nn.Linear(config.hidden, config.width),
    )
