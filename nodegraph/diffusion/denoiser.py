"""What all networks have in common as denoisers: `nodegraph.runtime.LiveDenoiser` and `TakesExtras`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from copy import copy
from typing import Any, Generic, Self, TypeVar

import torch
from torch import Tensor, nn

from nodegraph.diffusion.prediction import Noising
from nodegraph.errors import InputError
from nodegraph.runtime import Extras, TellsWays
from nodegraph.values import LatentFormat

N = TypeVar("N", bound=nn.Module)


class NetworkDenoiser(ABC, Generic[N]):
    """A network with its noising and the extras of the prompts that it is asked for.

    Latents that prompts bring are in the VAE's own space and are brought to the network's (`space`).
    `call` is what calls the network: itself, or something that does it faster with the same result.
    """

    def __init__(
        self, network: N, noising: Noising, space: LatentFormat, extras: Extras | None = None
    ) -> None:
        self.network = network
        self.call: Callable[..., Any] = network
        self.space = space
        self.extras = Extras() if extras is None else extras
        self._noising = noising
        weight = next(network.parameters())
        self._device, self._dtype = weight.device, weight.dtype

    @property
    def device(self) -> torch.device:
        return self._device

    @property
    def noising(self) -> Noising:
        return self._noising

    @property
    def sigmas(self) -> Tensor:
        return self._noising.table

    def given(self, extras: Extras) -> Self:
        """The same denoiser for prompts with these extras. InputError where they do not fit the network."""
        self.check(extras)
        bound = copy(self)
        bound.extras = extras
        return bound

    @abstractmethod
    def check(self, extras: Extras) -> None:
        """InputError where the network cannot take these extras, or lacks some."""

    @abstractmethod
    def denoise(self, x: Tensor, sigma: Tensor, tokens: Tensor) -> Tensor:
        """The clean estimate: see `nodegraph.runtime.LiveDenoiser`."""

    def ways(self) -> Mapping[str, int]:
        """How many steps went which way so far (`nodegraph.runtime.TellsWays`); none where none was asked."""
        return self.call.ways() if isinstance(self.call, TellsWays) else {}

    def scaled(self, latent: Tensor) -> Tensor:
        """A latent of the VAE's own space as the network sees latents."""
        return (latent - self.space.shift) * self.space.scale


def check_channels(x: Tensor, channels: int) -> None:
    """InputError where a latent [B,C,h,w] has another number of channels."""
    if x.shape[1] != channels:
        raise InputError(
            "the latent belongs to another family",
            expected=f"{channels} channels",
            found=f"{x.shape[1]} channels",
        )
