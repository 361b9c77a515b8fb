"""`load.checkpoint`: one file with denoiser, text encoder and VAE, as recipes."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from nodegraph import Context, File, Model, TextEncoder, Vae, node
from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.families import TITLES
from nodegraph_nodes.loaders.recipes import (
    PredictionType,
    VariantName,
    ZeroTerminal,
    assumed,
    model_of,
)

CheckpointName = Annotated[str, File("checkpoints")]


class Checkpoint(NamedTuple):
    """What an all-in-one checkpoint holds."""

    model: Model
    text_encoder: TextEncoder
    vae: Vae


@node("load.checkpoint", category="Load", title="Load checkpoint", lane="io", notes=assumed("checkpoints"))
def load_checkpoint(
    ctx: Context,
    file: CheckpointName,
    prediction: PredictionType = "auto",
    variant: VariantName = "auto",
    zero_terminal_snr: ZeroTerminal = None,
) -> Checkpoint:
    """Open an all-in-one checkpoint: denoiser, text encoder and VAE.

    Only the file's header is read here; weights are loaded when a node first needs them. The architecture
    is told from the tensors in the file, never from its name; prediction type and variant from its metadata,
    unless they are given.
    """
    base = ctx.files.get("checkpoints", file)
    found = ctx.models.inspect(base)
    missing = [part for part in ("denoiser", "vae") if part not in found.components]
    missing += [] if found.text_encoders else ["clip_l"]
    if missing:
        lacking = " and no ".join(TITLES[part] for part in missing)
        raise ModelFileError(
            f"'{file}' is not a whole checkpoint: it has no {lacking}",
            code="model_file_incomplete",
            input="file",
            remedy="Use an all-in-one file with denoiser, text encoder and VAE.",
        )
    return Checkpoint(
        model_of(base, found, prediction, variant, zero_terminal_snr),
        TextEncoder(base, found.family),
        Vae(base, found.family, latent_format=found.latent_format),
    )
