"""`latent.set_mask`: which part of a latent the sampler may change."""

from __future__ import annotations

from dataclasses import replace

from nodegraph import Latent, Mask, node


@node("latent.set_mask", category="Latent", title="Set noise mask", lane="inline")
def set_mask(latent: Latent, mask: Mask) -> Latent:
    """Repaint only where the mask is white; the rest of the picture is kept."""
    return replace(latent, noise_mask=mask)
