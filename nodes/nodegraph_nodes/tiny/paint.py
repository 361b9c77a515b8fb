"""Making pictures with a tiny model, through the same library that the nodes use."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from nodegraph.diffusion.samplers import SAMPLERS
from nodegraph.diffusion.sampling import sample
from nodegraph.diffusion.schedulers import SCHEDULERS
from nodegraph.diffusion.unet_denoiser import UNetDenoiser
from nodegraph.values import Conditioning, ConditioningEntry, Latent
from nodegraph_nodes.tiny.heldout import Prompt
from nodegraph_nodes.tiny.nets import LATENT_SIDE, TinyModel, tokens
from nodegraph_nodes.tiny.stage_vae import to_pictures

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Settings:
    """How pictures are sampled. The defaults are those that scores are reported with."""

    steps: int = 20
    cfg: float = 4.0
    sampler: str = "dpmpp_2m"
    scheduler: str = "normal"


@dataclass(slots=True)
class Painter:
    """Samples pictures one at a time in float32; ``seconds`` adds up the processor time they took."""

    model: TinyModel
    settings: Settings = Settings()
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.model.unet.eval()
        self.model.vae.eval()
        self.model.text.eval()

    @torch.no_grad()
    def encode(self, text: str) -> Conditioning:
        """A text as conditioning, [1,77,width]."""
        states = self.model.text(tokens(self.model.tokenizer, [text]))
        return Conditioning((ConditioningEntry(states),))

    @torch.no_grad()
    def paint(self, text: str, seed: int, latent: Latent | None = None, denoise: float = 1.0) -> Picture:
        """A picture of a text, uint8 [128,128,3]; given a latent, that one changed by ``denoise``."""
        began = time.process_time()
        painted = sample(
            UNetDenoiser(self.model.unet, "v"),
            self.encode(text),
            self.encode(""),
            latent or Latent(torch.zeros(1, 4, LATENT_SIDE, LATENT_SIDE)),
            seed=seed,
            steps=self.settings.steps,
            cfg=self.settings.cfg,
            sampler=SAMPLERS[self.settings.sampler],
            scheduler=SCHEDULERS[self.settings.scheduler],
            denoise=denoise,
        )
        picture: Picture = to_pictures(self.model.vae.decode(painted.samples))[0]
        self.seconds += time.process_time() - began
        return picture

    def paint_all(self, prompts: Iterable[Prompt]) -> Iterator[Picture]:
        """One picture of every prompt, each with the prompt's own seed."""
        for prompt in prompts:
            yield self.paint(prompt.text, prompt.noise_seed)
