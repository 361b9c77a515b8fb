"""`conditioning.set_guidance`, `add_reference`, `set_picture`: what a prompt brings besides tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from nodegraph import Conditioning, Latent, Mask, node

Guidance = Annotated[float, Field(ge=0, le=100, description="the scale that a distilled model is told")]


@node("conditioning.set_guidance", category="Conditioning", title="Set guidance", lane="cpu")
def set_guidance(conditioning: Conditioning, guidance: Guidance = 3.5) -> Conditioning:
    """Tell a distilled model (FLUX.1 dev and its kin) how closely to follow the prompt.

    It takes the place of cfg, which is 1 for these models. Other models ignore it.
    """
    return Conditioning(tuple(replace(entry, guidance=guidance) for entry in conditioning.entries))


@node("conditioning.add_reference", category="Conditioning", title="Add reference picture", lane="cpu")
def add_reference(conditioning: Conditioning, latent: Latent) -> Conditioning:
    """Let the model look at an encoded picture of any size while it paints (FLUX.1 Kontext).

    Several references stand in the order in which they were added.
    """
    return Conditioning(
        tuple(replace(entry, references=(*entry.references, latent)) for entry in conditioning.entries)
    )


@node("conditioning.set_picture", category="Conditioning", title="Set picture beside", lane="cpu")
def set_picture(conditioning: Conditioning, latent: Latent, mask: Mask | None = None) -> Conditioning:
    """Give the model an encoded picture beside the noisy one: what to follow, edit or fill.

    For FLUX.1 canny and depth it is the control picture, for editing models the picture to edit, for
    inpainting models the picture with the masked part made grey. The mask (1 = paint here) is the one
    given, or else that of the latent. The picture has the size of the latent that is sampled.
    """
    seen = latent if mask is None else replace(latent, noise_mask=mask)
    return Conditioning(tuple(replace(entry, beside=seen) for entry in conditioning.entries))
