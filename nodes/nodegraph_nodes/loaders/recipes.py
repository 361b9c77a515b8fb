"""From what a file is to the recipe of its denoiser: what the file says, unless the user says otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from nodegraph import Model
from nodegraph.declare import FindFile, Notes
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


def assumed(kind: str, input_: str = "file") -> Notes:
    """The notes of a loader: what is taken for granted of the model file that its input names."""

    def notes(params: Mapping[str, Any], find: FindFile) -> Sequence[str]:
        path = find(kind, str(params.get(input_, "")))
        if path is None:
            return ()
        said = params.get("prediction") != "auto" or _told_beside(path)
        told = _assumptions(path, path.stat().st_mtime_ns, said, params.get("variant"))
        return [f"{params[input_]}: {note}" for note in told]

    return notes


def _told_beside(path: Path) -> bool:
    """Whether the settings of a pipeline folder tell the prediction type, which is no assumption then."""
    from nodegraph.modelfiles.manifests import WHOLE
    from nodegraph.modelfiles.scheduler_settings import read_settings

    return path.name == WHOLE and read_settings(path).get("prediction_type") is not None


@lru_cache(maxsize=64)
def _assumptions(path: Path, _changed: int, predicts: bool, variant: object) -> tuple[str, ...]:
    """By the file's header alone, read once for every state of the file. predicts: what, is known."""
    from nodegraph.modelfiles.families import FAMILIES, inspect
    from nodegraph.modelfiles.manifests import WHOLE, parts_of, read_model_header

    if path.name == WHOLE:
        parts = parts_of(path)
        path = parts.get("unet") or parts["transformer"]
    found = inspect(read_model_header(path))
    notes = [] if predicts else list(found.notes)
    family = next((family for family in FAMILIES if family.name == found.family), None)
    twins = [one.name for one in family.variants if one.words] if family is not None else []
    if variant == "auto" and not found.variant and twins:
        names = ", ".join(f"'{name}'" for name in twins)
        notes.append(
            f"taken for the plain model of its family, since others have the same tensors: "
            f"set 'variant' if it is {names}"
        )
    return tuple(notes)


def model_of(
    base: ModelFile,
    found: Checkpoint,
    prediction: str = "auto",
    variant: str = "auto",
    zero_terminal_snr: bool | None = None,
) -> Model:
    """The recipe of a denoiser; `assumed` says what it takes for granted. InputError: no such variant."""
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
