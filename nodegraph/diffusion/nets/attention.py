"""Transformer blocks that mix positions with each other and with the tokens of the prompt."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from nodegraph.diffusion.nets.layers import conv1x1, group_norm, zeroed


class Attention(nn.Module):
    """Multi-head attention (Vaswani et al. 2017): queries of x, keys and values of the context."""

    def __init__(self, width: int, context_width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(context_width, width, bias=False)
        self.to_v = nn.Linear(context_width, width, bias=False)
        self.to_out = nn.Sequential(nn.Linear(width, width))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """x [B,N,width], context [B,T,context_width] -> [B,N,width]."""
        q, k, v = self._split(self.to_q(x)), self._split(self.to_k(context)), self._split(self.to_v(context))
        mixed = functional.scaled_dot_product_attention(q, k, v)
        out: Tensor = self.to_out(mixed.transpose(1, 2).flatten(2))
        return out

    def _split(self, x: Tensor) -> Tensor:
        batch, positions, width = x.shape
        return x.view(batch, positions, self.heads, width // self.heads).transpose(1, 2)


class GatedGelu(nn.Module):
    """A linear map whose first half is gated by the GELU of its second (GEGLU, Shazeer 2020)."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, 2 * hidden)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.proj(x).chunk(2, dim=-1)
        out: Tensor = value * functional.gelu(gate)
        return out


class FeedForward(nn.Module):
    """Two linear maps with a gated GELU between them, four times as wide inside."""

    def __init__(self, width: int) -> None:
        super().__init__()
        # The slot between the two held dropout in the original; it keeps the number in the key.
        self.net = nn.Sequential(GatedGelu(width, 4 * width), nn.Identity(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.net(x)
        return out


class TransformerBlock(nn.Module):
    """Self attention, cross attention to the prompt, feed forward; each with its residual."""

    def __init__(self, width: int, context_width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn1 = Attention(width, width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.attn2 = Attention(width, context_width, heads)
        self.norm3 = nn.LayerNorm(width)
        self.ff = FeedForward(width)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        h: Tensor = self.norm1(x)
        x = x + self.attn1(h, h)
        x = x + self.attn2(self.norm2(x), context)
        out: Tensor = x + self.ff(self.norm3(x))
        return out


class MapLinear(nn.Linear):
    """A linear map of the channels of a feature map [B,C,h,w]: a 1x1 convolution that is kept as a matrix."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class SpatialTransformer(nn.Module):
    """Transformer blocks over the positions of a feature map (Rombach et al. 2022, section 3.3).

    linear: whether the maps around the blocks are kept as matrices or as 1x1 convolutions.
    """

    def __init__(
        self, channels: int, context_width: int, heads: int, depth: int, *, linear: bool = False
    ) -> None:
        super().__init__()
        project = MapLinear if linear else conv1x1
        self.norm = group_norm(channels, eps=1e-6)
        self.proj_in = project(channels, channels)
        self.transformer_blocks = nn.ModuleList(
            TransformerBlock(channels, context_width, heads) for _ in range(depth)
        )
        self.proj_out = zeroed(project(channels, channels))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """x [B,C,h,w], context [B,T,D] -> [B,C,h,w]."""
        batch, channels, height, width = x.shape
        # Channels last on both sides: with that memory format neither permutation moves a byte.
        tokens = self.proj_in(self.norm(x)).permute(0, 2, 3, 1).flatten(1, 2)
        for block in self.transformer_blocks:
            tokens = block(tokens, context)
        out: Tensor = self.proj_out(tokens.reshape(batch, height, width, channels).permute(0, 3, 1, 2))
        return x + out
