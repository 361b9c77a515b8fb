"""Repaint a part of a latent: outside the mask every step sees the original, noised to its level."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from nodegraph.diffusion.guidance.kinds import Denoise, with_negative
from nodegraph.errors import InputError
from nodegraph.runtime import Noising
from nodegraph.values import Mask


def latent_mask(mask: Mask, samples: Tensor) -> Tensor:
    """The mask at the size of latents [B,C,h,w]: float32 [B,1,h,w], 1 = repaint, resized bilinearly.

    A single mask serves every image; otherwise there must be one for each (InputError).
    """
    values = mask.values.to(samples.device, samples.dtype)[:, None].clamp(0, 1)
    if values.shape[0] not in (1, samples.shape[0]):
        raise InputError(
            "the number of masks fits neither one nor the number of images",
            input="latent",
            expected=f"1 or {samples.shape[0]}",
            found=str(values.shape[0]),
        )
    resized = functional.interpolate(values, size=samples.shape[-2:], mode="bilinear", align_corners=False)
    return resized.expand(samples.shape[0], -1, -1, -1)


class Masked:
    """A denoiser that repaints only where the mask is 1.

    What it sees outside the mask is the original with noise of the level, what it gives there is the
    original, so a sampler is led to the original there whatever its steps (compare Lugmayr et al. 2022,
    RePaint, equation 8). original and noise [B,C,h,w], mask [B,1,h,w].
    """

    def __init__(
        self, denoise: Denoise, noising: Noising, original: Tensor, noise: Tensor, mask: Tensor
    ) -> None:
        self._denoise = denoise
        self._noising = noising
        self._original = original
        self._noise = noise
        self._mask = mask

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
        return self._given(self._denoise(self._seen(x, sigma), sigma))

    def with_negative(self, x: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
        """As `guidance.kinds.WithNegative`, where the denoiser is one."""
        guided, negative = with_negative(self._denoise)(self._seen(x, sigma), sigma)
        return self._given(guided), self._given(negative)

    def _seen(self, x: Tensor, sigma: Tensor) -> Tensor:
        outside = self._noising.noised(self._original, self._noise, sigma)
        return x * self._mask + outside * (1 - self._mask)

    def _given(self, x0: Tensor) -> Tensor:
        return x0 * self._mask + self._original * (1 - self._mask)
