"""From what a network predicts to the clean estimate x0, in the form x = x0 + sigma * noise.

The network was trained on inputs of unit variance, x / sqrt(sigma^2 + 1), and on timesteps.
"""

from __future__ import annotations

import torch
from torch import Tensor

from nodegraph.diffusion.nets.unet import UNet
from nodegraph.diffusion.schedules import nearest_timestep, scaled_linear_sigmas
from nodegraph.errors import InputError


def scaled_input(x: Tensor, sigma: Tensor) -> Tensor:
    """x / sqrt(sigma^2 + 1): what the network is given."""
    return x / (sigma**2 + 1).sqrt()


def x0_from_eps(x: Tensor, sigma: Tensor, eps: Tensor) -> Tensor:
    """x0 = x - sigma * eps, where the network predicts the noise (Ho et al. 2020)."""
    return x - sigma * eps


def x0_from_v(x: Tensor, sigma: Tensor, v: Tensor) -> Tensor:
    """x0 = x / (sigma^2 + 1) - v * sigma / sqrt(sigma^2 + 1), for the velocity of Salimans & Ho 2022."""
    return x / (sigma**2 + 1) - v * sigma / (sigma**2 + 1).sqrt()


X0_FROM = {"eps": x0_from_eps, "v": x0_from_v}
"""Prediction type -> its formula."""


class UNetDenoiser:
    """A UNet seen as a denoiser: satisfies `nodegraph.runtime.LiveDenoiser`.

    The network computes in its own dtype; x, sigma and the result are float32, because differences of
    large numbers near the end of a run would drown in half precision.
    """

    def __init__(self, unet: UNet, prediction: str, table: Tensor | None = None) -> None:
        if prediction not in X0_FROM:
            raise InputError(
                f"the prediction type '{prediction}' is unknown",
                expected=" or ".join(X0_FROM),
                found=prediction,
            )
        self.unet = unet
        self._x0 = X0_FROM[prediction]
        weight = next(unet.parameters())
        self._device, self._dtype = weight.device, weight.dtype
        self._table = scaled_linear_sigmas() if table is None else table
        self._table_there = self._table.to(self._device)

    @property
    def device(self) -> torch.device:
        return self._device

    @property
    def sigmas(self) -> Tensor:
        return self._table

    @torch.no_grad()
    def denoise(self, x: Tensor, sigma: Tensor, tokens: Tensor) -> Tensor:
        """x [B,C,h,w] and tokens [B,T,D] on the device, sigma [B]; InputError where widths do not fit."""
        config = self.unet.config
        if tokens.shape[-1] != config.context_dim:
            raise InputError(
                "the prompt was encoded by the text encoder of another family",
                expected=f"tokens of width {config.context_dim}",
                found=f"width {tokens.shape[-1]}",
                remedy="Use the text encoder of the model's own checkpoint.",
            )
        if x.shape[1] != config.in_channels:
            raise InputError(
                "the latent belongs to another family",
                expected=f"{config.in_channels} channels",
                found=f"{x.shape[1]} channels",
            )
        t = nearest_timestep(self._table_there, sigma).float()
        level = sigma.view(-1, 1, 1, 1)
        predicted = self.unet(scaled_input(x, level).to(self._dtype), t, tokens.to(self._dtype))
        return self._x0(x, level, predicted.float())
