"""`load.denoiser` and `load.vae`: the parts of a model that lie in files of their own."""

from __future__ import annotations

from typing import Annotated

from nodegraph import Context, File, Model, Vae, node
from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.families import TITLES, Checkpoint
from nodegraph_nodes.loaders.recipes import (
    PredictionType,
    VariantName,
    ZeroTerminal,
    assumed,
    model_of,
)

DenoiserName = Annotated[str, File("diffusion_models")]
VaeName = Annotated[str, File("vae")]


@node("load.denoiser", category="Load", title="Load denoiser", lane="io", notes=assumed("diffusion_models"))
def load_denoiser(
    ctx: Context,
    file: DenoiserName,
    prediction: PredictionType = "auto",
    variant: VariantName = "auto",
    zero_terminal_snr: ZeroTerminal = None,
) -> Model:
    """Open the denoiser (UNet or transformer) of a file, in the original or in diffusers' layout.

    A whole checkpoint serves too: the rest of it is left alone.
    """
    base = ctx.files.get("diffusion_models", file)
    found = ctx.models.inspect(base)
    _require(found, "denoiser", file)
    return model_of(base, found, prediction, variant, zero_terminal_snr)


@node("load.vae", category="Load", title="Load VAE", lane="io")
def load_vae(ctx: Context, file: VaeName) -> Vae:
    """Open the autoencoder of a file, in the original or in diffusers' layout.

    Latents stay in the autoencoder's own space, so one file serves every family of its kind.
    """
    base = ctx.files.get("vae", file)
    found = ctx.models.inspect(base)
    _require(found, "vae", file)
    return Vae(base, found.family, latent_format=found.latent_format)


def _require(found: Checkpoint, component: str, file: str) -> None:
    if component not in found.components:
        raise ModelFileError(
            f"'{file}' has no {TITLES[component]}",
            code="model_component_missing",
            input="file",
            expected=f"a file with a {TITLES[component]}",
            found=" and ".join(TITLES[part] for part in found.components),
        )
