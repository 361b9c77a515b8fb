"""What the diffusion transformers share: modulation, attention over heads, and latents as tokens."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def plain_norm(width: int) -> nn.LayerNorm:
    """Layer normalisation without parameters: modulation by the timestep takes their place."""
    return nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)


def modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """x * (1 + scale) + shift: x [B,N,C], shift and scale [B,C] (adaLN, Peebles & Xie 2023)."""
    return torch.addcmul(shift[:, None], x, 1 + scale[:, None])


def split_qkv(qkv: Tensor, heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """A joint projection [B,N,3·C] -> queries, keys and values, each [B,heads,N,C/heads]."""
    q, k, v = torch.unflatten(qkv, -1, (3, heads, -1)).permute(2, 0, 3, 1, 4)
    return q, k, v


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention over all positions: [B,heads,N,C/heads] each -> [B,N,C]."""
    return functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


def pad_to_patches(x: Tensor, patch: int) -> Tensor:
    """x [B,C,h,w] with sides that are multiples of a patch; what is added below and right wraps around."""
    bottom, right = -x.shape[-2] % patch, -x.shape[-1] % patch
    return functional.pad(x, (0, right, 0, bottom), mode="circular") if bottom or right else x


class FinalLayer(nn.Module):
    """Norm, modulation by the embedded timestep, and a linear map to the features of a patch."""

    def __init__(self, width: int, features: int) -> None:
        super().__init__()
        self.norm_final = plain_norm(width)
        self.linear = nn.Linear(width, features)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width))

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """x [B,N,width], time [B,width] -> [B,N,features]."""
        shift, scale = self.adaLN_modulation(time).chunk(2, dim=-1)
        out: Tensor = self.linear(modulate(self.norm_final(x), shift, scale))
        return out
