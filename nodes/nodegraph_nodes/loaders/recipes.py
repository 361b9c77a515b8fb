"""From what a file is to the recipe of its denoiser: what the file says, unless the user says otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from nodegraph import Context, Model
from nodegraph.errors import InputError
from nodegraph.modelfiles.families import Checkpoint
from nodegraph.values import ModelFile

PredictionType = Annotated[
    Literal["auto", "eps", "v", "edm", "flow"],
    Field(description="what the network predicts; auto believes the file"),
]
VariantName = Annotated[
    str,
    Field(description="turbo, lightning, … of the same tensors; auto: what the file says"),
]
ZeroTerminal = Annotated[
    bool | None, Field(description="whether training went down to pure noise; nothing: what the file says")
]


def model_of(
    ctx: Context,
    base: ModelFile,
    found: Checkpoint,
    prediction: str = "auto",
    variant: str = "auto",
    zero_terminal_snr: bool | None = None,
) -> Model:
    """The recipe of a file's denoiser; what was assumed is logged. InputError: no such variant."""
    for note in found.notes if prediction == "auto" else ():
        ctx.log.info("%s: %s", base.name, note)
    schedule, chosen = found.schedule, found.variant
    if variant != "auto":
        if variant and variant not in found.variants:
            raise InputError(
                "the model's family has no such variant",
                code="not_in_menu",
                input="variant",
                expected="auto" + "".join(f", {name}" for name in found.variants),
                found=f"'{variant}'",
            )
        chosen = variant
    elif not chosen and found.variants:
        names = ", ".join(found.variants)
        ctx.log.info("%s: taken for the plain model of its family; others are %s", base.name, names)
    if zero_terminal_snr is not None:
        schedule = replace(schedule, zero_terminal_snr=zero_terminal_snr)
    return Model(
        base,
        found.family,
        prediction=found.prediction if prediction == "auto" else prediction,
        latent_format=found.latent_format,
        schedule=schedule,
        variant=chosen,
    )
