"""Noise: float32, made on the CPU, so that a seed gives the same picture on every device.

Image i of a batch has its own noise, which does not depend on the batch: made alone through its index, it
comes out the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

from nodegraph.runtime import StepNoise

Shape = tuple[int, int, int]


def initial_noise(seed: int, indices: Sequence[int], shape: Shape) -> Tensor:
    """Unit noise [B,C,h,w] for the given noise indices; shape is (C, h, w), seed 0 to 2^64 - 1.

    One generator draws [1,C,h,w] for index 0, 1, 2 … in order; each image takes the draw of its index.
    """
    generator = torch.Generator().manual_seed(seed)
    wanted = set(indices)
    draws: dict[int, Tensor] = {}
    for index in range(max(wanted) + 1):
        draw = torch.randn((1, *shape), generator=generator)
        if index in wanted:
            draws[index] = draw
    return torch.cat([draws[index] for index in indices])


def image_seed(seed: int, index: int) -> int:
    """The seed of one image's step noise: the seed itself for index 0, else a digest of both.

    Any other rule of small numbers would make image 1 of seed 7 share its noise with image 0 of seed 8.
    """
    if index == 0:
        return seed
    digest = hashlib.blake2b(seed.to_bytes(8, "little") + index.to_bytes(8, "little"), digest_size=8)
    return int.from_bytes(digest.digest(), "little")


class WhiteNoise:
    """Independent noise for every step (`StepNoise`): one generator per image."""

    def __init__(self, seed: int, indices: Sequence[int], shape: Shape) -> None:
        self._shape = shape
        self._generators = [torch.Generator().manual_seed(image_seed(seed, index)) for index in indices]

    def __call__(self, sigma: float, sigma_next: float) -> Tensor:  # noqa: ARG002 - independent of the interval
        return torch.stack([torch.randn(self._shape, generator=generator) for generator in self._generators])


class BrownianNoise:
    """Increments of a Brownian path over sigma (`StepNoise`): one path per image.

    The noise of an interval is the path's increment over it divided by the root of its length. The path
    is fixed by the seed and by the range of the run, so more steps refine the same picture (Li et al.
    2020, "Scalable Gradients for Stochastic Differential Equations"; the tree is torchsde's).
    """

    def __init__(
        self, seed: int, indices: Sequence[int], shape: Shape, sigma_min: float, sigma_max: float
    ) -> None:
        import torchsde  # loaded where it is used: it brings scipy along

        # The tree rounds its own ends to six digits and warns of queries beyond them: ask within.
        self._ends = round(sigma_min, 6), round(sigma_max, 6)
        self._trees = [
            torchsde.BrownianTree(
                t0=sigma_min, w0=torch.zeros(1, *shape), t1=sigma_max, entropy=image_seed(seed, index)
            )
            for index in indices
        ]

    def __call__(self, sigma: float, sigma_next: float) -> Tensor:
        low, high = sorted((sigma, sigma_next))
        sign = 1.0 if sigma < sigma_next else -1.0
        inside = max(low, self._ends[0]), min(high, self._ends[1])
        increments = torch.cat([tree(*inside) for tree in self._trees])
        scaled: Tensor = increments * (sign / (high - low) ** 0.5)
        return scaled


class OnDevice:
    """Step noise brought to the device of the latents."""

    def __init__(self, source: StepNoise, device: torch.device) -> None:
        self._source = source
        self._device = device

    def __call__(self, sigma: float, sigma_next: float) -> Tensor:
        return self._source(sigma, sigma_next).to(self._device)
