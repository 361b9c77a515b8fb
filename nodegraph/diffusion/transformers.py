"""The transformers of SD 3 and FLUX.1 as denoisers that take extras (`nodegraph.runtime.TakesExtras`)."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TypeVar

import torch
from torch import Tensor
from torch.nn import functional

from nodegraph.diffusion.denoiser import NetworkDenoiser, check_channels
from nodegraph.diffusion.nets.flux import Flux
from nodegraph.diffusion.nets.mmdit import MMDiT
from nodegraph.diffusion.prediction import Flow, Noising
from nodegraph.diffusion.schedules import FlowSchedule, FluxSchedule, Schedule
from nodegraph.errors import InputError
from nodegraph.modelfiles.families import FAMILIES, Checkpoint
from nodegraph.runtime import Extras
from nodegraph.values import LatentFormat, Model, NoiseSchedule

N = TypeVar("N", MMDiT, Flux)
MASK_CELLS = 8
"""Pixels of a mask along the side of a latent cell, as FLUX.1 Fill is given them."""


def mmdit_denoiser(network: MMDiT, recipe: Model, _checkpoint: Checkpoint) -> MMDiTDenoiser:
    """An SD 3 network with the schedule of its recipe."""
    return MMDiTDenoiser(network, flow_noising(recipe.schedule), recipe.latent_format)


def flux_denoiser(network: Flux, recipe: Model, checkpoint: Checkpoint) -> FluxDenoiser:
    """A FLUX.1 network with the schedule of its recipe and the guidance scale of its variant."""
    noising = flow_noising(recipe.schedule)
    return FluxDenoiser(network, noising, recipe.latent_format, _usual_guidance(recipe, checkpoint))


def _usual_guidance(recipe: Model, checkpoint: Checkpoint) -> float | None:
    """What the recipe's variant is told where a prompt says nothing; in a family of a plugin, the file's."""
    family = next((family for family in FAMILIES if family.name == recipe.family), None)
    if family is None:
        return checkpoint.defaults.guidance
    variant = family.variant(recipe.variant)
    return ((variant and variant.defaults) or family.defaults).guidance


def flow_noising(schedule: NoiseSchedule) -> Noising:
    """Noise and data on straight paths, with the levels of `flow` or `flux`. InputError for other kinds."""
    if schedule.kind not in ("flow", "flux"):
        raise InputError(
            "a flow model cannot follow this noise schedule",
            expected="flow or flux",
            found=schedule.kind,
        )
    levels: Schedule = FlowSchedule(schedule.shift)
    if schedule.kind == "flux":
        levels = FluxSchedule(math.log(schedule.shift))
    return Noising(Flow(), levels)


class TransformerDenoiser(NetworkDenoiser[N]):
    """What both have in common: one velocity for a level, and a pooled vector beside the tokens."""

    @torch.no_grad()
    def denoise(self, x: Tensor, sigma: Tensor, tokens: Tensor) -> Tensor:
        """x [B,C,h,w] and tokens [B,T,D] on the device, sigma [B]; InputError where widths do not fit."""
        config = self.network.config
        if tokens.shape[-1] != config.context_dim or self.extras.pooled is None:
            width = f"width {tokens.shape[-1]}"
            raise InputError(
                "the prompt was encoded by the text encoder of another family",
                expected=f"tokens of width {config.context_dim} and a pooled vector",
                found=width if self.extras.pooled is not None else f"{width} and no pooled vector",
                remedy="Use the text encoders of the model's own family.",
            )
        check_channels(x, config.out_channels)
        pooled = self.extras.pooled.to(self._dtype)

        def network(x: Tensor, _timestep: Tensor) -> Tensor:
            return self.velocity(x.to(self._dtype), sigma, tokens.to(self._dtype), pooled)

        return self._noising.x0(network, x, sigma)

    @abstractmethod
    def velocity(self, x: Tensor, sigma: Tensor, tokens: Tensor, pooled: Tensor) -> Tensor:
        """noise - x0 [B,C,h,w] as the network predicts it, in the network's dtype."""


class MMDiTDenoiser(TransformerDenoiser[MMDiT]):
    """SD 3 and SD 3.5: told sigma in thousandths."""

    def check(self, extras: Extras) -> None:
        _check_pooled(extras, self.network.config.pooled_dim)
        if extras.beside is not None or extras.references:
            raise InputError(
                "the prompt brings pictures, and this model takes none",
                expected="a model for inpainting, editing or control",
                remedy="Load such a model, or take the pictures off the prompt.",
            )

    def velocity(self, x: Tensor, sigma: Tensor, tokens: Tensor, pooled: Tensor) -> Tensor:
        predicted: Tensor = self.call(x, sigma * 1000, tokens, pooled)
        return predicted


class FluxDenoiser(TransformerDenoiser[Flux]):
    """FLUX.1: told a guidance scale; Fill and control models see a latent beside the noisy one.

    guidance: what is told where the prompt says nothing.
    """

    def __init__(
        self, network: Flux, noising: Noising, space: LatentFormat, guidance: float | None = None
    ) -> None:
        super().__init__(network, noising, space)
        self.guidance = guidance

    def check(self, extras: Extras) -> None:
        config = self.network.config
        _check_pooled(extras, config.vector_dim)
        beside, masked = config.in_channels - config.out_channels, self._sees_mask
        if beside and (extras.beside is None or (masked and extras.mask is None)):
            what = "a masked picture and its mask" if masked else "a control picture"
            raise InputError(
                f"this model needs {what} beside the prompt",
                expected=f"a prompt that brings {what}",
                remedy="Put the picture on the prompt, or use a model for text alone.",
            )
        if not beside and extras.beside is not None:
            raise InputError(
                "the prompt brings a picture to be seen beside the noisy one, and this model sees none",
                expected="FLUX.1 Fill, canny or depth",
                remedy="Load such a model, or take the picture off the prompt.",
            )

    def velocity(self, x: Tensor, sigma: Tensor, tokens: Tensor, pooled: Tensor) -> Tensor:
        seen = [x, *self._beside(x)]
        references = [self.scaled(reference).to(self._dtype) for reference in self.extras.references]
        predicted: Tensor = self.call(
            torch.cat(seen, dim=1), sigma, tokens, pooled, self._guidance(sigma), references
        )
        return predicted

    @property
    def _sees_mask(self) -> bool:
        config = self.network.config
        return config.in_channels == 2 * config.out_channels + MASK_CELLS**2

    def _guidance(self, sigma: Tensor) -> Tensor | None:
        if self.extras.guidance is not None or self.guidance is None:
            return self.extras.guidance
        return torch.full_like(sigma, self.guidance)

    def _beside(self, x: Tensor) -> list[Tensor]:
        """What the network sees beside x: a control latent, or a masked latent and the folded mask."""
        beside, mask = self.extras.beside, self.extras.mask
        if beside is None:
            return []
        if beside.shape[-2:] != x.shape[-2:]:
            raise InputError(
                "the picture beside the prompt has another size than the latent",
                expected=f"{x.shape[-1]} x {x.shape[-2]} latent cells",
                found=f"{beside.shape[-1]} x {beside.shape[-2]}",
                remedy="Bring the picture to the size of the latent before it is encoded.",
            )
        if not self._sees_mask or mask is None:
            return [self.scaled(beside).to(self._dtype)]
        return [self.scaled(beside).to(self._dtype), folded(mask, x.shape[-2], x.shape[-1]).to(self._dtype)]


def folded(mask: Tensor, height: int, width: int) -> Tensor:
    """A mask [B,H,W] at 8x8 pixels for each of height x width cells, as channels: [B,64,height,width].

    The channel of a pixel is 8 * row + column within its cell (as FLUX.1 Fill is trained).
    """
    size = (height * MASK_CELLS, width * MASK_CELLS)
    sized = functional.interpolate(mask[:, None], size=size, mode="bilinear", align_corners=False)
    return functional.pixel_unshuffle(sized, MASK_CELLS)


def _check_pooled(extras: Extras, width: int) -> None:
    if extras.pooled is not None and extras.pooled.shape[-1] != width:
        raise InputError(
            "the prompt was encoded by the text encoders of another family",
            expected=f"a pooled vector of width {width}",
            found=f"width {extras.pooled.shape[-1]}",
            remedy="Use the text encoders of the model's own family.",
        )
