"""The multimodal diffusion transformer of SD 3 and SD 3.5, with the key names of the original files."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from nodegraph.diffusion.nets.layers import timestep_embedding
from nodegraph.diffusion.nets.transformer import (
    FinalLayer,
    attend,
    modulate,
    pad_to_patches,
    plain_norm,
    split_qkv,
)
from nodegraph.errors import InputError
from nodegraph.modelfiles.transformer_configs import MMDiTConfig


class MMDiT(nn.Module):
    """Predicts the velocity noise - x0 from a noisy latent, a timestep, the prompt's tokens and its pooling.

    Esser et al. 2024, "Scaling Rectified Flow Transformers for High-Resolution Image Synthesis", section 4.
    The state dict is that of `model.diffusion_model.` in an SD 3 file.
    """

    def __init__(self, config: MMDiTConfig) -> None:
        super().__init__()
        self.config = config
        width, features = config.width, config.patch**2 * config.out_channels
        self.x_embedder = PatchEmbedder(config)
        self.register_buffer("pos_embed", torch.zeros(1, config.positions**2, width))
        self.t_embedder = Embedder(config.frequencies, width)
        self.y_embedder = Embedder(config.pooled_dim, width)
        self.context_embedder = nn.Linear(config.context_dim, width)
        self.joint_blocks = nn.ModuleList(JointBlock(config, index) for index in range(config.depth))
        self.final_layer = FinalLayer(width, features)

    def forward(self, x: Tensor, timestep: Tensor, tokens: Tensor, pooled: Tensor) -> Tensor:
        """x [B,in,h,w], timestep [B] (sigma · 1000), tokens [B,T,context], pooled [B,pooled] -> [B,out,h,w].

        InputError: the latent is larger than the table of positions.
        """
        height, width = x.shape[-2:]
        padded = pad_to_patches(x, self.config.patch)
        rows, columns = (side // self.config.patch for side in padded.shape[-2:])
        image = self.x_embedder(padded) + self.positions(rows, columns).to(x.dtype)
        frequencies = timestep_embedding(timestep, self.config.frequencies).to(x.dtype)
        time = self.t_embedder(frequencies) + self.y_embedder(pooled)
        text = self.context_embedder(tokens)
        for block in self.joint_blocks:
            image, text = block(image, text, time)
        patches = self.final_layer(image, time)
        return self._assemble(patches, rows, columns)[..., :height, :width]

    def positions(self, rows: int, columns: int) -> Tensor:
        """Position embeddings [1,rows·columns,width]: the middle of the table."""
        side = self.config.positions
        if max(rows, columns) > side:
            raise InputError(
                "the picture is larger than the model has positions for",
                expected=f"at most {side * self.config.patch} latent cells along a side",
                found=f"{columns * self.config.patch} x {rows * self.config.patch} cells",
                remedy="Make a smaller picture and enlarge it afterwards.",
            )
        top, left = (side - rows) // 2, (side - columns) // 2
        table: Tensor = self.get_buffer("pos_embed").view(1, side, side, -1)
        return table[:, top : top + rows, left : left + columns].flatten(1, 2)

    def _assemble(self, patches: Tensor, rows: int, columns: int) -> Tensor:
        """Patches [B,rows·columns,p·p·C] (channels last in each) -> [B,C,rows·p,columns·p]."""
        size = self.config.patch
        grid = torch.unflatten(torch.unflatten(patches, -1, (size, size, -1)), 1, (rows, columns))
        return grid.permute(0, 5, 1, 3, 2, 4).flatten(4, 5).flatten(2, 3)


class PatchEmbedder(nn.Module):
    """Cuts a latent into square patches and maps each to a token."""

    def __init__(self, config: MMDiTConfig) -> None:
        super().__init__()
        self.proj = nn.Conv2d(config.in_channels, config.width, config.patch, stride=config.patch)

    def forward(self, x: Tensor) -> Tensor:
        """x [B,C,h,w] -> [B,h·w/p²,width], row by row."""
        tokens: Tensor = self.proj(x)
        return tokens.flatten(2).transpose(1, 2)


class Embedder(nn.Module):
    """A vector that conditions every block (the timestep's frequencies, the pooled prompt)."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(features, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.mlp(x)
        return out


class JointBlock(nn.Module):
    """Image and text, each with weights of its own, and one attention over both."""

    streams = 2
    """How many tensors go in first and come out: image and text."""

    def __init__(self, config: MMDiTConfig, index: int) -> None:
        super().__init__()
        last = index + 1 == config.depth  # nobody reads the text after it
        self.x_block = Stream(config, dual=index in config.dual)
        self.context_block = TextSource(config) if last else Stream(config)

    def forward(self, image: Tensor, text: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        """image [B,N,width], text [B,T,width], time [B,width] -> image and text (as it was, if last)."""
        image_turns, text_turns = self.x_block.turns(time), self.context_block.turns(time)
        of_image = self.x_block.project(image, image_turns)
        of_text = self.context_block.project(text, text_turns)
        mixed = attend(*(torch.cat(pair, dim=2) for pair in zip(of_image, of_text, strict=True)))
        image_mixed, text_mixed = mixed.split_with_sizes([image.shape[1], text.shape[1]], dim=1)
        image = self.x_block(image, image_mixed, image_turns)
        return image, self.context_block(text, text_mixed, text_turns)


Turns = tuple[Tensor, ...]
"""What the timestep makes of a stream, each [B,width]: shift, scale and gate of the attention, then of the
feed forward, then of the second attention."""


class Stream(nn.Module):
    """One of the two streams of a block: its projections, its feed forward, and what modulates them."""

    def __init__(self, config: MMDiTConfig, *, dual: bool = False) -> None:
        super().__init__()
        width = config.width
        self.norm1, self.norm2 = plain_norm(width), plain_norm(width)
        self.attn = Attention(config)
        self.attn2 = Attention(config) if dual else None
        self.mlp = FeedForward(width, config.hidden)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, (9 if dual else 6) * width))

    def turns(self, time: Tensor) -> Turns:
        """time [B,width] -> six turns, nine with the second attention."""
        out: Turns = self.adaLN_modulation(time).chunk(6 if self.attn2 is None else 9, dim=-1)
        return out

    def project(self, x: Tensor, turns: Turns) -> tuple[Tensor, Tensor, Tensor]:
        """x [B,N,width] -> queries, keys and values [B,heads,N,head_width]."""
        return self.attn.project(modulate(self.norm1(x), turns[0], turns[1]))

    def forward(self, x: Tensor, mixed: Tensor, turns: Turns) -> Tensor:
        """x and what the joint attention made of it, [B,N,width] each -> [B,N,width]."""
        _, _, gate, feed_shift, feed_scale, feed_gate, *second = turns
        before = self.norm1(x) if self.attn2 is not None else x
        x = x + gate[:, None] * self.attn.proj(mixed)
        if self.attn2 is not None:  # the image alone, beside the joint attention (SD 3.5 medium)
            shift, scale, gate = second
            x = x + gate[:, None] * self.attn2(modulate(before, shift, scale))
        out: Tensor = x + feed_gate[:, None] * self.mlp(modulate(self.norm2(x), feed_shift, feed_scale))
        return out


class TextSource(nn.Module):
    """The text of the last block: the image attends to it, and nothing comes back."""

    def __init__(self, config: MMDiTConfig) -> None:
        super().__init__()
        self.norm1 = plain_norm(config.width)
        self.attn = Projections(config)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(config.width, 2 * config.width))

    def turns(self, time: Tensor) -> Turns:
        """time [B,width] -> shift and scale."""
        out: Turns = self.adaLN_modulation(time).chunk(2, dim=-1)
        return out

    def project(self, x: Tensor, turns: Turns) -> tuple[Tensor, Tensor, Tensor]:
        """x [B,T,width] -> queries, keys and values [B,heads,T,head_width]."""
        return self.attn.project(modulate(self.norm1(x), *turns))

    def forward(self, x: Tensor, _mixed: Tensor, _turns: Turns) -> Tensor:
        return x


class Projections(nn.Module):
    """Queries, keys and values of a stream; the first two normed in SD 3.5."""

    def __init__(self, config: MMDiTConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.ln_q = nn.RMSNorm(config.head_width, eps=1e-6) if config.qk_norm else nn.Identity()
        self.ln_k = nn.RMSNorm(config.head_width, eps=1e-6) if config.qk_norm else nn.Identity()

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x [B,N,width] -> [B,heads,N,head_width] each."""
        q, k, v = split_qkv(self.qkv(x), self.heads)
        return self.ln_q(q), self.ln_k(k), v


class Attention(Projections):
    """Projections and the map that ends an attention; called, it attends over x alone."""

    def __init__(self, config: MMDiTConfig) -> None:
        super().__init__(config)
        self.proj = nn.Linear(config.width, config.width)

    def forward(self, x: Tensor) -> Tensor:
        """x [B,N,width] -> [B,N,width]."""
        out: Tensor = self.proj(attend(*self.project(x)))
        return out


class FeedForward(nn.Module):
    """Two linear maps with a GELU (its tanh form) between them."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc2(functional.gelu(self.fc1(x), approximate="tanh"))
        return out
