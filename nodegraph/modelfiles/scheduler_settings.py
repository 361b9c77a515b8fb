"""What a pipeline folder's scheduler settings say of its denoiser (diffusers' names)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nodegraph.errors import ModelFileError
from nodegraph.modelfiles.manifests import read_json

SETTINGS = "scheduler/scheduler_config.json"
PREDICTIONS: Mapping[str, str] = {"epsilon": "eps", "v_prediction": "v", "flow_prediction": "flow"}
"""How they spell prediction types."""


def read_settings(index: Path) -> Mapping[str, Any]:
    """The scheduler's settings beside a model_index.json; empty if there are none."""
    path = index.parent / SETTINGS
    return read_json(path) if path.is_file() else {}


def told_prediction(settings: Mapping[str, Any], index: Path) -> str | None:
    """What the network predicts, None if they are silent. ModelFileError: something unheard of."""
    named = settings.get("prediction_type")
    if named is None:
        return None
    if not isinstance(named, str) or named not in PREDICTIONS:
        raise ModelFileError(
            f"{index.parent / SETTINGS} names a prediction type that is not known",
            code="unknown_prediction", input="prediction", expected=", ".join(PREDICTIONS),
            found=repr(named),
            remedy="Say at 'prediction' what the network predicts.",
        )  # fmt: skip
    return PREDICTIONS[named]
