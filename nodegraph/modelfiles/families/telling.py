"""What a file says about itself besides its shapes: prediction type, schedule, variant."""

from __future__ import annotations

from dataclasses import replace

from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.families.family import Family, Told, Variant
from nodegraph.modelfiles.safetensors_header import Header
from nodegraph.modelfiles.sources import Sources

SPELLINGS = {
    "v": "v", "v_prediction": "v", "v-prediction": "v",
    "eps": "eps", "epsilon": "eps",
    "edm": "edm", "flow": "flow", "flow_prediction": "flow",
}  # fmt: skip
"""How metadata spell prediction types."""


def tell(family: Family, header: Header, denoiser: Sources) -> Told:  # noqa: ARG001 - of the contract
    """The usual rules: marker tensors, then metadata, then the family's default.

    `v_pred` marks velocity, `ztsnr` a schedule that ends in pure noise (both are empty tensors). Metadata
    speak of `prediction_type` or, by the ModelSpec convention, `modelspec.prediction_type`.
    """
    prediction = declared_prediction(family, header) or family.predictions[0]
    variant = declared_variant(family, header)
    schedule = (variant.schedule if variant else None) or family.schedule
    if "ztsnr" in header.tensors:
        schedule = replace(schedule, zero_terminal_snr=True)
    return Told(prediction, schedule, variant.name if variant else "")


def declared_prediction(family: Family, header: Header) -> str | None:
    """The prediction type by marker tensor or metadata; None where the file is silent.

    ModelFileError: the family does not know the type that the file declares.
    """
    if "v_pred" in header.tensors:
        return "v"
    metadata = header.metadata
    said = metadata.get("prediction_type", metadata.get("modelspec.prediction_type", "")).lower()
    if not said:
        return None
    prediction = SPELLINGS.get(said)
    if prediction not in family.predictions:
        raise ModelFileError(
            f"{header.path} declares the prediction type '{said}'",
            code="model_family_unsupported",
            expected=" or ".join(family.predictions),
            found=said,
            remedy="Name the prediction type on the loader if the metadata is wrong.",
        )
    return prediction


def declared_variant(family: Family, header: Header) -> Variant | None:
    """The variant that the metadata name (ModelSpec title or architecture, or `variant`); None if silent."""
    keys = ("variant", "modelspec.title", "modelspec.architecture", "modelspec.implementation")
    said = " ".join(header.metadata.get(key, "") for key in keys).lower()
    for variant in family.variants:
        if any(word in said for word in variant.words):
            return variant
    return None
