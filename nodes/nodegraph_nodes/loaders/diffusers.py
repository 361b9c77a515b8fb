"""`load.diffusers`: a whole pipeline folder in diffusers' layout."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

from nodegraph import Context, File, Model, TextEncoder, Vae, node
from nodegraph.errors import ModelFileError
from nodegraph_nodes.loaders.checkpoint import Checkpoint
from nodegraph_nodes.loaders.recipes import (
    PredictionType,
    VariantName,
    ZeroTerminal,
    assumed,
    model_of,
)

if TYPE_CHECKING:
    from nodegraph.values import ModelFile

FolderName = Annotated[str, File("diffusers")]


@node(
    "load.diffusers",
    category="Load",
    title="Load diffusers folder",
    lane="io",
    notes=assumed("diffusers", "folder"),
)
def load_diffusers(
    ctx: Context,
    folder: FolderName,
    prediction: PredictionType = "auto",
    variant: VariantName = "auto",
    zero_terminal_snr: ZeroTerminal = None,
) -> Checkpoint:
    """Open a pipeline folder in diffusers' layout, by its model_index.json: denoiser, text encoders and VAE.

    Weights may be sharded. Only headers are read here. The architecture is told from the tensors; what
    tensors cannot tell (prediction type, shift, zero terminal SNR) is told by the folder's scheduler
    settings, unless it is given.
    """
    from nodegraph.modelfiles.manifests import parts_of

    index = ctx.files.path(ctx.files.get("diffusers", folder))
    parts = parts_of(index)
    files = {part: _file(ctx, folder, index, path) for part, path in parts.items()}
    encoders = [file for part, file in files.items() if part.startswith("text_encoder")]
    if not encoders or "vae" not in files:
        raise ModelFileError(
            f"'{folder}' is not a whole pipeline: it has no {'VAE' if encoders else 'text encoder'}",
            code="model_file_incomplete",
            input="folder",
            remedy="Load its parts by themselves: load.denoiser, load.text_encoders, load.vae.",
        )
    base = files.get("unet") or files["transformer"]
    model = _model(ctx, base, index, prediction, variant, zero_terminal_snr)
    vae = ctx.models.inspect(files["vae"])
    for part, file in files.items():
        _check(ctx, file, parts[part], model)
    return Checkpoint(
        model,
        TextEncoder(encoders[0], model.family, others=tuple(encoders[1:])),
        Vae(files["vae"], vae.family or model.family, latent_format=model.latent_format),
    )


def _check(ctx: Context, file: ModelFile, weights: Path, model: Model) -> None:
    """ModelFileError where the weights are not what the settings beside them say."""
    from nodegraph.modelfiles.part_configs import check_part

    for component, net in ctx.models.inspect(file).nets.items():
        check_part(weights, net, model.latent_format if component == "vae" else None)


def _file(ctx: Context, folder: str, index: Path, path: Path) -> ModelFile:
    """The file of a part, by its name beside the folder's index."""
    beside = PurePosixPath(folder.replace("\\", "/")).parent
    return ctx.files.get("diffusers", str(beside / path.relative_to(index.parent).as_posix()))


def _model(
    ctx: Context, base: ModelFile, index: Path, prediction: str, variant: str, zero_terminal_snr: bool | None
) -> Model:
    from nodegraph.modelfiles.scheduler_settings import read_settings, told_prediction

    found = ctx.models.inspect(base)
    if "denoiser" not in found.components:
        raise ModelFileError(
            f"'{base.name}' has no denoiser of a supported family",
            code="model_component_missing",
            input="folder",
        )
    settings = read_settings(index)
    told = (told_prediction(settings, index) or "auto") if prediction == "auto" else prediction
    if zero_terminal_snr is None and isinstance(settings.get("rescale_betas_zero_snr"), bool):
        zero_terminal_snr = settings["rescale_betas_zero_snr"]
    model = model_of(base, found, told, variant, zero_terminal_snr)
    shift = settings.get("shift")
    if (
        model.schedule.kind == "flow"
        and isinstance(shift, int | float)
        and not settings.get("use_dynamic_shifting")
    ):
        model = replace(model, schedule=replace(model.schedule, shift=float(shift)))
    return model
