"""A UNet as a live denoiser: pictures beside the noisy latent, and the vector of sizes of SDXL."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from nodegraph.diffusion.denoiser import NetworkDenoiser, check_channels
from nodegraph.diffusion.nets.layers import timestep_embedding
from nodegraph.diffusion.nets.unet import UNet
from nodegraph.diffusion.prediction import Noising, prediction_named
from nodegraph.diffusion.schedules import DiscreteSchedule, Schedule, scaled_linear_sigmas, schedule_of
from nodegraph.errors import InputError
from nodegraph.modelfiles.families import Checkpoint
from nodegraph.runtime import Extras
from nodegraph.values import SD1_LATENT, LatentFormat, Model

SIZE_WIDTH = 256
"""Width of the sinusoids that tell one number."""
AESTHETIC_SCORE = 6.0
"""What the refiner is told where nobody says otherwise (2.5 is usual for the negative prompt)."""


class UNetDenoiser(NetworkDenoiser[UNet]):
    """A UNet seen as a denoiser."""

    def __init__(
        self, unet: UNet, prediction: str, schedule: Schedule | None = None, space: LatentFormat = SD1_LATENT
    ) -> None:
        """schedule: that of SD 1.x where none is given. InputError: a prediction type without a formula."""
        levels = schedule or DiscreteSchedule(scaled_linear_sigmas())
        super().__init__(unet, Noising(prediction_named(prediction), levels), space)

    def check(self, extras: Extras) -> None:
        if extras.references:
            raise InputError(
                "the prompt brings pictures to refer to, and this model takes none",
                expected="a model that is made for references",
                remedy="Take the references off the prompt.",
            )
        if extras.beside is not None and self._pictures == 0:
            raise InputError(
                "the prompt brings a picture, and this model takes none",
                expected="a model for inpainting or editing",
                remedy="Load such a model, or take the picture off the prompt.",
            )

    @torch.no_grad()
    def denoise(self, x: Tensor, sigma: Tensor, tokens: Tensor) -> Tensor:
        """x [B,C,h,w] and tokens [B,T,D] on the device, sigma [B]; InputError where widths do not fit."""
        config = self.network.config
        if tokens.shape[-1] != config.context_dim:
            raise InputError(
                "the prompt was encoded by the text encoder of another family",
                expected=f"tokens of width {config.context_dim}",
                found=f"width {tokens.shape[-1]}",
                remedy="Use the text encoder of the model's own checkpoint.",
            )
        check_channels(x, config.out_channels)
        beside = self._beside(x)
        vector = self._vector(x)

        def network(x: Tensor, timesteps: Tensor) -> Tensor:
            seen = x if beside is None else torch.cat([x, beside], dim=1)
            predicted: Tensor = self.call(seen.to(self._dtype), timesteps, tokens.to(self._dtype), vector)
            return predicted

        return self._noising.x0(network, x, sigma)

    @property
    def _pictures(self) -> int:
        """Input channels beside those of the noisy latent."""
        return self.network.config.in_channels - self.network.config.out_channels

    def _beside(self, x: Tensor) -> Tensor | None:
        """What the UNet sees beside the noisy latent [B,n,h,w]: mask (1 = repaint) first, then the picture.

        An inpainting UNet without a picture repaints everything; an editing one has an empty picture.
        """
        if not self._pictures:
            return None
        batch, channels, height, width = x.shape
        picture, mask = self.extras.beside, self.extras.mask
        if picture is None:
            there = torch.zeros(batch, channels, height, width, device=x.device)
        else:
            if picture.shape[-2:] != x.shape[-2:]:
                raise InputError(
                    "the picture beside the prompt has another size than the latent",
                    expected=f"{width} x {height} cells",
                    found=f"{picture.shape[-1]} x {picture.shape[-2]} cells",
                )
            there = self.scaled(picture.to(x.device))
        if self._pictures == channels:
            return there
        if mask is None:
            repaint = torch.ones(batch, 1, height, width, device=x.device)
        else:
            cells = functional.interpolate(mask[:, None], size=(height, width), mode="bilinear")
            repaint = cells.to(x.device).round()  # as it was trained: a cell is repainted or it is not
        return torch.cat([repaint, there], dim=1)

    def _vector(self, x: Tensor) -> Tensor | None:
        """The pooled prompt and the sinusoids of the size numbers, in the UNet's dtype: [B,label_dim]."""
        label_dim = self.network.config.label_dim
        if not label_dim:
            return None
        pooled = self.extras.pooled
        count = 0 if pooled is None else (label_dim - pooled.shape[-1]) // SIZE_WIDTH
        if pooled is None or count < 0 or pooled.shape[-1] + count * SIZE_WIDTH != label_dim:
            raise InputError(
                "the prompt was encoded by the text encoder of another family",
                expected="a pooled vector, as the text encoders of SDXL give it",
                found="none" if pooled is None else f"one of width {pooled.shape[-1]}",
                remedy="Use the text encoder of the model's own checkpoint.",
            )
        sizes = self._sizes(x, count)
        if sizes.shape[-1] != count:
            raise InputError(
                "the prompt brings the size numbers of another model",
                expected=f"{count} numbers",
                found=str(sizes.shape[-1]),
            )
        told = timestep_embedding(sizes.flatten(), SIZE_WIDTH).view(len(x), count * SIZE_WIDTH)
        return torch.cat([pooled.to(x.device), told.to(x.device)], dim=1).to(self._dtype)

    def _sizes(self, x: Tensor, count: int) -> Tensor:
        """The numbers that the prompts bring, or those of the picture itself, uncropped: [B,count]."""
        if self.extras.sizes is not None:
            return self.extras.sizes
        height, width = (float(side * self.space.down) for side in x.shape[-2:])
        own = [height, width, 0.0, 0.0, *([AESTHETIC_SCORE] if count == 5 else [height, width])]
        return torch.tensor([own]).expand(len(x), -1)


def unet_denoiser(unet: UNet, recipe: Model, _checkpoint: Checkpoint) -> UNetDenoiser:
    """A UNet with the prediction type, schedule and latent format of its recipe."""
    return UNetDenoiser(unet, recipe.prediction, schedule_of(recipe.schedule), recipe.latent_format)
