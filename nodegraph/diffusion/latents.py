"""Bring a latent to the format of the model that is to sample it."""

from __future__ import annotations

from nodegraph.errors import InputError
from nodegraph.values import ANY_LATENT, Latent, LatentFormat


def in_format(latent: Latent, wanted: LatentFormat) -> Latent:
    """The latent in the model's format. Samples are in the VAE's own space, so no number of them changes.

    An empty latent fits every model; one from an autoencoder that was loaded alone fits those with as many
    channels. InputError: the latent is a picture from the autoencoder of another family.
    """
    given = latent.format
    if given == wanted:
        return latent
    if not bool(latent.samples.any()):
        batch, _, height, width = latent.samples.shape
        sides = (side * given.down // wanted.down for side in (height, width))
        samples = latent.samples.new_zeros(batch, wanted.channels, *sides)
        return Latent(samples, wanted, latent.noise_mask, latent.batch_index)
    alike = (given.channels, given.down) == (wanted.channels, wanted.down)
    if given.name == ANY_LATENT and alike:
        return Latent(latent.samples, wanted, latent.noise_mask, latent.batch_index)
    raise InputError(
        "the latent belongs to another family",
        input="latent",
        expected=f"a latent of {wanted.name} ({wanted.channels} channels)",
        found=f"one of {given.name} ({given.channels} channels)",
        remedy="Decode it with its own VAE and encode the picture with the model's.",
    )
