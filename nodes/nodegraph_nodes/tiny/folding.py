"""Folding a linear map of the latents into the autoencoder's two 1x1 convolutions.

Diffusion wants latents of zero mean and unit variance. SD 1.x reaches the variance with the constant 0.18215;
here the autoencoder's own convolutions are changed so that the same constant is exact and no file needs
another one. The same trick turns a retrained autoencoder's latents toward those an older UNet already knows.
"""

from __future__ import annotations

import torch
from torch import Tensor

from nodegraph.diffusion.nets.vae import AutoencoderKL
from nodegraph_nodes.tiny.nets import LATENT_SCALE


@torch.no_grad()
def fold(vae: AutoencoderKL, matrix: Tensor, offset: Tensor) -> None:
    """Change the autoencoder so that its latents become ``matrix`` [4,4] times the old plus ``offset`` [4].

    Decoding undoes the map. The posterior's variance stays diagonal: exact for a diagonal matrix, and close
    for one that is nearly so (the posterior is a hundred times narrower than the latents).
    """
    channels = len(offset)
    weight, bias = vae.quant_conv.weight, _bias(vae.quant_conv)
    weight[:channels] = torch.einsum("ij,jkhw->ikhw", matrix, weight[:channels])
    bias[:channels] = matrix @ bias[:channels] + offset
    bias[channels:] += 2 * matrix.diagonal().abs().log()
    inverse = torch.linalg.inv(matrix)
    weight, bias = vae.post_quant_conv.weight, _bias(vae.post_quant_conv)
    bias -= weight[:, :, 0, 0] @ inverse @ offset
    weight.copy_((weight[:, :, 0, 0] @ inverse)[:, :, None, None])


def _bias(conv: torch.nn.Conv2d) -> Tensor:
    if conv.bias is None:
        raise ValueError("the autoencoder's 1x1 convolutions need a bias to fold an offset into")
    return conv.bias


def unfold(vae: AutoencoderKL) -> None:
    """Give a finished autoencoder unit-variance latents again, as its training wants them."""
    fold(vae, torch.eye(4) * LATENT_SCALE, torch.zeros(4))


def alignment(latents: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor, float]:
    """The least-squares map of latents to wanted ones, both [B,4,h,w]: matrix, offset, unexplained share."""
    rows, goal = _pixels(latents), _pixels(wanted)
    design = torch.cat([rows, torch.ones(len(rows), 1)], 1)
    solution = torch.linalg.lstsq(design, goal).solution
    left = (design @ solution - goal).square().mean() / goal.var()
    return solution[:-1].T.contiguous(), solution[-1], left.item()


def normalisation(latents: Tensor) -> tuple[Tensor, Tensor]:
    """The diagonal map to zero mean and standard deviation 1 / 0.18215 in every channel."""
    rows = _pixels(latents)
    scale = 1 / (LATENT_SCALE * rows.std(0))
    return torch.diag(scale), -rows.mean(0) * scale


def _pixels(latents: Tensor) -> Tensor:
    return latents.float().permute(0, 2, 3, 1).reshape(-1, latents.shape[1])
